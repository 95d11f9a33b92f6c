//! Periods from gross to net: what was sold, what is on the bill, what is paid.

use std::collections::BTreeMap;

use chopmark_domain::catalog::Catalog;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::money::{Currency, Money, round_to_cents};
use chopmark_domain::settlement::policy::BillTotal;
use chopmark_domain::settlement::product::Category;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

pub use super::accounts::Balance;
use super::accounts::{Accounts, Holding, terms_of};
use super::lines::{Slices, every};
use super::schema::{self, ColumnFields};
use super::{Asking, Billing, ReportError, Rules, Run};
use crate::rows::{BillHead, ClosedRow, PeriodRow};
use crate::store::{PeriodFilter, Read};

/// How far a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PeriodState {
    /// The month is not over.
    Running,
    /// The month is over; its bill is not run yet.
    RunDue,
    /// Its bill was run; none was imported.
    Run,
    /// A bill was imported.
    Billed,
    /// The month was closed: its lines are shown as they stood then.
    Closed,
}

/// An imported bill in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportedBill)]
pub struct BillShown {
    /// Counts the imports of this bill, from 1.
    pub revision: u32,
    /// The name of the file.
    pub file_name: String,
    /// When it was imported.
    #[schema(value_type = String, format = DateTime)]
    pub imported_at: DateTime<Utc>,
    /// Its rows.
    pub rows: u32,
    /// What its rows come to, in the currency of the tab.
    #[schema(value_type = String, example = "95.00")]
    pub total: Decimal,
    /// That less the total that is expected: negative if the seller gets less.
    #[schema(value_type = String, example = "0.00")]
    pub difference: Decimal,
    /// How far it is, as an operator read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::bill_states)]
    pub state: Option<BillState>,
    /// The payment request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_request_no: Option<String>,
    /// The invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_no: Option<String>,
}

/// What the lines of a tab come to, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PeriodTab)]
pub struct Tab {
    /// The tab of the bill.
    #[schema(schema_with = schema::categories)]
    pub category: Category,
    /// The currency of all amounts.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// How many lines.
    pub lines: u64,
    /// How many of them say no amount, and so are in no sum.
    pub not_computed: u64,
    /// How many of them rest on an estimate.
    pub estimated: u64,
    /// From gross to net: exact sums of exact lines.
    #[schema(value_type = ColumnFields)]
    pub columns: Columns,
    /// The exact total.
    #[schema(value_type = String, example = "95.0025")]
    pub exact: Decimal,
    /// The total as a bill shows it, rounded as the seller's policy says.
    #[schema(value_type = String, example = "95.00")]
    pub shown: Decimal,
    /// The bill, where one is imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<BillShown>,
}

/// A period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SettlementPeriod)]
pub struct PeriodView {
    /// Which.
    #[schema(schema_with = schema::period)]
    pub period: Period,
    /// How far it is.
    pub state: PeriodState,
    /// When its bill is run.
    pub run: Run,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<DateTime<Utc>>,
    /// What was sold and what is billed, by tab and currency.
    pub tabs: Vec<Tab>,
    /// What is paid of it, by currency, after what the periods before left behind.
    pub balances: Vec<Balance>,
}

/// Every period of a seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The earliest first.
    pub periods: Vec<PeriodView>,
    /// Lines of which it cannot be said when they are settled.
    pub without_period: Vec<Tab>,
}

impl Billing {
    /// Every period.
    ///
    /// # Errors
    /// [`ReportError`]: the store does not answer, or a sum is out of range.
    pub async fn periods(&self, asking: &Asking<'_>) -> Result<Read<Overview>, ReportError> {
        let Read { position, value: rows } = self.store().periods(asking.seller).await?;
        let closed = self.store().closed(asking.seller).await?.value;
        let bills = self.store().bills(asking.seller, None).await?.value;
        let rules = asking.rules();
        let mut tabs: BTreeMap<Option<Period>, Vec<Tab>> = BTreeMap::new();
        for row in rows {
            let shown = self.shown(asking, &row).await?;
            let bill = row.period.and_then(|period| bill_of(&bills, period, row.category));
            tabs.entry(row.period).or_default().push(tab(&row, shown, bill));
        }
        let without_period = tabs.remove(&None).unwrap_or_default();
        let mut by_period: BTreeMap<Period, Vec<Tab>> =
            tabs.into_iter().filter_map(|(period, tabs)| Some((period?, tabs))).collect();
        add_unexpected(&mut by_period, &bills);
        let last_run = rules.schedule().open_period(asking.now).prev();
        let balances = Accounts::new(asking.catalog).run(holdings(&by_period)?, last_run)?;
        for period in balances.keys().map(|(period, _)| *period) {
            by_period.entry(period).or_default();
        }
        let periods = by_period.into_iter().map(|(period, tabs)| {
            let closed = closed.iter().find(|row| row.period == period);
            let of_period = balances.iter().filter(|((of, _), _)| *of == period);
            PeriodView {
                period,
                state: state(period, closed, &tabs, &rules, asking.now),
                run: Run::of(&rules.schedule(), period),
                closed_at: closed.map(|row| row.closed.at),
                balances: of_period.map(|(_, closing)| Balance::from(closing)).collect(),
                tabs,
            }
        });
        Ok(Read { position, value: Overview { periods: periods.collect(), without_period } })
    }

    /// One period; `None` where there is neither a line nor a bill of it.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn period(&self, asking: &Asking<'_>, period: Period) -> Result<Read<Option<PeriodView>>, ReportError> {
        let Read { position, value } = self.periods(asking).await?;
        Ok(Read { position, value: value.periods.into_iter().find(|view| view.period == period) })
    }

    /// The total of a tab as a bill shows it. Only where each line is rounded must the lines be looked at.
    async fn shown(&self, asking: &Asking<'_>, row: &PeriodRow) -> Result<Decimal, ReportError> {
        let Some(period) = row.period.filter(|period| sums_rounded(asking.catalog, *period)) else {
            return Ok(round_to_cents(row.sums.net));
        };
        let mut query = every(asking, PeriodFilter::In(period));
        query.category = Some(row.category);
        let (mut slices, mut sum) = (Slices::of(self, query), Decimal::ZERO);
        while let Some(rows) = slices.next().await? {
            let lines = rows.iter().map(|found| found.line()).filter(|line| line.currency == row.currency);
            let rounded = lines.filter_map(|line| line.settle_amount).map(|amount| round_to_cents(amount.value));
            sum = rounded.fold(sum, Decimal::saturating_add);
        }
        Ok(round_to_cents(sum))
    }
}

fn sums_rounded(catalog: &Catalog, period: Period) -> bool {
    terms_of(catalog, period).policy.bill_total == BillTotal::SumTheRounded
}

fn bill_of(bills: &[BillHead], period: Period, category: Category) -> Option<&BillHead> {
    bills.iter().find(|bill| bill.identity.period == period && bill.identity.category == category)
}

fn tab(row: &PeriodRow, shown: Decimal, bill: Option<&BillHead>) -> Tab {
    let PeriodRow { category, currency, lines, not_computed, estimated, sums, .. } = *row;
    let bill = bill.map(|bill| bill_shown(bill, currency, shown));
    Tab { category, currency, lines, not_computed, estimated, columns: sums, exact: sums.net, shown, bill }
}

fn bill_shown(bill: &BillHead, currency: Currency, expected: Decimal) -> BillShown {
    let total = bill.totals.iter().find(|(of, _)| *of == currency).map(|(_, total)| *total).unwrap_or_default();
    BillShown {
        revision: bill.imported.revision,
        file_name: bill.imported.file_name.clone(),
        imported_at: bill.imported_at,
        rows: bill.imported.rows,
        total,
        difference: total.saturating_sub(expected),
        state: bill.progress.state,
        payment_request_no: bill.progress.payment_request_no.clone(),
        invoice_no: bill.progress.invoice_no.clone(),
    }
}

/// Tabs of bills in which nothing was expected.
fn add_unexpected(by_period: &mut BTreeMap<Period, Vec<Tab>>, bills: &[BillHead]) {
    for bill in bills {
        let tabs = by_period.entry(bill.identity.period).or_default();
        for (currency, _) in &bill.totals {
            let category = bill.identity.category;
            if tabs.iter().any(|tab| tab.category == category && tab.currency == *currency) {
                continue;
            }
            tabs.push(Tab {
                category,
                currency: *currency,
                lines: 0,
                not_computed: 0,
                estimated: 0,
                columns: Columns::default(),
                exact: Decimal::ZERO,
                shown: Decimal::ZERO,
                bill: Some(bill_shown(bill, *currency, Decimal::ZERO)),
            });
        }
    }
}

fn holdings(by_period: &BTreeMap<Period, Vec<Tab>>) -> Result<BTreeMap<(Currency, Period), Holding>, ReportError> {
    let mut holdings = BTreeMap::new();
    for (period, tabs) in by_period {
        for tab in tabs {
            let currency = tab.currency;
            let holding = holdings.entry((currency, *period)).or_insert_with(|| Holding::nothing(currency));
            let adjustments = Money::new(tab.columns.adjustment, currency)?;
            holding.adjustments = holding.adjustments.plus(adjustments)?;
            holding.lines = holding.lines.plus(Money::new(tab.shown, currency)?)?.minus(adjustments)?;
        }
    }
    Ok(holdings)
}

fn state(period: Period, closed: Option<&ClosedRow>, tabs: &[Tab], rules: &Rules, now: DateTime<Utc>) -> PeriodState {
    if closed.is_some() {
        PeriodState::Closed
    } else if tabs.iter().any(|tab| tab.bill.is_some()) {
        PeriodState::Billed
    } else if now < period.bounds().end {
        PeriodState::Running
    } else if now < rules.schedule().run(period).starts_at() {
        PeriodState::RunDue
    } else {
        PeriodState::Run
    }
}
