//! What refunds give back, and of which lines: as stated, else inferred from the license that was given back.

mod originals;
mod portions;

use chrono::{DateTime, Utc};

use self::originals::originals;
use self::portions::shares;
pub(super) use self::portions::{Given, Portion};
use super::Part;
use super::conditions::{effective, rule};
use super::known::{Known, amount};
use super::sale::Sale;
use crate::settlement::marked::{Happening, Mark, Marked};
use crate::settlement::money::Money;
use crate::settlement::product::LineType;
use crate::settlement::readiness::Supervision;
use crate::settlement::refund::prorated::{self, Unused};
use crate::settlement::refund::rules::{Answer, Grounds, Request, answer};

/// A refund of one line, or of part of it. A refund of an instance makes one for each of its orders.
pub(super) struct Return<'k, 'a> {
    pub(super) refund: &'k Known<'a>,
    pub(super) line_id: String,
    /// When it was granted.
    pub(super) at: Option<Marked<DateTime<Utc>>>,
    /// The line that is given back, by its place among the sales; `None` if it is not known.
    pub(super) original: Option<usize>,
    /// What is given back of it; `None` while that cannot be said.
    pub(super) given: Option<Given>,
    /// Whether nothing is left of the line.
    pub(super) completes: bool,
    /// What the rules say to it.
    pub(super) rule: Option<Answer>,
}

/// The sales with what was given back of each so far.
struct Ledger<'k, 'a> {
    sales: &'k [Sale<'a>],
    returned: Vec<Portion>,
    refunds: &'k [Known<'a>],
}

/// Everything that the refunds of a case give back, earliest first.
pub(super) fn pair<'k, 'a>(refunds: &'k [Known<'a>], sales: &'k [Sale<'a>]) -> Vec<Return<'k, 'a>> {
    let mut ledger = Ledger { sales, returned: vec![Portion::default(); sales.len()], refunds };
    ledger.take_downgrades();
    let mut ordered: Vec<_> = refunds.iter().map(|refund| (effective(refund).at(), refund)).collect();
    ordered.sort_by_key(|(at, refund)| {
        let first = refund.facts.sources.first().map(|source| source.position);
        (at.map_or(DateTime::<Utc>::MAX_UTC, |at| at.value), first, refund.line_id.clone())
    });
    ordered.into_iter().flat_map(|(at, refund)| ledger.give_back(refund, at)).collect()
}

impl<'k, 'a> Ledger<'k, 'a> {
    /// A downgrade has given back a part of what it changed.
    fn take_downgrades(&mut self) {
        for sale in self.sales.iter().filter(|sale| sale.known.line_type == LineType::Downgrade) {
            let at = sale.effective_at();
            let changed = originals(&sale.known, at, self.sales, self.refunds);
            if let (Some(&original), Some(portion)) = (changed.first(), Portion::whole_of(&sale.gross)) {
                self.returned[original] = self.returned[original].plus(portion.abs());
            }
        }
    }

    /// What is left of a sale; `None` if it is not known what it cost.
    fn rest(&self, sale: usize) -> Option<Portion> {
        Some(Portion::whole_of(&self.sales[sale].gross)?.minus(self.returned[sale]))
    }

    fn give_back(&mut self, refund: &'k Known<'a>, at: Option<Marked<DateTime<Utc>>>) -> Vec<Return<'k, 'a>> {
        let moment = at.map(|at| at.value);
        let mut originals = originals(refund, moment, self.sales, self.refunds);
        let mut made = Return {
            refund,
            line_id: refund.line_id.clone(),
            at,
            original: None,
            given: None,
            completes: false,
            rule: None,
        };
        if originals.is_empty() {
            return vec![made];
        }
        originals.retain(|sale| !self.sales[*sale].known.is_withdrawn());
        let left = |sale: &usize| self.rest(*sale).is_none_or(|rest| !rest.is_nothing());
        if refund.facts.stated.original_order_line_id.is_none() && originals.iter().any(left) {
            originals.retain(left);
        }
        // What was withdrawn never was on a bill, and neither is what undoes it.
        let Some(&first) = originals.first() else { return vec![] };
        made.rule = moment.map(|at| self.answer(first, at));
        let gives = self.gives(refund, &originals, made.rule, moment);
        let is_full = matches!(made.rule, Some(Answer::Full(_)));
        let Some(gives) = gives else {
            return vec![Return { original: Some(first), completes: is_full, ..made }];
        };
        let mut returns = vec![];
        for (n, (sale, portion, mark)) in gives.into_iter().enumerate() {
            let line_id = match self.sales[sale].known.order_line_id() {
                Some(original) if n > 0 => format!("{}/{original}", refund.line_id),
                _ => refund.line_id.clone(),
            };
            let before = self.returned[sale];
            self.returned[sale] = before.plus(portion);
            returns.push(Return {
                refund,
                line_id,
                at,
                original: Some(sale),
                given: Some(Given { before, portion, mark }),
                completes: self.rest(sale).is_some_and(Portion::is_nothing),
                rule: made.rule,
            });
        }
        returns
    }

    /// What comes back of which sale: as reported, else by the rules where those leave no choice; `None` if it cannot be
    /// said.
    fn gives(
        &self,
        refund: &Known<'_>,
        originals: &[usize],
        rule: Option<Answer>,
        at: Option<DateTime<Utc>>,
    ) -> Option<Vec<(usize, Portion, Mark)>> {
        let rests: Vec<_> = originals.iter().filter_map(|sale| Some((*sale, self.rest(*sale)?))).collect();
        let (&first, &(known, rest)) = (originals.first()?, rests.first()?);
        if known != first {
            return None;
        }
        if let Some(gross) = amount(refund.facts) {
            return shares(&rests, gross, refund.facts.stated.voucher_amount);
        }
        match rule? {
            Answer::Full(_) => {
                let cancels = refund.named().is_some_and(|named| named.part == Part::RenewalCancelled);
                let taken = if cancels { &rests[..1] } else { &rests[..] };
                Some(taken.iter().map(|(sale, rest)| (*sale, *rest, Mark::Estimate)).collect())
            }
            Answer::Prorated => Some(vec![(first, self.prorated(first, rest, at?)?, Mark::Estimate)]),
            Answer::Negotiable | Answer::Refused(_) | Answer::Unknown => None,
        }
    }

    /// What the rules say to a sale being given back at a moment. What never took effect comes back whole (S35).
    fn answer(&self, sale: usize, at: DateTime<Utc>) -> Answer {
        let Sale { known, conditions, .. } = &self.sales[sale];
        if conditions.effective == Happening::NotYet {
            return Answer::Full(Grounds::NotEffective);
        }
        let accepted_at = match conditions.supervision {
            Supervision::Until(done) => done.at().map(|at| at.value),
            Supervision::NotApplicable => None,
        };
        answer(&Request {
            rule: rule(known),
            is_renewal: known.line_type == LineType::Renew,
            effective: conditions.effective,
            accepted_at,
            expires_at: known.expires_at(),
            at,
        })
    }

    /// The hours that were not used, before a handling fee that nobody stated.
    fn prorated(&self, sale: usize, rest: Portion, at: DateTime<Utc>) -> Option<Portion> {
        let sale = &self.sales[sale];
        let unused = Unused {
            paid: Money::new(rest.paid(), sale.gross.currency).ok()?,
            handling_fee: None,
            bought_at: sale.effective_at()?,
            expires_at: sale.known.expires_at()?,
            refunded_at: at,
        };
        let refund = prorated::refund(&unused).ok()?.refund.value;
        Some(Portion::of(refund.amount.amount()))
    }
}
