//! Workbooks (Office Open XML, ECMA-376). A reader of ours over `zip` and `quick-xml`: numbers are read exactly from their
//! text, and every bound holds while the file is unpacked, part by part, and not after it.

mod date;
mod package;
mod part;
mod sheet;
mod strings;
mod styles;
mod workbook;

use crate::error::TableError;
use crate::gather::Gatherer;
use crate::limits::Limits;
use crate::table::{Format, Table};

use package::Package;
use sheet::Context;
use workbook::Workbook;

pub(crate) use date::serial;

pub(crate) fn read(bytes: &[u8], wanted: Option<&str>, limits: Limits) -> Result<Table, TableError> {
    let mut package = Package::open(bytes, limits)?;
    let workbook = Workbook::read(&mut package)?;
    let names: Vec<_> = workbook.sheets.iter().map(|sheet| sheet.name.clone()).collect();
    let none = || TableError::NoSheet { wanted: wanted.map(str::to_owned), sheets: names.clone() };
    let mut sheets = workbook.sheets.iter().filter(|sheet| wanted.is_none_or(|name| name == sheet.name)).peekable();
    sheets.peek().ok_or_else(none)?;

    let styles = match &workbook.styles {
        Some(part) => styles::read(&mut package.part(part)?)?,
        None => vec![],
    };
    let strings = match &workbook.strings {
        Some(part) => strings::read(&mut package.part(part)?, limits)?,
        None => vec![],
    };
    let context = Context { styles: &styles, strings: &strings, epoch: workbook.epoch, limits };
    for sheet in sheets {
        let mut gatherer = Gatherer::new(limits);
        sheet::read(&mut package.part(&sheet.part)?, &context, &mut gatherer)?;
        if gatherer.count() > 0 {
            let others = names.iter().filter(|name| **name != sheet.name).cloned().collect();
            return gatherer.finish(Format::Xlsx, Some(sheet.name.clone()), others);
        }
    }
    Err(TableError::Empty)
}
