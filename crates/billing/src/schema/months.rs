//! What is known of a seller's months.

use super::Kind::{Amount, Integer, Json, Moment, Text};
use super::{Table, maybe, needed};
use crate::cell::Cell;
use crate::rows::{AdjustmentRow, AgeRow, ClosedRow, PeriodRow};

/// One row for each period, tab and currency.
pub(crate) const PERIODS: Table<PeriodRow> = Table {
    name: "settlement_periods",
    says: "What the lines of a period come to, by tab and currency. Amounts are exact sums of the lines' columns.",
    key: &["seller", "COALESCE(period, '')", "category", "currency"],
    indexes: &[],
    columns: &[
        needed("seller", Text, "Whose.", |row| row.seller.as_str().into()),
        maybe("period", Text, "The period, like `202405`; null for lines of which it cannot be said.", |row| {
            Cell::code(row.period)
        }),
        needed("category", Text, "The tab of the bill.", |row| row.category.code().into()),
        needed("currency", Text, "The currency of the amounts.", |row| Cell::code(row.currency)),
        needed("lines", Integer, "How many lines.", |row| row.lines.into()),
        needed("not_computed", Integer, "How many of them say no amount.", |row| row.not_computed.into()),
        needed("estimated", Integer, "How many of them rest on an estimate.", |row| row.estimated.into()),
        needed("sales", Amount, "What the goods cost.", |row| row.sums.sales.into()),
        needed("voucher", Amount, "Vouchers, subtracted.", |row| row.sums.voucher.into()),
        needed("fee", Amount, "What the marketplace keeps, subtracted.", |row| row.sums.fee.into()),
        needed("tier_bonus", Amount, "What the tier gives back of the fee.", |row| row.sums.tier_bonus.into()),
        needed("tax", Amount, "Taxes, subtracted.", |row| row.sums.tax.into()),
        needed("refund", Amount, "What refunds and downgrades take back; negative.", |row| row.sums.refund.into()),
        needed("adjustment", Amount, "Corrections; either sign.", |row| row.sums.adjustment.into()),
        needed("net", Amount, "What the seller gets.", |row| row.sums.net.into()),
        needed("document", Json, "The whole row.", Cell::document),
    ],
};

/// One row for each period, tab, currency and day.
pub(crate) const AGES: Table<AgeRow> = Table {
    name: "settlement_ages",
    says: "What the lines of a period come to that wait for the run of its bill at most, by the day since which they are \
           open. Lines that may wait for more are not in it. Amounts are exact sums.",
    key: &["seller", "period", "category", "currency", "COALESCE(open_since, '')"],
    indexes: &[],
    columns: &[
        needed("seller", Text, "Whose.", |row| row.seller.as_str().into()),
        needed("period", Text, "The period, like `202405`.", |row| Cell::code(row.period)),
        needed("category", Text, "The tab of the bill.", |row| row.category.code().into()),
        needed("currency", Text, "The currency of the amounts.", |row| Cell::code(row.currency)),
        maybe(
            "open_since",
            Text,
            "The day in Beijing on which the first was heard of them, like `2024-05-31`; null for lines that wait for nothing: on a bill, or of a closed month.",
            |row| Cell::code(row.open_since),
        ),
        needed("lines", Integer, "How many lines.", |row| row.lines.into()),
        needed("not_computed", Integer, "How many of them say no amount.", |row| row.not_computed.into()),
        needed("estimated", Integer, "How many of the others rest on an estimate.", |row| row.estimated.into()),
        needed("stated_sum", Amount, "What the seller gets, from facts that the marketplace stated.", |row| {
            row.stated_sum.into()
        }),
        needed("estimated_sum", Amount, "What the seller gets, from anything that we estimated.", |row| {
            row.estimated_sum.into()
        }),
        needed("rounded_sum", Amount, "Both sums together, each line rounded to cents before.", |row| {
            row.rounded_sum.into()
        }),
        needed("document", Json, "The whole row.", Cell::document),
    ],
};

/// One row for each closed month.
pub(crate) const CLOSED: Table<ClosedRow> = Table {
    name: "settlement_closed",
    says: "Months that were closed. The totals by currency are in the document.",
    key: &["seller", "period"],
    indexes: &[],
    columns: &[
        needed("seller", Text, "Whose.", |row| row.seller.as_str().into()),
        needed("period", Text, "Which month.", |row| Cell::code(row.period)),
        needed("lines", Integer, "How many lines it was closed with.", |row| row.closed.lines.into()),
        needed("computed_at", Integer, "The position of the log up to which they were computed.", |row| {
            row.closed.computed_at.into()
        }),
        maybe("closed_at", Moment, "When.", |row| row.closed.at.into()),
        needed("document", Json, "The whole row.", Cell::document),
    ],
};

/// One row for each adjustment.
pub(crate) const ADJUSTMENTS: Table<AdjustmentRow> = Table {
    name: "settlement_adjustments",
    says: "Corrections that were recorded. Each is a line too.",
    key: &["seller", "period", "adjustment_id"],
    indexes: &[],
    columns: &[
        needed("seller", Text, "Whose.", |row| row.seller.as_str().into()),
        needed("period", Text, "On which month's bill.", |row| Cell::code(row.period)),
        needed("adjustment_id", Text, "Names it within the month.", |row| (&row.adjustment.id).into()),
        needed("corrects", Text, "The period that is corrected.", |row| Cell::code(row.adjustment.corrects)),
        needed("category", Text, "The tab of the bill.", |row| row.adjustment.category.code().into()),
        maybe("line_id", Text, "The line that is corrected, where it is about one.", |row| {
            row.adjustment.line_id.as_ref().into()
        }),
        needed("amount", Amount, "By how much; either sign.", |row| row.adjustment.amount.into()),
        needed("currency", Text, "The currency of the amount.", |row| Cell::code(row.adjustment.currency)),
        needed("note", Text, "Why.", |row| (&row.adjustment.note).into()),
        needed("document", Json, "The whole row.", Cell::document),
    ],
};
