//! A table and its file.

use super::xlsx;
use crate::orders::Cents;

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A number.
    Amount(Cents),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn empty() -> Self {
        Self::Text(String::new())
    }
}

/// A table with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The header.
    pub headers: Vec<String>,
    /// The rows under it, each as long as the header.
    pub rows: Vec<Vec<Cell>>,
}

impl Sheet {
    pub(super) fn new<const N: usize>(headers: [&str; N]) -> Self {
        Self { headers: headers.map(str::to_owned).into(), rows: vec![] }
    }

    /// The same without some columns, by their headers.
    #[must_use]
    pub fn without(&self, headers: &[&str]) -> Self {
        let kept: Vec<bool> = self.headers.iter().map(|header| !headers.contains(&header.as_str())).collect();
        fn of<T: Clone>(cells: &[T], kept: &[bool]) -> Vec<T> {
            cells.iter().zip(kept).filter(|(_, kept)| **kept).map(|(cell, _)| cell.clone()).collect()
        }
        Self { headers: of(&self.headers, &kept), rows: self.rows.iter().map(|row| of(row, &kept)).collect() }
    }

    pub(super) fn add(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// CSV as spreadsheets of China write it: UTF-8 with its mark, CR LF.
    #[must_use]
    pub fn to_csv(&self) -> Vec<u8> {
        let header = self.headers.iter().map(|header| quoted(header)).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(written).collect());
        let lines = std::iter::once(header).chain(rows).map(|cells: Vec<String>| cells.join(",") + "\r\n");
        format!("\u{feff}{}", lines.collect::<String>()).into_bytes()
    }

    /// An XLSX of one sheet.
    #[must_use]
    pub fn to_xlsx(&self) -> Vec<u8> {
        xlsx::write(self)
    }
}

fn written(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => quoted(text),
        Cell::Amount(amount) => amount.to_string(),
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        let mut sheet = Sheet::new(["订单号", "a,b"]);
        sheet.add(vec![Cell::text("say \"hi\""), Cell::Amount(Cents(-5))]);
        let text = String::from_utf8(sheet.to_csv()).unwrap();
        assert_eq!(text, "\u{feff}订单号,\"a,b\"\r\n\"say \"\"hi\"\"\",-0.05\r\n");
    }
}
