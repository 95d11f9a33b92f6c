//! A file of transaction details, and what it states.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::ids::{OrderId, OrderLineId};
use chopmark_domain::settlement::bill::import::ImportError;
use chopmark_domain::settlement::bill::mapping::Field;
use chopmark_domain::settlement::statement::Subject;
use chopmark_domain::settlement::transactions::read::{self, KnownOrders};
use chopmark_domain::settlement::transactions::{StatedRow, TransactionsImported};
use serde::Serialize;
use utoipa::ToSchema;

use super::{FileShown, Opened, ProblemShown, Upload, UploadError, aside, open, owned, problems};
use crate::report::reconciliation::order_of_line;
use crate::report::{Asking, Billing, ReportError, SLICE};

/// A file of transaction details as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TransactionsPreview {
    /// The file.
    pub file: FileShown,
    /// Why nothing of it is taken; empty if it can be.
    pub problems: Vec<ProblemShown>,
    /// How many more problems there are than those told.
    pub more_problems: usize,
    /// Rows about lines of orders.
    pub order_lines: usize,
    /// Rows about consumption.
    pub usage: usize,
}

/// A file of transaction details with what is to be appended.
#[derive(Debug, Clone)]
pub struct TransactionsFile {
    /// To be looked at.
    pub preview: TransactionsPreview,
    /// To be taken up, if it can be.
    pub import: Option<(TransactionsImported, Vec<StatedRow>)>,
}

impl Billing {
    /// Looks at a file of transaction details.
    ///
    /// # Errors
    /// [`UploadError`]: it is no table, or there is no such mapping. What is wrong with its rows is in the preview.
    pub async fn look_at_transactions(
        &self,
        asking: &Asking<'_>,
        upload: Upload,
    ) -> Result<TransactionsFile, UploadError> {
        let (catalog, currency) = owned(asking);
        let opened = aside(move || open(upload, &catalog)).await?;
        let orders = self.known_orders(asking, &named_orders(&opened)).await?;
        aside(move || {
            let texts = opened.texts();
            let rows = texts.iter().map(|(row, cells)| (*row, cells.iter().map(AsRef::as_ref).collect::<Vec<&str>>()));
            let read = read::read(currency, &opened.mapping, &opened.headers(), rows, &orders);
            let imported = TransactionsImported {
                file_name: opened.shown.file_name.clone(),
                sha256: opened.shown.sha256.clone(),
                mapping: opened.mapping.clone(),
                rows: 0,
            };
            drop(texts);
            Ok(file(opened.shown, imported, read))
        })
        .await
    }

    /// What the lines know of orders.
    async fn known_orders(&self, asking: &Asking<'_>, orders: &[OrderId]) -> Result<Orders, ReportError> {
        let mut known = Orders::default();
        for some in orders.chunks(SLICE) {
            for row in self.store().lines_of_orders(asking.seller, some).await? {
                let line = row.line();
                if let (Some(order), Some(own)) = (&line.order_id, &line.order_line_id) {
                    known.lines.entry(order.clone()).or_default().insert(own.clone());
                    known.orders.insert(own.clone(), order.clone());
                }
            }
        }
        Ok(known)
    }
}

/// Orders as the lines know them.
#[derive(Default)]
struct Orders {
    lines: BTreeMap<OrderId, BTreeSet<OrderLineId>>,
    orders: BTreeMap<OrderLineId, OrderId>,
}

impl KnownOrders for Orders {
    fn only_line(&self, order: &OrderId) -> Option<OrderLineId> {
        let lines = self.lines.get(order).filter(|lines| lines.len() == 1)?;
        lines.first().cloned()
    }

    /// A line that nobody told of is taken for one of the order that its id begins with.
    fn order_of(&self, line: &OrderLineId) -> Option<OrderId> {
        self.orders.get(line).cloned().or_else(|| order_of_line(line))
    }
}

/// Every order that the file names, by itself or by one of its lines.
fn named_orders(opened: &Opened) -> Vec<OrderId> {
    let mut orders = BTreeSet::new();
    for (at, header) in opened.table.header.iter().enumerate() {
        let field = opened.mapping.field(header);
        let cells = opened.table.rows.iter().map(|row| row.cell(at).shown());
        match field {
            Some(Field::OrderId) => orders.extend(cells.filter_map(|cell| OrderId::parse(cell.trim()).ok())),
            Some(Field::OrderLineId) => {
                let lines = cells.filter_map(|cell| OrderLineId::parse(cell.trim()).ok());
                orders.extend(lines.filter_map(|line| order_of_line(&line)));
            }
            _ => {}
        }
    }
    orders.into_iter().collect()
}

fn file(
    file: FileShown,
    imported: TransactionsImported,
    read: Result<Vec<StatedRow>, ImportError>,
) -> TransactionsFile {
    match read {
        Err(error) => {
            let (problems, more_problems) = problems(error);
            let preview = TransactionsPreview { file, problems, more_problems, order_lines: 0, usage: 0 };
            TransactionsFile { preview, import: None }
        }
        Ok(rows) => {
            let of_orders = |row: &&StatedRow| matches!(row.statement.subject, Subject::OrderLine { .. });
            let order_lines = rows.iter().filter(of_orders).count();
            let usage = rows.len() - order_lines;
            let preview = TransactionsPreview { file, problems: vec![], more_problems: 0, order_lines, usage };
            TransactionsFile { preview, import: Some((imported, rows)) }
        }
    }
}
