//! A log as a file of JSON lines, to be kept, to be looked at, and to be taken into another log.
//!
//! ```text
//! {"format":"chopmark-log","version":1,"exported_at":"2026-11-24T12:00:00.000000Z"}
//! {"id":"…","stream":"…","revision":0,"position":1,"kind":"…","recorded_at":"…","data":{…},"metadata":{…}}
//! …
//! {"records":2,"chain":"…","sha256":"…"}
//! ```
//!
//! Data and metadata stand there as they are where they are JSON, else in base64 under `data_base64` and
//! `metadata_base64`: in any case what comes back is what went in, byte for byte. The last line counts the records, gives
//! their [`Chain`](crate::Chain), and the SHA-256 of every byte before it, so that a file that was cut or changed in any
//! place is noticed.

mod line;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{ExportError, ExportReader, LINE_BYTES_MAX};
pub use writer::ExportWriter;

/// `format` of the first line.
const FORMAT: &str = "chopmark-log";
/// The newest `version` that is read, and the one that is written.
const VERSION: u32 = 1;
