//! What a file is brought as, and how its columns are read: what the forms around an upload say.

use std::collections::BTreeMap;

use chopmark_billing::report::file::MappingAsked;
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::product::Category;

use crate::console::forms::Form;
use crate::console::frame::Frame;
use crate::console::money;
use crate::problem::Problem;
use crate::settlement::desk::tab;

/// How forms name transaction details, beside the tabs of the bill.
const TRANSACTIONS: &str = "transactions";
/// What a mapping is called that somebody chose column by column and did not save.
pub(super) const BY_HAND: &str = "by-hand";

/// What a file is brought as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paper {
    /// The bill of a tab and a period.
    Bill(Category, Period),
    /// Transaction details.
    Transactions,
}

impl Paper {
    /// Reads what a form says: a tab with its period, or transaction details.
    pub(super) fn read(category: &str, period: &str) -> Result<Self, Problem> {
        if category == TRANSACTIONS {
            return Ok(Self::Transactions);
        }
        let category = tab(category).map_err(|error| Problem::malformed(format!("`category`: {error}")))?;
        let period = Period::parse(period.trim()).map_err(|error| Problem::malformed(error.to_string()))?;
        Ok(Self::Bill(category, period))
    }

    /// How forms name it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Bill(category, _) => category.code(),
            Self::Transactions => TRANSACTIONS,
        }
    }

    /// The period that forms name with it, if any.
    pub(super) fn period(self) -> String {
        match self {
            Self::Bill(_, period) => period.to_string(),
            Self::Transactions => String::new(),
        }
    }

    /// What people call it.
    pub(super) fn title(self, frame: &Frame) -> String {
        match self {
            Self::Bill(category, period) => {
                format!("{} · {}", frame.word("category", category.code()), money::month(period))
            }
            Self::Transactions => frame.t.transactions.into(),
        }
    }
}

/// How a form wants the columns to be read.
pub(super) fn mapping_of(form: &Form) -> MappingAsked {
    let name = |field: &str| form.field(field).map(str::trim).filter(|name| !name.is_empty());
    match form.field("do") {
        Some("by") => name("mapping").map_or(MappingAsked::Proposed, |name| MappingAsked::Named(name.into())),
        _ => MappingAsked::Given(Mapping { name: name("name").unwrap_or(BY_HAND).into(), columns: columns(form) }),
    }
}

/// Header to field, as the form pairs them. Of two columns with one header the first that is read decides.
fn columns(form: &Form) -> BTreeMap<String, Field> {
    let mut columns = BTreeMap::new();
    for (header, code) in form.all("header").zip(form.all("field")) {
        if let Some(field) = Field::all().find(|field| field.code() == code) {
            columns.entry(header.to_owned()).or_insert(field);
        }
    }
    columns
}
