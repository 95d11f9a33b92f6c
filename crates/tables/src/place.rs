//! Where in a table something is, as a person finds it in a spreadsheet.

use std::fmt;

/// A cell of a file, named as the spreadsheet shows it: `row 7, column C`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The row, from 1.
    pub row: u32,
    /// The column, from 0.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {}, column {}", self.row, letters(self.column))
    }
}

/// The letters above a column: A, B … Z, AA, AB ….
pub(crate) fn letters(column: usize) -> String {
    let mut letters = vec![];
    let mut rest = column;
    loop {
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or_default()));
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    letters.iter().rev().collect()
}

/// The column of a reference like `AB12`, from 0; `None` if it names none that a spreadsheet has.
pub(crate) fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let mut column = 0_usize;
    for letter in letters {
        column = column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        if column > MAX_COLUMNS {
            return None;
        }
    }
    column.checked_sub(1)
}

/// Columns that a sheet of a spreadsheet has.
pub(crate) const MAX_COLUMNS: usize = 16_384;

/// Rows that a sheet of a spreadsheet has.
pub(crate) const MAX_ROWS: u32 = 1_048_576;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        for (column, expected) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")]
        {
            assert_eq!(letters(column), expected);
            assert_eq!(column_of(&format!("{expected}12")), Some(column));
        }
        assert_eq!(column_of("12"), None);
        assert_eq!(column_of("XFE1"), None);
        assert_eq!(column_of(&"Z".repeat(1000)), None);
    }
}
