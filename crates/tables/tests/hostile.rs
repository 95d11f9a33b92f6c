//! Whatever the bytes are, reading ends with a table or an error, within its limits.

#![cfg(test)]

mod workbook;

use chopmark_tables::{Limits, Place, TableError, read};
use proptest::prelude::*;

use workbook::{Workbook, text_row, zipped};

fn refused(bytes: &[u8], limits: Limits) -> TableError {
    read(bytes, limits).expect_err("it must be refused")
}

fn header_and(rows: &str) -> Vec<u8> {
    Workbook::of(format!("{}{rows}", text_row(1, &["a", "b"]))).bytes()
}

/// A workbook with one of everything, to be spoiled.
fn rich() -> Workbook {
    let rows = "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"B2\" s=\"1\"><v>45352.5</v></c></row>\
                <row r=\"3\"><c t=\"inlineStr\"><is><t>x &amp; &#65;</t></is></c><c><f>1+1</f><v>2.50</v></c></row>";
    let mut book = Workbook::of(format!("{}{rows}", text_row(1, &["a", "b"])));
    book.strings = Some("<si><t>shared_x0041_</t></si>".to_owned());
    book.styles = Some(
        "<numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy\"/></numFmts><cellXfs><xf/><xf numFmtId=\"164\"/></cellXfs>"
            .to_owned(),
    );
    book
}

#[test]
fn every_limit_is_enforced_in_both_formats() {
    let csv = b"a,b\n1,2\n3,4,5\n".to_vec();
    let rows = format!("{}{}", text_row(2, &["1", "2"]), text_row(3, &["3", "4", "5"]));
    let usual = Limits::default();
    for bytes in [csv, header_and(&rows)] {
        assert_eq!(read(&bytes, usual).map(|table| table.rows.len()), Ok(2));
        let (size, short) = (bytes.len(), bytes.len() - 1);
        assert_eq!(
            refused(&bytes, Limits { bytes: short, ..usual }),
            TableError::TooLarge { bytes: size, limit: short }
        );
        assert_eq!(refused(&bytes, Limits { rows: 2, ..usual }), TableError::TooManyRows { row: 3, limit: 2 });
        let place = Place { row: 3, column: 2 };
        assert_eq!(refused(&bytes, Limits { columns: 2, ..usual }), TableError::TooManyColumns { place, limit: 2 });
        assert_eq!(refused(&bytes, Limits { cells: 6, ..usual }), TableError::TooManyCells { row: 3, limit: 6 });
        assert!(read(&bytes, Limits { cells: 7, text_bytes: 7, rows: 3, columns: 3, ..usual }).is_ok());
        assert_eq!(refused(&bytes, Limits { text_bytes: 6, ..usual }), TableError::TooMuchText { limit: 6 });
    }
    let place = Place { row: 2, column: 1 };
    let (long, limits) = ("长".repeat(11), Limits { cell_characters: 10, ..usual });
    for text in [long.clone(), format!("\"{long}\"")] {
        let csv = format!("a,b\n1,{text}\n");
        assert_eq!(refused(csv.as_bytes(), limits), TableError::CellTooLong { place, limit: 10 });
    }
    let bytes = header_and(&text_row(2, &["1", &long]));
    assert_eq!(refused(&bytes, limits), TableError::CellTooLong { place, limit: 10 });
    assert!(read(&header_and(&text_row(2, &["1", &"长".repeat(10)])), limits).is_ok());
}

#[test]
fn gaps_between_cells_count_as_cells() {
    let row = |number| format!("<row r=\"{number}\"><c r=\"GR{number}\"><v>1</v></c></row>");
    let rows: String = (2..12).map(row).collect();
    let limits = Limits { cells: 2 + 9 * 200, ..Limits::default() };
    assert_eq!(refused(&header_and(&rows), limits), TableError::TooManyCells { row: 11, limit: 1802 });
}

#[test]
fn one_shared_text_is_weighed_as_often_as_it_is_shown() {
    let mut book =
        Workbook::of(format!("{}{}", text_row(1, &["a", "b"]), "<row><c t=\"s\"><v>0</v></c></row>".repeat(2_000)));
    book.strings = Some(format!("<si><t>{}</t></si>", "x".repeat(30_000)));
    let limits = Limits { text_bytes: 10 << 20, ..Limits::default() };
    assert_eq!(refused(&book.bytes(), limits), TableError::TooMuchText { limit: 10 << 20 });
}

#[test]
fn bombs_are_stopped_while_they_unpack() {
    let bomb = header_and(&format!("<!--{}-->", " ".repeat(1_000)).repeat(12 << 10));
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    let strict = Limits { unpacked_ratio: 100, ..Limits::default() };
    assert_eq!(refused(&bomb, strict), TableError::UnpacksTooLarge { limit: 10 << 20 });
    let patient = Limits { unpacked_ratio: 1_000, ..Limits::default() };
    assert!(read(&bomb, patient).is_ok(), "it is its ratio that it is refused for");
    let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
    assert_eq!(refused(&bomb, limits), TableError::UnpacksTooLarge { limit: 1 << 20 });
    // What the file says of itself is not believed: the same with its sizes changed in the directory.
    let mut lying = bomb;
    let entries: Vec<_> = (0..lying.len() - 4).filter(|at| &lying[*at..at + 4] == b"PK\x01\x02").collect();
    for entry in entries {
        lying[entry + 24..entry + 28].copy_from_slice(&100_u32.to_le_bytes());
    }
    assert!(read(&lying, limits).is_err());
}

#[test]
fn a_token_without_end_is_stopped_before_it_is_kept() {
    let bytes = header_and(&format!("<row r=\"{}\"/>", "1".repeat(2 << 20)));
    let message = refused(&bytes, Limits::default()).to_string();
    assert!(message.contains("a part of it is too long"), "{message}");
}

#[test]
fn entries_are_counted_before_they_are_read() {
    let names: Vec<_> = (0..2_001).map(|index| index.to_string()).collect();
    let bytes = zipped(names.iter().map(|name| (name.as_str(), String::new())));
    assert_eq!(refused(&bytes, Limits::default()), TableError::TooManyEntries { limit: 2_000 });
}

#[test]
fn document_types_and_entities_are_refused_wherever_they_are() {
    let parts = rich().parts();
    for (spoiled, _) in &parts {
        let with = |beginning: &str| {
            zipped(parts.iter().map(|(name, text)| {
                let text = if name == spoiled { format!("{beginning}{text}") } else { text.clone() };
                (name.as_str(), text)
            }))
        };
        let dtd = with("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b SYSTEM \"file:///etc/passwd\">]>");
        assert_eq!(refused(&dtd, Limits::default()), TableError::Dtd { part: spoiled.clone() });
        assert!(read(&with("<?xml version=\"1.0\"?>"), Limits::default()).is_ok(), "{spoiled}");
    }
    let entity = header_and("<row><c t=\"str\"><v>&bomb;</v></c></row>");
    let message = refused(&entity, Limits::default()).to_string();
    assert!(message.contains("an entity that XML does not know"), "{message}");
}

#[test]
fn impossible_sheets_are_damaged_not_fatal() {
    for rows in [
        "<row r=\"1\"/>",
        "<row r=\"5\"/><row r=\"4\"/>",
        "<row r=\"0\"/>",
        "<row r=\"-1\"/>",
        "<row r=\"1048577\"/>",
        "<row r=\"99999999999\"/>",
        "<row r=\"4294967295\"/><row/>",
        "<row r=\"2\"><c r=\"B2\"/><c r=\"B2\"/></row>",
        "<row r=\"2\"><c r=\"XFE2\"/></row>",
        "<row r=\"2\"><c r=\"2\"/></row>",
        "<row r=\"2\"><c t=\"s\"><v>0</v></c></row>",
        "<row r=\"2\"><c t=\"s\"><v>-1</v></c></row>",
        "<row r=\"2\"><c>",
        "<row r=\"2\"></c></row>",
        &"<a>".repeat(100_000),
    ] {
        let error = refused(&header_and(rows), Limits::default());
        assert!(matches!(error, TableError::Damaged { .. }), "{error:?} for {rows:.40}");
    }
}

#[test]
fn a_workbook_cut_off_or_without_a_part_is_refused() {
    let bytes = rich().bytes();
    for length in 4..bytes.len() {
        assert!(read(&bytes[..length], Limits::default()).is_err(), "cut off at {length}");
    }
    let parts = rich().parts();
    for (missing, _) in &parts {
        let rest = parts.iter().filter(|(name, _)| name != missing).map(|(name, text)| (name.as_str(), text.clone()));
        let result = read(&zipped(rest), Limits::default());
        assert_eq!(result.is_ok(), missing == "xl/styles.xml", "without {missing}: {result:?}");
    }
}

#[test]
fn an_encrypted_entry_is_told_as_such() {
    let mut bytes = rich().bytes();
    for at in 0..bytes.len() - 10 {
        match &bytes[at..at + 4] {
            b"PK\x03\x04" => bytes[at + 6] |= 1,
            b"PK\x01\x02" => bytes[at + 8] |= 1,
            _ => {}
        }
    }
    assert_eq!(refused(&bytes, Limits::default()), TableError::Encrypted);
}

/// Small bounds, so that a property can check that they hold.
fn small() -> Limits {
    Limits {
        bytes: 1 << 20,
        unpacked_bytes: 1 << 20,
        rows: 20,
        columns: 10,
        cells: 60,
        cell_characters: 30,
        text_bytes: 500,
        ..Limits::default()
    }
}

/// Reads, and holds what comes out to the limits.
fn bounded(bytes: &[u8]) {
    let limits = small();
    let Ok(table) = read(bytes, limits) else { return };
    let rows: Vec<_> = table.preamble.iter().chain(&table.rows).collect();
    assert!(rows.len() < limits.rows + 1 && table.header.len() <= limits.columns);
    assert!(rows.iter().all(|row| row.number > 0 && row.cells.last().is_some_and(|cell| !cell.is_empty())));
    assert!(rows.iter().map(|row| row.cells.len()).sum::<usize>() <= limits.cells);
    assert!(rows.windows(2).all(|pair| pair[0].number < pair[1].number));
    assert!(rows.iter().flat_map(|row| &row.cells).all(|cell| cell.shown().chars().count() <= limits.cell_characters));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        bounded(&bytes);
        bounded(&[b"PK\x03\x04".as_slice(), &bytes].concat());
        bounded(&[b"\xEF\xBB\xBF".as_slice(), &bytes].concat());
        bounded(&[b"\xFF\xFE".as_slice(), &bytes].concat());
    }

    #[test]
    fn any_text_of_marks_is_a_table_or_an_error(text in "[a,;\t\"'\r\n=+é账 ]{0,200}") {
        bounded(text.as_bytes());
        bounded(format!("sep={text}").as_bytes());
    }

    #[test]
    fn a_spoiled_workbook_is_a_table_or_an_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = rich().bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bounded(&bytes);
    }

    #[test]
    fn a_workbook_with_spoiled_parts_is_a_table_or_an_error(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[<>/\"&;=a0-9-]{0,4}|<c t=\"s\"/>|<row>|</v>|<v>9e9</v>"),
            1..4,
        ),
    ) {
        let mut parts = rich().parts();
        for (part, at, text) in changes {
            let part = part.index(parts.len());
            let part = &mut parts[part].1;
            let mut at = at.index(part.len());
            while !part.is_char_boundary(at) {
                at -= 1;
            }
            part.insert_str(at, &text);
        }
        bounded(&zipped(parts.iter().map(|(name, text)| (name.as_str(), text.clone()))));
    }
}
