//! The overview: every month in a chart and in numbers, what is expected, and what stands in its way.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_billing::report::forecast::{AccountNow, ForecastView, PeriodForecast, WaitingLines};
use chopmark_billing::report::periods::{Overview, PeriodState, PeriodView};
use chopmark_domain::access::Role;
use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::money::Currency;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::chart::{Chart, Month};
use super::downloads::Files;
use super::{desk, page_of, period_page, word};
use crate::console::frame::{Frame, Section, SellerChoice};
use crate::console::links::Link;
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, money, response};
use crate::settlement::desk::of_report;
use crate::{Query, params};

/// Months that the chart and the table beneath it show: the last ones.
const MONTHS: usize = 13;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    seller: String,
    currency: String,
}

/// A period in the table beneath the chart.
struct Row {
    name: String,
    link: String,
    state: String,
    columns: Columns,
    lines: u64,
    not_computed: u64,
    estimated: u64,
    payable: Option<Decimal>,
    /// What the bill says less what was expected.
    difference: Option<Decimal>,
}

#[derive(Template)]
#[template(path = "settlement/overview.html")]
struct Page<'a> {
    frame: Frame,
    choice: SellerChoice,
    currencies: Vec<String>,
    currency: String,
    chart: Option<Chart>,
    rows: Vec<Row>,
    /// Everything that is expected to be paid, and the account.
    account: Option<&'a AccountNow>,
    expected: Vec<&'a PeriodForecast>,
    waiting: Vec<&'a WaitingLines>,
    /// Lines of which nobody can say when they are settled.
    without_period: u64,
    open_lines: String,
    files: Vec<Files>,
    position: String,
}

/// The overview.
pub(crate) async fn show(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    answered(&query, &request, shown(&query, &request).await)
}

async fn shown(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Finance)?;
    let asked: Asked = params::read(request.query_string())?;
    let desk = desk(query, &visitor, &asked.seller).await?;
    let asking = desk.asking();
    let overview = desk.billing().periods(&asking).await.map_err(|error| of_report(&error))?;
    let forecast = desk.billing().forecast(&asking).await.map_err(|error| of_report(&error))?.value;
    let frame = Frame::new(request, &visitor, Section::Settlement);
    let currencies = currencies(&overview.value, &forecast);
    let currency = chosen(&currencies, &asked.currency);
    let rows = rows(&overview.value, &currency, &desk.seller);
    let months: Vec<Month> = rows.iter().rev().map(|(row, is_ahead)| month(row, *is_ahead)).collect();
    let is_it = |other: &Currency| other.to_string() == currency;
    let page = Page {
        choice: SellerChoice::new(query, &visitor, desk.seller.as_str()),
        chart: Chart::of(&months, &frame),
        rows: rows.into_iter().map(|(row, _)| row).collect(),
        account: forecast.accounts.iter().find(|account| is_it(&account.currency)),
        expected: forecast.periods.iter().filter(|period| is_it(&period.balance.currency)).collect(),
        waiting: forecast.waiting.iter().filter(|waiting| is_it(&waiting.currency)).collect(),
        without_period: overview.value.without_period.iter().map(|tab| tab.lines).sum(),
        open_lines: page_of(&desk.seller, "/settlement/none").to_string(),
        files: files(&desk.seller, &frame),
        position: overview.position.to_string(),
        currencies,
        currency,
        frame,
    };
    Ok(response::page(StatusCode::OK, &page)?)
}

fn files(seller: &SellerId, frame: &Frame) -> Vec<Files> {
    let every = Link::to("");
    let file = |report: &str, name| Files::of(seller, report, &every, name);
    vec![file("periods", frame.t.periods), file("lines", frame.t.lines), file("forecast", frame.t.forecast)]
}

fn currencies(overview: &Overview, forecast: &ForecastView) -> Vec<String> {
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for tab in overview.periods.iter().flat_map(|period| &period.tabs).chain(&overview.without_period) {
        *lines.entry(tab.currency.to_string()).or_default() += tab.lines;
    }
    for account in &forecast.accounts {
        lines.entry(account.currency.to_string()).or_default();
    }
    let mut all: Vec<_> = lines.into_iter().collect();
    // The one with the most lines first.
    all.sort_by_key(|(name, lines)| (std::cmp::Reverse(*lines), name.clone()));
    all.into_iter().map(|(name, _)| name).collect()
}

fn chosen(currencies: &[String], asked: &str) -> String {
    let named = currencies.iter().find(|currency| *currency == asked);
    named.or(currencies.first()).cloned().unwrap_or_default()
}

/// The latest first, each with whether its bill is still to be run.
fn rows(overview: &Overview, currency: &str, seller: &SellerId) -> Vec<(Row, bool)> {
    let of_currency = |period: &&PeriodView| {
        period.tabs.iter().any(|tab| tab.currency.to_string() == currency)
            || period.balances.iter().any(|balance| balance.currency.to_string() == currency)
    };
    let latest = overview.periods.iter().filter(of_currency).rev().take(MONTHS);
    latest.map(|period| row(period, currency, seller)).collect()
}

fn row(period: &PeriodView, currency: &str, seller: &SellerId) -> (Row, bool) {
    let tabs = || period.tabs.iter().filter(|tab| tab.currency.to_string() == currency);
    let bills = tabs().filter_map(|tab| tab.bill.as_ref());
    let balance = period.balances.iter().find(|balance| balance.currency.to_string() == currency);
    let row = Row {
        name: money::month(period.period),
        link: period_page(seller, period.period).to_string(),
        state: word(&period.state),
        columns: tabs().fold(Columns::default(), |sum, tab| plus(&sum, &tab.columns)),
        lines: tabs().map(|tab| tab.lines).sum(),
        not_computed: tabs().map(|tab| tab.not_computed).sum(),
        estimated: tabs().map(|tab| tab.estimated).sum(),
        payable: balance.map(|balance| balance.payable),
        difference: bills.map(|bill| bill.difference).reduce(Decimal::saturating_add),
    };
    (row, matches!(period.state, PeriodState::Running | PeriodState::RunDue))
}

/// Columns of tabs of one currency, added up.
pub(super) fn plus(one: &Columns, other: &Columns) -> Columns {
    Columns {
        sales: one.sales.saturating_add(other.sales),
        voucher: one.voucher.saturating_add(other.voucher),
        fee: one.fee.saturating_add(other.fee),
        tier_bonus: one.tier_bonus.saturating_add(other.tier_bonus),
        tax: one.tax.saturating_add(other.tax),
        refund: one.refund.saturating_add(other.refund),
        adjustment: one.adjustment.saturating_add(other.adjustment),
        net: one.net.saturating_add(other.net),
    }
}

fn month(row: &Row, is_ahead: bool) -> Month {
    let Columns { sales, fee, refund, net, .. } = row.columns;
    Month { name: row.name.clone(), link: row.link.clone(), gross: sales, fee, refund: -refund, net, is_ahead }
}
