//! What separates the cells of a file.

use std::collections::HashMap;

use crate::place::Place;

use super::records::Records;

/// What separates cells, from the likeliest on.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// Records looked at, and bytes of them.
const RECORDS: usize = 50;
const BYTES: usize = 256 << 10;

/// The separator, and the text of the records. A first line `sep=;` says it, as spreadsheets have it, and is no row.
/// Otherwise it is the one that gives the most records the same number of cells, two or more.
pub(super) fn find(text: &str) -> (char, &str) {
    if let Some(said) = text.strip_prefix("sep=").or_else(|| text.strip_prefix("SEP=")) {
        let (line, rest) = said.split_once('\n').unwrap_or((said, ""));
        let mut characters = line.trim_end_matches('\r').chars();
        if let (Some(separator), None) = (characters.next(), characters.next()) {
            return (separator, rest);
        }
    }
    let mut end = text.len().min(BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let sample = text.get(..end).unwrap_or_default();
    let best = SEPARATORS.iter().rev().max_by_key(|separator| agreement(sample, **separator));
    (best.copied().unwrap_or(','), text)
}

/// How many records agree on their number of cells, and that number.
fn agreement(sample: &str, separator: char) -> (usize, usize) {
    let mut records = Records::new(sample, separator, sample.len());
    let mut widths = HashMap::new();
    let mut seen = 0;
    while records.begin() && seen < RECORDS {
        let mut width = 0;
        loop {
            width += 1;
            match records.field(Place { row: 0, column: 0 }) {
                Ok(field) if field.last => break,
                Ok(_) => {}
                // A quotation mark left open at the end of the sample.
                Err(_) => return best(&widths),
            }
        }
        if width > 1 {
            *widths.entry(width).or_insert(0) += 1;
        }
        seen += 1;
    }
    best(&widths)
}

fn best(widths: &HashMap<usize, usize>) -> (usize, usize) {
    widths.iter().map(|(width, records)| (*records, *width)).max().unwrap_or_default()
}
