//! Amounts and other cells of the tables, from the answers of the API.

use chopmark_domain::settlement::calendar::beijing;
use chopmark_domain::settlement::money::round_to_cents;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::cmd::text;

/// An amount, rounded to cents; `-` where there is none. An estimate has a `~` before it.
pub(super) fn amount(value: &Value) -> String {
    let (value, mark) = match value {
        Value::Object(marked) => (&marked["value"], if marked["mark"] == "estimate" { "~" } else { "" }),
        value => (value, ""),
    };
    let decimal = value.as_str().and_then(|text| text.parse::<Decimal>().ok());
    decimal.map_or_else(|| "-".into(), |amount| format!("{mark}{}", round_to_cents(amount)))
}

/// A text; `-` where there is none.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        value => text::plain(value),
    }
}

/// A marked moment as the console shows it, by Beijing's clock; an estimate has a `~` before it.
pub(super) fn moment(value: &Value) -> String {
    let mark = if value["mark"] == "estimate" { "~" } else { "" };
    let at = value["value"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    at.map_or_else(|| "-".into(), |at| format!("{mark}{}", beijing(at).format("%Y-%m-%d %H:%M:%S")))
}

/// The elements of a list.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A table whose columns from one on to another are flush right, as amounts are read.
pub(super) fn table(head: &[&str], rows: &[Vec<String>], amounts: std::ops::Range<usize>) -> String {
    let mut all: Vec<Vec<String>> = vec![head.iter().map(|&title| title.to_owned()).collect()];
    all.extend_from_slice(rows);
    for column in amounts {
        let width = all.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or_default();
        for cell in all.iter_mut().filter_map(|row| row.get_mut(column)) {
            *cell = format!("{}{cell}", " ".repeat(width.saturating_sub(cell.width())));
        }
    }
    let head: Vec<String> = all.remove(0);
    text::table(&head.iter().map(String::as_str).collect::<Vec<_>>(), &all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_rounded_and_estimates_are_marked() {
        assert_eq!(amount(&json!("31.6635")), "31.66");
        assert_eq!(amount(&json!({ "value": "-95", "mark": "stated" })), "-95.00");
        assert_eq!(amount(&json!({ "value": "0.125", "mark": "estimate" })), "~0.13");
        assert_eq!(amount(&Value::Null), "-");
    }

    #[test]
    fn moments_are_beijings() {
        let at = json!({ "value": "2024-04-30T16:00:00Z", "mark": "estimate" });
        assert_eq!((moment(&at), moment(&Value::Null)), ("~2024-05-01 00:00:00".into(), "-".into()));
    }

    #[test]
    fn amounts_stand_flush_right() {
        let rows = [vec!["a".to_owned(), "1.00".to_owned()], vec!["b".to_owned(), "-10.00".to_owned()]];
        assert_eq!(table(&["N", "NET"], &rows, 1..2), "N     NET\na    1.00\nb  -10.00\n");
    }
}
