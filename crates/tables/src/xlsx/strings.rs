//! The texts that cells share.

use crate::error::TableError;
use crate::limits::Limits;

use super::part::{Part, Token, unescaped};

/// Reads the shared strings. Runs of rich text are joined, readings of characters (phonetic runs) are left out.
pub(super) fn read(part: &mut Part<'_>, limits: Limits) -> Result<Vec<Box<str>>, TableError> {
    let mut strings: Vec<Box<str>> = vec![];
    let (mut text, mut bytes) = (String::new(), 0_usize);
    let (mut inside, mut phonetic) = (false, false);
    loop {
        match part.next()? {
            Token::Open(tag) => match tag.local_name().as_ref() {
                "si" => text.clear(),
                "rPh" => phonetic = true,
                "t" => inside = !phonetic,
                _ => {}
            },
            Token::Text(piece) if inside => {
                bytes += piece.len();
                if bytes > limits.text_bytes {
                    return Err(TableError::TooMuchText { limit: limits.text_bytes });
                }
                text.push_str(&piece);
            }
            Token::Close(name) => match name.as_ref() {
                "t" => inside = false,
                "rPh" => phonetic = false,
                "si" if strings.len() >= limits.cells => return Err(part.damaged("it has too many texts")),
                "si" => strings.push(unescaped(&text).into()),
                _ => {}
            },
            Token::Text(_) | Token::Nothing => {}
            Token::End => return Ok(strings),
        }
    }
}
