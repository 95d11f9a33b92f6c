//! What will be paid and when, and what stands in its way.

mod kept;

use std::collections::BTreeMap;

use chopmark_domain::settlement::balance::{self, Account, Adjustment};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::forecast::{Awaited, ExpectedPeriod, Gathering, Outlook, Sum, Waiting};
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::money::{Currency, Money};
use chopmark_domain::settlement::product::{Category, LineType};
use chopmark_domain::settlement::readiness::{AgeBucket, Blocked, Readiness};
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use self::kept::Kept;
use super::accounts::{Accounts, Balance, Holding};
use super::lines::{Slices, every};
use super::standing::stand;
use super::{ATTEMPTS, Asking, Billing, ReportError, Rules, Run, schema};
use crate::rows::{LineRow, PeriodRow, tab_of};
use crate::store::{LineQuery, PeriodFilter, Read};

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
    /// The forecast: of lines that wait for the run of their bill only, the sums that the store keeps; every other line
    /// that is on no bill yet is read, in slices, and kept in sums only.
    ///
    /// # Errors
    /// [`ReportError`]: the store does not answer, or a sum is out of range.
    pub async fn forecast(&self, asking: &Asking<'_>) -> Result<Read<ForecastView>, ReportError> {
        let rules = asking.rules();
        let schedule = rules.schedule();
        let open = schedule.open_period(asking.now);
        let rows = self.store().periods(asking.seller).await?;
        let Gathered { gathering, late, first, .. } = self.gather(asking, &rules, open).await?;
        let position = first.unwrap_or(rows.position);

        let mut accounts = Accounts::new(asking.catalog);
        accounts.run(before(open, &rows.value, &late)?, open.prev())?;
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
            bill_total: rules.terms.policy.bill_total,
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

    /// Every line that waits for something, or whose bill is still to be run. Where the views go on while they are read,
    /// they are read again, a few times.
    async fn gather(&self, asking: &Asking<'_>, rules: &Rules, open: Period) -> Result<Gathered, ReportError> {
        let mut attempts = 1;
        loop {
            let gathered = self.gather_once(asking, rules, open).await?;
            if gathered.first == gathered.last || attempts == ATTEMPTS {
                return Ok(gathered);
            }
            attempts += 1;
        }
    }

    async fn gather_once(&self, asking: &Asking<'_>, rules: &Rules, open: Period) -> Result<Gathered, ReportError> {
        let mut gathered = Gathered::at(asking.now);
        let mut kept = Kept::default();
        let all = every(asking, PeriodFilter::Any);
        // Of a seller who is not certified, everything that no bill is known of waits.
        let mut queries = vec![all.clone()];
        if rules.terms.certified {
            let ages = self.store().ages(asking.seller, Some(open)).await?;
            gathered.first = Some(ages.position);
            kept = Kept::of(&ages.value)?;
            let may_wait = LineQuery { may_wait: true, ..all.clone() };
            queries = vec![may_wait, LineQuery { ready_from: Some(asking.now), ..all }];
        }
        for query in queries {
            let is_kept = query.ready_from.is_some();
            let mut slices = Slices::of(self, query);
            while let Some(rows) = slices.next().await? {
                for row in &rows {
                    if is_kept {
                        kept.take_out(row)?;
                    }
                    gathered.take_up(row, &stand(row, rules, asking.now), open)?;
                }
            }
            gathered.first = gathered.first.or(slices.first);
            gathered.last = slices.last;
        }
        kept.hand_over(&mut gathered.gathering)?;
        Ok(gathered)
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

/// What lines of a month and a tab come to that are paid in a later one.
#[derive(Clone, Copy)]
struct Late {
    net: Money,
    /// How much of it is corrections.
    adjustments: Money,
}

impl Late {
    fn nothing(currency: Currency) -> Self {
        Self { net: Money::zero(currency), adjustments: Money::zero(currency) }
    }
}

/// A period's sums: of one currency and tab.
type Place = (Currency, Period, Category);

/// Lines of a forecast, in sums.
struct Gathered {
    gathering: Gathering,
    /// What earlier months had and later ones pay.
    late: BTreeMap<Place, Late>,
    /// How far the views were at the first line, and at the last.
    first: Option<Position>,
    last: Option<Position>,
}

impl Gathered {
    fn at(now: DateTime<Utc>) -> Self {
        Self { gathering: Gathering::at(now), late: BTreeMap::new(), first: None, last: None }
    }

    fn take_up(&mut self, row: &LineRow, readiness: &Readiness, open: Period) -> Result<(), ReportError> {
        let is_ahead = readiness.expected.is_some_and(|expected| expected >= open);
        if readiness.blocked.is_empty() && !is_ahead {
            return Ok(());
        }
        let line = row.line();
        self.gathering.take_up(&Awaited { line, readiness, open_since: row.drawn.open_since })?;
        self.take_out(line, open)
    }

    /// A line of an earlier month that is expected in a later one was not paid in its own.
    fn take_out(&mut self, line: &SettlementLine, open: Period) -> Result<(), ReportError> {
        let Some(period) = line.period.filter(|period| *period < open) else { return Ok(()) };
        let Some(amount) = line.settled()? else { return Ok(()) };
        let place = (line.currency, period, tab_of(line));
        let late = self.late.entry(place).or_insert_with(|| Late::nothing(line.currency));
        late.net = late.net.plus(amount)?;
        if line.line_type == LineType::Adjustment {
            late.adjustments = late.adjustments.plus(amount)?;
        }
        Ok(())
    }
}

/// What the periods before a period had, without what is still to come; rounded as bills are.
fn before(
    open: Period,
    rows: &[PeriodRow],
    late: &BTreeMap<Place, Late>,
) -> Result<BTreeMap<(Currency, Period), Holding>, ReportError> {
    let mut holdings = BTreeMap::new();
    for row in rows {
        let Some(period) = row.period.filter(|period| *period < open) else { continue };
        let currency = row.currency;
        let late = late.get(&(currency, period, row.category)).copied().unwrap_or(Late::nothing(currency));
        let net = Money::new(row.sums.net, currency)?.minus(late.net)?.shown();
        let adjustments = Money::new(row.sums.adjustment, currency)?.minus(late.adjustments)?;
        let holding = holdings.entry((currency, period)).or_insert_with(|| Holding::nothing(currency));
        holding.adjustments = holding.adjustments.plus(adjustments)?;
        holding.lines = holding.lines.plus(net)?.minus(adjustments)?;
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
