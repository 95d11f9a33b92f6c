//! What is written is read back as it was, and is safe in a spreadsheet.

#![cfg(test)]

use std::io::{Cursor, Read};

use chopmark_tables::{
    Cell, Column, CsvWriter, Kind, Limits, Table, TableWriter, Value, Workbook, WriteError, XlsxWriter, read,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta};
use proptest::prelude::*;
use rust_decimal::Decimal;
use zip::ZipArchive;

fn columns() -> Vec<Column> {
    vec![
        Column::new("订单号", Kind::Text),
        Column::new("Net", Kind::Money { digits: 2 }).totalled(),
        Column::new("Fee ratio", Kind::Ratio).totalled(),
        Column::new("Quantity", Kind::Integer).totalled(),
        Column::new("Day", Kind::Date),
        Column::new("Effective", Kind::DateTime),
    ]
}

fn workbook() -> Workbook {
    let created = DateTime::from_timestamp(1_709_294_400, 0).unwrap();
    Workbook { sheet: "Settlement 2024-03".into(), columns: columns(), total: "Total".into(), created }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 3, 1).unwrap()
}

fn time() -> NaiveDateTime {
    day().and_hms_opt(12, 34, 56).unwrap()
}

fn row(text: &str, net: &str) -> [Value<'static>; 6] {
    [
        Value::from(text.to_owned()),
        Value::from(decimal(net)),
        Value::from(decimal("0.15")),
        Value::from(Decimal::from(3)),
        Value::from(day()),
        Value::from(time()),
    ]
}

fn csv(rows: &[[Value<'_>; 6]]) -> Vec<u8> {
    let mut writer = CsvWriter::new(vec![], columns()).unwrap();
    rows.iter().for_each(|row| writer.row(row).unwrap());
    writer.finish().unwrap()
}

fn xlsx(rows: &[[Value<'_>; 6]]) -> Vec<u8> {
    let mut writer = XlsxWriter::new(vec![], workbook()).unwrap();
    rows.iter().for_each(|row| writer.row(row).unwrap());
    writer.finish().unwrap()
}

fn table(bytes: &[u8]) -> Table {
    read(bytes, Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn part(workbook: &[u8], name: &str) -> String {
    let mut text = String::new();
    ZipArchive::new(Cursor::new(workbook)).unwrap().by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn csv_opens_in_a_spreadsheet() {
    let empty = [const { Value::Empty }; 6];
    let text = String::from_utf8(csv(&[row("CS,1", "12.5"), row(" \"2\" ", "-0.125"), empty])).unwrap();
    assert_eq!(
        text,
        "\u{feff}订单号,Net,Fee ratio,Quantity,Day,Effective\r\n\
         \"CS,1\",12.50,0.15,3,2024-03-01,2024-03-01 12:34:56\r\n\
         \" \"\"2\"\" \",-0.125,0.15,3,2024-03-01,2024-03-01 12:34:56\r\n\
         ,,,,,\r\n"
    );
}

#[test]
fn text_that_would_be_calculated_gets_an_apostrophe_and_numbers_never_do() {
    for (text, expected) in [
        ("=1+1", "'=1+1"),
        ("+86", "'+86"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "\"'\tx\""),
        ("\rx", "\"'\rx\""),
        ("  =1", "'  =1"),
        ("\"=1", "\"'\"\"=1\""),
        ("'=1", "''=1"),
        ("\u{a0}=1", "'\u{a0}=1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("1-2", "1-2"),
        ("'", "'"),
    ] {
        let file = csv(&[row(text, "-5")]);
        let written = String::from_utf8(file.clone()).unwrap();
        let line = written.split_once("\r\n").unwrap().1.to_owned();
        assert!(line.starts_with(&format!("{expected},-5.00,")), "{text:?} became {line:?}");
        assert_eq!(table(&file).rows[0].cell(0), &Cell::Text(text.to_owned()));
    }
    let mut names = CsvWriter::new(vec![], vec![Column::new("=1", Kind::Text), Column::new("b", Kind::Text)]).unwrap();
    names.row(&[Value::Empty, Value::Empty]).unwrap();
    assert!(String::from_utf8(names.finish().unwrap()).unwrap().starts_with("\u{feff}'=1,b\r\n"));
}

#[test]
fn a_workbook_has_real_numbers_days_and_totals() {
    let file = xlsx(&[row("=1+1", "12.5"), row("CS2", "1234567890123.45")]);
    let table = table(&file);
    assert_eq!(table.sheet.as_deref(), Some("Settlement 2024-03"));
    assert_eq!(table.header, ["订单号", "Net", "Fee ratio", "Quantity", "Day", "Effective"]);
    assert_eq!(
        table.rows[0].cells,
        [
            Cell::Text("=1+1".into()),
            Cell::Number(decimal("12.5")),
            Cell::Number(decimal("0.15")),
            Cell::Number(decimal("3")),
            Cell::Date(day()),
            Cell::DateTime(time()),
        ]
    );
    let totals = &table.rows[2];
    assert_eq!((totals.number, totals.cell(0).shown()), (4, "Total".into()));
    assert_eq!(totals.cell(1), &Cell::Number(decimal("1234567890135.95")));
    assert_eq!((totals.cell(2), totals.cell(3)), (&Cell::Empty, &Cell::Number(decimal("6"))), "ratios have no sum");

    let sheet = part(&file, "xl/worksheets/sheet1.xml");
    for expected in [
        "<c r=\"B4\" s=\"6\"><f>SUM(B2:B3)</f><v>1234567890135.95</v></c>",
        "<c r=\"A2\" s=\"2\" t=\"inlineStr\"><is><t xml:space=\"preserve\">=1+1</t>",
        "<autoFilter ref=\"A1:F3\"/>",
        "state=\"frozen\"",
    ] {
        assert!(sheet.contains(expected), "{expected} in {sheet}");
    }
    assert!(part(&file, "docProps/core.xml").contains("2024-03-01T12:00:00Z"));
}

#[test]
fn the_same_rows_make_the_same_bytes() {
    let rows = [row("a", "1"), row("b", "2")];
    assert_eq!(xlsx(&rows), xlsx(&rows));
    assert_eq!(csv(&rows), csv(&rows));
}

#[test]
fn a_workbook_without_rows_is_one() {
    let table = table(&xlsx(&[]));
    assert_eq!(table.rows.len(), 1, "the totals");
    assert_eq!(table.rows[0].cell(1), &Cell::Number(Decimal::ZERO));
}

#[test]
fn names_of_sheets_are_made_to_fit() {
    for (name, expected) in [
        ("a/b:c*[d]", "a-b-c--d-"),
        ("", "Sheet1"),
        ("''", "Sheet1"),
        ("结算 & 'März' <1>", "结算 & 'März' <1>"),
        (&"长".repeat(40), &"长".repeat(31)),
        (&"😀".repeat(20), &"😀".repeat(15)),
    ] {
        let workbook = Workbook { sheet: name.to_owned(), ..workbook() };
        let file = XlsxWriter::new(vec![], workbook).unwrap().finish().unwrap();
        assert_eq!(table(&file).sheet.as_deref(), Some(expected));
    }
}

#[test]
fn days_before_spreadsheets_agree_are_text() {
    let old = NaiveDate::from_ymd_opt(1900, 2, 28).unwrap();
    let mut writer = XlsxWriter::new(vec![], workbook()).unwrap();
    let [a, b, c, d, ..] = row("a", "1");
    writer.row(&[a, b, c, d, Value::from(old), Value::from(old.and_hms_opt(1, 2, 3).unwrap())]).unwrap();
    let table = table(&writer.finish().unwrap());
    assert_eq!(table.rows[0].cell(5), &Cell::Text("1900-02-28 01:02:03".into()));
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let mut writer = CsvWriter::new(vec![], columns()).unwrap();
    let narrow = writer.row(&[Value::Empty]).unwrap_err();
    assert_eq!(narrow.to_string(), "row 2 has 1 values for 6 columns");
    let mut values = row("a", "1");
    values[3] = Value::from(decimal("1.5"));
    let fraction = writer.row(&values).unwrap_err();
    assert_eq!(fraction.to_string(), "row 3, column D: the value is not of the kind Integer");
    values[3] = Value::from("three");
    assert!(matches!(writer.row(&values), Err(WriteError::Kind { .. })));
    assert!(matches!(CsvWriter::new(vec![], vec![]), Err(WriteError::Columns { columns: 0 })));

    let mut writer = XlsxWriter::new(vec![], workbook()).unwrap();
    let long = writer.row(&row(&"x".repeat(32_768), "1")).unwrap_err();
    assert!(long.to_string().starts_with("row 2, column A: the text has more than 32767"), "{long}");
    let mut writer = XlsxWriter::new(vec![], workbook()).unwrap();
    writer.row(&row("a", "79228162514264337593543950335")).unwrap();
    assert!(matches!(writer.row(&row("a", "1")), Err(WriteError::TotalTooLarge { column }) if column == "Net"));
}

#[test]
fn a_failing_disk_is_told() {
    #[derive(Debug)]
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| std::io::Error::other("the disk is full"))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for room in [0, 100, 1_000, 2_000] {
        let written = XlsxWriter::new(Full(room), workbook()).and_then(|mut writer| {
            writer.row(&row("a", "1"))?;
            writer.finish()
        });
        let message = written.unwrap_err().to_string();
        assert!(message.contains("the disk is full"), "{room}: {message}");
    }
    let written = CsvWriter::new(Full(0), columns()).and_then(CsvWriter::finish);
    assert!(written.unwrap_err().to_string().contains("the disk is full"));
}

#[test]
fn a_workbook_that_is_abandoned_does_not_look_whole() {
    let mut bytes = vec![];
    let mut writer = XlsxWriter::new(&mut bytes, workbook()).unwrap();
    writer.row(&row("a", "1")).unwrap();
    drop(writer);
    assert!(!bytes.is_empty() && ZipArchive::new(Cursor::new(bytes)).is_err());
}

/// Text that a person could have typed, and worse.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,20}", "[=+@'\" \t\r\n_x0D-]{0,12}", "\\PC{0,10}", "_x000D_|_x005F_x0041_|账单"]
}

/// What the reader makes of a text cell: white space alone is nothing.
fn seen(text: &str) -> Cell {
    if text.trim().is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(
        text in any_text(),
        cents in -1_000_000_000_000_i64..1_000_000_000_000,
        scale in 0_u32..8,
        milliseconds in 0_i64..4_000_000_000_000,
    ) {
        let net = Decimal::new(cents, scale);
        let time = day().and_hms_opt(0, 0, 0).unwrap() + TimeDelta::milliseconds(milliseconds);
        let values = [
            Value::from(text.as_str()),
            Value::from(net),
            Value::from(net),
            Value::from(Decimal::from(cents)),
            Value::from(time.date()),
            Value::from(time),
        ];

        let table = table(&xlsx(std::slice::from_ref(&values)));
        prop_assert_eq!(table.rows[0].cell(0), &seen(&text));
        prop_assert_eq!(table.rows[0].cell(1), &Cell::Number(net.normalize()));
        prop_assert_eq!(table.rows[0].cell(3), &Cell::Number(Decimal::from(cents)));
        prop_assert_eq!(table.rows[0].cell(4), &Cell::Date(time.date()));
        prop_assert_eq!(table.rows[0].cell(5), &Cell::DateTime(time));

        let file = csv(&[values]);
        let table = read(&file, Limits::default()).unwrap();
        prop_assert_eq!(table.rows[0].cell(0), &seen(&text));
        prop_assert_eq!(table.rows[0].cell(1).number(Default::default()), Some(net));
        prop_assert_eq!(table.rows[0].cell(5).date_time(), Some(time));
        let line = String::from_utf8(file).unwrap().split_once("\r\n").unwrap().1.trim_start_matches('"').to_owned();
        prop_assert!(!line.trim_start().starts_with(['=', '+', '-', '@']), "{:?}", line);
    }
}
