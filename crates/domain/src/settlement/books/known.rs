//! One line of a case: what its facts and the terms in force say of it together.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::{Books, LineFacts, Named, Part};
use crate::catalog::ProductTerms;
use crate::ids::{OrderId, OrderLineId, ProductId, Sku};
use crate::order::{ChargingMode, OrderType};
use crate::settlement::calendar::Period;
use crate::settlement::money::Currency;
use crate::settlement::policy::Policy;
use crate::settlement::product::{AccessType, Billed, Category, LineType, billed_as};
use crate::settlement::readiness::OnBill;
use crate::settlement::statement::{self, StatedFacts, Subject, When};
use crate::settlement::terms::{SellerTerms, product_at, seller_at};

/// A line with the terms that it is settled by.
pub(super) struct Known<'a> {
    pub(super) line_id: String,
    pub(super) subject: &'a Subject,
    pub(super) facts: &'a LineFacts,
    pub(super) line_type: LineType,
    pub(super) seller: &'a SellerTerms,
    /// `None` while the product, or what it is settled by, is not known.
    pub(super) product: Option<&'a ProductTerms>,
    /// Whether the seller is certified, by what was said last.
    pub(super) certified: Option<bool>,
}

impl<'a> Known<'a> {
    /// What is known of a line; `None` if it never is on a bill.
    pub(super) fn of(subject: &'a Subject, facts: &'a LineFacts, books: &Books<'a>) -> Option<Self> {
        let line_type = match kind(subject, facts) {
            Billed::As(line_type) => line_type,
            Billed::Unknown => LineType::Unknown,
            Billed::Never => return None,
        };
        let at = moment(subject, facts);
        let sku = sku(subject, facts);
        Some(Self {
            line_id: line_id(subject),
            subject,
            facts,
            line_type,
            seller: seller_at(books.catalog, at),
            product: sku.and_then(|sku| product_at(books.catalog, sku, at)),
            certified: books.catalog.latest_seller_terms().map(|dated| dated.terms.certified),
        })
    }

    /// Whether it must be shown: hours of what is not sold by the hour are no consumption until somebody says so.
    pub(super) fn is_shown(&self) -> bool {
        let only_seen = self.consumed_in().is_some() && self.facts.stated == StatedFacts::default();
        !only_seen || self.hourly_price().is_some()
    }

    /// The price of an hour of an image.
    pub(super) fn hourly_price(&self) -> Option<Decimal> {
        self.product?.settlement.hourly_price
    }

    pub(super) fn policy(&self) -> &'a Policy {
        &self.seller.policy
    }

    pub(super) fn order_id(&self) -> Option<&'a OrderId> {
        if let Subject::OrderLine { order_id, .. } = self.subject { Some(order_id) } else { None }
    }

    pub(super) fn order_line_id(&self) -> Option<&'a OrderLineId> {
        if let Subject::OrderLine { order_line_id, .. } = self.subject { Some(order_line_id) } else { None }
    }

    /// The month of consumption, for what has one.
    pub(super) fn consumed_in(&self) -> Option<Period> {
        if let Subject::Usage { period, .. } = self.subject { Some(*period) } else { None }
    }

    pub(super) fn sku(&self) -> Option<&'a Sku> {
        sku(self.subject, self.facts)
    }

    pub(super) fn product_id(&self) -> Option<&'a ProductId> {
        let answered = || self.facts.order.as_ref()?.product_id.as_ref();
        self.facts.stated.product_id.as_ref().or_else(answered)
    }

    pub(super) fn mode(&self) -> Option<ChargingMode> {
        let consumed = self.consumed_in().map(|_| ChargingMode::OnDemand);
        mode(self.facts).or(consumed)
    }

    pub(super) fn category(&self) -> Option<Category> {
        self.facts.stated.category.or(self.product.map(|terms| terms.settlement.category))
    }

    pub(super) fn access(&self) -> Option<AccessType> {
        self.product.map(|terms| terms.settlement.access_type(terms.kind))
    }

    /// Whether its product passes acceptance by agreement, where both kinds exist.
    pub(super) fn agreed_supervision(&self) -> bool {
        self.product.is_some_and(|terms| terms.settlement.supervised)
    }

    pub(super) fn currency(&self) -> Currency {
        self.facts.stated.currency.unwrap_or(self.seller.site.currency())
    }

    /// What the marketplace said of its bill.
    pub(super) fn on_bill(&self) -> OnBill {
        match self.facts.stated.billed {
            Some(statement::Billed::On(period)) => OnBill::Billed(period),
            Some(statement::Billed::NotYet) => OnBill::Unbilled,
            None => OnBill::Unknown,
        }
    }

    pub(super) fn is_withdrawn(&self) -> bool {
        self.facts.stated.withdrawn == Some(true)
    }

    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.facts.order.as_ref()?.expires_at
    }

    /// The first callback that named it, as what it is: something sold, or something given back.
    pub(super) fn named(&self) -> Option<&'a Named> {
        let gives_back = self.line_type == LineType::Refund;
        self.facts.named.iter().find(|named| takes_back(named.part) == gives_back)
    }

    /// When it was bought: ordered, or named by a callback.
    pub(super) fn bought_at(&self) -> Option<DateTime<Utc>> {
        let ordered = self.facts.order.as_ref().and_then(|order| order.ordered_at);
        ordered.or(self.named().map(|named| named.acknowledged_at))
    }
}

/// Names the line for ever.
fn line_id(subject: &Subject) -> String {
    match subject {
        Subject::OrderLine { order_line_id, .. } => order_line_id.to_string(),
        Subject::Usage { sku, period } => format!("usage/{sku}/{period}"),
    }
}

fn sku<'a>(subject: &'a Subject, facts: &'a LineFacts) -> Option<&'a Sku> {
    let of_subject = if let Subject::Usage { sku, .. } = subject { Some(sku) } else { None };
    let answered = || facts.order.as_ref()?.sku.as_ref();
    of_subject.or(facts.stated.sku.as_ref()).or_else(answered)
}

fn mode(facts: &LineFacts) -> Option<ChargingMode> {
    facts.stated.charging_mode.or(facts.order.as_ref().map(|order| order.charging_mode))
}

/// The moment whose terms hold: when it was ordered, or took effect, or was heard of; of consumption, the end of its
/// month, for the bill sums the month up.
fn moment(subject: &Subject, facts: &LineFacts) -> DateTime<Utc> {
    if let Subject::Usage { period, .. } = subject {
        return last_second(*period);
    }
    let effective = if let Some(When::At(at)) = facts.stated.effective { Some(at) } else { None };
    let ordered = facts.order.as_ref().and_then(|order| order.ordered_at);
    ordered.or(effective).unwrap_or(facts.first_seen)
}

/// The last second of a month.
pub(super) fn last_second(period: Period) -> DateTime<Utc> {
    let end = period.bounds().end;
    end.checked_sub_signed(TimeDelta::seconds(1)).unwrap_or(end)
}

/// The amount that the marketplace gives a line, with its sign.
pub(super) fn amount(facts: &LineFacts) -> Option<Decimal> {
    let answered = facts.order.as_ref().and_then(|order| order.deal_amount.or(order.amount));
    facts.stated.sales_amount.or(answered)
}

/// What a line is: as stated, else by the kind of order that the open API says, else by the callback that named it.
/// An order of something charged by use costs nothing by itself: its consumption does.
pub(super) fn kind(subject: &Subject, facts: &LineFacts) -> Billed {
    if let Some(line_type) = facts.stated.line_type {
        return Billed::As(line_type);
    }
    if matches!(subject, Subject::Usage { .. }) {
        return Billed::As(LineType::Usage);
    }
    let answered = facts.order.as_ref().map(|order| order.order_type).filter(|kind| *kind != OrderType::Other);
    let sold = facts.named.iter().find(|named| !takes_back(named.part)).or(facts.named.first());
    let Some(order_type) = answered.or(sold.map(|named| order_type(named.part))) else { return Billed::Unknown };
    // Without an answer, it is the part that tells; the mode parts only new orders.
    let mode = mode(facts).unwrap_or(ChargingMode::Period);
    let amount = amount(facts);
    match billed_as(order_type, mode, amount) {
        Billed::As(LineType::Usage) if amount.is_none_or(|amount| amount.is_zero()) => Billed::Never,
        billed => billed,
    }
}

fn order_type(part: Part) -> OrderType {
    match part {
        Part::Purchase => OrderType::New,
        Part::Renewal => OrderType::Renew,
        Part::Conversion => OrderType::TrialToFormal,
        Part::Change => OrderType::Change,
        Part::RenewalCancelled | Part::Release => OrderType::Unsubscribe,
    }
}

/// Whether an order of a part gives back what another one bought.
pub(super) fn takes_back(part: Part) -> bool {
    matches!(part, Part::RenewalCancelled | Part::Release)
}
