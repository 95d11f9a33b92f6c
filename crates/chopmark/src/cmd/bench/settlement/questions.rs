//! The overview, a period's first page of lines, and the forecast.

use std::time::Instant;

use anyhow::Context;
use chopmark_billing::report::lines::LinesAsked;
use chopmark_billing::store::{LineQuery, PeriodFilter};
use chopmark_domain::settlement::calendar::Period;
use chrono::SecondsFormat;

use super::Desk;
use crate::cli::bench::Measurement;
use crate::cmd::bench::figure::{Figure, Round, micros, record};

/// Calls of one round.
const CALLS: usize = 200;

/// Lines of a page.
const PAGE: usize = 100;

const BARE: &str = "the bare SQL of the same rows, by the bare driver";

/// Measures all three in turn with the bare rows.
pub(super) async fn measure(desk: &Desk<'_>, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let all = desk.billing.periods(&desk.asking()).await?.value;
    let periods: Vec<_> = all.periods.iter().map(|view| view.period).collect();
    let (mut overviews, mut pages, mut forecasts) = (vec![], vec![], vec![]);
    for _ in 0..rounds {
        let ours = timed(CALLS, async |_| overview(desk).await).await?;
        overviews.push((ours, timed(CALLS, async |_| bare_overview(desk).await).await?));
        let of = |call: usize| periods[call % periods.len()];
        let ours = timed(CALLS, async |call| page(desk, of(call)).await).await?;
        pages.push((ours, timed(CALLS, async |call| bare_page(desk, of(call)).await).await?));
    }
    let last = periods.last().copied().context("there are no periods")?;
    for _ in 0..rounds.min(3) {
        let ours = timed(1, async |_| forecast(desk).await).await?;
        forecasts.push((ours, timed(1, async |_| bare_forecast(desk, last).await).await?));
    }
    let figure =
        |name, what, rounds: &[_]| Figure::of_times(Measurement::Settlement, desk.named(name), what, BARE, rounds);
    Ok(vec![
        figure("overview", "the settlement overview: all periods with tabs, bills and balances", &overviews),
        figure("lines_page", "a period's first page of 100 settlement lines", &pages),
        figure("forecast", "the forecast: kept sums, and all lines that wait for more than a run", &forecasts),
    ])
}

async fn timed(calls: usize, call: impl AsyncFn(usize) -> anyhow::Result<()>) -> anyhow::Result<Round> {
    let mut times = micros();
    let started = Instant::now();
    for n in 0..calls {
        let begun = Instant::now();
        call(n).await?;
        record(&mut times, begun.elapsed());
    }
    Ok(Round::new(times.len(), started.elapsed().as_secs_f64(), times))
}

async fn overview(desk: &Desk<'_>) -> anyhow::Result<()> {
    let overview = desk.billing.periods(&desk.asking()).await?.value;
    anyhow::ensure!(!overview.periods.is_empty(), "there are no periods");
    Ok(())
}

async fn forecast(desk: &Desk<'_>) -> anyhow::Result<()> {
    let forecast = desk.billing.forecast(&desk.asking()).await?.value;
    anyhow::ensure!(!forecast.periods.is_empty(), "nothing is expected");
    Ok(())
}

async fn page(desk: &Desk<'_>, period: Period) -> anyhow::Result<()> {
    let every = LineQuery::every(desk.shop.seller.clone(), PAGE);
    let query = LineQuery { period: PeriodFilter::In(period), ..every };
    let page = desk.billing.lines(&desk.asking(), &LinesAsked { query, blocked: None }).await?.value;
    anyhow::ensure!(!page.lines.is_empty(), "{period} has no lines");
    Ok(())
}

async fn bare_overview(desk: &Desk<'_>) -> anyhow::Result<()> {
    for table in ["settlement_periods", "settlement_closed", "bills"] {
        let sql = format!("SELECT CAST(document AS TEXT) FROM {table} WHERE seller = $1");
        desk.place.bare.read(&sql, &[desk.shop.seller.as_str()]).await?;
    }
    Ok(())
}

async fn bare_page(desk: &Desk<'_>, period: Period) -> anyhow::Result<()> {
    let sql = "SELECT CAST(document AS TEXT) FROM settlement_lines WHERE seller = $1 AND period = $2 ORDER BY line_id \
               LIMIT 101";
    desk.place.bare.read(sql, &[desk.shop.seller.as_str(), &period.to_string()]).await?;
    Ok(())
}

async fn bare_forecast(desk: &Desk<'_>, open: Period) -> anyhow::Result<()> {
    let now = desk.shop.now.to_rfc3339_opts(SecondsFormat::Micros, true);
    let lines = "SELECT CAST(document AS TEXT) FROM settlement_lines WHERE seller = $1";
    let sql = format!(
        "SELECT CAST(document AS TEXT) FROM settlement_ages WHERE seller = $1 AND period >= $2 UNION ALL \
         {lines} AND may_wait UNION ALL {lines} AND NOT may_wait AND settle_ready_at >= '{now}'"
    );
    desk.place.bare.read(&sql, &[desk.shop.seller.as_str(), &open.to_string()]).await?;
    Ok(())
}
