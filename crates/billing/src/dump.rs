//! The views as text that can be compared: JSON lines, the same for the same views, whatever way they came to be.

use std::collections::{BTreeSet, VecDeque};

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::bill::BillIdentity;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::store::{BillingStore, LineQuery, StoreError};

/// Rows read at a time.
const PAGE: usize = 500;

/// A line of a dump: what it is about, by which dumps are ordered, and its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpLine {
    /// What it is about. Within a dump each comes once, in this order.
    pub subject: Subject,
    /// The row, with its kind.
    pub json: String,
}

/// What a line of a dump is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Whose.
    seller: SellerId,
    part: Part,
    name: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Periods,
    Ages,
    Closed,
    Adjustments,
    Bills,
    BillRows,
    Lines,
    End,
}

impl Part {
    fn next(self) -> Self {
        match self {
            Self::Periods => Self::Ages,
            Self::Ages => Self::Closed,
            Self::Closed => Self::Adjustments,
            Self::Adjustments => Self::Bills,
            Self::Bills => Self::BillRows,
            Self::BillRows => Self::Lines,
            Self::Lines | Self::End => Self::End,
        }
    }
}

/// Reads everything that finance can see, page by page: of each seller what the periods come to, by tab and by
/// age, closed months, adjustments, bills, their rows, lines. The store must not be written meanwhile, or the dump is of no one moment.
pub struct Dump<'a> {
    store: &'a dyn BillingStore,
    sellers: VecDeque<SellerId>,
    part: Part,
    /// Bills whose rows are still to come, and the last row of the first of them.
    bills: VecDeque<(BillIdentity, u32)>,
    after: Option<String>,
    ready: VecDeque<DumpLine>,
}

impl std::fmt::Debug for Dump<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dump").field("sellers", &self.sellers).field("part", &self.part).finish_non_exhaustive()
    }
}

impl<'a> Dump<'a> {
    /// A dump of some sellers' views.
    #[must_use]
    pub fn new(store: &'a dyn BillingStore, sellers: &BTreeSet<SellerId>) -> Self {
        Self {
            store,
            sellers: sellers.iter().cloned().collect(),
            part: Part::Periods,
            bills: VecDeque::new(),
            after: None,
            ready: VecDeque::new(),
        }
    }

    /// The next line; `None` after the last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next(&mut self) -> Result<Option<DumpLine>, StoreError> {
        while self.ready.is_empty() {
            let Some(seller) = self.sellers.front().cloned() else { return Ok(None) };
            self.read(seller).await?;
            if self.part == Part::End {
                self.sellers.pop_front();
                self.part = Part::Periods;
            }
        }
        Ok(self.ready.pop_front())
    }

    async fn read(&mut self, seller: SellerId) -> Result<(), StoreError> {
        let part = self.part;
        match part {
            Part::Periods => {
                let rows = self.store.periods(&seller).await?.value;
                self.extend(
                    &seller,
                    rows.iter().map(|row| {
                        let period = row.period.map_or_else(String::new, |period| period.to_string());
                        (format!("{period}/{}/{}", row.category.code(), row.currency), json!({ "period": row }))
                    }),
                );
            }
            Part::Ages => {
                let rows = self.store.ages(&seller, None).await?.value;
                self.extend(
                    &seller,
                    rows.iter().map(|row| {
                        let day = row.open_since.map_or_else(String::new, |day| day.to_string());
                        (
                            format!("{}/{}/{}/{day}", row.period, row.category.code(), row.currency),
                            json!({ "age": row }),
                        )
                    }),
                );
            }
            Part::Closed => {
                let rows = self.store.closed(&seller).await?.value;
                self.extend(&seller, rows.iter().map(|row| (row.period.to_string(), json!({ "closed": row }))));
            }
            Part::Adjustments => {
                let rows = self.store.adjustments(&seller).await?.value;
                let name = |period, id: &str| format!("{period}/{id}");
                self.extend(
                    &seller,
                    rows.iter().map(|row| (name(row.period, &row.adjustment.id), json!({ "adjustment": row }))),
                );
            }
            Part::Bills => {
                let rows = self.store.bills(&seller, None).await?.value;
                self.bills = rows.iter().map(|head| (head.identity.clone(), 0)).collect();
                self.extend(&seller, rows.iter().map(|head| (bill_name(&head.identity), json!({ "bill": head }))));
                // Rows come in the order of the bills' names.
                self.bills.make_contiguous().sort_by_key(|(identity, _)| bill_name(identity));
            }
            Part::BillRows => return self.read_bill_rows(&seller).await,
            Part::Lines => return self.read_lines(&seller).await,
            Part::End => {}
        }
        self.part = part.next();
        Ok(())
    }

    async fn read_bill_rows(&mut self, seller: &SellerId) -> Result<(), StoreError> {
        let Some((identity, after)) = self.bills.front().cloned() else {
            self.part = Part::Lines;
            return Ok(());
        };
        let rows = self.store.bill_rows(&identity, after, PAGE).await?;
        match (rows.last(), self.bills.front_mut()) {
            (Some(last), Some((_, after))) if rows.len() == PAGE => *after = last.row.row,
            _ => drop(self.bills.pop_front()),
        }
        let name = bill_name(&identity);
        self.extend(seller, rows.iter().map(|row| (format!("{name}/{:010}", row.row.row), json!({ "bill_row": row }))));
        Ok(())
    }

    async fn read_lines(&mut self, seller: &SellerId) -> Result<(), StoreError> {
        let query = LineQuery { after: self.after.take(), ..LineQuery::every(seller.clone(), PAGE) };
        let rows = self.store.lines(&query).await?.value;
        if rows.len() == PAGE {
            self.after = rows.last().map(|row| row.line().line_id.clone());
        } else {
            self.part = Part::End;
        }
        self.extend(seller, rows.iter().map(|row| (row.line().line_id.clone(), json!({ "line": row }))));
        Ok(())
    }

    fn extend(&mut self, seller: &SellerId, rows: impl Iterator<Item = (String, Value)>) {
        let part = self.part;
        let lines = rows.map(|(name, mut row)| {
            plain(&mut row);
            let subject = Subject { seller: seller.clone(), part, name: name.into_bytes() };
            DumpLine { subject, json: row.to_string() }
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort_by(|a, b| a.subject.cmp(&b.subject));
        self.ready.extend(lines);
    }
}

fn bill_name(identity: &BillIdentity) -> String {
    format!("{}/{}", identity.period, identity.category.code())
}

/// Numbers without trailing zeros: `1.50` and `1.5` are the same amount.
fn plain(value: &mut Value) {
    match value {
        Value::String(text) if is_number(text) => {
            if let Ok(number) = text.parse::<Decimal>() {
                *text = number.normalize().to_string();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(plain),
        Value::Object(fields) => fields.values_mut().for_each(plain),
        _ => {}
    }
}

fn is_number(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

/// Everything as one text, for tests and small installations.
///
/// # Errors
/// [`StoreError`].
pub async fn dump(store: &dyn BillingStore, sellers: &BTreeSet<SellerId>) -> Result<String, StoreError> {
    let mut dump = Dump::new(store, sellers);
    let mut text = String::new();
    while let Some(line) = dump.next().await? {
        text.push_str(&line.json);
        text.push('\n');
    }
    Ok(text)
}
