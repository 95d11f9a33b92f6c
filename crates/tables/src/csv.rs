//! Separated values (RFC 4180, and what spreadsheets make of it).

mod encoding;
mod records;
mod separator;

use crate::cell::Cell;
use crate::error::TableError;
use crate::formula::bare;
use crate::gather::Gatherer;
use crate::limits::Limits;
use crate::place::MAX_COLUMNS;
use crate::table::{Format, Table};

use records::{Field, Records};

pub(crate) fn read(bytes: &[u8], limits: Limits) -> Result<Table, TableError> {
    let (encoding, text) = encoding::decode(bytes)?;
    let (separator, text) = separator::find(&text);
    let mut gatherer = Gatherer::new(limits);
    let mut records = Records::new(text, separator, limits.cell_characters);
    let mut number = 0;
    while records.begin() {
        number += 1;
        gatherer.begin(number);
        let mut column = 0;
        loop {
            let place = gatherer.place(column);
            let Field { text, last } = records.field(place)?;
            // Beyond what any spreadsheet has, even empty cells are no row.
            if column >= limits.columns.max(MAX_COLUMNS) {
                return Err(TableError::TooManyColumns { place, limit: limits.columns });
            }
            gatherer.put(column, Cell::of_text(meant(&text).to_owned()))?;
            if last {
                break;
            }
            column += 1;
        }
        gatherer.end();
    }
    gatherer.finish(Format::Csv { encoding, separator }, None, vec![])
}

/// What a text stands for: `="00123"` is how programs keep a spreadsheet from reading a number, and an apostrophe before
/// a formula how they keep it from calculating.
fn meant(text: &str) -> &str {
    let quoted = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    quoted.filter(|inner| !inner.contains('"')).unwrap_or_else(|| bare(text))
}
