//! JSON text at the pace of checks.
//!
//! A check writes two JSON texts, if it is not answered as before: its answer, and the claims of the lease within. With
//! `serde_json` nothing else that a check does took as long, since it looks at texts byte by byte, names of members too, and writes to anything that takes
//! bytes. [`append()`] writes the very same text into memory only, and looks at eight bytes at a time.
//!
//! Whatever is written seldom is written by `serde_json`.

#[cfg(test)]
mod tests;
mod text;
mod writer;

use serde::Serialize;

use crate::writer::Writer;

/// Adds a value to a text: compact JSON, as [`serde_json::to_writer`] writes it. Only `serde_json`'s own `RawValue` comes
/// out otherwise, since nobody else can know it.
///
/// # Errors
/// A map has a key that cannot be a text, or a [`Serialize`] of the value's own fails. What was written until then stays.
pub fn append<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) -> Result<(), serde_json::Error> {
    value.serialize(Writer::new(text))
}
