//! What a new import of a bill changes against the one before it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::mapping::Field;
use super::{Bill, BillIdentity, BillRow};

/// What a row is called within its bill: its order line and the one it gives back; else its order, product and
/// customer. Several rows may have one name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RowName(Vec<(Field, String)>);

/// What names a row that names an order line, and what names any other.
const BY_LINE: [Field; 2] = [Field::OrderLineId, Field::OriginalOrderLineId];
const OTHERWISE: [Field; 5] = [Field::OrderId, Field::SkuCode, Field::ProductId, Field::ProductName, Field::Customer];

impl RowName {
    /// The name of a row.
    #[must_use]
    pub fn of(row: &BillRow) -> Self {
        let values = row.values();
        let named = |fields: &[Field]| values.iter().filter(|(field, _)| fields.contains(field)).cloned().collect();
        let by_line: Vec<_> = named(&BY_LINE);
        Self(if by_line.is_empty() { named(&OTHERWISE) } else { by_line })
    }
}

/// A value that changed; absent where the row says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Which.
    pub field: Field,
    /// What it was.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

/// A row that says something else than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedRow {
    /// As it was.
    pub old: BillRow,
    /// As it is.
    pub new: BillRow,
    /// What changed, by field.
    pub changes: Vec<FieldChange>,
}

/// What a new import changes. Rows in another order change nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BillRevision {
    /// Rows that are new, in the order of the new file.
    pub added: Vec<BillRow>,
    /// Rows that are gone, in the order of the former file.
    pub removed: Vec<BillRow>,
    /// Rows that say something else, in the order of the new file.
    pub changed: Vec<ChangedRow>,
    /// How many rows say the same.
    pub unchanged: usize,
}

/// Two bills that are not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the bill of {} for {} and that of {} for {} are not revisions of one; compare bills of one seller, category and period",
    .former.seller, .former.period, .new.seller, .new.period
)]
pub struct OtherBillError {
    /// The one.
    pub former: Box<BillIdentity>,
    /// The other.
    pub new: Box<BillIdentity>,
}

impl BillRevision {
    /// Compares a new import with the former revision, if there was one.
    ///
    /// # Errors
    /// Bills of another seller, category or period.
    pub fn compare(former: Option<&Bill>, new: &Bill) -> Result<Self, OtherBillError> {
        let Some(former) = former else { return Ok(Self { added: new.rows.clone(), ..Self::default() }) };
        if former.identity != new.identity {
            let (former, new) = (former.identity.clone().into(), new.identity.clone().into());
            return Err(OtherBillError { former, new });
        }
        let (mut before, after) = (by_name(former), by_name(new));
        let mut revision = Self::default();
        let names: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
        for name in names {
            let old = before.remove(&name).unwrap_or_default();
            revision.compare_same_name(old, after.get(&name).cloned().unwrap_or_default());
        }
        revision.added.sort_by_key(|row| row.row);
        revision.removed.sort_by_key(|row| row.row);
        revision.changed.sort_by_key(|changed| changed.new.row);
        Ok(revision)
    }

    /// Whether nothing changed: then there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// Of rows with one name, those that say the same go together, the others by their order. Both come sorted by what
    /// they say.
    fn compare_same_name(&mut self, old: Vec<Said<'_>>, new: Vec<Said<'_>>) {
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        let (mut gone, mut come) = (vec![], vec![]);
        while let (Some(before), Some(after)) = (old.peek(), new.peek()) {
            match before.values.cmp(&after.values) {
                Ordering::Less => gone.extend(old.next()),
                Ordering::Greater => come.extend(new.next()),
                Ordering::Equal => {
                    self.unchanged += 1;
                    old.next();
                    new.next();
                }
            }
        }
        gone.extend(old);
        let mut gone = gone.into_iter();
        for said in come.into_iter().chain(new) {
            match gone.next() {
                Some(before) => self.changed.push(changed(&before, &said)),
                None => self.added.push(said.row.clone()),
            }
        }
        self.removed.extend(gone.map(|before| before.row.clone()));
    }
}

/// A row with what it says.
#[derive(Clone)]
struct Said<'a> {
    row: &'a BillRow,
    values: BTreeMap<Field, String>,
}

fn by_name(bill: &Bill) -> BTreeMap<RowName, Vec<Said<'_>>> {
    let mut named: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in &bill.rows {
        named.entry(RowName::of(row)).or_default().push(Said { row, values: row.values().into_iter().collect() });
    }
    for rows in named.values_mut() {
        rows.sort_by(|one, other| one.values.cmp(&other.values));
    }
    named
}

fn changed(old: &Said<'_>, new: &Said<'_>) -> ChangedRow {
    let value = |said: &Said<'_>, field| said.values.get(&field).cloned();
    let change = |field| FieldChange { field, old: value(old, field), new: value(new, field) };
    let changes = Field::all().map(change).filter(|change| change.old != change.new).collect();
    ChangedRow { old: old.row.clone(), new: new.row.clone(), changes }
}
