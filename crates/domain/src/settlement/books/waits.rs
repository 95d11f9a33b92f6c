//! What a drawn line waits for at a moment.

use chrono::{DateTime, Utc};

use super::Drawn;
use crate::settlement::calendar::working_days::WorkingDays;
use crate::settlement::policy::{Guarantee, Policy};
use crate::settlement::readiness::{Blocked, Missing, OnBill, Readiness, assess, ready_at};
use crate::settlement::terms::SellerTerms;

impl Drawn {
    /// When the line is settled and what it waits for at a moment, by the terms that the seller has then. Beyond
    /// [`assess`] it knows what the books decided: its bill may be that of its refund, or the one after a closed month.
    #[must_use]
    pub fn waits(&self, seller: &SellerTerms, working_days: &WorkingDays, now: DateTime<Utc>) -> Readiness {
        let schedule = seller.schedule(working_days);
        let mut conditions = self.conditions;
        conditions.seller_certified = conditions.seller_certified.map(|_| seller.certified);
        let mut readiness = assess(&conditions, self.on_bill, &self.policy(&seller.policy), &schedule, now);
        let period = self.line.period;
        let cannot_be_billed = conditions.seller_certified == Some(false);
        readiness.ready_at = self.line.settle_ready_at;
        readiness.period = self.line.settle_ready_at.and(readiness.period);
        readiness.expected = match self.on_bill {
            OnBill::Billed(period) => Some(period),
            OnBill::Unknown if !cannot_be_billed => period,
            OnBill::Unbilled | OnBill::Unknown => period.map(|period| period.max(schedule.open_period(now))),
        };
        readiness.run = readiness.expected.map(|period| schedule.run(period));
        readiness.missing.clone_from(&self.missing);
        if !matches!(self.on_bill, OnBill::Billed(_)) {
            readiness.blocked.retain(|reason| self.still_waits_for(*reason));
            let unknown =
                self.missing.contains(&Missing::LineType) && !readiness.blocked.contains(&Blocked::FactsMissing);
            readiness.blocked.extend(unknown.then_some(Blocked::FactsMissing));
            let runs_later = readiness.run.is_some_and(|run| now < run.starts_at());
            readiness.blocked.extend((readiness.blocked.is_empty() && runs_later).then_some(Blocked::RunNotReached));
        }
        readiness
    }

    fn still_waits_for(&self, reason: Blocked) -> bool {
        match reason {
            Blocked::RunNotReached => false,
            Blocked::SellerNotCertified => true,
            _ => !self.with_refund,
        }
    }

    /// The policy of now, but for the guarantee period: whether that held it back was decided when the line was drawn up.
    fn policy(&self, policy: &Policy) -> Policy {
        let held = Policy { guarantee: Guarantee::Held, ..policy.clone() };
        let open = Policy { guarantee: Guarantee::NotHeld, ..held.clone() };
        let ready = self.line.settle_ready_at;
        if ready == ready_at(&self.conditions, &held) && ready != ready_at(&self.conditions, &open) {
            held
        } else {
            open
        }
    }
}
