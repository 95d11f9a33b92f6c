//! From bytes to a table: what kind of file it is.

use crate::csv;
use crate::error::TableError;
use crate::limits::Limits;
use crate::table::Table;
use crate::xlsx;

/// How a compound file begins: Excel before 2007, and encrypted workbooks ([MS-CFB] 2.2).
const COMPOUND: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// The stream that holds an encrypted workbook ([MS-OFFCRYPTO] 2.3.4.4), as a compound file spells it.
const ENCRYPTED: &str = "EncryptedPackage";

/// How other files begin that people take for tables, and what they are.
const OTHERS: [(&[u8], &str); 8] = [
    (b"%PDF", "a PDF document"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<HTML", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"\x1F\x8B", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
];

/// Reads the table of a file: an XLSX workbook (the first visible sheet with something on it) or CSV.
///
/// The header is the first row with something in at least two cells; rows above it are kept as preamble. Of a formula the
/// result is taken that the file holds; of merged cells the first has what they show. Hidden rows and columns are read.
///
/// # Errors
/// The file is no table, is damaged, or is beyond the limits: the text says where and what to do.
pub fn read(bytes: &[u8], limits: Limits) -> Result<Table, TableError> {
    read_sheet(bytes, None, limits)
}

/// Reads the table of one sheet of a workbook, by the name on its tab; with `None`, and in CSV, it is [`read`].
///
/// # Errors
/// As [`read`]; and there is no visible sheet of that name.
pub fn read_sheet(bytes: &[u8], sheet: Option<&str>, limits: Limits) -> Result<Table, TableError> {
    if bytes.len() > limits.bytes {
        return Err(TableError::TooLarge { bytes: bytes.len(), limit: limits.bytes });
    }
    if bytes.starts_with(COMPOUND) {
        let name: Vec<u8> = ENCRYPTED.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encrypted = bytes.windows(name.len()).any(|window| window == name);
        return Err(if encrypted { TableError::Encrypted } else { TableError::OldExcel });
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return xlsx::read(bytes, sheet, limits);
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    if let Some((_, found)) = OTHERS.iter().find(|(beginning, _)| text.starts_with(beginning)) {
        return Err(TableError::NotATable { found });
    }
    csv::read(bytes, limits)
}
