//! Periods, lines and the forecast, as tables.

use serde_json::{Value, json};

use super::figures::{amount, list, moment, table, word};
use super::server::Server;
use crate::cli::settlement::{FilterArgs, ForecastArgs, LinesArgs, PeriodsArgs};
use crate::failure::Failure;

/// Lines that one page may have.
const PAGE: usize = 500;

pub(super) async fn periods(_args: &PeriodsArgs, server: &Server) -> Result<(), Failure> {
    let answer = server.get("periods", &[]).await?;
    if server.is_json() {
        return crate::print(&format!("{answer:#}\n"));
    }
    let mut rows = vec![];
    for period in list(&answer, "periods") {
        rows.extend(list(period, "tabs").iter().map(|tab| period_row(period, tab)));
    }
    if rows.is_empty() {
        return crate::print("nothing sold yet\n");
    }
    let head = ["PERIOD", "TAB", "STATE", "BILL RUN", "LINES", "SALES", "FEE", "REFUND", "NET", "BILLED", "PAY-OUT"];
    crate::print(&table(&head, &rows, 4..11))
}

fn period_row(period: &Value, tab: &Value) -> Vec<String> {
    let columns = &tab["columns"];
    let payable = list(period, "balances").iter().find(|balance| balance["currency"] == tab["currency"]);
    vec![
        word(&period["period"]),
        format!("{} {}", word(&tab["category"]), word(&tab["currency"])),
        word(&period["state"]),
        word(&period["run"]["date"]),
        word(&tab["lines"]),
        amount(&columns["sales"]),
        amount(&columns["fee"]),
        amount(&columns["refund"]),
        amount(&tab["shown"]),
        amount(&tab["bill"]["total"]),
        payable.map_or_else(|| "-".into(), |balance| amount(&balance["payable"])),
    ]
}

/// The parameters of a filter, as the API names them.
pub(super) fn query(filter: &FilterArgs) -> Vec<(&'static str, String)> {
    let mut query = vec![];
    query.extend(filter.period.map(|period| ("period", period.to_string())));
    query.extend(filter.product.as_ref().map(|sku| ("sku", sku.to_string())));
    query.extend(filter.order.as_ref().map(|order| ("order", order.to_string())));
    query.extend(filter.blocked.map(|reason| ("blocked", reason.code().to_owned())));
    query
}

pub(super) async fn lines(args: &LinesArgs, server: &Server) -> Result<(), Failure> {
    let limit = args.limit.get();
    let (mut lines, mut cursor) = (vec![], None);
    let mut last = Value::Null;
    while lines.len() < limit {
        let mut asked = query(&args.filter);
        asked.push(("limit", PAGE.min(limit - lines.len()).to_string()));
        asked.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        last = server.get("lines", &asked).await?;
        lines.extend_from_slice(list(&last, "lines"));
        cursor = last["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    if server.is_json() {
        let whole = json!({ "lines": lines, "next_cursor": cursor, "position": last["position"] });
        return crate::print(&format!("{whole:#}\n"));
    }
    if lines.is_empty() {
        return crate::print("no line\n");
    }
    let rows: Vec<_> = lines.iter().map(line_row).collect();
    let mut said =
        table(&["LINE", "TYPE", "PERIOD", "SALES", "SETTLES", "EFFECTIVE (UTC+8)", "WAITS FOR"], &rows, 3..5);
    if cursor.is_some() {
        said += &format!("… and more; --limit shows more than {limit}\n");
    }
    crate::print(&said)
}

fn line_row(line: &Value) -> Vec<String> {
    let waits: Vec<_> = list(line, "blocked").iter().map(word).collect();
    vec![
        word(&line["line_id"]),
        word(&line["line_type"]),
        word(&line["expected_period"]),
        amount(&line["sales_amount"]),
        amount(&line["settle_amount"]),
        moment(&line["effective_at"]),
        if waits.is_empty() { "-".into() } else { waits.join(" ") },
    ]
}

pub(super) async fn forecast(_args: &ForecastArgs, server: &Server) -> Result<(), Failure> {
    let answer = server.get("forecast", &[]).await?;
    if server.is_json() {
        return crate::print(&format!("{answer:#}\n"));
    }
    let periods: Vec<_> = list(&answer, "periods").iter().map(expected_row).collect();
    let waiting: Vec<_> = list(&answer, "waiting").iter().map(waiting_row).collect();
    if periods.is_empty() && waiting.is_empty() {
        return crate::print("nothing is expected\n");
    }
    let head = ["PERIOD", "BILL RUN", "CURRENCY", "LINES", "STATED", "ESTIMATED", "PAY-OUT", "CARRIED ON"];
    let mut said = table(&head, &periods, 3..8);
    if !waiting.is_empty() {
        said += "\n";
        said += &table(&["WAITS FOR", "SINCE DAYS", "CURRENCY", "LINES", "TOGETHER"], &waiting, 3..5);
    }
    crate::print(&said)
}

fn expected_row(period: &Value) -> Vec<String> {
    let (expected, balance) = (&period["expected"], &period["balance"]);
    vec![
        word(&period["period"]),
        word(&period["run"]["date"]),
        word(&balance["currency"]),
        word(&expected["lines"]),
        amount(&expected["stated"]),
        amount(&expected["estimated"]),
        amount(&balance["payable"]),
        amount(&balance["carried_forward"]),
    ]
}

fn waiting_row(waiting: &Value) -> Vec<String> {
    let expected = &waiting["expected"];
    vec![
        word(&waiting["reason"]),
        word(&waiting["age"]),
        word(&waiting["currency"]),
        word(&expected["lines"]),
        amount(&expected["total"]),
    ]
}
