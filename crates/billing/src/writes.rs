//! Changes as rows of tables.

use std::collections::BTreeMap;

use crate::cell::Cell;
use crate::schema::{ADJUSTMENTS, AGES, BILL_ROWS, BILLS, CLOSED, DOCUMENTS, LINES, Layout, PERIODS, Table};
use crate::store::Changes;

/// What is done to a table.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) table: Layout,
    pub(crate) done: Done,
}

/// What is done. No two rows have one key.
#[derive(Debug)]
pub(crate) enum Done {
    /// Rows are as follows from now on.
    Put(Vec<Vec<Cell>>),
    /// Rows with these keys, or beginnings of keys, are taken away.
    Take(Vec<Vec<Cell>>),
}

/// Changes in the order in which they are done. What changes nothing is left out.
pub(crate) fn of(changes: &Changes) -> Vec<Write> {
    let mut writes = vec![];
    documents(changes, &mut writes);
    lines(changes, &mut writes);
    periods(changes, &mut writes);
    ages(changes, &mut writes);
    let closed = last_of_each(&changes.closed, |row| (&row.seller, row.period));
    put(&CLOSED, closed, &mut writes);
    let adjustments = last_of_each(&changes.adjustments, |row| (&row.seller, row.period, &row.adjustment.id));
    put(&ADJUSTMENTS, adjustments, &mut writes);
    put(&BILLS, last_of_each(&changes.bills, |head| &head.identity), &mut writes);
    let cleared = changes.cleared_bills.iter().map(|identity| {
        vec![identity.seller.as_str().into(), Cell::code(identity.period), identity.category.code().into()]
    });
    take(&BILL_ROWS, cleared, &mut writes);
    put(&BILL_ROWS, last_of_each(&changes.bill_rows, |row| (&row.identity, row.row.row)), &mut writes);
    writes
}

fn documents(changes: &Changes, writes: &mut Vec<Write>) {
    let kept = changes.documents.iter().filter_map(|(key, document)| Some((key.clone(), document.clone()?)));
    put(&DOCUMENTS, kept.collect::<Vec<_>>().iter(), writes);
    let gone = changes.documents.iter().filter(|(_, document)| document.is_none());
    let keys = gone.map(|(key, _)| vec![key.seller.as_str().into(), key.kind.into(), (&key.name).into()]);
    take(&DOCUMENTS, keys, writes);
}

fn lines(changes: &Changes, writes: &mut Vec<Write>) {
    put(&LINES, changes.lines.values().flatten(), writes);
    let gone = changes.lines.iter().filter(|(_, row)| row.is_none());
    let keys = gone.map(|((seller, line_id), _)| vec![seller.as_str().into(), line_id.into()]);
    take(&LINES, keys, writes);
}

fn periods(changes: &Changes, writes: &mut Vec<Write>) {
    let rows = last_of_each(&changes.periods, |row| (&row.seller, row.period, row.category, row.currency));
    let (kept, gone): (Vec<_>, Vec<_>) = rows.partition(|row| row.lines > 0);
    put(&PERIODS, kept.into_iter(), writes);
    let keys = gone.into_iter().map(|row| {
        let period = row.period.map(|period| period.to_string()).unwrap_or_default();
        vec![row.seller.as_str().into(), Cell::Text(period), row.category.code().into(), Cell::code(row.currency)]
    });
    take(&PERIODS, keys, writes);
}

fn ages(changes: &Changes, writes: &mut Vec<Write>) {
    let rows = last_of_each(&changes.ages, |row| (&row.seller, row.period, row.category, row.currency, row.open_since));
    let (kept, gone): (Vec<_>, Vec<_>) = rows.partition(|row| row.lines > 0);
    put(&AGES, kept.into_iter(), writes);
    let keys = gone.into_iter().map(|row| {
        let day = row.open_since.map(|day| day.to_string()).unwrap_or_default();
        let (tab, currency) = (row.category.code().into(), Cell::code(row.currency));
        vec![row.seller.as_str().into(), Cell::code(row.period), tab, currency, Cell::Text(day)]
    });
    take(&AGES, keys, writes);
}

fn put<'a, R: 'static>(table: &Table<R>, rows: impl Iterator<Item = &'a R>, writes: &mut Vec<Write>) {
    let rows: Vec<_> = rows.map(|row| table.cells(row)).collect();
    if !rows.is_empty() {
        writes.push(Write { table: table.layout(), done: Done::Put(rows) });
    }
}

fn take<R>(table: &Table<R>, keys: impl Iterator<Item = Vec<Cell>>, writes: &mut Vec<Write>) {
    let keys: Vec<_> = keys.collect();
    if !keys.is_empty() {
        writes.push(Write { table: table.layout(), done: Done::Take(keys) });
    }
}

/// The last row of each key: one transaction may say a thing twice.
fn last_of_each<'a, R, K: Ord + 'a>(
    rows: &'a [R],
    key: impl Fn(&'a R) -> K,
) -> std::collections::btree_map::IntoValues<K, &'a R> {
    rows.iter().map(|row| (key(row), row)).collect::<BTreeMap<_, _>>().into_values()
}
