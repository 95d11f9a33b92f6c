//! What we make is understood by programs that know nothing of us, and the other way round.
//!
//! Leases are verified offline in other languages than ours: each program under `conformance/` judges the test vectors
//! of the client, which the client itself is held to by its own tests. Tables are read and written by openpyxl.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chopmark_eventstore_double::{Double, Options};
use chopmark_tables::{Column, CsvWriter, Kind, Limits, TableWriter, Value, Workbook, WriteError, XlsxWriter, read};
use chopmark_tests::python::{environment, run};
use chopmark_tests::repository::root;
use chrono::DateTime;
use rust_decimal::Decimal;

fn vectors() -> PathBuf {
    root().join("crates/client/tests/vectors/leases.json")
}

fn program(path: &str) -> PathBuf {
    root().join("tests/conformance").join(path)
}

/// A Python with the packages of `requirements.txt`.
fn python() -> PathBuf {
    let folder = root().join("target/conformance/python");
    environment(&folder, &program("python/requirements.txt")).unwrap_or_else(|missing| panic!("{missing}"))
}

/// The program judges every vector rightly, and says so when a vector is wrong: a program that judged nothing would
/// agree with everything.
fn judges(mut command: impl FnMut(&Path) -> Command, missing: &str) {
    let printed = run(&mut command(&vectors()), missing).unwrap_or_else(|complaint| panic!("{complaint}"));
    assert!(printed.contains(" 0 wrongly"), "{printed}");

    let text = fs::read_to_string(vectors()).expect("the vectors");
    let wrong = text.replace("\"denied:algorithm\"", "\"licensed\"");
    assert_ne!(text, wrong, "there are forgeries among the vectors");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.json");
    fs::write(&file, wrong).expect("a file");
    let status = command(&file).output().expect("it ran before").status;
    assert_eq!(status.code(), Some(1), "forgeries that the file calls licensed must be complained of");
}

#[test]
fn leases_are_verified_in_python_with_pyjwt() {
    let python = python();
    judges(
        |vectors| {
            let mut command = Command::new(&python);
            command.arg(program("python/verify_leases.py")).arg(vectors);
            command
        },
        "",
    );
}

#[test]
fn leases_are_verified_in_java_with_the_jdk() {
    judges(
        |vectors| {
            let mut command = Command::new("java");
            command.arg(program("java/VerifyLeases.java")).arg(vectors);
            command
        },
        "This test needs a JDK of version 17 or later: on Debian, `apt-get install openjdk-17-jdk-headless`.",
    );
}

#[test]
fn a_log_and_its_seals_are_verified_in_python_by_their_description() {
    let (python, [log, keys]) =
        (python(), ["sealed-log.jsonl", "sealed-log.jwks.json"].map(|file| program("vectors").join(file)));
    let verify = |log: &Path| {
        let mut command = Command::new(&python);
        command.arg(program("python/verify_log.py")).arg(log).arg(&keys);
        command
    };
    let printed = run(&mut verify(&log), "").unwrap_or_else(|complaint| panic!("{complaint}"));
    assert!(printed.contains("12 records, 2 seals, all as they must be"), "{printed}");

    // A record that was changed after it was sealed, in a file that is whole in itself: only the seals tell.
    let output = verify(&program("vectors/forged-log.jsonl")).output().expect("it ran before");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("are not those that were sealed"), "{complaint}");
}

/// The double of EventStoreDB, against which the engine is tested, is what a client of another hand takes for a server.
#[test]
fn the_double_of_eventstoredb_is_a_server_to_another_client() {
    let folder = root().join("target/conformance/eventstore");
    let python =
        environment(&folder, &program("eventstore/requirements.txt")).unwrap_or_else(|missing| panic!("{missing}"));
    let kept = tempfile::tempdir().expect("a folder");
    let (listen, data) = ("127.0.0.1:0".parse().expect("an address"), kept.path().join("double.db"));
    let double = Double::start(Options { listen, data, user: None }).expect("a double");
    let mut command = Command::new(python);
    command.arg(program("eventstore/check.py")).arg(double.url());
    let printed = run(&mut command, "").unwrap_or_else(|complaint| panic!("{complaint}"));
    assert!(printed.contains("as a server is"), "{printed}");
}

/// Runs the program about tables with its arguments.
fn openpyxl(arguments: &[&Path], what: &str) {
    let folder = root().join("target/conformance/tables");
    let python =
        environment(&folder, &program("tables/requirements.txt")).unwrap_or_else(|missing| panic!("{missing}"));
    let mut command = Command::new(python);
    command.arg(program("tables/tables.py")).arg(what).args(arguments);
    run(&mut command, "").unwrap_or_else(|complaint| panic!("{complaint}"));
}

/// A table with one of everything.
fn fill<W: TableWriter>(mut writer: W) -> Result<W::Output, WriteError> {
    let time = DateTime::from_timestamp(1_709_296_496, 0).expect("a time").naive_utc();
    let empty = Value::Empty;
    let number = |text: &str| Value::from(text.parse::<Decimal>().expect("a number"));
    writer.row(&[
        Value::from("=1+1"),
        number("12.5"),
        number("0.15"),
        number("3"),
        Value::from(time.date()),
        Value::from(time),
    ])?;
    let [a, b, c] = [empty.clone(), empty.clone(), empty.clone()];
    writer.row(&[Value::from("a & <b>\n_x0041"), number("-1234567.89"), a, b, c, empty])?;
    writer.finish()
}

#[test]
fn openpyxl_sees_in_our_tables_what_we_wrote() {
    let columns = vec![
        Column::new("订单号", Kind::Text),
        Column::new("Net", Kind::Money { digits: 2 }).totalled(),
        Column::new("Fee ratio", Kind::Ratio),
        Column::new("Quantity", Kind::Integer).totalled(),
        Column::new("Day", Kind::Date),
        Column::new("Effective", Kind::DateTime),
    ];
    let created = DateTime::from_timestamp(1_709_294_400, 0).expect("a time");
    let workbook =
        Workbook { sheet: "结算 2024-03".into(), columns: columns.clone(), total: "Total".into(), created };
    let folder = tempfile::tempdir().expect("a folder");
    let [xlsx, csv] = ["table.xlsx", "table.csv"].map(|name| folder.path().join(name));
    fill(XlsxWriter::new(fs::File::create(&xlsx).expect("a file"), workbook).expect("a header")).expect("rows");
    fill(CsvWriter::new(fs::File::create(&csv).expect("a file"), columns).expect("a header")).expect("rows");
    openpyxl(&[&xlsx, &csv], "check");
}

#[test]
fn a_table_of_openpyxl_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("table.xlsx");
    openpyxl(&[&file], "make");
    let table = read(&fs::read(&file).expect("a file"), Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((table.sheet.as_deref(), table.preamble.len(), table.header_number), (Some("账单"), 1, 3));
    assert_eq!(table.header, ["订单号", "Net", "Fee ratio", "Quantity", "Day", "Effective"]);
    let shown = |row: usize| table.rows[row].cells.iter().map(|cell| cell.shown().into_owned()).collect::<Vec<_>>();
    assert_eq!(table.rows[0].number, 4);
    assert_eq!(shown(0), ["CS1", "1234567890123.45", "0.3", "3", "2024-03-01", "2024-03-01 12:34:56"]);
    assert_eq!(shown(1), [" a & <b>\n", "-0.07", "TRUE", "", "", "12:30:00"]);
}
