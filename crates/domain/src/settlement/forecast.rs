//! What will be paid and when: unbilled lines by the period they are expected in, why they wait and for how long, and
//! what each period then pays out, with the running balance and the deposit.
//!
//! A forecast says what comes of the facts as they are. Each sum is parted into what the marketplace stated and what
//! rests on an estimate of ours; lines whose amount or period cannot be said are counted and in no sum.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::balance::{self, Account, Addition, Adjustment, Closing};
use super::calendar::{BillRun, Period, Schedule};
use super::line::SettlementLine;
use super::marked::{Mark, Marked};
use super::money::{Currency, Money, MoneyError, Sums};
use super::policy::{BillTotal, Carry};
use super::product::Category;
use super::readiness::{AgeBucket, Blocked, Missing, Readiness};

/// A line that is not paid yet, with what is known of when it will be.
#[derive(Debug, Clone, Copy)]
pub struct Awaited<'a> {
    /// The line. One that is on a bill is expected in the period of that bill.
    pub line: &'a SettlementLine,
    /// When it is settled, as [`assess`](super::readiness::assess)ed at the forecast's moment.
    pub readiness: &'a Readiness,
    /// Since when it is open: when it was ordered or used, as far as we know, UTC.
    pub open_since: DateTime<Utc>,
}

/// What a forecast is made of.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// Every line that is not paid yet, in any order.
    pub lines: &'a [Awaited<'a>],
    /// Corrections that are proposed or announced, in the order they were made.
    pub adjustments: &'a [Adjustment],
    /// The accounts as the last period left them; a currency that has none begins with nothing.
    pub accounts: &'a [Account],
    /// When bills are run.
    pub schedule: &'a Schedule<'a>,
    /// When a shortfall reaches the deposit.
    pub carry: Carry,
    /// How a bill's total is rounded; each tab is a bill of its own.
    pub bill_total: BillTotal,
    /// The moment it is made at, UTC.
    pub now: DateTime<Utc>,
}

/// An awaited line, in a forecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Which.
    pub line_id: String,
    /// The period whose bill it will be on; `None` if that cannot be said.
    pub period: Option<Period>,
    /// What it waits for, most fundamental first; none if it is on a bill.
    pub reasons: Vec<Blocked>,
    /// What nobody said.
    pub missing: Vec<Missing>,
    /// How long it has been open.
    pub age: AgeBucket,
    /// What it will bring, exactly; an estimate if its amount or its moment is one. `None` if that cannot be said.
    pub amount: Option<Marked<Money>>,
}

/// Money that is expected, by how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// From facts that the marketplace stated.
    pub stated: Money,
    /// From anything that we estimated.
    pub estimated: Money,
    /// Lines in it.
    pub lines: usize,
    /// Lines whose amount cannot be said, and so is in no sum.
    pub lines_not_computed: usize,
}

impl Sum {
    fn nothing(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { stated: zero, estimated: zero, lines: 0, lines_not_computed: 0 }
    }

    fn add(&mut self, amount: Option<Marked<Money>>) -> Result<(), MoneyError> {
        self.lines += 1;
        match amount {
            Some(Marked { value, mark: Mark::Stated }) => self.stated = self.stated.plus(value)?,
            Some(Marked { value, mark: Mark::Estimate }) => self.estimated = self.estimated.plus(value)?,
            None => self.lines_not_computed += 1,
        }
        Ok(())
    }

    fn include(&mut self, other: &Self) -> Result<(), MoneyError> {
        self.stated = self.stated.plus(other.stated)?;
        self.estimated = self.estimated.plus(other.estimated)?;
        self.lines += other.lines;
        self.lines_not_computed += other.lines_not_computed;
        Ok(())
    }

    /// Both together.
    ///
    /// # Errors
    /// Out of range.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.stated.plus(self.estimated)
    }
}

/// What a period is expected to bring in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedPeriod {
    /// Which.
    pub period: Period,
    /// In which currency.
    pub currency: Currency,
    /// When its bill is run.
    pub run: BillRun,
    /// Its lines.
    pub sum: Sum,
    /// Its corrections.
    pub adjustments: Money,
    /// What is paid out, what comes from the deposit, and what is carried on.
    pub closing: Closing,
    /// Whether it is an estimate: anything in it, or in a period before it whose shortfall it carries, is one or cannot
    /// be computed.
    pub is_estimate: bool,
}

/// Awaited lines of one reason and age. Lines that wait for several things are under the most fundamental one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// In which currency.
    pub currency: Currency,
    /// What they wait for.
    pub reason: Blocked,
    /// Since when.
    pub age: AgeBucket,
    /// What they come to.
    pub sum: Sum,
}

/// What will be paid and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Every line, once: by period, those without one last, then by id.
    pub lines: Vec<Expected>,
    /// Every period with lines or corrections, or with a shortfall brought forward: by currency, then by period.
    pub periods: Vec<ExpectedPeriod>,
    /// Lines whose period cannot be said, by currency.
    pub without_period: BTreeMap<Currency, Sum>,
    /// Lines that wait, by currency, reason and age.
    pub waiting: Vec<Waiting>,
    /// All that is expected to be paid out, by currency.
    pub payable: Sums,
}

/// Makes a forecast. The order of the lines does not matter.
///
/// # Errors
/// A sum out of range.
pub fn forecast(outlook: &Outlook<'_>) -> Result<Forecast, MoneyError> {
    let mut gathering = Gathering::at(outlook.now);
    let lines = outlook.lines.iter().map(|awaited| gathering.take_up(awaited));
    let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
    lines.sort_by(|one, other| {
        let place = |expected: &Expected| (expected.period.is_none(), expected.period);
        (place(one), &one.line_id).cmp(&(place(other), &other.line_id))
    });
    Ok(Forecast { lines, ..gathering.finish(outlook)? })
}

/// A forecast in the making: takes lines up one by one and keeps none of them, however many they are.
#[derive(Debug)]
pub struct Gathering {
    now: DateTime<Utc>,
    planned: BTreeMap<Currency, BTreeMap<Period, Plan>>,
    without_period: BTreeMap<Currency, Sum>,
    waiting: BTreeMap<(Currency, Blocked, AgeBucket), Sum>,
}

impl Gathering {
    /// Begins a forecast as of a moment, UTC.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { now, planned: BTreeMap::new(), without_period: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// Takes a line up, and says what is expected of it.
    ///
    /// # Errors
    /// A sum out of range.
    pub fn take_up(&mut self, awaited: &Awaited<'_>) -> Result<Expected, MoneyError> {
        let (expected, currency) = (expect(awaited, self.now)?, awaited.line.currency);
        let nothing = || Sum::nothing(currency);
        match expected.period {
            Some(period) => {
                // Of which it is not known, it counts as one of the first tab.
                let tab = awaited.line.product_category.unwrap_or(Category::Generic);
                self.plan(currency, period).add(tab, expected.amount)?;
            }
            None => self.without_period.entry(currency).or_insert_with(nothing).add(expected.amount)?,
        }
        if let Some(reason) = expected.reasons.first() {
            self.waiting.entry((currency, *reason, expected.age)).or_insert_with(nothing).add(expected.amount)?;
        }
        Ok(expected)
    }

    /// Takes many lines of a period and a tab up at once, in a sum: they are on the bill of a period that is not run yet, or
    /// will be, and nothing stands in their way. Those that are open since a day, in Beijing, wait for that run; those
    /// without one wait for nothing: they are on the bill already. `rounded` is what they come to with each line rounded.
    ///
    /// # Errors
    /// A sum out of range.
    pub fn take_up_sum(
        &mut self,
        (period, tab): (Period, Category),
        open_since: Option<NaiveDate>,
        sum: &Sum,
        rounded: Money,
    ) -> Result<(), MoneyError> {
        let currency = sum.stated.currency();
        let plan = self.plan(currency, period);
        plan.sum.include(sum)?;
        plan.tabs.entry(tab).or_insert_with(|| Addition::nothing(currency)).include(sum.total()?, rounded)?;
        let Some(day) = open_since else { return Ok(()) };
        let place = (currency, Blocked::RunNotReached, AgeBucket::since(day, self.now));
        self.waiting.entry(place).or_insert_with(|| Sum::nothing(currency)).include(sum)
    }

    /// The forecast of what was taken up, with the outlook's corrections, accounts and rules. Neither the lines taken up
    /// nor those of the outlook are in it one by one.
    ///
    /// # Errors
    /// A sum out of range.
    pub fn finish(mut self, outlook: &Outlook<'_>) -> Result<Forecast, MoneyError> {
        for Adjustment { period, amount, .. } in outlook.adjustments {
            let plan = self.plan(amount.currency(), *period);
            plan.adjustments = plan.adjustments.plus(*amount)?;
        }
        let mut periods = vec![];
        for (currency, plans) in self.planned {
            run_balance(outlook, currency, plans, &mut periods)?;
        }
        let mut payable = Sums::default();
        periods.iter().try_for_each(|period| payable.add(period.closing.payable))?;
        let waiting = self.waiting.into_iter();
        let waiting = waiting.map(|((currency, reason, age), sum)| Waiting { currency, reason, age, sum }).collect();
        Ok(Forecast { lines: vec![], periods, without_period: self.without_period, waiting, payable })
    }

    fn plan(&mut self, currency: Currency, period: Period) -> &mut Plan {
        let plans = self.planned.entry(currency).or_default();
        plans.entry(period).or_insert_with(|| Plan::nothing(currency))
    }
}

fn expect(awaited: &Awaited<'_>, now: DateTime<Utc>) -> Result<Expected, MoneyError> {
    let Awaited { line, readiness, open_since } = awaited;
    let is_billed = line.bill_id.is_some() || line.bill_state.is_some();
    let is_estimate =
        line.is_estimate() || (!is_billed && readiness.ready_at.is_some_and(|ready| ready.mark == Mark::Estimate));
    let mark = if is_estimate { Mark::Estimate } else { Mark::Stated };
    Ok(Expected {
        line_id: line.line_id.clone(),
        period: if is_billed { line.period.or(readiness.expected) } else { readiness.expected },
        reasons: if is_billed { vec![] } else { readiness.blocked.clone() },
        missing: readiness.missing.clone(),
        age: AgeBucket::of(*open_since, now),
        amount: line.settled()?.map(|value| Marked { value, mark }),
    })
}

/// What falls into a period.
#[derive(Debug, Clone)]
struct Plan {
    sum: Sum,
    tabs: BTreeMap<Category, Addition>,
    adjustments: Money,
}

impl Plan {
    fn nothing(currency: Currency) -> Self {
        Self { sum: Sum::nothing(currency), tabs: BTreeMap::new(), adjustments: Money::zero(currency) }
    }

    fn add(&mut self, tab: Category, amount: Option<Marked<Money>>) -> Result<(), MoneyError> {
        self.sum.add(amount)?;
        let Some(Marked { value, .. }) = amount else { return Ok(()) };
        self.tabs.entry(tab).or_insert_with(|| Addition::nothing(value.currency())).add(value)
    }

    fn is_estimate(&self) -> bool {
        !self.sum.estimated.amount().is_zero() || self.sum.lines_not_computed > 0
    }
}

/// Closes one period after the other. A period without lines is closed where a shortfall is brought into it; all
/// others of that kind change nothing and are left out.
fn run_balance(
    outlook: &Outlook<'_>,
    currency: Currency,
    mut plans: BTreeMap<Period, Plan>,
    periods: &mut Vec<ExpectedPeriod>,
) -> Result<(), MoneyError> {
    let account = outlook.accounts.iter().find(|account| account.deposit.currency() == currency);
    let mut account = account.copied().unwrap_or_else(|| Account::with_deposit(Money::zero(currency)));
    let mut brought_estimate = false;
    while let Some((period, plan)) = plans.pop_first() {
        let tabs = plan.tabs.values().map(|tab| tab.total(outlook.bill_total).shown);
        let lines = Money::sum(currency, tabs)?;
        let closing = balance::close(period, lines, plan.adjustments, &account, outlook.carry)?;
        let is_estimate = brought_estimate || plan.is_estimate();
        let shortfall = closing.account.shortfall;
        let has_drawn = !closing.from_deposit.amount().is_zero();
        if !shortfall.amount().is_zero() && period.next() > period {
            plans.entry(period.next()).or_insert_with(|| Plan::nothing(currency));
        }
        // What an estimate leaves behind, a shortfall or another deposit, makes estimates of what comes after it.
        brought_estimate = is_estimate && (!shortfall.amount().is_zero() || has_drawn);
        account = closing.account;
        let run = outlook.schedule.run(period);
        let Plan { sum, adjustments, .. } = plan;
        periods.push(ExpectedPeriod { period, currency, run, sum, adjustments, closing, is_estimate });
    }
    Ok(())
}
