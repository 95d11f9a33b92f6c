//! Which numbers are shown as days: a workbook stores both alike.

use std::collections::HashMap;

use crate::error::TableError;

use super::part::{Part, Token, attribute};
use super::workbook::MOST;

/// How numbers of a style are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As a number, or as a length of time.
    Number,
    /// As a day.
    Date,
    /// As a day and a time.
    DateTime,
    /// As a time of day.
    Time,
}

/// Reads what each style of a cell (`cellXfs`, by index) makes of a number.
pub(super) fn read(part: &mut Part<'_>) -> Result<Vec<Shape>, TableError> {
    let mut formats: HashMap<u32, Shape> = HashMap::new();
    let mut styles: Vec<u32> = vec![];
    let mut of_cells = false;
    loop {
        match part.next()? {
            Token::Open(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse().ok());
                    if let (Some(id), Some(code)) = (id, attribute(&tag, "formatCode")) {
                        formats.insert(id, shape(&code));
                    }
                }
                "cellXfs" => of_cells = true,
                "xf" if of_cells => {
                    styles.push(attribute(&tag, "numFmtId").and_then(|id| id.parse().ok()).unwrap_or_default());
                }
                _ => {}
            },
            Token::Close(name) if name == "cellXfs" => of_cells = false,
            Token::Close(_) | Token::Text(_) | Token::Nothing => {}
            Token::End => break,
        }
        if formats.len().max(styles.len()) > MOST {
            return Err(part.damaged("it has too many styles"));
        }
    }
    Ok(styles.iter().map(|id| formats.get(id).copied().unwrap_or_else(|| built_in(*id))).collect())
}

/// The formats without a code, those of Chinese workbooks included (ECMA-376 part 1, 18.8.30).
fn built_in(id: u32) -> Shape {
    match id {
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shape::Date,
        22 => Shape::DateTime,
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Shape::Time,
        _ => Shape::Number,
    }
}

/// What a format code makes of a positive number: its first section says it.
fn shape(code: &str) -> Shape {
    let (mut day, mut month_or_minute, mut time) = (false, false, false);
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character.to_ascii_lowercase() {
            ';' => break,
            '"' => drop(characters.by_ref().find(|c| *c == '"')),
            '\\' | '_' | '*' => drop(characters.next()),
            '[' => {
                let inside: String = characters.by_ref().take_while(|c| *c != ']').collect();
                // Hours, minutes or seconds passed: a length of time.
                if !inside.is_empty() && inside.chars().all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's')) {
                    return Shape::Number;
                }
            }
            'y' | 'd' => day = true,
            'm' => month_or_minute = true,
            'h' | 's' => time = true,
            _ => {}
        }
    }
    match (day || (month_or_minute && !time), time) {
        (true, true) => Shape::DateTime,
        (true, false) => Shape::Date,
        (false, true) => Shape::Time,
        (false, false) => Shape::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_code_tells_days_from_numbers() {
        for (code, expected) in [
            ("General", Shape::Number),
            ("0.00%", Shape::Number),
            ("#,##0.00;[Red]-#,##0.00", Shape::Number),
            ("\"days\" 0", Shape::Number),
            ("0\\d", Shape::Number),
            ("0.00E+00", Shape::Number),
            ("[h]:mm:ss", Shape::Number),
            ("_-* #,##0.00\\ \"¥\"_-;d", Shape::Number),
            ("yyyy-mm-dd", Shape::Date),
            ("[$-804]yyyy\"年\"m\"月\"d\"日\";@", Shape::Date),
            ("mmm", Shape::Date),
            ("yyyy/m/d h:mm", Shape::DateTime),
            ("h:mm AM/PM", Shape::Time),
            ("mm:ss", Shape::Time),
            ("\"unclosed", Shape::Number),
            ("[unclosed", Shape::Number),
        ] {
            assert_eq!(shape(code), expected, "{code}");
        }
    }
}
