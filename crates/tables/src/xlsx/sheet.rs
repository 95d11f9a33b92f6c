//! The cells of a worksheet.

use crate::cell::Cell;
use crate::error::TableError;
use crate::gather::Gatherer;
use crate::limits::Limits;
use crate::number;
use crate::place::{MAX_COLUMNS, MAX_ROWS, Place, column_of};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use quick_xml::events::BytesStart;
use rust_decimal::Decimal;

use super::date::Epoch;
use super::part::{Part, Token, attribute, unescaped};
use super::styles::Shape;

/// What the cells of all sheets refer to.
pub(super) struct Context<'a> {
    pub(super) styles: &'a [Shape],
    pub(super) strings: &'a [Box<str>],
    pub(super) epoch: Epoch,
    pub(super) limits: Limits,
}

/// How long a text may be for the limit of its characters, as escapes take seven for one of up to four bytes.
const BYTES_A_CHARACTER: usize = 7;

/// A cell while it is read.
#[derive(Default)]
struct Raw {
    column: usize,
    style: usize,
    kind: Kind,
    text: String,
    formula: bool,
    valued: bool,
}

/// How the value of a cell is written (ECMA-376 part 1, 18.18.11 ST_CellType).
#[derive(Default, Clone, Copy)]
enum Kind {
    #[default]
    Number,
    Shared,
    Text,
    Bool,
    Iso,
}

/// Which row and cell come next if none says its own.
#[derive(Default)]
struct Cursor {
    row: u32,
    column: usize,
}

/// Reads the rows of a sheet. What comes after them (merged cells, links, drawings) is not looked at.
pub(super) fn read(part: &mut Part<'_>, context: &Context<'_>, gatherer: &mut Gatherer) -> Result<(), TableError> {
    let mut cursor = Cursor::default();
    let mut raw = Raw::default();
    let (mut taking, mut phonetic) = (false, false);
    loop {
        match part.next()? {
            Token::Open(tag) => match tag.local_name().as_ref() {
                "row" => {
                    let number = cursor.next_row(&tag);
                    gatherer.begin(number.ok_or_else(|| part.damaged("its rows are out of order"))?);
                }
                "c" => {
                    let begun = raw.begin(&tag, &mut cursor);
                    begun.ok_or_else(|| out_of_order(part, cursor.row))?;
                }
                "f" => raw.formula = true,
                "v" => (taking, raw.valued) = (true, true),
                "rPh" => phonetic = true,
                "t" => (taking, raw.valued) = (!phonetic, true),
                _ => {}
            },
            Token::Text(text) if taking => {
                raw.text.push_str(&text);
                let limit = context.limits.cell_characters;
                if raw.text.len() / BYTES_A_CHARACTER > limit {
                    return Err(TableError::CellTooLong { place: gatherer.place(raw.column), limit });
                }
            }
            Token::Close(name) => match name.as_ref() {
                "v" | "t" => taking = false,
                "rPh" => phonetic = false,
                "c" => {
                    let place = gatherer.place(raw.column);
                    gatherer.put(raw.column, raw.cell(part, place, context)?)?;
                }
                "row" => gatherer.end(),
                "sheetData" => return Ok(()),
                _ => {}
            },
            Token::Text(_) | Token::Nothing => {}
            Token::End => return Ok(()),
        }
    }
}

fn out_of_order(part: &Part<'_>, row: u32) -> TableError {
    part.damaged(format!("the cells of row {row} are out of order"))
}

impl Cursor {
    /// The number of a row that begins: its own, above all before it, or the next.
    fn next_row(&mut self, tag: &BytesStart<'_>) -> Option<u32> {
        let number = match attribute(tag, "r") {
            Some(number) => number.parse().ok()?,
            None => self.row + 1,
        };
        *self = (self.row < number && number <= MAX_ROWS).then_some(Self { row: number, column: 0 })?;
        Some(number)
    }
}

impl Raw {
    /// Begins a cell, to the right of all before it in its row.
    fn begin(&mut self, tag: &BytesStart<'_>, cursor: &mut Cursor) -> Option<()> {
        let column = match attribute(tag, "r") {
            Some(reference) => column_of(&reference)?,
            None => cursor.column,
        };
        if cursor.row == 0 || column < cursor.column || column >= MAX_COLUMNS {
            return None;
        }
        cursor.column = column + 1;
        self.column = column;
        self.style = attribute(tag, "s").and_then(|style| style.parse().ok()).unwrap_or_default();
        self.kind = match attribute(tag, "t").as_deref() {
            Some("s") => Kind::Shared,
            Some("str" | "inlineStr" | "e") => Kind::Text,
            Some("b") => Kind::Bool,
            Some("d") => Kind::Iso,
            _ => Kind::Number,
        };
        self.text.clear();
        (self.formula, self.valued) = (false, false);
        Some(())
    }

    /// What the cell holds.
    fn cell(&self, part: &Part<'_>, place: Place, context: &Context<'_>) -> Result<Cell, TableError> {
        if self.formula && !self.valued {
            return Err(TableError::NotCalculated { place });
        }
        let text = self.text.trim();
        let as_text = || Cell::of_text(unescaped(&self.text).into_owned());
        Ok(match self.kind {
            Kind::Text => as_text(),
            _ if text.is_empty() => Cell::Empty,
            Kind::Shared => {
                let shared = text.parse().ok().and_then(|index: usize| context.strings.get(index));
                let shared = shared.ok_or_else(|| part.damaged(format!("{place}: its text is missing")))?;
                Cell::of_text(shared.to_string())
            }
            Kind::Bool if text == "1" || text == "true" => Cell::Bool(true),
            Kind::Bool if text == "0" || text == "false" => Cell::Bool(false),
            Kind::Bool => as_text(),
            Kind::Iso => iso(text).unwrap_or_else(as_text),
            Kind::Number => match number::of_spreadsheet(text) {
                Some(number) => shown(number, context.styles.get(self.style).copied(), context.epoch),
                None => as_text(),
            },
        })
    }
}

/// A number as its style shows it.
fn shown(number: Decimal, shape: Option<Shape>, epoch: Epoch) -> Cell {
    let moment = || epoch.moment(number);
    match shape.unwrap_or(Shape::Number) {
        Shape::Number => Cell::Number(number),
        Shape::Date => moment().map_or(Cell::Number(number), |moment| {
            if moment.time() == NaiveTime::MIN { Cell::Date(moment.date()) } else { Cell::DateTime(moment) }
        }),
        Shape::DateTime => moment().map_or(Cell::Number(number), Cell::DateTime),
        Shape::Time if number < Decimal::ONE && !number.is_sign_negative() => {
            // Any day has the same times.
            let time = Epoch::Of1904.moment(number).map(|moment| moment.format("%H:%M:%S%.f").to_string());
            time.map_or(Cell::Number(number), Cell::Text)
        }
        Shape::Time => moment().map_or(Cell::Number(number), Cell::DateTime),
    }
}

/// A day, or a day and a time, as ISO 8601 writes them.
fn iso(text: &str) -> Option<Cell> {
    let text = text.trim_end_matches('Z');
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Cell::Date);
    let time = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(Cell::DateTime);
    date.or_else(|_| time()).ok()
}
