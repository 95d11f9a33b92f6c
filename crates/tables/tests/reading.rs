//! What people bring is read as they see it.

#![cfg(test)]

mod workbook;

use chopmark_tables::{Cell, Format, Limits, Row, Table, TableError, read, read_sheet};
use chrono::{NaiveDate, NaiveDateTime};
use encoding_rs::GB18030;

use workbook::{Workbook, text_row, zipped};

fn table(bytes: &[u8]) -> Table {
    read(bytes, Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(bytes: &[u8]) -> String {
    match read(bytes, Limits::default()) {
        Ok(table) => panic!("{table:?}"),
        Err(error) => error.to_string(),
    }
}

fn shown(rows: &[Row]) -> Vec<(u32, Vec<String>)> {
    rows.iter().map(|row| (row.number, row.cells.iter().map(|cell| cell.shown().into_owned()).collect())).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn number(text: &str) -> Cell {
    Cell::Number(text.parse().unwrap())
}

fn moment(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
}

#[test]
fn csv_is_read_in_every_encoding_that_spreadsheets_write() {
    let text = "订单号,金额\r\nCS1,12.50\r\n";
    let utf_16 =
        |bytes: fn(u16) -> [u8; 2]| "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect();
    let files: [(&str, Vec<u8>); 5] = [
        ("UTF-8", text.into()),
        ("UTF-8", format!("\u{feff}{text}").into()),
        ("UTF-16LE", utf_16(u16::to_le_bytes)),
        ("UTF-16BE", utf_16(u16::to_be_bytes)),
        ("gb18030", GB18030.encode(text).0.into_owned()),
    ];
    for (encoding, bytes) in files {
        let table = table(&bytes);
        assert_eq!(table.format, Format::Csv { encoding, separator: ',' });
        assert_eq!(table.header, ["订单号", "金额"], "{encoding}");
        assert_eq!(shown(&table.rows), [(2, texts(&["CS1", "12.50"]))], "{encoding}");
    }
}

#[test]
fn the_separator_is_the_one_on_which_most_rows_agree() {
    for (text, separator) in [
        ("a,b\n1,2\n", ','),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ';'),
        ("a\tb\n1,000\t2\n3,000\t4\n", '\t'),
        ("Bill, July; draft\na;b;c\n1;2;3\n", ';'),
        ("\"a;b\",c\n\"1;2\",3\n", ','),
        ("sep=|\na|b\n1|2\n", '|'),
        ("a,b\n1,\"un;finished", ','),
    ] {
        if let Ok(table) = read(text.as_bytes(), Limits::default()) {
            let Format::Csv { separator: found, .. } = table.format else { panic!("{table:?}") };
            assert_eq!(found, separator, "{text:?}");
        } else {
            assert!(text.ends_with("finished"), "{text:?}");
        }
    }
}

#[test]
fn rows_of_csv_have_the_numbers_that_a_spreadsheet_gives_them() {
    let text = "Bill of July\n\nid,note,amount\n1,\"two\nlines\",3\n\n , ,\n2,\"say \"\"hi\"\"\",4,left over\n3\r4,x";
    let table = table(text.as_bytes());
    assert_eq!(shown(&table.preamble), [(1, texts(&["Bill of July"]))]);
    assert_eq!((table.header_number, table.header), (3, texts(&["id", "note", "amount", ""])));
    assert_eq!(
        shown(&table.rows),
        [
            (4, texts(&["1", "two\nlines", "3"])),
            (7, texts(&["2", "say \"hi\"", "4", "left over"])),
            (8, texts(&["3"])),
            (9, texts(&["4", "x"])),
        ]
    );
    assert_eq!(table.rows[2].cell(1), &Cell::Empty, "beyond the last cell a row is empty");
}

#[test]
fn what_keeps_a_spreadsheet_from_calculating_is_no_part_of_the_text() {
    let text = "id,note\n=\"00123\",'=1+1\n\"=\"\"7\"\"\",'plain\n=1+1,'+86 1\n";
    let rows = shown(&table(text.as_bytes()).rows);
    assert_eq!(rows, [(2, texts(&["00123", "=1+1"])), (3, texts(&["7", "'plain"])), (4, texts(&["=1+1", "+86 1"])),]);
}

#[test]
fn an_open_quotation_mark_is_told_with_its_cell() {
    let text = "id,note\n1,ok\n2,\"never closed\n3,x\n";
    let message = refused(text.as_bytes());
    assert!(message.starts_with("row 3, column B: the quotation mark that opens here is never closed"), "{message}");
}

#[test]
fn files_that_are_no_tables_are_refused_with_what_to_do() {
    let compound = |rest: &[u8]| [b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".as_slice(), rest].concat();
    let encrypted: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let part = |name| zipped([(name, "content".to_owned())]);
    for (bytes, expected) in [
        (vec![], "the file is empty"),
        (b" \r\n,,\n".to_vec(), "the file is empty"),
        (b"one\ntwo\n".to_vec(), "no header row was found"),
        (compound(b"Workbook"), "(.xls): open it in a spreadsheet and save it as XLSX or CSV"),
        (compound(&encrypted), "the workbook is encrypted"),
        (b"%PDF-1.7".to_vec(), "this is a PDF document"),
        (b"\xEF\xBB\xBF\n<html><table>".to_vec(), "this is an HTML page"),
        (part("mimetype"), "this is an OpenDocument file"),
        (part("xl/workbook.bin"), "this is a binary workbook (.xlsb)"),
        (part("word/document.xml"), "this is a Word document"),
        (part("photo.jpg"), "this is a zip archive without a workbook"),
        (b"a,b\n1,\x002\n".to_vec(), "this is a file that is not text"),
        (b"a,b\n1,2\n\xff\xff,3\n".to_vec(), "line 3 is neither UTF-8 nor GB18030"),
        (b"\xEF\xBB\xBFa,b\n\xC4\xE3,2\n".to_vec(), "line 2 is neither UTF-8 nor GB18030"),
    ] {
        let message = refused(&bytes);
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
}

#[test]
fn a_workbook_is_read_as_it_is_seen() {
    let styles = "<numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy/m/d h:mm\"/></numFmts>\
                  <cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>\
                  <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"20\"/></cellXfs>";
    let strings = "<si><t>Order</t></si><si><r><t>am</t></r><r><rPr><b/></rPr><t xml:space=\"preserve\">ount </t></r>\
                   <rPh sb=\"0\" eb=\"1\"><t>reading</t></rPh></si><si><t>a &amp; b_x000D_&#10;&lt;c&gt;</t></si>";
    let rows = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>July</t></is></c></row>\
                <row r=\"3\" spans=\"1:9\"><c r=\"A3\" t=\"s\"><v>0</v></c><c r=\"B3\" t=\"s\"><v>1</v></c>\
                <c r=\"C3\" s=\"1\"/></row><row r=\"4\"/>\
                <row r=\"1000000\"><c r=\"A1000000\" t=\"s\"><v>2</v></c><c r=\"B1000000\"><v>4.0999999999999996</v></c>\
                <c r=\"D1000000\" s=\"1\"><v>45352</v></c><c s=\"2\"><v>45352.5</v></c><c s=\"1\"><v>45352.25</v></c>\
                <c s=\"3\"><v>0.5</v></c><c t=\"b\"><v>1</v></c><c t=\"e\"><v>#N/A</v></c>\
                <c t=\"str\"><f>A1&amp;B1</f><v>x</v></c><c><f>SUM(A1)</f><v>12.50</v></c>\
                <c t=\"str\"><f>\"\"</f><v></v></c><c t=\"d\"><v>2024-03-01</v></c><c><v>1E+300</v></c></row>";
    let mut book = Workbook::of(format!("</sheetData><sheetData>{rows}"));
    book.sheets[0].2 = format!(
        "<dimension ref=\"A1:XFD1048576\"/><sheetData>{rows}</sheetData><mergeCells><mergeCell ref=\"A1:C1\"/></mergeCells>"
    );
    book.styles = Some(styles.to_owned());
    book.strings = Some(strings.to_owned());
    let table = table(&book.bytes());
    assert_eq!((table.format, table.sheet.as_deref()), (Format::Xlsx, Some("Bill")));
    assert_eq!(shown(&table.preamble), [(1, texts(&["July"]))]);
    assert_eq!((table.header_number, &table.header[..3]), (3, &texts(&["Order", "amount", ""])[..]));
    let day = NaiveDate::from_ymd_opt(2024, 3, 1).unwrap();
    assert_eq!(table.rows.len(), 1);
    assert_eq!(table.rows[0].number, 1_000_000);
    assert_eq!(
        table.rows[0].cells,
        [
            Cell::Text("a & b\r\n<c>".into()),
            number("4.1"),
            Cell::Empty,
            Cell::Date(day),
            Cell::DateTime(moment("2024-03-01 12:00:00")),
            Cell::DateTime(moment("2024-03-01 06:00:00")),
            Cell::Text("12:00:00".into()),
            Cell::Bool(true),
            Cell::Text("#N/A".into()),
            Cell::Text("x".into()),
            number("12.5"),
            Cell::Empty,
            Cell::Date(day),
            Cell::Text("1E+300".into()),
        ]
    );
}

#[test]
fn a_workbook_of_1904_has_the_days_it_shows() {
    let mut book = Workbook::of("<row><c><v>1</v></c><c><v>2</v></c></row><row><c s=\"0\"><v>43890</v></c></row>");
    book.styles = Some("<cellXfs><xf numFmtId=\"14\"/></cellXfs>".to_owned());
    for (properties, expected) in
        [("date1904=\"1\"", "2024-03-01"), ("date1904=\"0\"", "2020-02-29"), ("", "2020-02-29")]
    {
        book.properties = properties;
        assert_eq!(table(&book.bytes()).rows[0].cell(0).shown(), expected, "{properties}");
    }
}

#[test]
fn the_first_visible_sheet_with_something_on_it_is_read_or_the_one_asked_for() {
    let sheet =
        |text: &str| format!("<sheetData>{}{}</sheetData>", text_row(1, &["a", "b"]), text_row(2, &[text, "1"]));
    let mut book = Workbook::of("");
    book.sheets = vec![
        ("Notes", "state=\"hidden\"", sheet("hidden")),
        ("Cover", "", String::new()),
        ("账单", "", sheet("bill")),
        ("More", "", sheet("more")),
    ];
    let bytes = book.bytes();
    let table = table(&bytes);
    assert_eq!(table.sheet.as_deref(), Some("账单"));
    assert_eq!(table.other_sheets, ["Cover", "More"]);
    assert_eq!(table.rows[0].cell(0).shown(), "bill");
    let more = read_sheet(&bytes, Some("More"), Limits::default()).unwrap();
    assert_eq!(more.rows[0].cell(0).shown(), "more");
    let hidden = read_sheet(&bytes, Some("Notes"), Limits::default()).unwrap_err();
    assert_eq!(hidden.to_string(), "the workbook has no visible sheet \"Notes\": choose one of Cover, 账单, More");
}

#[test]
fn a_formula_without_its_result_is_told_with_its_cell() {
    let rows = format!("{}<row><c t=\"str\"><v>x</v></c><c><f>1+1</f></c></row>", text_row(1, &["a", "b"]));
    let message = refused(&Workbook::of(rows).bytes());
    assert!(message.starts_with("row 2, column B: the file holds a formula without its result"), "{message}");
}

#[test]
fn prefixes_and_odd_paths_of_other_programs_are_understood() {
    let sheet = "<x:worksheet xmlns:x=\"m\"><x:sheetData><x:row><x:c t=\"str\"><x:v>a</x:v></x:c><x:c t=\"str\"><x:v><![CDATA[b]]></x:v>\
                 </x:c></x:row></x:sheetData></x:worksheet>";
    let bytes = zipped([
        ("_rels/.rels", "<Relationships><Relationship Id=\"a\" Type=\"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument\" Target=\"/book/main.xml\"/></Relationships>".to_owned()),
        ("book/main.xml", "<x:workbook xmlns:x=\"m\" xmlns:r=\"r\"><!-- by hand --><x:sheets><x:sheet name=\"S\" r:id=\"b\"/></x:sheets></x:workbook>".to_owned()),
        ("book/_rels/main.xml.rels", "<Relationships><Relationship Id=\"b\" Type=\"p/worksheet\" Target=\"..\\sheets\\./one.xml\"/></Relationships>".to_owned()),
        ("sheets/one.xml", sheet.to_owned()),
    ]);
    assert_eq!(table(&bytes).header, ["a", "b"]);
}

#[test]
fn what_leads_out_of_the_file_is_not_followed() {
    let parts = Workbook::of(text_row(1, &["a", "b"])).parts();
    let outside = parts.into_iter().map(|(name, text)| {
        (name, text.replace("Target=\"worksheets/", "TargetMode=\"External\" Target=\"file:///etc/"))
    });
    let outside: Vec<_> = outside.collect();
    let bytes = zipped(outside.iter().map(|(name, text)| (name.as_str(), text.clone())));
    assert_eq!(read(&bytes, Limits::default()), Err(TableError::NoSheet { wanted: None, sheets: vec![] }));
}
