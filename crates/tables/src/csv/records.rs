//! Records and their fields. A reader of ours, because a person must be told the row where a quotation mark opened, an
//! empty line is a row to him, and nothing is kept that the limits forbid.

use std::borrow::Cow;

use crate::error::TableError;
use crate::place::Place;

/// What is left of a text, record by record.
pub(super) struct Records<'a> {
    rest: &'a str,
    separator: char,
    cell_characters: usize,
}

/// A field, and whether its record ends with it.
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) last: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, separator: char, cell_characters: usize) -> Self {
        Self { rest: text, separator, cell_characters }
    }

    /// Whether there is a record more.
    pub(super) fn begin(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The next field of the record, which stands at a place.
    pub(super) fn field(&mut self, place: Place) -> Result<Field<'a>, TableError> {
        let mut text = match self.rest.strip_prefix('"') {
            Some(inside) => self.quoted(inside, place)?,
            None => Cow::Borrowed(""),
        };
        // What follows a closing quotation mark belongs to the field, too, as spreadsheets have it.
        let end = self.rest.find([self.separator, '\n', '\r']).unwrap_or(self.rest.len());
        let (plain, rest) = self.rest.split_at(end);
        if text.is_empty() {
            text = Cow::Borrowed(plain);
        } else if !plain.is_empty() {
            text.to_mut().push_str(plain);
        }
        let after = rest.strip_prefix(self.separator);
        self.rest = after.unwrap_or_else(|| {
            rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n'])).unwrap_or_default()
        });
        Ok(Field { text, last: after.is_none() })
    }

    /// What is within quotation marks; two of them are one.
    fn quoted(&mut self, inside: &'a str, place: Place) -> Result<Cow<'a, str>, TableError> {
        let mut text = Cow::Borrowed("");
        let mut rest = inside;
        loop {
            let (part, after) = rest.split_once('"').ok_or(TableError::UnclosedQuote { place })?;
            if text.is_empty() {
                text = Cow::Borrowed(part);
            } else {
                text.to_mut().push_str(part);
            }
            // Four bytes are the most that a character takes.
            if text.len() / 4 > self.cell_characters {
                return Err(TableError::CellTooLong { place, limit: self.cell_characters });
            }
            let Some(more) = after.strip_prefix('"') else {
                self.rest = after;
                return Ok(text);
            };
            text.to_mut().push('"');
            rest = more;
        }
    }
}
