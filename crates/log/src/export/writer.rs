//! Writes a log as JSON lines.

use std::io::{self, Write};

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::line::{Header, Line, Trailer};
use super::{FORMAT, VERSION};
use crate::chain::{Chain, hex};
use crate::record::Record;

/// Writes the records of a log, from its first on, and closes with what they are known by.
#[derive(Debug)]
pub struct ExportWriter<W> {
    out: W,
    digest: Sha256,
    chain: Chain,
}

impl<W: Write> ExportWriter<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn begin(out: W, exported_at: DateTime<Utc>) -> io::Result<Self> {
        let mut writer = Self { out, digest: Sha256::new(), chain: Chain::START };
        let exported_at = exported_at.trunc_subsecs(6);
        writer.line(&Header { format: FORMAT.into(), version: VERSION, exported_at })?;
        Ok(writer)
    }

    /// Writes the next record of the log.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn record(&mut self, record: &Record) -> io::Result<()> {
        self.line(&Line::of(record))?;
        self.chain.add(record);
        Ok(())
    }

    /// Writes the last line, without which the file counts as cut. Returns the chain over all records, and the output.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn finish(mut self) -> io::Result<(Chain, W)> {
        let sha256 = hex(&self.digest.clone().finalize()).into();
        self.line(&Trailer { records: self.chain.records(), chain: self.chain.to_hex().into(), sha256 })?;
        self.out.flush()?;
        Ok((self.chain, self.out))
    }

    fn line<T: Serialize>(&mut self, line: &T) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        self.out.write_all(&text)
    }
}
