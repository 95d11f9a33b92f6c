//! A bill's file, and what it would change.

use std::collections::BTreeMap;

use chopmark_domain::settlement::bill::event::BillImported;
use chopmark_domain::settlement::bill::import::{self, ImportError};
use chopmark_domain::settlement::bill::revision::{BillRevision, ChangedRow};
use chopmark_domain::settlement::bill::{Bill, BillIdentity, BillRow, Duplicate};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::product::Category;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CHANGES, FileShown, ProblemShown, Upload, UploadError, aside, open, owned, problems};
use crate::report::{Asking, Billing, ReportError, schema};

/// What rows come to in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FileTotal)]
pub struct TotalShown {
    /// The currency.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// The sum of the settlement amounts.
    #[schema(value_type = String, example = "95.00")]
    pub amount: Decimal,
}

/// A row of a bill: what it says, by field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BillRow)]
pub struct RowShown {
    /// Its row in the file.
    pub row: u32,
    /// Field to text; moments UTC.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub values: BTreeMap<&'static str, String>,
}

impl From<&BillRow> for RowShown {
    fn from(row: &BillRow) -> Self {
        let values = row.values().into_iter().map(|(field, value)| (field.code(), value));
        Self { row: row.row, values: values.collect() }
    }
}

/// A row that says something else than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ChangedBillRow)]
pub struct ChangedRowShown {
    /// Its row in the new file.
    pub row: u32,
    /// As it was.
    pub old: RowShown,
    /// As it is.
    pub new: RowShown,
    /// The fields that differ.
    pub changes: Vec<String>,
}

impl From<&ChangedRow> for ChangedRowShown {
    fn from(changed: &ChangedRow) -> Self {
        let changes = changed.changes.iter().map(|change| change.field.code().to_owned()).collect();
        Self { row: changed.new.row, old: (&changed.old).into(), new: (&changed.new).into(), changes }
    }
}

/// What a file changes against the bill as it was imported last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillChange {
    /// Which import of this bill it would be, from 1.
    pub revision: u32,
    /// Whether it says the same as the last import; then there is nothing to take up.
    pub same: bool,
    /// Its rows.
    pub rows: usize,
    /// What they come to.
    pub totals: Vec<TotalShown>,
    /// Rows that say the same as before.
    pub unchanged: usize,
    /// Rows that are new.
    pub added: usize,
    /// Rows that are gone.
    pub removed: usize,
    /// Rows that say something else.
    pub changed: usize,
    /// The first hundred of the new rows.
    pub added_rows: Vec<RowShown>,
    /// The first hundred of those that are gone.
    pub removed_rows: Vec<RowShown>,
    /// The first hundred of those that changed.
    pub changed_rows: Vec<ChangedRowShown>,
    /// Rows that name what an earlier one named, as pairs of row numbers; they are kept.
    pub duplicates: Vec<[u32; 2]>,
}

/// A bill's file as it was read, and what it would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillPreview {
    /// The tab.
    #[schema(schema_with = schema::categories)]
    pub category: Category,
    /// The period.
    #[schema(schema_with = schema::period)]
    pub period: Period,
    /// The file.
    pub file: FileShown,
    /// Why nothing of it is taken; empty if it can be.
    pub problems: Vec<ProblemShown>,
    /// How many more problems there are than those told.
    pub more_problems: usize,
    /// What it changes, if it can be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<BillChange>,
}

/// A bill's file with what is to be appended.
#[derive(Debug, Clone)]
pub struct BillFile {
    /// To be looked at.
    pub preview: BillPreview,
    /// To be taken up, if it can be.
    pub import: Option<(BillImported, Vec<BillRow>)>,
}

impl Billing {
    /// Looks at a file as the bill of a tab and a period.
    ///
    /// # Errors
    /// [`UploadError`]: it is no table, there is no such mapping, or the last import cannot be read. What is wrong with
    /// its rows is in the preview.
    pub async fn look_at_bill(
        &self,
        asking: &Asking<'_>,
        category: Category,
        period: Period,
        upload: Upload,
    ) -> Result<BillFile, UploadError> {
        let identity = BillIdentity { seller: asking.seller.clone(), category, period };
        let former = self.imported(&identity).await?;
        let (catalog, currency) = owned(asking);
        aside(move || {
            let opened = open(upload, &catalog)?;
            let texts = opened.texts();
            let rows = texts.iter().map(|(row, cells)| (*row, cells.iter().map(AsRef::as_ref).collect::<Vec<&str>>()));
            let read = import::read(identity, currency, &opened.mapping, &opened.headers(), rows);
            let imported = BillImported {
                revision: 0,
                file_name: opened.shown.file_name.clone(),
                sha256: opened.shown.sha256.clone(),
                mapping: opened.mapping.clone(),
                rows: 0,
            };
            Ok(file(category, period, opened.shown, imported, read, former.as_ref()))
        })
        .await
    }

    /// The last import of a bill and which one it was; `None` before the first.
    async fn imported(&self, identity: &BillIdentity) -> Result<Option<(u32, Bill)>, ReportError> {
        let heads = self.store().bills(&identity.seller, Some(identity.period)).await?.value;
        let Some(head) = heads.into_iter().find(|head| head.identity == *identity) else { return Ok(None) };
        let rows = self.rows_of(identity).await?.into_values().map(|billed| billed.row).collect();
        Ok(Some((head.imported.revision, Bill { identity: identity.clone(), rows })))
    }
}

fn file(
    category: Category,
    period: Period,
    file: FileShown,
    imported: BillImported,
    read: Result<Bill, ImportError>,
    former: Option<&(u32, Bill)>,
) -> BillFile {
    let (problems, more_problems, bill) = match read {
        Ok(bill) => (vec![], 0, Some(bill)),
        Err(error) => {
            let (problems, more) = problems(error);
            (problems, more, None)
        }
    };
    let change = bill.as_ref().map(|bill| change(bill, former));
    let preview = BillPreview { category, period, file, problems, more_problems, change };
    BillFile { preview, import: bill.map(|bill| (imported, bill.rows)) }
}

fn change(bill: &Bill, former: Option<&(u32, Bill)>) -> BillChange {
    // Both have one identity, since the former one was looked up by it.
    let revision = BillRevision::compare(former.map(|(_, bill)| bill), bill).unwrap_or_default();
    let mut totals: BTreeMap<Currency, Decimal> = BTreeMap::new();
    for row in &bill.rows {
        let sum = totals.entry(row.currency).or_default();
        *sum = sum.saturating_add(row.settle_amount);
    }
    let first = |rows: &[BillRow]| rows.iter().take(CHANGES).map(RowShown::from).collect();
    BillChange {
        revision: former.map_or(0, |(revision, _)| *revision) + 1,
        same: former.is_some() && revision.is_empty(),
        rows: bill.rows.len(),
        totals: totals.into_iter().map(|(currency, amount)| TotalShown { currency, amount }).collect(),
        unchanged: revision.unchanged,
        added: revision.added.len(),
        removed: revision.removed.len(),
        changed: revision.changed.len(),
        added_rows: first(&revision.added),
        removed_rows: first(&revision.removed),
        changed_rows: revision.changed.iter().take(CHANGES).map(ChangedRowShown::from).collect(),
        duplicates: bill.duplicates().into_iter().map(|Duplicate { first, again }| [first, again]).collect(),
    }
}
