//! The settlement lines.

use chopmark_domain::ids::{OrderId, OrderLineId, ProductId, Sku};
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::marked::Marked;
use rust_decimal::Decimal;

use super::Kind::{Amount, Flag, Json, Moment, Text};
use super::{Filled, Index, Table, maybe, needed};
use crate::cell::Cell;
use crate::rows::LineRow;

/// The index by which lines are found that are not ready yet, though it is known when they will be.
pub(crate) const AHEAD: &str = "settlement_lines_ahead";

/// One row for each line.
pub(crate) const LINES: Table<LineRow> = Table {
    name: "settlement_lines",
    says: "Every settlement line: one thing sold, used, given back or corrected. Lines of a closed month are shown as they \
           stood when it was closed.",
    key: &["seller", "line_id"],
    indexes: &[
        Index { name: "settlement_lines_by_period", on: "seller, period, line_id", only: "" },
        Index { name: "settlement_lines_by_order", on: "seller, order_id, line_id", only: "" },
        Index { name: "settlement_lines_by_sku", on: "seller, sku_code, line_id", only: "" },
        Index { name: "settlement_lines_may_wait", on: "seller, line_id", only: "may_wait" },
        Index { name: AHEAD, on: "seller, settle_ready_at", only: "NOT may_wait" },
        Index { name: "settlement_lines_recomputed", on: "seller, line_id", only: "recomputed" },
        Index { name: "settlement_lines_not_computed", on: "seller, line_id", only: "net IS NULL" },
    ],
    columns: &COLUMNS,
};

const COLUMNS: [Filled<LineRow>; 40] = [
    needed("seller", Text, "Whose.", |row| row.seller.as_str().into()),
    needed("line_id", Text, "Names the line for ever.", |row| (&row.line().line_id).into()),
    needed(
        "case_name",
        Text,
        "The case that it was drawn up from: all lines of a license, with the refunds of them.",
        |row| (&row.case).into(),
    ),
    maybe(
        "period",
        Text,
        "The period it is settled in, or expected to be, like `202405`; a month in Beijing time.",
        |row| Cell::code(row.line().period),
    ),
    maybe("bill_id", Text, "The bill it is on, where the marketplace stated that of this line.", |row| {
        row.line().bill_id.as_ref().into()
    }),
    maybe(
        "product_category",
        Text,
        "The tab of the bill: `generic`, `selected`, `joint_operation`, `huawei_self_service`.",
        |row| Cell::code(row.line().product_category),
    ),
    maybe("order_id", Text, "The order; consumption has none.", |row| {
        row.line().order_id.as_ref().map(OrderId::as_str).into()
    }),
    maybe("order_line_id", Text, "The order line.", |row| line_of(row.line().order_line_id.as_ref())),
    maybe("original_order_line_id", Text, "Of a refund: the order line that is given back.", |row| {
        line_of(row.line().original_order_line_id.as_ref())
    }),
    needed(
        "line_type",
        Text,
        "What it is: `NEW`, `RENEW`, `CHANGE`, `TRIAL_CONVERT`, `USAGE`, `PACKAGE`, `REFUND`, `DOWNGRADE`, `ADJUSTMENT`; `UNKNOWN` while nobody said.",
        |row| Cell::code(row.line().line_type),
    ),
    maybe("sku_code", Text, "The specification.", |row| row.line().sku_code.as_ref().map(Sku::as_str).into()),
    maybe("product_id", Text, "The marketplace's product id.", |row| {
        row.line().product_id.as_ref().map(ProductId::as_str).into()
    }),
    maybe(
        "charging_mode",
        Text,
        "How it is charged: `ON_DEMAND`, `ONE_TIME`, `PERIOD`, `ON_DEMAND_PKG`, `OTHER`.",
        |row| Cell::code(row.line().charging_mode),
    ),
    maybe("customer_id", Text, "The customer, by the marketplace's id.", |row| row.line().customer_id.as_ref().into()),
    maybe("effective_at", Moment, "When it takes effect.", |row| row.line().effective_at.map(|at| at.value).into()),
    maybe("paid_at", Moment, "When it is paid in full.", |row| row.line().paid_at.map(|at| at.value).into()),
    maybe("supervision_done_at", Moment, "When it was accepted, if it is supervised.", |row| {
        row.line().supervision_done_at.map(|at| at.value).into()
    }),
    maybe("settle_ready_at", Moment, "When the last condition comes true.", |row| {
        row.line().settle_ready_at.map(|at| at.value).into()
    }),
    needed("currency", Text, "The currency of every amount, like `CNY`.", |row| Cell::code(row.line().currency)),
    maybe("sales_amount", Amount, "What the goods cost; of a refund what is given back of it, negative.", |row| {
        amount(row.line().sales_amount)
    }),
    maybe("voucher_amount", Amount, "The voucher in it, with the same sign.", |row| amount(row.line().voucher_amount)),
    maybe("fee_ratio", Amount, "The platform fee, from 0 to 1.", |row| row.line().fee_ratio.map(Decimal::from).into()),
    maybe("tier_ratio", Amount, "The tier's share, from 0 to 1.", |row| {
        row.line().tier_ratio.map(|tier| tier.value.value()).into()
    }),
    maybe("customer_wht", Amount, "Withholding tax that the customer keeps back.", |row| {
        amount(row.line().customer_wht)
    }),
    maybe("seller_tax", Amount, "The seller's own taxes.", |row| amount(row.line().seller_tax)),
    maybe("settle_amount", Amount, "What the seller gets, exactly; negative if it is taken back.", |row| {
        amount(row.line().settle_amount)
    }),
    maybe("sales", Amount, "From gross to net: what the goods cost.", |row| column(row, |columns| columns.sales)),
    maybe("voucher", Amount, "From gross to net: vouchers, subtracted.", |row| column(row, |columns| columns.voucher)),
    maybe("fee", Amount, "From gross to net: what the marketplace keeps, subtracted.", |row| {
        column(row, |columns| columns.fee)
    }),
    maybe("tier_bonus", Amount, "From gross to net: what the tier gives back of the fee.", |row| {
        column(row, |columns| columns.tier_bonus)
    }),
    maybe("tax", Amount, "From gross to net: taxes, subtracted.", |row| column(row, |columns| columns.tax)),
    maybe("refund", Amount, "From gross to net: what refunds and downgrades take back; negative.", |row| {
        column(row, |columns| columns.refund)
    }),
    maybe("adjustment", Amount, "From gross to net: corrections; either sign.", |row| {
        column(row, |columns| columns.adjustment)
    }),
    maybe(
        "net",
        Amount,
        "`sales - voucher - fee + tier_bonus - tax + refund + adjustment`; null while it cannot be said.",
        |row| column(row, |columns| columns.net),
    ),
    needed("is_estimate", Flag, "Whether anything in it is an estimate of ours; the document says what.", |row| {
        row.line().is_estimate().into()
    }),
    maybe("closed_in", Text, "The closed month that it belongs to.", |row| Cell::code(row.closed_in)),
    needed("recomputed", Flag, "Whether it belongs to a closed month and would be another line now.", |row| {
        row.recomputed.is_some().into()
    }),
    needed(
        "may_wait",
        Flag,
        "Whether it may wait for more than the run of its period's bill; other lines count as billed once that is over.",
        |row| row.may_wait().into(),
    ),
    needed("open_since", Moment, "The first that was heard of it.", |row| row.drawn.open_since.into()),
    needed("document", Json, "The whole line: with marks, explanation and sources.", Cell::document),
];

fn amount(marked: Option<Marked<Decimal>>) -> Cell {
    marked.map(|amount| amount.value).into()
}

fn line_of(id: Option<&OrderLineId>) -> Cell {
    id.map(OrderLineId::as_str).into()
}

fn column(row: &LineRow, of: fn(Columns) -> Decimal) -> Cell {
    row.drawn.columns.map(of).into()
}
