//! Lines, as many as there are: read in slices, written as they come, kept nowhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use chopmark_domain::settlement::marked::Marked;
use chopmark_domain::settlement::readiness::Blocked;
use chopmark_log::Position;
use chopmark_tables::{Column, Value, WriteError};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{ExportFormat, Exporter, amount, code, day, moment, ratio, text, there};
use crate::report::lines::{LinesAsked, ShownLine};
use crate::report::underway::Underway;
use crate::report::{Asking, Billing, ReportError, Rules};
use crate::store::LineQuery;

/// Lines of a slice: as much as one step of an export holds in memory.
const SLICE: usize = 500;

/// An export of lines on its way. Lines come in the order of their ids, which never change: however the views go on
/// meanwhile, none is written twice, and none is left out that is asked for all the while.
pub struct LineExport {
    billing: Billing,
    rules: Rules,
    bills: Arc<Underway>,
    now: DateTime<Utc>,
    query: LineQuery,
    blocked: Option<Blocked>,
    /// `None` once the last bytes are out.
    exporter: Option<Exporter>,
    position: Position,
}

impl Billing {
    /// Begins an export of all lines that are asked for, whatever the limit of the query.
    ///
    /// # Errors
    /// [`ReportError::Store`].
    pub async fn export_lines(
        &self,
        asking: &Asking<'_>,
        asked: LinesAsked,
        format: ExportFormat,
    ) -> Result<LineExport, ReportError> {
        let query = LineQuery { limit: SLICE, ..asked.store_query() };
        let bills = Arc::new(self.underway(asking.seller, query.period.only()).await?);
        let periods = self.store().periods(asking.seller).await?;
        let currencies: BTreeSet<_> = periods.value.iter().map(|row| row.currency).collect();
        let columns = columns(currencies.len() < 2);
        let exporter = Exporter::begin(format, "Lines", columns, asking.now)?;
        Ok(LineExport {
            billing: self.clone(),
            rules: asking.rules(),
            now: asking.now,
            bills,
            query,
            blocked: asked.blocked,
            exporter: Some(exporter),
            position: periods.position,
        })
    }
}

impl LineExport {
    /// How far the views were when it began. Lines that are read later are as of then, and may be newer.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next bytes of the file; `None` after the last. A file without its last bytes is cut off.
    ///
    /// # Errors
    /// [`ReportError`]: the store does not answer, or a workbook is full.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ReportError> {
        while let Some(exporter) = self.exporter.take() {
            let rows = self.billing.store().lines(&self.query).await?.value;
            let is_last = rows.len() < self.query.limit;
            self.query.after = rows.last().map(|row| row.line().line_id.clone()).or(self.query.after.take());
            let (rules, bills) = (self.rules.clone(), Arc::clone(&self.bills));
            let (now, blocked) = (self.now, self.blocked);
            let written = tokio::task::spawn_blocking(move || {
                let mut exporter = exporter;
                for row in rows {
                    let shown = ShownLine::of(row, &rules, &bills, now);
                    if blocked.is_none_or(|reason| shown.blocked.contains(&reason)) {
                        exporter.row(&values(&shown))?;
                    }
                }
                if is_last {
                    return Ok::<_, WriteError>((None, exporter.finish()?));
                }
                let bytes = exporter.take();
                Ok((Some(exporter), bytes))
            });
            let (exporter, bytes) = written.await.map_err(|_| ReportError::Unfinished)??;
            self.exporter = exporter;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}

fn columns(one_currency: bool) -> Vec<Column> {
    let amount = |name| amount(name, one_currency);
    vec![
        text("line_id"),
        text("period"),
        text("expected_period"),
        day("run_date"),
        text("category"),
        text("order_id"),
        text("order_line_id"),
        text("original_order_line_id"),
        text("line_type"),
        text("sku_code"),
        text("product_id"),
        text("charging_mode"),
        text("customer"),
        moment("effective_at"),
        moment("paid_at"),
        moment("supervision_done_at"),
        moment("settle_ready_at"),
        text("currency"),
        amount("sales_amount"),
        amount("voucher_amount"),
        ratio("fee_ratio"),
        ratio("tier_ratio"),
        amount("customer_wht"),
        amount("seller_tax"),
        amount("settle_amount"),
        amount("sales"),
        amount("voucher"),
        amount("fee"),
        amount("tier_bonus"),
        amount("tax"),
        amount("refund"),
        amount("adjustment"),
        amount("net"),
        text("estimated"),
        text("blocked"),
        text("missing"),
        text("age"),
        text("closed_in"),
        amount("recomputed"),
        text("bill_state"),
        text("payment_request_no"),
        text("invoice_no"),
    ]
}

fn values(shown: &ShownLine) -> Vec<Value<'_>> {
    let ShownLine { line, columns, .. } = shown;
    let text = |text: Option<&str>| text.map_or(Value::Empty, |text| Value::from(text.to_owned()));
    let money = |amount: Option<Marked<Decimal>>| Value::from(amount.map(|amount| amount.value));
    let at = |at: Option<Marked<DateTime<Utc>>>| Value::from(at.map(|at| there(at.value)));
    let column = |pick: fn(&chopmark_domain::settlement::line::columns::Columns) -> Decimal| {
        Value::from(columns.as_ref().map(pick))
    };
    vec![
        text(Some(&line.line_id)),
        code(line.period),
        code(shown.expected_period),
        Value::from(shown.run.map(|run| run.date)),
        code(line.product_category),
        text(line.order_id.as_ref().map(|id| id.as_str())),
        text(line.order_line_id.as_ref().map(|id| id.as_str())),
        text(line.original_order_line_id.as_ref().map(|id| id.as_str())),
        code(line.line_type),
        text(line.sku_code.as_ref().map(|id| id.as_str())),
        text(line.product_id.as_ref().map(|id| id.as_str())),
        code(line.charging_mode),
        text(line.customer_id.as_deref()),
        at(line.effective_at),
        at(line.paid_at),
        at(line.supervision_done_at),
        at(line.settle_ready_at),
        code(line.currency),
        money(line.sales_amount),
        money(line.voucher_amount),
        Value::from(line.fee_ratio.map(|ratio| ratio.value())),
        Value::from(line.tier_ratio.map(|ratio| ratio.value.value())),
        money(line.customer_wht),
        money(line.seller_tax),
        money(line.settle_amount),
        column(|columns| columns.sales),
        column(|columns| columns.voucher),
        column(|columns| columns.fee),
        column(|columns| columns.tier_bonus),
        column(|columns| columns.tax),
        column(|columns| columns.refund),
        column(|columns| columns.adjustment),
        column(|columns| columns.net),
        Value::from(if shown.estimated { "yes" } else { "no" }),
        listed(&shown.blocked),
        listed(&shown.missing),
        code(shown.age),
        code(shown.closed_in),
        Value::from(shown.recomputed.as_ref().and_then(|recomputed| recomputed.settle_amount)),
        code(line.bill_state),
        text(line.payment_request_no.as_deref()),
        text(line.invoice_no.as_deref()),
    ]
}

/// Codes in one cell.
fn listed<T: serde::Serialize>(values: &[T]) -> Value<'static> {
    let codes = values.iter().filter_map(|value| serde_json::to_value(value).ok()?.as_str().map(str::to_owned));
    Value::from(codes.collect::<Vec<_>>().join(" "))
}
