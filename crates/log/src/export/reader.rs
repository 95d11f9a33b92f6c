//! Reads a log from JSON lines, and believes nothing that is not as it was written.

use std::io::{self, BufRead, Read};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::line::{Header, Line, TRAILER_BEGINS, Trailer};
use super::{FORMAT, VERSION};
use crate::chain::{Chain, hex};
use crate::record::Record;

/// The most bytes of a line: an event of 8 MiB in base64, with room around it.
pub const LINE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Why an exported log is not read any further.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The input cannot be read.
    #[error("it cannot be read at line {line}: {source}")]
    Io {
        /// Where, from 1.
        line: u64,
        /// What happened.
        source: io::Error,
    },
    /// It is something else.
    #[error("it is no exported log: {reason}")]
    NotAnExport {
        /// How it shows.
        reason: String,
    },
    /// A newer version of Chopmark wrote it.
    #[error(
        "it has version {found}, this version reads {VERSION}; use the version of chopmark that wrote it, or a newer one"
    )]
    Newer {
        /// Its version.
        found: u32,
    },
    /// A line is not what it must be.
    #[error("line {line}: {reason}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// It ends before its last line.
    #[error("it was cut off: it ends after line {line}, without the line that counts its records")]
    CutOff {
        /// The last line that is whole.
        line: u64,
    },
    /// Its last line tells of another file.
    #[error("it is not as it was written: {reason}")]
    Changed {
        /// What differs.
        reason: String,
    },
}

/// Reads the records of an exported log in their order. Only what came before `Ok(None)` is known to be as it was written.
#[derive(Debug)]
pub struct ExportReader<R> {
    input: R,
    exported_at: DateTime<Utc>,
    line: u64,
    buffer: Vec<u8>,
    digest: Sha256,
    chain: Chain,
    is_over: bool,
}

impl<R: BufRead> ExportReader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// It is no exported log, or one of a newer version.
    pub fn open(input: R) -> Result<Self, ExportError> {
        let mut reader = Self {
            input,
            exported_at: DateTime::UNIX_EPOCH,
            line: 0,
            buffer: vec![],
            digest: Sha256::new(),
            chain: Chain::START,
            is_over: false,
        };
        let not_an_export = |reason: String| ExportError::NotAnExport { reason };
        match reader.read_line() {
            Ok(true) => {}
            Ok(false) => return Err(not_an_export("it is empty".into())),
            Err(ExportError::CutOff { .. } | ExportError::Line { .. }) => {
                return Err(not_an_export("its first line is none".into()));
            }
            Err(error) => return Err(error),
        }
        let header: Header<'_> =
            serde_json::from_slice(&reader.buffer).map_err(|error| not_an_export(error.to_string()))?;
        if header.format != FORMAT {
            return Err(not_an_export(format!("its format is {:?}", header.format)));
        }
        if header.version != VERSION {
            return Err(ExportError::Newer { found: header.version });
        }
        reader.exported_at = header.exported_at;
        reader.digest_line();
        Ok(reader)
    }

    /// When it was exported, as its first line says.
    #[must_use]
    pub fn exported_at(&self) -> DateTime<Utc> {
        self.exported_at
    }

    /// The chain over all records read so far.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The next record; `None` at the end of a file that is whole and as it was written.
    ///
    /// # Errors
    /// [`ExportError`]; nothing more can be read then.
    pub fn next_record(&mut self) -> Result<Option<Record>, ExportError> {
        if self.is_over {
            return Ok(None);
        }
        if !self.read_line()? {
            return Err(ExportError::CutOff { line: self.line });
        }
        if self.buffer.starts_with(TRAILER_BEGINS) {
            self.check_trailer()?;
            self.is_over = true;
            return Ok(None);
        }
        let record = serde_json::from_slice::<Line<'_>>(&self.buffer)
            .map_err(|error| error.to_string())
            .and_then(|line| line.to_record())
            .map_err(|reason| ExportError::Line { line: self.line, reason })?;
        self.chain.add(&record);
        self.digest_line();
        Ok(Some(record))
    }

    /// The last line must be, to the byte, the one that what was read makes; and nothing may come after it.
    fn check_trailer(&mut self) -> Result<(), ExportError> {
        let changed = |reason: String| Err(ExportError::Changed { reason });
        let trailer: Trailer<'_> = serde_json::from_slice(&self.buffer)
            .map_err(|error| ExportError::Line { line: self.line, reason: error.to_string() })?;
        let sha256 = hex(&self.digest.clone().finalize());
        if trailer.records != self.chain.records() {
            let (read, told) = (self.chain.records(), trailer.records);
            return changed(format!("it has {read} records, and its last line counts {told}"));
        }
        if trailer.chain != self.chain.to_hex() {
            return changed("its records are others than those of its last line".into());
        }
        if trailer.sha256 != sha256 {
            return changed("its bytes are others than those of its last line".into());
        }
        let expected = serde_json::to_vec(&trailer)
            .map_err(|error| ExportError::Line { line: self.line, reason: error.to_string() })?;
        if expected != self.buffer {
            return changed("its last line was written by something else".into());
        }
        if self.input.fill_buf().map_err(|source| ExportError::Io { line: self.line + 1, source })?.is_empty() {
            Ok(())
        } else {
            changed("something comes after its last line".into())
        }
    }

    /// Reads a line into the buffer, without its end; false where there is none.
    fn read_line(&mut self) -> Result<bool, ExportError> {
        self.buffer.clear();
        let number = self.line + 1;
        let read = self.input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut self.buffer);
        if read.map_err(|source| ExportError::Io { line: number, source })? == 0 {
            return Ok(false);
        }
        if self.buffer.pop() != Some(b'\n') {
            let is_long = self.buffer.len() as u64 + 1 >= LINE_BYTES_MAX;
            let reason = format!("it is longer than {LINE_BYTES_MAX} bytes");
            return Err(if is_long {
                ExportError::Line { line: number, reason }
            } else {
                ExportError::CutOff { line: self.line }
            });
        }
        self.line = number;
        Ok(true)
    }

    fn digest_line(&mut self) {
        self.digest.update(&self.buffer);
        self.digest.update(b"\n");
    }
}
