//! Periods, the forecast and reconciliations as tables.

use std::collections::BTreeSet;

use chopmark_tables::Value;

use super::{Table, amount, code, count, day, number, text};
use crate::report::forecast::{Expected, ForecastView};
use crate::report::periods::{Overview, Tab};
use crate::report::reconciliation::ShownPair;

/// The periods: a row for each tab and currency. What is paid is said once for each period and currency, on its first row.
#[must_use]
pub fn periods_table(overview: &Overview) -> Table {
    let tabs = overview.periods.iter().flat_map(|period| &period.tabs).chain(&overview.without_period);
    let one = tabs.map(|tab| tab.currency).collect::<BTreeSet<_>>().len() < 2;
    let amount = |name| amount(name, one);
    let columns = vec![
        text("period"),
        text("state"),
        day("run_date"),
        text("category"),
        text("currency"),
        count("lines").totalled(),
        count("not_computed").totalled(),
        count("estimated").totalled(),
        amount("sales"),
        amount("voucher"),
        amount("fee"),
        amount("tier_bonus"),
        amount("tax"),
        amount("refund"),
        amount("adjustment"),
        amount("net"),
        amount("shown"),
        amount("billed"),
        amount("difference"),
        text("bill_state"),
        text("payment_request_no"),
        amount("payable"),
        amount("from_deposit"),
        amount("receivable"),
        super::amount("carried_forward", false),
        super::amount("deposit", false),
    ];
    let mut rows = vec![];
    for view in &overview.periods {
        let mut told = BTreeSet::new();
        let head = || vec![code(view.period), code(view.state), Value::from(view.run.date)];
        for tab in &view.tabs {
            let mut row = head();
            row.extend(of_tab(tab));
            let balance = view.balances.iter().find(|balance| balance.currency == tab.currency);
            row.extend(of_balance(balance.filter(|balance| told.insert(balance.currency))));
            rows.push(row);
        }
        // A shortfall is carried through periods without a line.
        for balance in view.balances.iter().filter(|balance| !told.contains(&balance.currency)) {
            let mut row = head();
            row.extend([Value::Empty, code(balance.currency)]);
            row.extend(std::iter::repeat_n(Value::Empty, 16));
            row.extend(of_balance(Some(balance)));
            rows.push(row);
        }
    }
    for tab in &overview.without_period {
        let mut row = vec![Value::Empty, Value::Empty, Value::Empty];
        row.extend(of_tab(tab));
        row.extend(of_balance(None));
        rows.push(row);
    }
    Table { name: "Periods".into(), columns, rows }
}

fn of_tab(tab: &Tab) -> Vec<Value<'static>> {
    let (columns, bill) = (&tab.columns, tab.bill.as_ref());
    vec![
        code(tab.category),
        code(tab.currency),
        number(tab.lines),
        number(tab.not_computed),
        number(tab.estimated),
        columns.sales.into(),
        columns.voucher.into(),
        columns.fee.into(),
        columns.tier_bonus.into(),
        columns.tax.into(),
        columns.refund.into(),
        columns.adjustment.into(),
        columns.net.into(),
        tab.shown.into(),
        bill.map(|bill| bill.total).into(),
        bill.map(|bill| bill.difference).into(),
        code(bill.and_then(|bill| bill.state)),
        bill.and_then(|bill| bill.payment_request_no.clone()).into(),
    ]
}

fn of_balance(balance: Option<&crate::report::periods::Balance>) -> Vec<Value<'static>> {
    let Some(balance) = balance else { return vec![Value::Empty; 5] };
    vec![
        balance.payable.into(),
        balance.from_deposit.into(),
        balance.receivable.into(),
        balance.carried_forward.into(),
        balance.deposit.into(),
    ]
}

/// The forecast: what each period pays, then what waits for what. The column `part` tells them apart.
#[must_use]
pub fn forecast_table(forecast: &ForecastView) -> Table {
    let columns = vec![
        text("part"),
        text("period"),
        day("run_date"),
        text("reason"),
        text("age"),
        text("currency"),
        count("lines"),
        count("not_computed"),
        super::amount("stated", false),
        super::amount("estimated", false),
        super::amount("total", false),
        super::amount("adjustments", false),
        super::amount("payable", false),
        super::amount("from_deposit", false),
        super::amount("receivable", false),
        super::amount("carried_forward", false),
        super::amount("deposit", false),
    ];
    let blank = |n| std::iter::repeat_n(Value::Empty, n);
    let periods = forecast.periods.iter().map(|period| {
        let mut row = vec![Value::from("period"), code(period.period), Value::from(period.run.date)];
        row.extend(blank(2));
        row.push(code(period.balance.currency));
        row.extend(sums(&period.expected));
        row.push(period.adjustments.into());
        row.extend(of_balance(Some(&period.balance)));
        row
    });
    let waiting = forecast.waiting.iter().map(|waiting| {
        let mut row = vec![Value::from("waiting"), Value::Empty, Value::Empty, code(waiting.reason), code(waiting.age)];
        row.push(code(waiting.currency));
        row.extend(sums(&waiting.expected));
        row.extend(blank(6));
        row
    });
    let without = forecast.without_period.iter().map(|without| {
        let mut row = vec![Value::from("without_period")];
        row.extend(blank(4));
        row.push(code(without.currency));
        row.extend(sums(&without.expected));
        row.extend(blank(6));
        row
    });
    let rows = periods.chain(waiting).chain(without).collect();
    Table { name: "Forecast".into(), columns, rows }
}

fn sums(expected: &Expected) -> Vec<Value<'static>> {
    let count = |count: usize| number(u64::try_from(count).unwrap_or(u64::MAX));
    vec![
        count(expected.lines),
        count(expected.not_computed),
        expected.stated.into(),
        expected.estimated.into(),
        expected.total.into(),
    ]
}

/// Pairs of a reconciliation.
#[must_use]
pub fn pairs_table(pairs: &[ShownPair]) -> Table {
    let one = pairs.iter().map(|pair| pair.currency).collect::<BTreeSet<_>>().len() < 2;
    let columns = vec![
        text("category"),
        text("outcome"),
        text("by"),
        text("id"),
        text("currency"),
        amount("expected", one),
        amount("billed", one),
        amount("difference", one),
        text("causes"),
        text("explanation"),
        text("lines"),
        text("bill_rows"),
        text("judgement"),
        text("note"),
    ];
    let rows = pairs.iter().map(|pair| {
        let key = serde_json::to_value(&pair.key).unwrap_or_default();
        let of_key = |member: &str| Value::from(key[member].as_str().unwrap_or_default().to_owned());
        let joined = |texts: Vec<String>| Value::from(texts.join(" "));
        vec![
            code(pair.category),
            Value::from(pair.outcome),
            of_key("by"),
            of_key("id"),
            code(pair.currency),
            pair.expected.into(),
            pair.billed.into(),
            pair.difference.into(),
            joined(pair.causes.iter().map(|cause| cause.code.clone()).collect()),
            Value::from(pair.explanation.clone()),
            joined(pair.lines.iter().map(|line| line.line_id.clone()).collect()),
            joined(pair.rows.iter().map(|row| row.row.to_string()).collect()),
            code(pair.judged.as_ref().map(|judged| judged.judgement)),
            pair.judged.as_ref().map(|judged| judged.note.clone()).into(),
        ]
    });
    Table { name: "Reconciliation".into(), columns, rows: rows.collect() }
}
