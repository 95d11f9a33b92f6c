//! Texts within JSON: in quotes, and with the few characters escaped that must be (RFC 8259, section 7).

use std::fmt;

/// Writes a text in quotes.
#[inline(always)]
pub(crate) fn quoted(json: &mut Vec<u8>, text: &str) {
    json.reserve(text.len() + 2);
    json.push(b'"');
    escaped(json, text.as_bytes());
    json.push(b'"');
}

/// Room for the name of a member and what stands around it. Longer names are written piece by piece.
const NAME_ROOM: usize = 32;

/// Writes a comma, the name of a member in quotes, and a colon: in one piece, so that the room for it is looked at once.
/// Where the name is a constant, so is the piece.
#[inline(always)]
pub(crate) fn member_name(json: &mut Vec<u8>, name: &str) {
    let length = name.len();
    if length + 4 > NAME_ROOM || !is_plain(name.as_bytes()) {
        json.push(b',');
        quoted(json, name);
        json.push(b':');
        return;
    }
    let mut piece = [0; NAME_ROOM];
    piece[..2].copy_from_slice(b",\"");
    piece[2..2 + length].copy_from_slice(name.as_bytes());
    piece[2 + length..4 + length].copy_from_slice(b"\":");
    json.extend_from_slice(&piece[..4 + length]);
}

/// Writes in quotes what a value shows, without keeping it in between.
pub(crate) fn quoted_display<T: fmt::Display + ?Sized>(json: &mut Vec<u8>, value: &T) -> fmt::Result {
    json.push(b'"');
    fmt::write(&mut Escaping(json), format_args!("{value}"))?;
    json.push(b'"');
    Ok(())
}

struct Escaping<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escaped(self.0, text.as_bytes());
        Ok(())
    }
}

#[inline(always)]
fn escaped(json: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) {
        json.extend_from_slice(text);
    } else {
        escape(json, text);
    }
}

/// Nothing in it is to be escaped, as in nearly all texts.
#[inline(always)]
fn is_plain(text: &[u8]) -> bool {
    match text.last_chunk() {
        // The last eight bytes overlap those before them where the length is no multiple of eight.
        Some(last) => text.as_chunks().0.iter().chain([last]).all(is_plain_word),
        None => text.iter().all(|byte| !must_be_escaped(*byte)),
    }
}

fn must_be_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// The same of eight bytes at once. A byte below another one sets its highest bit when that is taken from it; one that is
/// equal to another is zero, and so below one, once the two are combined by exclusive or.
#[inline(always)]
fn is_plain_word(word: &[u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHEST_BITS: u64 = 0x80 * ONES;
    let word = u64::from_ne_bytes(*word);
    let below = |word: u64, byte: u8| word.wrapping_sub(ONES * u64::from(byte)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, b' ') | equal(b'"') | equal(b'\\')) & HIGHEST_BITS == 0
}

#[cold]
fn escape(json: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'"' | b'\\' => json.extend([b'\\', byte]),
            b'\x08' => json.extend(br"\b"),
            b'\t' => json.extend(br"\t"),
            b'\n' => json.extend(br"\n"),
            b'\x0c' => json.extend(br"\f"),
            b'\r' => json.extend(br"\r"),
            control @ ..b' ' => json.extend(format!("\\u{control:04x}").as_bytes()),
            plain => json.push(plain),
        }
    }
}
