//! What the bookkeeper keeps in the store between events: cases with what was entered of them, and how to find them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chopmark_domain::ids::{OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::license::{self, Released};
use chopmark_domain::order::OrderRef;
use chopmark_domain::purchase::PurchaseIdentity;
use chopmark_domain::settlement::books::{Case, Counted, Source};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::month::{self, AdjustmentRecorded, LinesClosed};
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::statement::{Statement, Subject};
use chopmark_domain::stream::LicenseId;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::rows::{LineRow, tab_of};
use crate::store::{DocumentKey, StoreError};

/// Kinds of documents.
pub(crate) mod kind {
    /// A case and what was entered of it, by its name.
    pub(crate) const CASE: &str = "case";
    /// The name of the case that something belongs to.
    pub(crate) const KEY: &str = "key";
    /// The end of a license, as it was known last.
    pub(crate) const EXPIRY: &str = "expiry";
    /// The catalog and which months are closed.
    pub(crate) const BOOK: &str = "book";
    /// What customers really paid for a product in a month: `{YYYYMM}/{sku}`.
    pub(crate) const MONTH: &str = "month";
    /// The exact sums of a period: `{YYYYMM or none}/{tab}/{currency}`.
    pub(crate) const PERIOD: &str = "period";
    /// The exact sums of the lines of a period that are certain: `{YYYYMM}/{currency}/{YYYY-MM-DD or none}`.
    pub(crate) const AGE: &str = "age";
    /// Which cases go by the tier of a product's month: `{YYYYMM}/{digest of the sku}/{case}`.
    pub(crate) const TIER: &str = "tier";
    /// What was heard of a bill before it was imported.
    pub(crate) const BILL: &str = "bill";
}

/// The longest name of a document.
const NAME_MAX: usize = 200;

/// By what a case is found. The least of its keys is its name, so that it does not depend on what was heard first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Key(pub(crate) String);

impl Key {
    pub(crate) fn license(id: &LicenseId) -> Self {
        Self(match id {
            LicenseId::Instance(id) => format!("instance/{id}"),
            LicenseId::Code(code) => format!("code/{code}"),
            LicenseId::Deployment(ecs) => format!("deployment/{ecs}"),
        })
    }

    /// Every line of an order is found by its own key: lines of one order need not have to do with each other.
    pub(crate) fn line(id: &OrderLineId) -> Self {
        Self(format!("line/{id}"))
    }

    /// Only where an order was named without its line.
    pub(crate) fn order(id: &OrderId) -> Self {
        Self(format!("order/{id}"))
    }

    pub(crate) fn usage(sku: &Sku, period: Period) -> Self {
        Self(format!("usage/{sku}/{period}"))
    }

    pub(crate) fn adjustment(period: Period, id: &str) -> Self {
        let name = format!("adjustment/{period}/{id}");
        if name.len() <= NAME_MAX { Self(name) } else { Self(format!("adjustment/{period}/{}", digest(id.as_bytes()))) }
    }

    pub(crate) fn subject(subject: &Subject) -> Self {
        match subject {
            Subject::OrderLine { order_line_id, .. } => Self::line(order_line_id),
            Subject::Usage { sku, period } => Self::usage(sku, *period),
        }
    }

    /// Of a line that was closed.
    pub(crate) fn of_closed(line: &SettlementLine) -> Self {
        match &line.order_line_id {
            Some(id) => Self::line(id),
            None if line.line_id.len() <= NAME_MAX => Self(line.line_id.clone()),
            None => {
                let mut parts = line.line_id.splitn(3, '/');
                let (period, id) = (parts.nth(1).unwrap_or_default(), parts.next().unwrap_or_default());
                Self(format!("adjustment/{period}/{}", digest(id.as_bytes())))
            }
        }
    }

    pub(crate) fn of_statement(Statement { subject, facts }: &Statement) -> Vec<Self> {
        let original = facts.original_order_line_id.as_ref().map(Self::line);
        let order = match subject {
            Subject::OrderLine { order_id, .. } => Some(Self::order(order_id)),
            Subject::Usage { .. } => None,
        };
        [Some(Self::subject(subject)), original, order].into_iter().flatten().collect()
    }

    pub(crate) fn of_license_event(id: &LicenseId, event: &license::Event) -> Vec<Self> {
        let named = named_order(event);
        let line = named.as_ref().and_then(|(_, line)| line.as_ref()).map(Self::line);
        let order = named.as_ref().map(|(order, _)| Self::order(order));
        [Some(Self::license(id)), line, order].into_iter().flatten().collect()
    }

    pub(crate) fn of_month_event(period: Period, event: &month::Event) -> Vec<Self> {
        match event {
            month::Event::AdjustmentRecorded(adjustment) => vec![Self::adjustment(period, &adjustment.id)],
            month::Event::LinesClosed(LinesClosed { lines }) => lines.iter().map(Self::of_closed).collect(),
            month::Event::PeriodClosed(_) => vec![],
        }
    }

    /// Where it is kept.
    pub(crate) fn at(&self, seller: &SellerId, kind: &'static str) -> DocumentKey {
        DocumentKey { seller: seller.clone(), kind, name: self.0.clone() }
    }
}

/// The order that an event names, with its line where that is named too.
pub(crate) fn named_order(event: &license::Event) -> Option<(OrderId, Option<OrderLineId>)> {
    if let license::Event::Released(Released { order_id, order_line_id }) = event {
        return order_id.clone().map(|order| (order, order_line_id.clone()));
    }
    if let license::Event::InstanceAdopted(adopted) = event {
        let Some(PurchaseIdentity::OrderLine(OrderRef { order_id, order_line_id })) = &adopted.purchase else {
            return None;
        };
        return Some((order_id.clone(), Some(order_line_id.clone())));
    }
    let OrderRef { order_id, order_line_id } = event.names_order()?;
    Some((order_id, Some(order_line_id)))
}

/// A correction is a case of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Adjusting {
    pub(crate) period: Period,
    pub(crate) adjustment: AdjustmentRecorded,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) source: Source,
}

/// A case with what was entered of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CaseFile {
    /// Everything that leads to it.
    pub(crate) keys: BTreeSet<Key>,
    #[serde(default)]
    pub(crate) case: Case,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) adjusting: Option<Adjusting>,
    /// Its lines as they stand in the views, by line id.
    #[serde(default)]
    pub(crate) entered: BTreeMap<String, Entered>,
    /// It has another name than in the store, or none there.
    #[serde(skip)]
    pub(crate) is_renamed: bool,
    /// Its lines that are being closed.
    #[serde(skip)]
    pub(crate) closing: BTreeSet<String>,
}

impl CaseFile {
    /// Takes the file of another case in.
    pub(crate) fn take_in(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.case.merge(other.case);
        self.adjusting = self.adjusting.take().or(other.adjusting);
        self.entered.extend(other.entered);
        self.is_renamed |= other.is_renamed;
        self.closing.extend(other.closing);
    }

    /// Lines that stand in closed months, or will.
    pub(crate) fn frozen(&self) -> BTreeSet<&String> {
        let closed = self.entered.iter().filter(|(_, entered)| entered.closed_in.is_some());
        closed.map(|(line_id, _)| line_id).chain(&self.closing).collect()
    }

    /// The products' months by whose tiers its lines go.
    pub(crate) fn tiers(&self) -> BTreeSet<(Sku, Period)> {
        self.entered.values().filter_map(|entered| entered.tier_of.clone()).collect()
    }
}

/// What the views hold of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entered {
    /// Of the whole row: an equal one is not written again.
    pub(crate) digest: String,
    /// The closed month that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closed_in: Option<Period>,
    /// What it adds to its period.
    pub(crate) entry: Entry,
    /// What it adds to its product's month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted: Option<Counted>,
    /// By which month its tier goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tier_of: Option<(Sku, Period)>,
}

/// What a line adds to its period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) period: Option<Period>,
    pub(crate) category: Category,
    pub(crate) currency: Currency,
    pub(crate) columns: Option<Columns>,
    pub(crate) estimated: bool,
    /// Unless it may wait for more than the run of its bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certain: Option<Certain>,
}

/// What a line adds to those of one age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certain {
    pub(crate) open_since: Option<NaiveDate>,
    pub(crate) amount: Option<Decimal>,
}

impl Entry {
    pub(crate) fn of(row: &LineRow) -> Self {
        let line = row.line();
        let amount = line.settle_amount.map(|amount| amount.value);
        Self {
            period: line.period,
            category: tab_of(line),
            currency: line.currency,
            columns: row.drawn.columns,
            estimated: line.is_estimate(),
            certain: (!row.may_wait()).then(|| Certain { open_since: row.open_since(), amount }),
        }
    }
}

/// Which cases must be drawn up anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// All of the seller: terms have changed.
    All,
    /// Those that go by the tier of a product's month.
    Tier { sku: Sku, period: Period },
    /// Those with lines in a month that was closed: open ones, and closed ones that would be others now.
    Closed(Period),
}

/// Cases to be drawn up anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) seller: SellerId,
    pub(crate) scope: Scope,
    /// Those up to here are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
}

/// Everything that must be drawn up anew before the next event is taken up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Work(pub(crate) VecDeque<Task>);

impl Work {
    /// As the checkpoint has it.
    pub(crate) fn read(text: &str) -> Result<Self, StoreError> {
        if text.is_empty() { Ok(Self::default()) } else { parse("the work to be done", text) }
    }

    pub(crate) fn text(&self) -> String {
        if self.0.is_empty() { String::new() } else { json(self) }
    }

    /// Adds a task; one that is begun begins again.
    pub(crate) fn add(&mut self, seller: &SellerId, scope: Scope) {
        match self.0.iter_mut().find(|task| task.seller == *seller && task.scope == scope) {
            Some(known) => known.after = None,
            None => self.0.push_back(Task { seller: seller.clone(), scope, after: None }),
        }
    }
}

/// The beginning of the names of those that go by a tier. Two products with one digest are drawn up together.
pub(crate) fn tier_prefix(sku: &Sku, period: Period) -> String {
    format!("{period}/{}/", digest(sku.as_str().as_bytes()))
}

/// A short digest, hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    hex::encode(digest.get(..12).unwrap_or_default())
}

/// Plain data of ours as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    String::from_utf8(chopmark_domain::codec::to_json(value)).unwrap_or_default()
}

/// Reads what [`json`] wrote.
pub(crate) fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged { reason: format!("{what}: {error}") })
}
