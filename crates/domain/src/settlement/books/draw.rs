//! From what is known of a case to its settlement lines.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::amount::{self, Formula, Settled};
use super::gross::Gross;
use super::known::{Known, amount as amount_of};
use super::place::{self, Placed, Refunded};
use super::returns::{Portion, Return, pair};
use super::sale::Sale;
use super::tier::{self, Tier};
use super::{Books, Case, Drawn, LineFacts, conditions, unnamed};
use crate::settlement::calendar::Period;
use crate::settlement::explanation::Explanation;
use crate::settlement::line::SettlementLine;
use crate::settlement::marked::{Happening, Marked};
use crate::settlement::money::Money;
use crate::settlement::product::LineType;
use crate::settlement::readiness::{self, Conditions, Missing, OnBill, Supervision};
use crate::settlement::refund;
use crate::stream::LicenseId;

/// The lines of a case, in the order of their ids. Trials and orders that were withdrawn make none.
#[must_use]
pub fn draw_up(case: &Case, books: &Books<'_>) -> Vec<Drawn> {
    let known = case.lines.iter().filter_map(|(subject, facts)| Known::of(subject, facts, books));
    let (mut refunds, sold): (Vec<_>, Vec<_>) = known.partition(|known| known.line_type == LineType::Refund);
    let unnamed = unnamed::named_by_their_originals(case);
    let unnamed = unnamed.iter().filter_map(|(subject, facts)| unnamed::refund(subject, facts, &refunds, books));
    let unnamed: Vec<_> = unnamed.collect();
    refunds.extend(unnamed);
    refunds.retain(|refund| !refund.is_withdrawn());
    let sales: Vec<_> = sold.into_iter().filter(Known::is_shown).map(Sale::of).collect();
    let returns = pair(&refunds, &sales);
    let for_nothing = unnamed::licenses_for_nothing(case);
    let lost = returns.iter().filter(|given| given.original.is_none() && !is_for_nothing(given, &for_nothing));
    let mut drawn: Vec<_> = lost.map(|given| self::lost(given, books)).collect();
    for (n, sale) in sales.iter().enumerate().filter(|(_, sale)| !sale.known.is_withdrawn()) {
        let returns: Vec<_> = returns.iter().filter(|given| given.original == Some(n)).collect();
        let placed = place::sale(sale, &returns, books);
        let sold = Sold::of(sale, &placed, books);
        for (given, refunded) in returns.iter().zip(&placed.refunds) {
            drawn.push(sold.given_back(given, *refunded));
        }
        drawn.push(sold.drawn());
    }
    drawn.sort_by(|a, b| a.line.line_id.cmp(&b.line.line_id));
    drawn
}

/// Whether a refund gives nothing back: of a trial, or of what is charged by use.
fn is_for_nothing(given: &Return<'_, '_>, licenses: &BTreeSet<&LicenseId>) -> bool {
    let LineFacts { stated, .. } = given.refund.facts;
    let license = given.refund.named().map(|named| &named.license);
    stated.original_order_line_id.is_none()
        && amount_of(given.refund.facts).is_none_or(|amount| amount.is_zero())
        && license.is_some_and(|license| licenses.contains(license))
}

/// A sale with all that is worked out for it.
struct Sold<'s, 'a> {
    sale: &'s Sale<'a>,
    placed: &'s Placed,
    formula: Result<Formula, Missing>,
    tier: Tier,
    settled: Result<Settled, Missing>,
}

impl<'s, 'a> Sold<'s, 'a> {
    fn of(sale: &'s Sale<'a>, placed: &'s Placed, books: &Books<'_>) -> Self {
        let Sale { known, conditions, gross, .. } = sale;
        let formula = Formula::of(known);
        let fee = formula.ok().and_then(Formula::fee);
        let tier = tier::of_sale(known, gross, conditions, placed.period, fee, books);
        let settled = formula.and_then(|formula| amount::settle(known, gross, formula, tier.ratio));
        Self { sale, placed, formula, tier, settled }
    }

    fn drawn(self) -> Drawn {
        let Sale { known, conditions, gross, .. } = self.sale;
        let stated = &known.facts.stated;
        let money = |amount: Option<Decimal>| amount.map(Marked::stated);
        let mut missing = readiness::missing(conditions);
        missing.extend((known.line_type == LineType::Unknown).then_some(Missing::LineType));
        missing.extend(gross.sales.is_none().then_some(Missing::SalesAmount));
        let is_a_sale = known.line_type != LineType::Adjustment;
        missing.extend((known.product.is_none() && is_a_sale).then_some(Missing::ProductTerms));
        missing.extend(self.formula.as_ref().err());
        missing.extend(self.settled.as_ref().err());
        let settled = self.settled.ok();
        let line = SettlementLine {
            period: self.placed.period,
            settle_ready_at: readiness::ready_at(conditions, known.policy()),
            sales_amount: gross.sales,
            voucher_amount: gross.voucher,
            fee_ratio: self.formula.ok().and_then(Formula::fee).or(stated.fee_ratio),
            tier_ratio: self.tier.ratio,
            customer_wht: money(stated.customer_wht),
            seller_tax: money(stated.seller_tax),
            settle_amount: settled
                .as_ref()
                .map(|settled| Marked { value: settled.original.settled.amount(), mark: settled.mark }),
            ..line(known, known, conditions)
        };
        Drawn {
            conditions: *conditions,
            on_bill: known.on_bill(),
            explanation: settled.map(|settled| settled.explanation),
            counted: self.tier.counted,
            tier_of: self.tier.of,
            with_refund: self.placed.with_refund,
            ..finish(line, missing, known)
        }
    }

    /// A refund of it.
    fn given_back(&self, given: &Return<'_, '_>, placed: Refunded) -> Drawn {
        let (original, refund) = (&self.sale.known, given.refund);
        let own = conditions::of(refund);
        let conditions = if placed.waits { self.sale.conditions } else { own };
        let conditions = Conditions { five_day_refund: false, ..conditions };
        let mut missing = readiness::missing(&conditions);
        let settled = self.taken_back(given).map_err(|fact| missing.push(fact)).ok();
        let currency = refund.facts.stated.currency.unwrap_or(self.sale.gross.currency);
        let shown = Gross::of(refund);
        let (sales, voucher) = match given.given {
            Some(given) => {
                let negative = |value: Decimal| Marked { value: -value, mark: given.mark };
                let voucher = (!given.portion.voucher.is_zero()).then(|| negative(given.portion.voucher));
                (Some(negative(given.portion.gross)), voucher)
            }
            None => (shown.sales, shown.voucher),
        };
        let ready = [readiness::ready_at(&conditions, refund.policy()), given.at];
        let latest = ready.iter().flatten().max_by_key(|at| at.value).copied();
        let line = SettlementLine {
            line_id: given.line_id.clone(),
            period: placed.period,
            currency,
            original_order_line_id: original.order_line_id().cloned(),
            settle_ready_at: latest.filter(|_| ready[0].is_some()),
            sales_amount: sales,
            voucher_amount: voucher,
            fee_ratio: self.formula.as_ref().ok().and_then(|formula| formula.fee()),
            tier_ratio: self.tier.ratio,
            settle_amount: settled.as_ref().map(|(amount, _)| *amount),
            ..line(refund, original, &own)
        };
        let paid = given.given.and_then(|given| Money::new(given.portion.paid(), currency).ok());
        let mut drawn = Drawn {
            conditions,
            on_bill: refund.on_bill(),
            explanation: settled.map(|(_, explanation)| explanation),
            counted: tier::of_refund(original, &own, placed.period, paid),
            tier_of: self.tier.of.clone(),
            refund_rule: given.rule,
            ..finish(line, missing, refund)
        };
        drawn.sources.extend(original.facts.sources.iter().cloned());
        drawn.sources.sort();
        drawn.sources.dedup();
        drawn
    }

    /// What a refund takes back of the settlement.
    fn taken_back(&self, given: &Return<'_, '_>) -> Result<(Marked<Decimal>, Explanation), Missing> {
        let Settled { original, mark, .. } = self.settled.as_ref().map_err(|_| Missing::OriginalAmount)?;
        let given_back = given.given.ok_or(Missing::SalesAmount)?;
        let currency = given.refund.facts.stated.currency.unwrap_or(self.sale.gross.currency);
        let money = |portion: Portion, currency| portion.returned(currency).map_err(|_| Missing::UsableAmounts);
        let (before, now) = (money(given_back.before, self.sale.gross.currency)?, money(given_back.portion, currency)?);
        let explained = refund::amount::settle(original, &before, &now).map_err(|_| Missing::UsableAmounts)?;
        let mark = (*mark).min(given_back.mark);
        Ok((Marked { value: explained.amount.amount(), mark }, explained.explanation))
    }
}

/// A refund of something that is not known here.
fn lost(given: &Return<'_, '_>, books: &Books<'_>) -> Drawn {
    let refund = given.refund;
    let own = conditions::of(refund);
    let shown = Gross::of(refund);
    let mut missing = readiness::missing(&own);
    missing.push(Missing::OriginalLine);
    missing.extend(shown.sales.is_none().then_some(Missing::SalesAmount));
    let line = SettlementLine {
        period: place::alone(given, books),
        original_order_line_id: refund.facts.stated.original_order_line_id.clone(),
        settle_ready_at: readiness::ready_at(&own, refund.policy()),
        sales_amount: shown.sales,
        voucher_amount: shown.voucher,
        fee_ratio: refund.facts.stated.fee_ratio,
        ..line(refund, refund, &own)
    };
    Drawn { conditions: own, on_bill: refund.on_bill(), ..finish(line, missing, refund) }
}

/// What a line says of itself; `of` is what it is about, if it does not say that: the original of a refund.
fn line(known: &Known<'_>, of: &Known<'_>, conditions: &Conditions) -> SettlementLine {
    let accepted = match conditions.supervision {
        Supervision::Until(done) => done,
        Supervision::NotApplicable => Happening::Unknown,
    };
    SettlementLine {
        line_id: known.line_id.clone(),
        period: None::<Period>,
        bill_id: if let OnBill::Billed(period) = known.on_bill() { Some(period.to_string()) } else { None },
        product_category: known.category().or(of.category()),
        order_id: known.order_id().cloned(),
        order_line_id: known.order_line_id().cloned(),
        original_order_line_id: known.facts.stated.original_order_line_id.clone(),
        line_type: known.line_type,
        sku_code: known.sku().or(of.sku()).cloned(),
        product_id: known.product_id().or(of.product_id()).cloned(),
        charging_mode: known.mode().or(of.mode()),
        customer_id: known.facts.stated.customer_id.clone().or(of.facts.stated.customer_id.clone()),
        effective_at: conditions.effective.at(),
        paid_at: conditions.paid_in_full.at(),
        supervision_done_at: accepted.at(),
        settle_ready_at: None,
        currency: known.currency(),
        sales_amount: None,
        voucher_amount: None,
        fee_ratio: None,
        tier_ratio: None,
        customer_wht: None,
        seller_tax: None,
        settle_amount: None,
        blocked_reason: None,
        bill_state: None,
        payment_request_no: None,
        invoice_no: None,
    }
}

/// A drawn line without what is worked out for it.
fn finish(line: SettlementLine, mut missing: Vec<Missing>, known: &Known<'_>) -> Drawn {
    missing.sort_unstable();
    missing.dedup();
    let line = line.written();
    Drawn {
        columns: line.columns(),
        line,
        conditions: conditions::of(known),
        on_bill: OnBill::Unknown,
        explanation: None,
        missing,
        counted: None,
        tier_of: None,
        open_since: known.facts.first_seen,
        sources: known.facts.sources.clone(),
        with_refund: false,
        refund_rule: None,
    }
}
