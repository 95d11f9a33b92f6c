//! From the text cells of a file to a bill: all of it, or nothing and every reason why not.

use std::collections::BTreeSet;
use std::fmt;

use rust_decimal::Decimal;
use serde::Serialize;

use super::cells::{self, CellError};
use super::mapping::{Field, Mapping, is_sufficient};
use super::sheet::{self, BadCells, Column, SheetRow};
use super::{Bill, BillIdentity, BillRow};
use crate::ids::{OrderId, OrderLineId, ProductId, Sku};
use crate::settlement::money::{Currency, Money};

/// A cell that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCell {
    /// Its row in the file, as a spreadsheet counts.
    pub row: u32,
    /// The header of its column; empty if the row as a whole is meant.
    pub column: String,
    /// Why.
    pub problem: CellError,
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column.as_str() {
            "" => write!(f, "row {}: {}", self.row, self.problem),
            column => write!(f, "row {}, column {column:?}: {}", self.row, self.problem),
        }
    }
}

/// Why nothing of a file is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The mapping finds too little in the file.
    #[error("no column is mapped to {}; without it the file cannot be read", fields(.unsaid))]
    Columns {
        /// What must be mapped, or one of these: the settlement amount of a bill; what names a row.
        unsaid: Vec<Field>,
    },
    /// Two columns say the same.
    #[error("the columns {first:?} and {second:?} are both mapped to {field}; map one of them")]
    SameField {
        /// What both say.
        field: Field,
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// Bad cells.
    #[error("nothing was taken: {} bad cells{}", .bad.len() + .more, listed(.bad))]
    Cells {
        /// The first hundred of them, in the order of the file.
        bad: Vec<BadCell>,
        /// How many more there are.
        more: usize,
    },
    /// No rows.
    #[error("the file has no rows under its header")]
    NoRows,
}

fn fields(fields: &[Field]) -> String {
    fields.iter().map(|field| field.code()).collect::<Vec<_>>().join(" or ")
}

fn listed(bad: &[BadCell]) -> String {
    bad.iter().map(|cell| format!("\n{cell}")).collect()
}

/// Reads a file's cells as a bill. Rows come with their number in the file; missing cells at their end are empty ones.
/// Columns that the mapping does not know are passed over, and so are empty rows. A last row of totals (合计) is
/// compared with the rows above it. `currency` is what amounts are in where no column says so.
///
/// # Errors
/// A mapping that finds too little or the same twice, no rows, and every cell that is not taken.
pub fn read<'a, R, C>(
    identity: BillIdentity,
    currency: Currency,
    mapping: &Mapping,
    headers: &[&str],
    rows: R,
) -> Result<Bill, ImportError>
where
    R: IntoIterator<Item = (u32, C)>,
    C: AsRef<[&'a str]>,
{
    let columns = sufficient(sheet::columns(mapping, headers)?)?;
    let (mut taken, mut bad) = (vec![], BadCells::default());
    for (number, cells) in rows {
        let row = SheetRow { columns: &columns, number, cells: cells.as_ref() };
        match (RowReader { identity: &identity, currency, row }).read(&taken) {
            Ok(row) => taken.extend(row),
            Err(problems) => problems.into_iter().for_each(|problem| bad.add(problem)),
        }
    }
    bad.none()?;
    if taken.is_empty() { Err(ImportError::NoRows) } else { Ok(Bill { identity, rows: taken }) }
}

/// The columns, if a bill can be read from them.
fn sufficient(columns: Vec<Column<'_>>) -> Result<Vec<Column<'_>>, ImportError> {
    let said: BTreeSet<_> = columns.iter().map(|column| column.field).collect();
    if is_sufficient(&said) {
        return Ok(columns);
    }
    let amount = vec![Field::SettleAmount];
    let unsaid = if said.contains(&Field::SettleAmount) { super::mapping::NAMING.to_vec() } else { amount };
    Err(ImportError::Columns { unsaid })
}

struct RowReader<'a> {
    identity: &'a BillIdentity,
    currency: Currency,
    row: SheetRow<'a>,
}

impl RowReader<'_> {
    /// The row; `None` if there is none to take.
    fn read(&self, above: &[BillRow]) -> Result<Option<BillRow>, Vec<BadCell>> {
        if self.row.is_empty() {
            return Ok(None);
        }
        if self.row.is_total() {
            return self.compare_total(above).map(|()| None);
        }
        let currency = self.row.currency().map_err(|problem| vec![problem])?.unwrap_or(self.currency);
        let mut row = BillRow::new(self.row.number, Money::zero(currency));
        let mut bad = vec![];
        for column in self.row.columns {
            let cell = self.row.text(column);
            let read = match column.field {
                Field::SettleAmount if cells::is_blank(cell) => Err(CellError::Empty),
                _ if cells::is_blank(cell) => Ok(()),
                _ => self.take(&mut row, column, cell),
            };
            bad.extend(read.err().map(|problem| self.row.bad(column.header, problem)));
        }
        if bad.is_empty() && !row.is_named() {
            bad.push(self.row.bad("", CellError::Nameless));
        }
        if bad.is_empty() { Ok(Some(row)) } else { Err(bad) }
    }

    fn take(&self, row: &mut BillRow, column: &Column<'_>, cell: &str) -> Result<(), CellError> {
        let amount = || cells::amount(cell, row.currency);
        let ratio = || cells::ratio(cell, column.header.contains(['%', '％']));
        let trimmed = cell.trim();
        match column.field {
            Field::Period => same(cells::period(cell)?, self.identity.period)?,
            Field::Category => {
                same(cells::category(cell)?, self.identity.category)?;
            }
            Field::BillingStatus => cells::billed(cell)?,
            Field::Currency => {}
            Field::OrderId => row.order_id = Some(OrderId::parse(trimmed)?),
            Field::OrderLineId => row.order_line_id = Some(OrderLineId::parse(trimmed)?),
            Field::OriginalOrderLineId => row.original_order_line_id = Some(OrderLineId::parse(trimmed)?),
            Field::LineType => row.line_type = Some(cells::line_type(cell)?),
            Field::SkuCode => row.sku_code = Some(Sku::parse(trimmed)?),
            Field::ProductId => row.product_id = Some(ProductId::parse(trimmed)?),
            Field::ProductName => row.product_name = Some(cells::text(cell)?),
            Field::ChargingMode => row.charging_mode = Some(cells::charging_mode(cell)?),
            Field::Customer => row.customer = Some(cells::text(cell)?),
            Field::EffectiveAt => row.effective_at = Some(cells::time(cell)?),
            Field::PaidAt => row.paid_at = Some(cells::time(cell)?),
            Field::SupervisionDoneAt => row.supervision_done_at = Some(cells::time(cell)?),
            Field::PaymentStatus => row.payment_status = Some(cells::payment_status(cell)?),
            Field::SupervisionStatus => row.supervision_status = Some(cells::supervision_status(cell)?),
            Field::ListPrice => row.list_price = Some(amount()?),
            Field::DealPrice => row.deal_price = Some(amount()?),
            Field::SharingBase => row.sharing_base = Some(amount()?),
            Field::SalesAmount => row.sales_amount = Some(amount()?),
            Field::VoucherAmount => row.voucher_amount = Some(amount()?),
            Field::TransactionAmount => row.transaction_amount = Some(amount()?),
            Field::FeeRatio => row.fee_ratio = Some(ratio()?),
            Field::TierRatio => row.tier_ratio = Some(ratio()?),
            Field::CustomerWht => row.customer_wht = Some(amount()?),
            Field::SellerTax => row.seller_tax = Some(amount()?),
            Field::SettleAmount => row.settle_amount = amount()?,
            Field::BillState => row.bill_state = Some(cells::bill_state(cell)?),
            Field::PaymentRequestNo => row.payment_request_no = Some(cells::text(cell)?),
            Field::InvoiceNo => row.invoice_no = Some(cells::text(cell)?),
        }
        Ok(())
    }

    /// A total that is not the sum of the rows above it means that rows are missing. Shown amounts are rounded, so
    /// half a cent for each row is let pass; totals of rows in several currencies mean nothing.
    fn compare_total(&self, above: &[BillRow]) -> Result<(), Vec<BadCell>> {
        let Some((column, cell)) = self.row.cell(Field::SettleAmount) else { return Ok(()) };
        let currency = above.first().map_or(self.currency, |row| row.currency);
        if above.iter().any(|row| row.currency != currency) {
            return Ok(());
        }
        let stated = self.at(column, cells::amount(cell, currency))?;
        let amounts = above.iter().map(|row| row.settle_amount);
        let sum = amounts.fold(Decimal::ZERO, |sum, amount| sum.saturating_add(amount));
        let tolerance = Decimal::new(5, 3).saturating_mul(Decimal::from(above.len()));
        let is_off = (sum - stated).abs() > tolerance;
        if is_off { self.at(column, Err(CellError::Total { sum, stated })) } else { Ok(()) }
    }

    fn at<T, E: Into<CellError>>(&self, column: &Column<'_>, read: Result<T, E>) -> Result<T, Vec<BadCell>> {
        read.map_err(|problem| vec![self.row.bad(column.header, problem)])
    }
}

fn same<T: Copy + PartialEq + Serialize>(found: T, bill: T) -> Result<(), CellError> {
    if found == bill {
        return Ok(());
    }
    // By their codes, which is what serde writes.
    let code = |value: T| serde_json::to_value(value).ok().and_then(|code| code.as_str().map(str::to_owned));
    Err(CellError::OtherBill { found: code(found).unwrap_or_default(), bill: code(bill).unwrap_or_default() })
}
