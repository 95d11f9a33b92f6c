//! One XML part, token by token. No document type, no entities but the five of XML, nothing deep, nothing endless.

use std::borrow::Cow;
use std::io::{self, BufReader, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::error::TableError;

use super::package::Budget;

/// Bytes of one tag or text.
const TOKEN_BYTES: usize = 1 << 20;

/// Tags within tags. A sheet has about ten.
const DEPTH: usize = 64;

/// Reads a part of a workbook.
pub(super) struct Part<'a> {
    name: String,
    reader: Reader<BufReader<Metered<'a>>>,
    buffer: Vec<u8>,
    depth: usize,
}

/// What comes next in a part. Names are without their prefix.
pub(super) enum Token<'t> {
    /// A tag opens; an empty one opens and closes.
    Open(BytesStart<'t>),
    /// A tag closes.
    Close(Cow<'t, str>),
    /// Text, or a piece of it.
    Text(Cow<'t, str>),
    /// A comment or the like.
    Nothing,
    /// The part is at its end, with every tag closed.
    End,
}

impl<'a> Part<'a> {
    pub(super) fn new(name: &str, source: Box<dyn Read + 'a>, budget: &'a Budget) -> Self {
        let mut reader = Reader::from_reader(BufReader::new(Metered { source, budget, token: TOKEN_BYTES }));
        reader.config_mut().expand_empty_elements = true;
        Self { name: name.to_owned(), reader, buffer: vec![], depth: 0 }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token<'_>, TableError> {
        self.buffer.clear();
        self.reader.get_mut().get_mut().token = TOKEN_BYTES;
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| {
            let metered = self.reader.get_ref().get_ref();
            let why = if metered.token == 0 { "a part of it is too long".to_owned() } else { error.to_string() };
            metered.budget.exceeded().unwrap_or_else(|| TableError::Damaged { part: self.name.clone(), why })
        })?;
        let damaged = |why: &str| Err(TableError::Damaged { part: self.name.clone(), why: why.to_owned() });
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                if self.depth > DEPTH { damaged("tags are nested too deep") } else { Ok(Token::Open(tag)) }
            }
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Token::Close(Cow::Owned(tag.local_name().as_ref().to_owned())))
            }
            Event::Text(text) => Ok(Token::Text(text.xml10_content())),
            Event::CData(text) => Ok(Token::Text(text.xml10_content())),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => Ok(Token::Text(Cow::Owned(character.to_string()))),
                Ok(None) => match quick_xml::escape::resolve_xml_entity(&reference) {
                    Some(text) => Ok(Token::Text(Cow::Borrowed(text))),
                    None => damaged("it has an entity that XML does not know"),
                },
                Err(error) => damaged(&error.to_string()),
            },
            Event::DocType(_) => Err(TableError::Dtd { part: self.name.clone() }),
            Event::Eof if self.depth > 0 => damaged("it is cut off"),
            Event::Eof => Ok(Token::End),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Ok(Token::Nothing),
        }
    }

    /// The error of a part that is not as it should be.
    pub(super) fn damaged(&self, why: impl Into<String>) -> TableError {
        TableError::Damaged { part: self.name.clone(), why: why.into() }
    }
}

/// An attribute of a tag, by its name without prefix.
pub(super) fn attribute<'t>(tag: &'t BytesStart<'_>, name: &str) -> Option<Cow<'t, str>> {
    let mut attributes = tag.attributes();
    let attribute = attributes.with_checks(false).flatten().find(|found| found.key.local_name().as_ref() == name)?;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok()
}

/// Text as a workbook escapes it: `_x000D_` is a carriage return (ECMA-376 part 1, 22.9.2.19 ST_Xstring).
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('_') {
        plain.push_str(before);
        match escape(after) {
            Some((character, after)) => {
                plain.push(character);
                rest = after;
            }
            None => {
                plain.push('_');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The character of `xHHHH_`, and what follows.
fn escape(text: &str) -> Option<(char, &str)> {
    let digits = text.strip_prefix('x')?.get(..4)?;
    let after = text.get(5..)?.strip_prefix('_')?;
    let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let code = hexadecimal.then(|| u32::from_str_radix(digits, 16).ok())??;
    Some((char::from_u32(code)?, after))
}

/// Reads within the budget of the workbook and of a token.
struct Metered<'a> {
    source: Box<dyn Read + 'a>,
    budget: &'a Budget,
    token: usize,
}

impl Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.token);
        if most == 0 && !into.is_empty() {
            return Err(io::Error::other("a token is too long"));
        }
        let read = self.budget.read(&mut self.source, into.get_mut(..most).unwrap_or_default())?;
        self.token -= read.min(self.token);
        Ok(read)
    }
}
