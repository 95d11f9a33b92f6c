//! The zip that a workbook is, unpacked within its budget.

use std::cell::Cell;
use std::io::{self, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::TableError;
use crate::limits::Limits;

use super::part::Part;

/// Unpacked bytes that need no ratio: a small file may well be mostly repetition.
const WITHOUT_RATIO: u64 = 10 << 20;

/// How an entry of a zip's directory begins (APPNOTE 4.3.12).
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";

/// A part that tells what another kind of zip is.
const OTHERS: [(&str, &str); 6] = [
    ("xl/workbook.bin", "a binary workbook (.xlsb)"),
    ("mimetype", "an OpenDocument file"),
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a presentation"),
    ("Index/Document.iwa", "a Numbers document"),
    ("META-INF/MANIFEST.MF", "a Java archive"),
];

/// The parts of a workbook.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    budget: Budget,
}

/// Bytes that may still be unpacked. At zero there were too many: it begins one above the limit.
pub(super) struct Budget {
    left: Cell<u64>,
    limit: u64,
}

impl<'a> Package<'a> {
    pub(super) fn open(bytes: &'a [u8], limits: Limits) -> Result<Self, TableError> {
        // Counted before the directory is read, which costs memory for each, and whatever its end says of their number.
        let entries = bytes.windows(DIRECTORY_ENTRY.len()).filter(|window| *window == DIRECTORY_ENTRY).count();
        if entries > limits.entries {
            return Err(TableError::TooManyEntries { limit: limits.entries });
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged("the file", &error))?;
        if archive.has_duplicate_names() {
            let why = "two parts have one name".to_owned();
            return Err(TableError::Damaged { part: "the file".to_owned(), why });
        }
        let by_ratio = (bytes.len() as u64).saturating_mul(limits.unpacked_ratio).max(WITHOUT_RATIO);
        let limit = limits.unpacked_bytes.min(by_ratio);
        let budget = Budget { left: Cell::new(limit.saturating_add(1)), limit };
        Ok(Self { archive, budget })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// What the zip is, if it is no workbook.
    pub(super) fn stranger(&self) -> TableError {
        let known = OTHERS.iter().find(|(part, _)| self.has(part));
        TableError::NotATable { found: known.map_or("a zip archive without a workbook in it", |(_, found)| found) }
    }

    /// A part by its name, to be read from its beginning.
    pub(super) fn part(&mut self, name: &str) -> Result<Part<'_>, TableError> {
        let entry = self.archive.by_name(name).map_err(|error| damaged(name, &error))?;
        if entry.encrypted() {
            return Err(TableError::Encrypted);
        }
        Ok(Part::new(name, Box::new(entry), &self.budget))
    }
}

impl Budget {
    /// Reads within the budget.
    pub(super) fn read(&self, from: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(into.len());
        let read = from.read(into.get_mut(..most).unwrap_or_default())?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        if self.left.get() == 0 { Err(io::Error::other("unpacked too much")) } else { Ok(read) }
    }

    /// The error, if there were too many bytes.
    pub(super) fn exceeded(&self) -> Option<TableError> {
        (self.left.get() == 0).then_some(TableError::UnpacksTooLarge { limit: self.limit })
    }
}

fn damaged(part: &str, error: &ZipError) -> TableError {
    let why = match error {
        ZipError::FileNotFound => "it is missing".to_owned(),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => return TableError::Encrypted,
        other => other.to_string(),
    };
    TableError::Damaged { part: part.to_owned(), why }
}
