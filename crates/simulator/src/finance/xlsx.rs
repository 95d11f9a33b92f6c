//! The smallest XLSX that spreadsheets open: a ZIP of stored parts with one sheet, texts in place (ECMA-376, APPNOTE).

use super::sheet::{Cell, Sheet};

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const PACKAGE: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const WORKBOOK_PARTS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

pub(super) fn write(sheet: &Sheet) -> Vec<u8> {
    let mut archive = Archive::default();
    archive.add("[Content_Types].xml", CONTENT_TYPES.as_bytes());
    archive.add("_rels/.rels", PACKAGE.as_bytes());
    archive.add("xl/workbook.xml", WORKBOOK.as_bytes());
    archive.add("xl/_rels/workbook.xml.rels", WORKBOOK_PARTS.as_bytes());
    archive.add("xl/worksheets/sheet1.xml", worksheet(sheet).as_bytes());
    archive.end()
}

fn worksheet(sheet: &Sheet) -> String {
    let header = sheet.headers.iter().map(Cell::text).collect::<Vec<_>>();
    let rows = std::iter::once(&header).chain(&sheet.rows).map(|row| {
        let cells: String = row.iter().map(element).collect();
        format!("<row>{cells}</row>")
    });
    let rows: String = rows.collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    )
}

fn element(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>")
        }
        Cell::Amount(amount) => format!("<c><v>{amount}</v></c>"),
    }
}

/// A ZIP archive whose parts are stored as they are. Nothing in it is as large as 4 GiB.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    parts: u16,
}

impl Archive {
    fn add(&mut self, name: &str, part: &[u8]) {
        let offset = size(self.bytes.len());
        let (checksum, length, name_length) = (crc32(part), size(part.len()), size(name.len()));
        // Version 2.0, texts in UTF-8, stored, 1980-01-01 00:00, checksum, sizes, length of the name.
        let mut common = vec![];
        [20, 1 << 11, 0, 0, 0x21].iter().for_each(|field: &u16| common.extend(field.to_le_bytes()));
        [checksum, length, length].iter().for_each(|field| common.extend(field.to_le_bytes()));
        common.extend(&name_length.to_le_bytes()[..2]);
        common.extend([0, 0]);
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(part);
        self.directory.extend(b"PK\x01\x02\x14\x00");
        self.directory.extend(&common);
        // No comment, first disk, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.parts += 1;
    }

    fn end(mut self) -> Vec<u8> {
        let (begin, length) = (size(self.bytes.len()), size(self.directory.len()));
        self.bytes.append(&mut self.directory);
        self.bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
        [self.parts; 2].iter().for_each(|parts| self.bytes.extend(parts.to_le_bytes()));
        [length, begin].iter().for_each(|field| self.bytes.extend(field.to_le_bytes()));
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The checksum of ZIP (CRC-32, reflected polynomial 0xEDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
