//! Cells as parameters.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;

use crate::cell::Cell;
use crate::schema::Kind;

/// A value on its way to the server.
pub(super) type Parameter = Box<dyn ToSql + Sync + Send>;

/// Parameters as the client takes them.
pub(super) fn borrowed(parameters: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|parameter| &**parameter as &(dyn ToSql + Sync)).collect()
}

/// The cells of a question.
pub(super) fn parameters(cells: &[Cell]) -> Vec<Parameter> {
    cells.iter().map(parameter).collect()
}

fn parameter(cell: &Cell) -> Parameter {
    match cell {
        Cell::Integer(number) => Box::new(*number),
        Cell::Flag(flag) => Box::new(*flag),
        Cell::Moment(at) => Box::new(*at),
        Cell::AnyOf(texts) => Box::new(texts.iter().map(|text| storable(text)).collect::<Vec<_>>()),
        Cell::Text(text) => Box::new(storable(text)),
        Cell::Null | Cell::Amount(_) => Box::new(cell.clone().into_text()),
    }
}

/// The cells of a column of rows, as one array. Those of another kind than the column's are null; no table has such.
pub(super) fn array<'a>(kind: Kind, cells: impl Iterator<Item = &'a Cell>) -> Parameter {
    match kind {
        Kind::Text | Kind::Json | Kind::Amount => Box::new(cells.map(text).collect::<Vec<_>>()),
        Kind::Integer => Box::new(cells.map(integer).collect::<Vec<_>>()),
        Kind::Moment => Box::new(cells.map(moment).collect::<Vec<_>>()),
        Kind::Flag => Box::new(cells.map(flag).collect::<Vec<_>>()),
    }
}

fn text(cell: &Cell) -> Option<String> {
    if let Cell::Text(text) = cell { Some(storable(text)) } else { cell.clone().into_text() }
}

fn integer(cell: &Cell) -> Option<i64> {
    if let Cell::Integer(number) = cell { Some(*number) } else { None }
}

fn moment(cell: &Cell) -> Option<DateTime<Utc>> {
    if let Cell::Moment(at) = cell { Some(*at) } else { None }
}

fn flag(cell: &Cell) -> Option<bool> {
    if let Cell::Flag(flag) = cell { Some(*flag) } else { None }
}

/// A text without the one character that PostgreSQL does not take. Documents have it escaped, and keep it.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
