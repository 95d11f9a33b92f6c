//! The small parts of a workbook.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::place::letters;

use super::{Column, Kind};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const TYPES: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// The style of the header, and of text that looks like a formula: quoted, so that it stays text when it is edited.
pub(super) const HEADER: usize = 1;
/// See [`HEADER`].
pub(super) const QUOTED: usize = 2;
/// The styles of the first column: of its cells, and of its total.
const COLUMNS: usize = 3;

/// The style of a column's cells.
pub(super) fn cells(column: usize) -> usize {
    COLUMNS + 2 * column
}

/// The style of a column's total.
pub(super) fn total(column: usize) -> usize {
    COLUMNS + 2 * column + 1
}

/// What the parts are.
pub(super) fn content_types() -> String {
    format!(
        "{DECLARATION}<Types xmlns=\"{PACKAGE}/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/xl/workbook.xml\" ContentType=\"{TYPES}.sheet.main+xml\"/>\
         <Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{TYPES}.worksheet+xml\"/>\
         <Override PartName=\"/xl/styles.xml\" ContentType=\"{TYPES}.styles+xml\"/>\
         <Override PartName=\"/docProps/core.xml\" \
         ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/></Types>"
    )
}

/// Where the workbook is.
pub(super) fn root() -> String {
    format!(
        "{DECLARATION}<Relationships xmlns=\"{PACKAGE}/relationships\">\
         <Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"{PACKAGE}/relationships/metadata/core-properties\" \
         Target=\"docProps/core.xml\"/></Relationships>"
    )
}

/// When the workbook was made.
pub(super) fn core(created: DateTime<Utc>) -> String {
    let created = created.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!(
        "{DECLARATION}<cp:coreProperties xmlns:cp=\"{PACKAGE}/metadata/core-properties\" \
         xmlns:dcterms=\"http://purl.org/dc/terms/\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <dcterms:created xsi:type=\"dcterms:W3CDTF\">{created}</dcterms:created>\
         <dcterms:modified xsi:type=\"dcterms:W3CDTF\">{created}</dcterms:modified></cp:coreProperties>"
    )
}

/// Where the sheet and the styles are.
pub(super) fn related() -> String {
    format!(
        "{DECLARATION}<Relationships xmlns=\"{PACKAGE}/relationships\">\
         <Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>"
    )
}

/// The workbook of one sheet whose cells are filtered.
pub(super) fn workbook(sheet: &str, columns: usize, last_row: u32) -> String {
    let quoted = escaped(&sheet.replace('\'', "''"));
    let last = letters(columns.saturating_sub(1));
    format!(
        "{DECLARATION}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>\
         <sheet name=\"{}\" sheetId=\"1\" r:id=\"rId1\"/></sheets><definedNames>\
         <definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"0\" hidden=\"1\">'{quoted}'!$A$1:${last}${last_row}\
         </definedName></definedNames></workbook>",
        escaped(sheet)
    )
}

/// How cells look: one style for each column and one for its total.
pub(super) fn styles(columns: &[Column]) -> String {
    let (mut formats, mut styles) = (String::new(), String::new());
    for (index, column) in columns.iter().enumerate() {
        let id = 164 + index;
        let _ = write!(formats, "<numFmt numFmtId=\"{id}\" formatCode=\"{}\"/>", escaped(&format(column.kind)));
        let _ = write!(
            styles,
            "<xf numFmtId=\"{id}\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
             <xf numFmtId=\"{id}\" fontId=\"1\" fillId=\"0\" borderId=\"1\" xfId=\"0\" applyNumberFormat=\"1\" \
             applyFont=\"1\" applyBorder=\"1\"/>"
        );
    }
    let border = "<border><left/><right/><top/><bottom/><diagonal/></border>";
    format!(
        "{DECLARATION}<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"{}\">{formats}</numFmts>\
         <fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font>\
         <font><b/><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font></fonts>\
         <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>\
         <fill><patternFill patternType=\"gray125\"/></fill></fills>\
         <borders count=\"2\">{border}<border><left/><right/><top style=\"thin\"><color auto=\"1\"/></top><bottom/>\
         <diagonal/></border></borders>\
         <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
         <cellXfs count=\"{}\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
         <xf numFmtId=\"49\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyFont=\"1\"/>\
         <xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" quotePrefix=\"1\" \
         applyNumberFormat=\"1\"/>{styles}</cellXfs>\
         <cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>",
        columns.len(),
        COLUMNS + 2 * columns.len()
    )
}

/// How the numbers of a kind are shown.
fn format(kind: Kind) -> String {
    match kind {
        Kind::Text => "@".to_owned(),
        Kind::Money { digits: 0 } => "#,##0".to_owned(),
        Kind::Money { digits } => format!("#,##0.{}", "0".repeat(digits.into())),
        Kind::Ratio => "0.00##%".to_owned(),
        Kind::Integer => "0".to_owned(),
        Kind::Date => "yyyy-mm-dd".to_owned(),
        Kind::DateTime => "yyyy-mm-dd hh:mm:ss".to_owned(),
    }
}

/// What stands before the rows: the header stays in sight, columns are as wide as they should be.
pub(super) fn sheet_head(columns: &[Column]) -> String {
    let mut head = format!(
        "{DECLARATION}<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView workbookViewId=\"0\">\
         <pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/>\
         <selection pane=\"bottomLeft\" activeCell=\"A2\" sqref=\"A2\"/></sheetView></sheetViews>\
         <sheetFormatPr defaultRowHeight=\"15\"/><cols>"
    );
    for (index, column) in columns.iter().enumerate() {
        let (number, width) = (index + 1, column.width.clamp(1, 255));
        let _ = write!(head, "<col min=\"{number}\" max=\"{number}\" width=\"{width}\" customWidth=\"1\"/>");
    }
    head.push_str("</cols><sheetData>");
    head
}

/// Text as it stands in XML. What XML cannot hold is written as workbooks do, `_xHHHH_` (ECMA-376 part 1, 22.9.2.19).
pub(super) fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // An underscore that would be read as the beginning of an escape.
            '_' if is_escape(text.get(index + 1..).unwrap_or_default()) => xml.push_str("_x005F_"),
            '\t' | '\n' => xml.push(character),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(xml, "_x{:04X}_", u32::from(character));
            }
            _ => xml.push(character),
        }
    }
    xml
}

fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first() == Some(&b'x')
        && bytes.get(1..5).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        && bytes.get(5) == Some(&b'_')
}
