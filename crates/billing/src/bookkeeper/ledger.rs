//! What is known of a seller beside the cases: terms, closed months, what was paid for products, what periods come to.
//! Small, so it is kept in memory; only one process writes.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::catalog::{self, Catalog};
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::settlement::books::Counted;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::formula::tier::Tiers;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::money::{Currency, Money};
use chopmark_domain::settlement::policy::TierMonth;
use chopmark_domain::settlement::product::Category;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ages::Ages;
use super::exact::Exact;
use super::papers::{Entry, Scope, Work, json, kind, parse};
use crate::rows::PeriodRow;
use crate::store::{BillingStore, Changes, DocumentKey, StoreError};

/// Documents read at a time.
const PAGE: usize = 1_000;

/// The name of the one document of its kind.
const BOOK: &str = "book";

/// Terms and closed months, as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Book {
    catalog: Catalog,
    /// Every table of tiers that was ever given.
    tiers: Vec<Tiers>,
    /// Whether under any terms payments count to the month that they were made in.
    #[serde(default)]
    by_payment: bool,
    closed: BTreeSet<Period>,
    /// The month that is being closed, and how many of its lines are still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closing: Option<(Period, u32)>,
}

/// What customers paid for a product in a month. Written with the fields of [`Money`], which is how it is read elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct MonthPaid {
    amount: Decimal,
    currency: Currency,
    exact: Exact,
    /// How many lines count.
    lines: u64,
}

/// A period's sums, of one tab and currency.
type SumsKey = (Option<Period>, Category, Currency);

/// The exact sums of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Totals {
    period: Option<Period>,
    category: Option<Category>,
    currency: Option<Currency>,
    lines: u64,
    not_computed: u64,
    estimated: u64,
    /// The columns in the order of their declaration.
    sums: [Exact; 8],
}

/// A seller's ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    seller: SellerId,
    book: Book,
    working_days: WorkingDays,
    months: BTreeMap<(Period, Sku), MonthPaid>,
    totals: BTreeMap<SumsKey, Totals>,
    ages: Ages,
    /// Months as they were before this transaction.
    months_before: BTreeMap<(Period, Sku), Option<Money>>,
    changed_totals: BTreeSet<SumsKey>,
    book_changed: bool,
}

impl Ledger {
    pub(crate) async fn load(store: &dyn BillingStore, seller: &SellerId) -> Result<Self, StoreError> {
        let key = DocumentKey { seller: seller.clone(), kind: kind::BOOK, name: BOOK.into() };
        let book = match store.documents(std::slice::from_ref(&key)).await?.get(&key) {
            Some(text) => parse("the seller's book", text)?,
            None => Book::default(),
        };
        let mut ledger = Self {
            seller: seller.clone(),
            working_days: working_days(&book.catalog),
            book,
            months: BTreeMap::new(),
            totals: BTreeMap::new(),
            ages: Ages::default(),
            months_before: BTreeMap::new(),
            changed_totals: BTreeSet::new(),
            book_changed: false,
        };
        for (name, text) in all(store, seller, kind::MONTH).await? {
            ledger.months.insert(month_key(&name)?, parse("a product's month", &text)?);
        }
        for (_, text) in all(store, seller, kind::PERIOD).await? {
            let totals: Totals = parse("a period's sums", &text)?;
            ledger.totals.insert(totals.key(), totals);
        }
        for (_, text) in all(store, seller, kind::AGE).await? {
            ledger.ages.read(&text)?;
        }
        Ok(ledger)
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.book.catalog
    }

    pub(crate) fn working_days(&self) -> &WorkingDays {
        &self.working_days
    }

    pub(crate) fn closed(&self) -> &BTreeSet<Period> {
        &self.book.closed
    }

    /// What customers really paid for a product in a month, in the currency that tiers are in.
    fn month_of(&self, sku: &Sku, period: Period) -> Option<Money> {
        let paid = self.months.get(&(period, sku.clone()))?;
        Money::new(paid.amount, paid.currency).ok()
    }

    /// The same as it was before this transaction: what is drawn up in one goes by one amount, whatever is drawn first.
    /// Where that reaches another tier in the end, all of the month is drawn up anew.
    pub(crate) fn month_before(&self, sku: &Sku, period: Period) -> Option<Money> {
        let before = self.months_before.get(&(period, sku.clone()));
        before.copied().unwrap_or_else(|| self.month_of(sku, period))
    }

    /// Takes new terms up.
    pub(crate) fn take_terms(&mut self, event: &catalog::Event) {
        self.book.catalog.evolve(event);
        if let catalog::Event::SellerTermsDefined(defined) = event {
            let tiers = &defined.terms.policy.tiers;
            if !self.book.tiers.contains(tiers) {
                self.book.tiers.push(tiers.clone());
            }
            self.book.by_payment |= defined.terms.policy.tier_month == TierMonth::Payment;
        }
        self.working_days = working_days(&self.book.catalog);
        self.book_changed = true;
    }

    /// A month begins to be closed with so many lines; without any it is.
    pub(crate) fn begin_closing(&mut self, period: Period, lines: u32) -> bool {
        self.book_changed = true;
        self.book.closing = (lines > 0).then_some((period, lines));
        lines == 0 && self.book.closed.insert(period)
    }

    /// Lines of a month are closed; says whether these were the last.
    pub(crate) fn go_on_closing(&mut self, period: Period, lines: usize) -> bool {
        self.book_changed = true;
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        let left = self.book.closing.filter(|(of, _)| *of == period).map_or(0, |(_, left)| left.saturating_sub(lines));
        self.book.closing = (left > 0).then_some((period, left));
        left == 0 && self.book.closed.insert(period)
    }

    /// Products whose tier of a closed month, which is certain from now on, also goes for lines of later months.
    pub(crate) fn tiers_settled_by(&self, period: Period) -> Vec<Sku> {
        let months = self.months.keys().filter(|(of, _)| self.book.by_payment && *of == period);
        months.map(|(_, sku)| sku.clone()).collect()
    }

    /// A line counts for its product's month, or no longer. Tiers are in RMB, so other currencies count for none.
    pub(crate) fn count(&mut self, counted: &Counted, takes_away: bool) {
        if counted.paid.currency() != Currency::CNY {
            return;
        }
        let key = (counted.period, counted.sku.clone());
        let before = self.month_of(&counted.sku, counted.period);
        self.months_before.entry(key.clone()).or_insert(before);
        let none = MonthPaid { amount: Decimal::ZERO, currency: Currency::CNY, exact: Exact::default(), lines: 0 };
        let month = self.months.entry(key.clone()).or_insert(none);
        let amount = counted.paid.amount();
        if takes_away {
            month.exact = month.exact.take_away(amount);
            month.lines = month.lines.saturating_sub(1);
        } else {
            month.exact = month.exact.add(amount);
            month.lines += 1;
        }
        month.amount = month.exact.value();
        if month.lines == 0 {
            self.months.remove(&key);
        }
    }

    /// A line adds to its period, or no longer.
    pub(crate) fn enter(&mut self, entry: &Entry, takes_away: bool) {
        let key = (entry.period, entry.category, entry.currency);
        let totals = self.totals.entry(key).or_insert_with(|| Totals {
            period: entry.period,
            category: Some(entry.category),
            currency: Some(entry.currency),
            ..Totals::default()
        });
        totals.enter(entry, takes_away);
        if totals.lines == 0 {
            self.totals.remove(&key);
        }
        self.changed_totals.insert(key);
        self.ages.enter(entry, takes_away);
    }

    /// Writes what has changed, and adds the work that follows from it.
    pub(crate) fn write(&mut self, changes: &mut Changes, work: &mut Work) {
        let document = |kind, name| DocumentKey { seller: self.seller.clone(), kind, name };
        if std::mem::take(&mut self.book_changed) {
            changes.documents.insert(document(kind::BOOK, BOOK.into()), Some(json(&self.book)));
        }
        for ((period, sku), before) in std::mem::take(&mut self.months_before) {
            let after = self.months.get(&(period, sku.clone()));
            changes.documents.insert(document(kind::MONTH, format!("{period}/{sku}")), after.map(json));
            if self.reaches_another_tier(before, self.month_of(&sku, period)) {
                work.add(&self.seller, Scope::Tier { sku, period });
            }
        }
        for key in std::mem::take(&mut self.changed_totals) {
            let totals = self.totals.get(&key);
            let (period, category, currency) = key;
            let period_name = period.map_or_else(|| "none".to_owned(), |period| period.to_string());
            let name = format!("{period_name}/{}/{currency}", category.code());
            changes.documents.insert(document(kind::PERIOD, name), totals.map(json));
            changes.periods.push(totals.cloned().unwrap_or_default().row(&self.seller, key));
        }
        self.ages.write(&self.seller, changes);
    }

    /// Whether under any table of tiers that was ever given the share changes.
    fn reaches_another_tier(&self, before: Option<Money>, after: Option<Money>) -> bool {
        let zero = Money::zero(Currency::CNY);
        let [before, after] = [before, after].map(|month| month.unwrap_or(zero));
        let share = |tiers: &Tiers, month| tiers.share(tiers.fee_ratio, month);
        let default = Tiers::default();
        self.book.tiers.iter().chain([&default]).any(|tiers| share(tiers, before) != share(tiers, after))
    }
}

impl Totals {
    fn key(&self) -> SumsKey {
        (self.period, self.category.unwrap_or(Category::Generic), self.currency.unwrap_or(Currency::CNY))
    }

    fn enter(&mut self, entry: &Entry, takes_away: bool) {
        let count = |count: &mut u64, counts: bool| {
            let by = u64::from(counts);
            *count = if takes_away { count.saturating_sub(by) } else { *count + by };
        };
        count(&mut self.lines, true);
        count(&mut self.not_computed, entry.columns.is_none());
        count(&mut self.estimated, entry.estimated);
        let Some(columns) = entry.columns else { return };
        let Columns { sales, voucher, fee, tier_bonus, tax, refund, adjustment, net } = columns;
        let amounts = [sales, voucher, fee, tier_bonus, tax, refund, adjustment, net];
        for (sum, amount) in self.sums.iter_mut().zip(amounts) {
            *sum = if takes_away { sum.take_away(amount) } else { sum.add(amount) };
        }
    }

    fn row(&self, seller: &SellerId, (period, category, currency): SumsKey) -> PeriodRow {
        let [sales, voucher, fee, tier_bonus, tax, refund, adjustment, net] = self.sums.map(Exact::value);
        PeriodRow {
            seller: seller.clone(),
            period,
            category,
            currency,
            lines: self.lines,
            not_computed: self.not_computed,
            estimated: self.estimated,
            sums: Columns { sales, voucher, fee, tier_bonus, tax, refund, adjustment, net },
        }
    }
}

/// The days that ship with this version, and those that the seller's terms add.
fn working_days(catalog: &Catalog) -> WorkingDays {
    let mut days = WorkingDays::china().clone();
    if let Some(dated) = catalog.latest_seller_terms() {
        // The text was read when the terms were given; one that this version cannot read changes nothing.
        if let Err(error) = days.extend(&dated.terms.working_days) {
            tracing::warn!(%error, "the working days of a seller's terms are left out");
        }
    }
    days
}

fn month_key(name: &str) -> Result<(Period, Sku), StoreError> {
    let (period, sku) = name.split_once('/').unwrap_or((name, ""));
    let key = Period::parse(period).ok().zip(Sku::parse(sku).ok());
    key.ok_or_else(|| StoreError::Damaged { reason: format!("{name:?} is not a product's month") })
}

/// All documents of a kind, which are few.
async fn all(
    store: &dyn BillingStore,
    seller: &SellerId,
    kind: &'static str,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut found: Vec<(String, String)> = vec![];
    loop {
        let after = found.last().map(|(name, _)| name.as_str());
        let page = store.documents_after(seller, kind, after, PAGE).await?;
        let is_last = page.len() < PAGE;
        found.extend(page.into_iter().map(|(key, text)| (key.name, text)));
        if is_last {
            return Ok(found);
        }
    }
}
