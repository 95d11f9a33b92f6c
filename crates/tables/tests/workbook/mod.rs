//! Workbooks made by hand, part by part, for the tests: as odd as they need them.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A zip of parts.
pub(crate) fn zipped<'a>(parts: impl IntoIterator<Item = (&'a str, String)>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, text) in parts {
        zip.start_file(name, options).expect("a part");
        zip.write_all(text.as_bytes()).expect("memory is patient");
    }
    zip.finish().expect("a zip").into_inner()
}

/// The parts of a workbook of one sheet, which is the text within `<worksheet>`.
pub(crate) struct Workbook {
    /// Attributes of `<workbookPr>`.
    pub(crate) properties: &'static str,
    /// The text of `<sst>`, if there is one.
    pub(crate) strings: Option<String>,
    /// The text of `<styleSheet>`, if there is one.
    pub(crate) styles: Option<String>,
    /// The sheets: name, attributes, text within `<worksheet>`.
    pub(crate) sheets: Vec<(&'static str, &'static str, String)>,
}

impl Workbook {
    /// A workbook of one sheet with rows.
    pub(crate) fn of(rows: impl Into<String>) -> Self {
        let sheet = format!("<sheetData>{}</sheetData>", rows.into());
        Self { properties: "", strings: None, styles: None, sheets: vec![("Bill", "", sheet)] }
    }

    pub(crate) fn parts(&self) -> Vec<(String, String)> {
        let mut sheets = String::new();
        let mut related = String::new();
        let mut parts = vec![];
        for (index, (name, attributes, text)) in self.sheets.iter().enumerate() {
            sheets += &format!("<sheet name=\"{name}\" sheetId=\"{}\" {attributes} r:id=\"s{index}\"/>", index + 1);
            related += &format!(
                "<Relationship Id=\"s{index}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{index}.xml\"/>"
            );
            let sheet = format!("<worksheet xmlns=\"{MAIN}\">{text}</worksheet>");
            parts.push((format!("xl/worksheets/sheet{index}.xml"), sheet));
        }
        for (kind, file, root, text) in [
            ("sharedStrings", "sharedStrings.xml", "sst", &self.strings),
            ("styles", "styles.xml", "styleSheet", &self.styles),
        ] {
            if let Some(text) = text {
                related += &format!("<Relationship Id=\"{kind}\" Type=\"{OFFICE}/{kind}\" Target=\"/xl/{file}\"/>");
                parts.push((format!("xl/{file}"), format!("<{root} xmlns=\"{MAIN}\">{text}</{root}>")));
            }
        }
        let properties = self.properties;
        parts.push((
            "xl/workbook.xml".to_owned(),
            format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><workbookPr {properties}/><sheets>{sheets}</sheets></workbook>"),
        ));
        parts.push(("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships>{related}</Relationships>")));
        parts
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let parts = self.parts();
        zipped(parts.iter().map(|(name, text)| (name.as_str(), text.clone())))
    }
}

/// A row of text cells.
pub(crate) fn text_row(number: u32, texts: &[&str]) -> String {
    let cells: String = texts.iter().map(|text| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>")).collect();
    format!("<row r=\"{number}\">{cells}</row>")
}
