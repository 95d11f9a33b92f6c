//! From bytes to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_16BE, UTF_16LE};

use crate::error::TableError;

/// The text of a file and the encoding it is in: what its byte order mark says, else UTF-8 if it is that, else GB18030,
/// which spreadsheets write in China.
pub(super) fn decode(bytes: &[u8]) -> Result<(&'static str, Cow<'_, str>), TableError> {
    let (name, text) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) if encoding == UTF_16LE || encoding == UTF_16BE => {
            let text = whole(encoding, bytes.get(length..).unwrap_or_default());
            (encoding.name(), text.ok_or(TableError::NotATable { found: "a file that is not text" })?)
        }
        Some((_, length)) => {
            let text = std::str::from_utf8(bytes.get(length..).unwrap_or_default());
            ("UTF-8", Cow::Borrowed(text.map_err(|error| unknown(bytes, length + error.valid_up_to()))?))
        }
        None => utf_8_or_chinese(bytes)?,
    };
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n' | '\x0b' | '\x0c' | '\x1a' | '\u{85}')) {
        return Err(TableError::NotATable { found: "a file that is not text" });
    }
    Ok((name, text))
}

fn utf_8_or_chinese(bytes: &[u8]) -> Result<(&'static str, Cow<'_, str>), TableError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(("UTF-8", Cow::Borrowed(text))),
        Err(error) => {
            let text = whole(GB18030, bytes).ok_or_else(|| unknown(bytes, error.valid_up_to()))?;
            Ok((GB18030.name(), text))
        }
    }
}

fn whole<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

fn unknown(bytes: &[u8], valid: usize) -> TableError {
    let lines = bytes.get(..valid).unwrap_or_default().iter().filter(|byte| **byte == b'\n');
    TableError::UnknownEncoding { line: lines.count() + 1 }
}
