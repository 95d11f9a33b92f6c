//! From the text cells of a file of transaction details to statements: all of it, or nothing and every reason why not.
//!
//! What the file leaves open stays unsaid. `已完成` without a moment says that something happened and not when, so it
//! says nothing here; `未完成` says that it has not happened, whatever moment stands beside it. A customer's account is a
//! person's, and is not taken. What belongs to bills only, like settlement amounts, is passed over.

mod sum;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::StatedRow;
use crate::ids::{OrderId, OrderLineId, ProductId, Sku};
use crate::settlement::bill::cells::{self, CellError};
use crate::settlement::bill::import::{BadCell, ImportError};
use crate::settlement::bill::mapping::{Field, Mapping, NAMING, Proposal};
use crate::settlement::bill::sheet::{self, BadCells, Column, SheetRow};
use crate::settlement::bill::{PaymentStatus, SupervisionStatus};
use crate::settlement::calendar::Period;
use crate::settlement::money::Currency;
use crate::settlement::product::LineType;
use crate::settlement::statement::{Billed, StatedFacts, Statement, Subject, When};

/// What is known of orders beside the file, which may name only orders, or only their lines.
pub trait KnownOrders {
    /// The line of an order that is known to have just one.
    fn only_line(&self, order: &OrderId) -> Option<OrderLineId>;

    /// The order of a line.
    fn order_of(&self, line: &OrderLineId) -> Option<OrderId>;
}

/// Nothing is known.
impl KnownOrders for () {
    fn only_line(&self, _: &OrderId) -> Option<OrderLineId> {
        None
    }

    fn order_of(&self, _: &OrderLineId) -> Option<OrderId> {
        None
    }
}

/// Whether transaction details can be read by a proposed mapping: something names the rows.
#[must_use]
pub fn is_sufficient(proposal: &Proposal) -> bool {
    NAMING.iter().any(|field| !proposal.unsaid.contains(field))
}

/// Reads a file's cells as statements, in the order of the file. Rows come with their number in it. Columns that the
/// mapping does not know are passed over, and so are empty rows, rows of totals and rows that state nothing. `currency`
/// is what amounts are in where no column says so.
///
/// Consumption of one product within a month, which the file may show by customer, is added up into the first of its
/// rows; and so is a refund that gives several lines back, each in a row of its own: the first of these is its original,
/// and the rules find the others. Rows that say the same twice count once.
///
/// # Errors
/// A mapping that names no rows or says the same twice, nothing that is stated, and every cell that is not taken.
pub fn read<'a, R, C>(
    currency: Currency,
    mapping: &Mapping,
    headers: &[&str],
    rows: R,
    orders: &dyn KnownOrders,
) -> Result<Vec<StatedRow>, ImportError>
where
    R: IntoIterator<Item = (u32, C)>,
    C: AsRef<[&'a str]>,
{
    let columns = sheet::columns(mapping, headers)?;
    if !columns.iter().any(|column| NAMING.contains(&column.field)) {
        return Err(ImportError::Columns { unsaid: NAMING.to_vec() });
    }
    let (mut taken, mut bad) = (Taken::default(), BadCells::default());
    for (number, cells) in rows {
        let row = SheetRow { columns: &columns, number, cells: cells.as_ref() };
        let read = RowReader { row, currency, orders }.read();
        match read.and_then(|statement| taken.take(&row, statement).map_err(|problem| vec![problem])) {
            Ok(()) => {}
            Err(problems) => problems.into_iter().for_each(|problem| bad.add(problem)),
        }
    }
    bad.none()?;
    let rows: Vec<_> = taken.rows.into_iter().map(|row| row.stated).collect();
    if rows.is_empty() { Err(ImportError::NoRows) } else { Ok(rows) }
}

/// What was read so far.
#[derive(Default)]
struct Taken {
    rows: Vec<TakenRow>,
    /// Where a line is among them.
    places: HashMap<Subject, usize>,
}

/// One line, of one row or of several.
struct TakenRow {
    stated: StatedRow,
    /// What its rows give back, each once.
    originals: Vec<Option<OrderLineId>>,
}

impl Taken {
    fn take(&mut self, row: &SheetRow<'_>, statement: Option<Statement>) -> Result<(), BadCell> {
        let Some(statement) = statement.filter(|statement| statement.facts != StatedFacts::default()) else {
            return Ok(());
        };
        let original = statement.facts.original_order_line_id.clone();
        let known = self.places.get(&statement.subject).and_then(|place| self.rows.get_mut(*place));
        let Some(TakenRow { stated, originals }) = known else {
            self.places.insert(statement.subject.clone(), self.rows.len());
            self.rows.push(TakenRow { stated: StatedRow { row: row.number, statement }, originals: vec![original] });
            return Ok(());
        };
        let is_usage = matches!(statement.subject, Subject::Usage { .. });
        let gives_more_back = !originals.contains(&original) && original.is_some() && !originals.contains(&None);
        let added = if is_usage || gives_more_back {
            sum::add(&mut stated.statement.facts, &statement.facts)
        } else if stated.statement == statement {
            Ok(())
        } else {
            Err(None)
        };
        if gives_more_back {
            originals.push(original);
        }
        let first = stated.row;
        added.map_err(|uneven| match uneven {
            Some(field) => row.bad(row.header(field), CellError::Uneven { first }),
            None => row.bad("", CellError::Contradicts { first }),
        })
    }
}

struct RowReader<'a> {
    row: SheetRow<'a>,
    currency: Currency,
    orders: &'a dyn KnownOrders,
}

/// What the cells of a row say, before it is put together.
#[derive(Default)]
struct Said {
    facts: StatedFacts,
    order_id: Option<OrderId>,
    order_line_id: Option<OrderLineId>,
    period: Option<Period>,
    is_billed: Option<bool>,
    paid_at: Option<DateTime<Utc>>,
    payment: Option<PaymentStatus>,
    accepted_at: Option<DateTime<Utc>>,
    supervision: Option<SupervisionStatus>,
}

impl RowReader<'_> {
    /// What the row states; `None` if there is none to take.
    fn read(&self) -> Result<Option<Statement>, Vec<BadCell>> {
        if self.row.is_empty() || self.row.is_total() {
            return Ok(None);
        }
        let mut said = Said::default();
        said.facts.currency = self.row.currency().map_err(|problem| vec![problem])?;
        let mut bad = vec![];
        for column in self.row.columns {
            let cell = self.row.text(column);
            let read = if cells::is_blank(cell) { Ok(()) } else { self.take(&mut said, column, cell) };
            bad.extend(read.err().map(|problem| self.row.bad(column.header, problem)));
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        let statement = said.check_signs().and_then(|()| said.into_statement(self.orders));
        statement
            .map(Some)
            .map_err(|(field, problem)| vec![self.row.bad(field.map_or("", |field| self.row.header(field)), problem)])
    }

    fn take(&self, said: &mut Said, column: &Column<'_>, cell: &str) -> Result<(), CellError> {
        let currency = said.facts.currency.unwrap_or(self.currency);
        let amount = || cells::amount(cell, currency).map(Some);
        let trimmed = cell.trim();
        let facts = &mut said.facts;
        match column.field {
            Field::Period => said.period = Some(cells::period(cell)?),
            Field::Category => facts.category = Some(cells::category(cell)?),
            Field::OrderId => said.order_id = Some(OrderId::parse(trimmed)?),
            Field::OrderLineId => said.order_line_id = Some(OrderLineId::parse(trimmed)?),
            Field::OriginalOrderLineId => facts.original_order_line_id = Some(OrderLineId::parse(trimmed)?),
            Field::LineType => facts.line_type = Some(cells::line_type(cell)?),
            Field::SkuCode => facts.sku = Some(Sku::parse(trimmed)?),
            Field::ProductId => facts.product_id = Some(ProductId::parse(trimmed)?),
            Field::ChargingMode => facts.charging_mode = Some(cells::charging_mode(cell)?),
            Field::EffectiveAt => facts.effective = Some(When::At(cells::time(cell)?)),
            Field::PaidAt => said.paid_at = Some(cells::time(cell)?),
            Field::SupervisionDoneAt => said.accepted_at = Some(cells::time(cell)?),
            Field::PaymentStatus => said.payment = Some(cells::payment_status(cell)?),
            Field::SupervisionStatus => said.supervision = Some(cells::supervision_status(cell)?),
            Field::BillingStatus => said.is_billed = Some(is_billed(cell)?),
            Field::ListPrice => facts.list_price = amount()?,
            Field::SalesAmount => facts.sales_amount = amount()?,
            Field::VoucherAmount => facts.voucher_amount = amount()?,
            Field::FeeRatio => facts.fee_ratio = Some(cells::ratio(cell, column.header.contains(['%', '％']))?),
            Field::CustomerWht => facts.customer_wht = amount()?,
            Field::SellerTax => facts.seller_tax = amount()?,
            // Read before; a person's; of bills only.
            Field::Currency
            | Field::ProductName
            | Field::Customer
            | Field::DealPrice
            | Field::SharingBase
            | Field::TransactionAmount
            | Field::TierRatio
            | Field::SettleAmount
            | Field::BillState
            | Field::PaymentRequestNo
            | Field::InvoiceNo => {}
        }
        Ok(())
    }
}

fn is_billed(cell: &str) -> Result<bool, CellError> {
    match cells::billed(cell) {
        Ok(()) => Ok(true),
        Err(CellError::Unbilled) => Ok(false),
        Err(other) => Err(other),
    }
}

/// A problem with a field of a row, or with the row as a whole.
type Problem = (Option<Field>, CellError);

impl Said {
    /// A refund that is written without its minus would add what it takes back.
    fn check_signs(&self) -> Result<(), Problem> {
        if !self.facts.line_type.is_some_and(LineType::takes_back) {
            return Ok(());
        }
        let amounts =
            [(Field::SalesAmount, self.facts.sales_amount), (Field::VoucherAmount, self.facts.voucher_amount)];
        let mut added = amounts.into_iter().filter_map(|(field, amount)| Some((field, amount?)));
        match added.find(|(_, amount)| *amount > Decimal::ZERO) {
            Some((field, amount)) => Err((Some(field), CellError::RefundSign(amount))),
            None => Ok(()),
        }
    }

    fn into_statement(mut self, orders: &dyn KnownOrders) -> Result<Statement, Problem> {
        self.facts.paid_in_full = self.paid_in_full();
        self.facts.supervision = self.accepted();
        self.facts.billed = match (self.is_billed, self.period) {
            (Some(true), Some(period)) => Some(Billed::On(period)),
            (Some(false), _) => Some(Billed::NotYet),
            _ => None,
        };
        let subject = self.subject(orders).map_err(|problem| (None, problem))?;
        if let Subject::Usage { .. } = subject {
            // It stands in the subject.
            self.facts.sku = None;
        }
        Ok(Statement { subject, facts: self.facts })
    }

    fn paid_in_full(&self) -> Option<When> {
        match self.payment {
            Some(PaymentStatus::Open) => Some(When::NotYet),
            Some(PaymentStatus::Completed) | None => self.paid_at.map(When::At),
        }
    }

    fn accepted(&self) -> Option<When> {
        match self.supervision {
            Some(SupervisionStatus::NotApplicable) => Some(When::NotApplicable),
            Some(SupervisionStatus::Open) => Some(When::NotYet),
            Some(SupervisionStatus::Completed) | None => self.accepted_at.map(When::At),
        }
    }

    /// What the row is about: consumption if it says so, or names no order.
    fn subject(&self, orders: &dyn KnownOrders) -> Result<Subject, CellError> {
        let (order, line) = (self.order_id.as_ref(), self.order_line_id.as_ref());
        let is_usage = self.facts.line_type == Some(LineType::Usage) || (order.is_none() && line.is_none());
        if is_usage {
            let named = self.facts.sku.clone().zip(self.period);
            let (sku, period) = named.ok_or(CellError::NoUsage)?;
            return Ok(Subject::Usage { sku, period });
        }
        let order_id = order.cloned().or_else(|| orders.order_of(line?));
        let order_line_id = line.cloned().or_else(|| orders.only_line(order?));
        let named = order_id.zip(order_line_id).ok_or(CellError::NoOrderLine)?;
        Ok(Subject::OrderLine { order_id: named.0, order_line_id: named.1 })
    }
}
