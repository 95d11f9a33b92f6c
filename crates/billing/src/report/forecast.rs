//! What will be paid and when, and what stands in its way.

use std::collections::BTreeMap;

use chopmark_domain::settlement::balance::{self, Account, Adjustment};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::forecast::{Awaited, ExpectedPeriod, Gathering, Outlook, Sum, Waiting};
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::money::{Currency, Money};
use chopmark_domain::settlement::product::LineType;
use chopmark_domain::settlement::readiness::{AgeBucket, Blocked};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::{Accounts, Balance, Holding};
use super::lines::{Slices, every};
use super::standing::stand;
use super::{Asking, Billing, ReportError, Run, schema};
use crate::store::{PeriodFilter, Read};

/// What lines come to, by how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ForecastSum)]
pub struct Expected {
    /// How many lines.
    pub lines: usize,
    /// How many of them say no amount, and so are in no sum.
    pub not_computed: usize,
    /// From facts that the marketplace stated.
    #[schema(value_type = String, example = "190.00")]
    pub stated: Decimal,
    /// From anything that we estimated.
    #[schema(value_type = String, example = "95.00")]
    pub estimated: Decimal,
    /// Both together.
    #[schema(value_type = String, example = "285.00")]
    pub total: Decimal,
}

impl From<&Sum> for Expected {
    fn from(sum: &Sum) -> Self {
        let (stated, estimated) = (sum.stated.amount(), sum.estimated.amount());
        let total = stated.saturating_add(estimated);
        Self { lines: sum.lines, not_computed: sum.lines_not_computed, stated, estimated, total }
    }
}

/// What a period is expected to pay in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ForecastPeriod)]
pub struct PeriodForecast {
    /// Which.
    #[schema(schema_with = schema::period)]
    pub period: Period,
    /// When its bill is run.
    pub run: Run,
    /// Its lines that are on no bill yet.
    pub expected: Expected,
    /// Corrections that recomputed months ask for.
    #[schema(value_type = String, example = "0")]
    pub adjustments: Decimal,
    /// What is paid, and what is carried on.
    pub balance: Balance,
    /// Whether anything in it, or in what is brought into it, is an estimate or cannot be computed.
    pub estimated: bool,
}

/// Lines that wait for one thing since about the same time. Those that wait for several are under the most fundamental.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ForecastWaiting)]
pub struct WaitingLines {
    /// The currency.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// What they wait for.
    #[schema(schema_with = schema::blocked)]
    pub reason: Blocked,
    /// How long they have been open.
    #[schema(schema_with = schema::ages)]
    pub age: AgeBucket,
    /// What they come to.
    pub expected: Expected,
}

/// Lines of which it cannot be said when they are settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ForecastWithoutPeriod)]
pub struct WithoutPeriod {
    /// The currency.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// What they come to.
    pub expected: Expected,
}

/// What a seller has with the marketplace before the first period that is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ForecastAccount)]
pub struct AccountNow {
    /// The currency.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// The deposit.
    #[schema(value_type = String, example = "500.00")]
    pub deposit: Decimal,
    /// The shortfall carried into it.
    #[schema(value_type = String, example = "0")]
    pub shortfall: Decimal,
    /// All that is expected to be paid out from then on.
    #[schema(value_type = String, example = "285.00")]
    pub payable: Decimal,
}

/// What will be paid and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForecastView {
    /// The first period whose bill is not run yet.
    pub open_period: Period,
    /// Every period with lines, corrections or a shortfall brought into it: by currency, then by period.
    pub periods: Vec<PeriodForecast>,
    /// Lines that wait, by currency, reason and age.
    pub waiting: Vec<WaitingLines>,
    /// Lines whose period cannot be said.
    pub without_period: Vec<WithoutPeriod>,
    /// The accounts as they are now.
    pub accounts: Vec<AccountNow>,
}

impl Billing {
    /// The forecast: every line that is on no bill yet, read in slices and kept in sums only.
    ///
    /// # Errors
    /// [`ReportError`]: the store does not answer, or a sum is out of range.
    pub async fn forecast(&self, asking: &Asking<'_>) -> Result<Read<ForecastView>, ReportError> {
        let rules = asking.rules();
        let schedule = rules.schedule();
        let open = schedule.open_period(asking.now);
        let rows = self.store().periods(asking.seller).await?;
        let closed = self.store().closed(asking.seller).await?.value;
        // What is closed stands; what is older and open may still wait for something.
        let is_closed = |period| closed.iter().any(|row| row.period == period);
        let oldest = rows.value.iter().filter_map(|row| row.period).filter(|period| !is_closed(*period)).min();
        let from = PeriodFilter::FromOrNone(oldest.map_or(open, |oldest| oldest.min(open)));

        let mut gathering = Gathering::at(asking.now);
        let mut late = BTreeMap::new();
        let mut slices = Slices::of(self, every(asking, from));
        while let Some(rows) = slices.next().await? {
            for row in rows {
                let readiness = stand(&row, &rules, asking.now);
                let is_ahead = readiness.expected.is_some_and(|expected| expected >= open);
                if readiness.blocked.is_empty() && !is_ahead {
                    continue;
                }
                let line = row.line();
                gathering.take_up(&Awaited { line, readiness: &readiness, open_since: row.drawn.open_since })?;
                take_out(&mut late, line, open)?;
            }
        }
        let position = slices.first.unwrap_or(rows.position);

        let mut accounts = Accounts::new(asking.catalog);
        accounts.run(before(open, &rows.value, &late)?)?;
        let currencies = rows.value.iter().map(|row| row.currency).chain([rules.terms.site.currency()]);
        let brought: BTreeMap<_, _> =
            currencies.map(|currency| (currency, accounts.brought_into(open, currency))).collect();
        let brought: Vec<Account> = brought.into_values().collect();
        let adjustments = self.adjustments_ahead(asking, open).await?;
        let outlook = Outlook {
            lines: &[],
            adjustments: &adjustments,
            accounts: &brought,
            schedule: &schedule,
            carry: rules.terms.policy.carry,
            now: asking.now,
        };
        let forecast = gathering.finish(&outlook)?;
        let without_period = forecast.without_period.iter();
        let value = ForecastView {
            open_period: open,
            periods: forecast.periods.iter().map(PeriodForecast::from).collect(),
            waiting: forecast.waiting.iter().map(WaitingLines::from).collect(),
            without_period: without_period
                .map(|(currency, sum)| WithoutPeriod { currency: *currency, expected: sum.into() })
                .collect(),
            accounts: brought.iter().map(|account| account_now(account, &forecast.payable)).collect(),
        };
        Ok(Read { position, value })
    }

    /// Corrections that recomputed months ask for, on the bills to come.
    async fn adjustments_ahead(&self, asking: &Asking<'_>, open: Period) -> Result<Vec<Adjustment>, ReportError> {
        let proposed = self.proposals(asking, None).await?.value;
        let ahead = proposed.into_iter().filter(|proposal| proposal.period >= open);
        let ahead = ahead.filter_map(|proposal| {
            let amount = Money::new(proposal.amount?, proposal.currency).ok()?;
            Some(balance::Adjustment { corrects: proposal.corrects, period: proposal.period, amount })
        });
        Ok(ahead.collect())
    }
}

/// A line of an earlier month that is expected in a later one was not paid in its own.
fn take_out(
    late: &mut BTreeMap<(Currency, Period), Holding>,
    line: &SettlementLine,
    open: Period,
) -> Result<(), ReportError> {
    let Some(period) = line.period.filter(|period| *period < open) else { return Ok(()) };
    let Some(amount) = line.settled()? else { return Ok(()) };
    let holding = late.entry((line.currency, period)).or_insert_with(|| Holding::nothing(line.currency));
    if line.line_type == LineType::Adjustment {
        holding.adjustments = holding.adjustments.plus(amount)?;
    } else {
        holding.lines = holding.lines.plus(amount)?;
    }
    Ok(())
}

/// What the periods before a period had, without what is still to come.
fn before(
    open: Period,
    rows: &[crate::rows::PeriodRow],
    late: &BTreeMap<(Currency, Period), Holding>,
) -> Result<BTreeMap<(Currency, Period), Holding>, ReportError> {
    let mut holdings = BTreeMap::new();
    for row in rows {
        let Some(period) = row.period.filter(|period| *period < open) else { continue };
        let key = (row.currency, period);
        let holding = holdings.entry(key).or_insert_with(|| Holding::nothing(row.currency));
        let adjustments = Money::new(row.sums.adjustment, row.currency)?;
        holding.adjustments = holding.adjustments.plus(adjustments)?;
        holding.lines = holding.lines.plus(Money::new(row.sums.net, row.currency)?)?.minus(adjustments)?;
    }
    for (key, taken) in late {
        if let Some(holding) = holdings.get_mut(key) {
            holding.lines = holding.lines.minus(taken.lines)?;
            holding.adjustments = holding.adjustments.minus(taken.adjustments)?;
        }
    }
    Ok(holdings)
}

fn account_now(account: &Account, payable: &chopmark_domain::settlement::money::Sums) -> AccountNow {
    let currency = account.deposit.currency();
    AccountNow {
        currency,
        deposit: account.deposit.amount(),
        shortfall: account.shortfall.amount(),
        payable: payable.of(currency).amount(),
    }
}

impl From<&ExpectedPeriod> for PeriodForecast {
    fn from(expected: &ExpectedPeriod) -> Self {
        let run = expected.run;
        Self {
            period: expected.period,
            run: Run { date: run.date, sent_by: run.sent_by, certain: run.certain },
            expected: (&expected.sum).into(),
            adjustments: expected.adjustments.amount(),
            balance: (&expected.closing).into(),
            estimated: expected.is_estimate,
        }
    }
}

impl From<&Waiting> for WaitingLines {
    fn from(waiting: &Waiting) -> Self {
        let Waiting { currency, reason, age, sum } = waiting;
        Self { currency: *currency, reason: *reason, age: *age, expected: sum.into() }
    }
}
