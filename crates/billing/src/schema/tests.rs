//! What is said of the tables is true: on the page, and in the databases.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Kind, LINES, Layout, tables};
use crate::contract::{Place, changes, samples};
use crate::postgres::testing::PostgresPlace;
use crate::sqlite::testing::SqlitePlace;
use crate::store::Checkpoint;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/billing-views.md");

/// What each engine calls a kind, as its catalog says it.
fn types(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Text => ("TEXT", "text"),
        Kind::Integer => ("INTEGER", "bigint"),
        Kind::Amount => ("TEXT", "numeric"),
        Kind::Moment => ("TEXT", "timestamp with time zone"),
        Kind::Flag => ("INTEGER", "boolean"),
        Kind::Json => ("TEXT", "json"),
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Amount => "number",
        Kind::Moment => "moment",
        Kind::Flag => "flag",
        Kind::Json => "JSON",
    }
}

/// A table as the page describes it.
fn described(table: &Layout) -> String {
    let mut text = format!("## {}\n\n{}\n\n| column | is | means |\n| --- | --- | --- |\n", table.name, table.says);
    for column in &table.columns {
        let null = if column.is_needed { "" } else { ", or null" };
        let _ = writeln!(text, "| `{}` | {}{null} | {} |", column.name, name(column.kind), column.says);
    }
    text
}

#[test]
fn the_page_describes_each_table_as_it_is() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    for table in tables() {
        let described = described(&table);
        assert!(page.contains(&described), "docs/reference/billing-views.md must say:\n\n{described}");
    }
    let headings = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .filter(|heading| heading.contains('_') || *heading == "bills");
    assert_eq!(headings.collect::<Vec<_>>(), tables().iter().map(|table| table.name).collect::<Vec<_>>());
}

/// Names, types and whether null is allowed, of all tables.
type Catalog = BTreeSet<(String, String, String, bool)>;

fn wanted(of: fn((&'static str, &'static str)) -> &'static str) -> Catalog {
    let column = |table: &Layout| {
        let of = |column: &super::Column| {
            (table.name.to_owned(), column.name.to_owned(), of(types(column.kind)).to_owned(), !column.is_needed)
        };
        table.columns.iter().map(of).collect::<Vec<_>>()
    };
    tables().iter().flat_map(column).collect()
}

#[tokio::test]
async fn sqlite_has_these_tables_and_columns() {
    let place = SqlitePlace::new().await;
    drop(place.open().await);
    let file = rusqlite::Connection::open(place.path()).unwrap();
    let columns = "SELECT t.name, c.name, c.type, NOT c.\"notnull\" FROM sqlite_schema t, pragma_table_info(t.name) c \
                   WHERE t.type = 'table'";
    let mut statement = file.prepare(columns).unwrap();
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    assert_eq!(found.collect::<Result<Catalog, _>>().unwrap(), wanted(|(sqlite, _)| sqlite));
}

#[tokio::test]
async fn postgresql_has_these_tables_and_columns_and_says_what_they_mean() {
    let place = PostgresPlace::new().await;
    drop(place.open().await);
    let client = place.client().await;
    let columns = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
                   FROM information_schema.columns WHERE table_schema = $1";
    let rows = client.query(columns, &[&place.schema()]).await.unwrap();
    let found = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)));
    assert_eq!(found.collect::<Catalog>(), wanted(|(_, postgres)| postgres));
    let comment = "SELECT col_description('settlement_lines'::regclass, 2), obj_description('bills'::regclass)";
    let row = client.query_one(comment, &[]).await.unwrap();
    assert_eq!(row.get::<_, Option<&str>>(0), Some(LINES.columns[1].column.says));
    assert_eq!(row.get::<_, Option<&str>>(1), Some(super::BILLS.says));
}

#[test]
fn every_field_of_a_line_has_a_column_but_what_depends_on_the_time_or_its_bill() {
    let line = serde_json::to_value(samples::full_line("line 1").line()).unwrap();
    let columns: BTreeSet<_> = LINES.columns.iter().map(|filled| filled.column.name).collect();
    let missing: Vec<_> = line.as_object().unwrap().keys().filter(|field| !columns.contains(field.as_str())).collect();
    assert_eq!(missing, ["blocked_reason", "bill_state", "payment_request_no", "invoice_no"]);
}

#[test]
fn every_field_of_a_bill_row_has_a_column() {
    let row = serde_json::to_value(samples::full_row("202405", 2).row).unwrap();
    let columns: BTreeSet<_> = super::BILL_ROWS.columns.iter().map(|filled| filled.column.name).collect();
    let missing: Vec<_> = row.as_object().unwrap().keys().filter(|field| !columns.contains(field.as_str())).collect();
    assert_eq!(missing, ["row"], "it is called file_row");
}

/// What a person would read off the columns.
const LINE: &str = "SELECT CAST(effective_at AS TEXT), CAST(sales_amount AS TEXT), CAST(net AS TEXT), CAST(fee_ratio AS TEXT), \
                    CAST(refund AS TEXT), line_type, period, customer_id FROM settlement_lines WHERE line_id = 'line 1'";

#[tokio::test]
async fn columns_hold_what_the_line_says_to_the_last_digit() {
    let (sqlite, postgres) = (SqlitePlace::new().await, PostgresPlace::new().await);
    for store in [sqlite.open().await, postgres.open().await] {
        store.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    }
    let wanted = |effective_at: &str, customer: String| {
        let fixed = [
            "7922816251426433759354395.0335",
            "-7922816251426433759354395.0335",
            "0.1234567890123456789012345678",
            "-1.10",
            "REFUND",
            "202405",
        ];
        [vec![effective_at.to_owned()], fixed.map(str::to_owned).into(), vec![customer]].concat()
    };
    let file = rusqlite::Connection::open(sqlite.path()).unwrap();
    let found: Vec<String> = file.query_row(LINE, [], |row| (0..8).map(|at| row.get(at)).collect()).unwrap();
    assert_eq!(found, wanted("2024-01-01T00:00:00.000001Z", samples::AWKWARD.into()));
    let client = postgres.client().await;
    client.batch_execute("SET timezone = 'UTC'").await.unwrap();
    let row = client.query_one(LINE, &[]).await.unwrap();
    let found: Vec<String> = (0..8).map(|at| row.get(at)).collect();
    assert_eq!(found, wanted("2024-01-01 00:00:00.000001+00", samples::AWKWARD.replace('\0', "\u{fffd}")));
}
