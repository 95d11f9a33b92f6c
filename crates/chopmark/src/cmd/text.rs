//! What commands print, as text.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A time as people read it, UTC, to the millisecond at most, with a fraction only where there is one.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    exact_time(at.trunc_subsecs(3))
}

/// A time as exact as it is known.
pub(crate) fn exact_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A time by our own clock: milliseconds are as much as it means.
pub(crate) fn clock_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// One member a line; what is nested has the names on the way to it.
pub(crate) fn members(value: &Value) -> String {
    let mut text = String::new();
    add(&mut text, "", value);
    text
}

fn add(text: &mut String, name: &str, value: &Value) {
    let within = |inner: &str| if name.is_empty() { inner.to_owned() } else { format!("{name}.{inner}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(inner, value)| add(text, &within(inner), value)),
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(at, value)| add(text, &within(&(at + 1).to_string()), value));
        }
        value => *text += &format!("{name:<24} {}\n", plain(value)),
    }
}

/// A value without quotes.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text of at most so many columns of the terminal, the end cut off and marked where it is longer.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |letter: &char| {
        used += letter.width().unwrap_or_default();
        used <= columns
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// A table: each column as wide as its widest cell, two spaces between, nothing after the last. Letters that a terminal
/// draws over two columns count as two.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&title| title.into()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let width = |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or_default()).collect();
    let padded = |(cell, width): (&String, &usize)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())));
    let line = |row: &&Vec<String>| {
        let cells = row.iter().zip(&widths).map(padded);
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_members_have_the_names_on_the_way_to_them() {
        let license = json!({ "id": "L1", "verdict": { "valid": true }, "orders": [{ "id": "CS1" }, { "id": "CS2" }] });
        let expected = ["id L1", "orders.1.id CS1", "orders.2.id CS2", "verdict.valid true"];
        let text = members(&license);
        let mut said: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        said.sort();
        assert_eq!(said, expected);
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["bcd".to_owned(), String::new()]];
        assert_eq!(table(&["N", "M"], &rows), "N    M\na    1\nbcd\n");
    }

    #[test]
    fn wide_letters_take_two_columns() {
        let rows = [vec!["构建机".to_owned(), "1".to_owned()], vec!["build".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["N", "M"], &rows), "N       M\n构建机  1\nbuild   2\n");
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("构建机器", 6), "构建…", "half a letter is none");
    }

    #[test]
    fn times_are_told_to_the_millisecond() {
        let at = "2026-11-24T12:00:00.123456789Z".parse().unwrap();
        assert_eq!(
            (time(at), exact_time(at)),
            ("2026-11-24T12:00:00.123Z".into(), "2026-11-24T12:00:00.123456789Z".into())
        );
        assert_eq!(time("2026-11-24T12:00:00Z".parse().unwrap()), "2026-11-24T12:00:00Z");
    }
}
