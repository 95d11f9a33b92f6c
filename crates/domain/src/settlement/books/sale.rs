//! Something sold, before it is known what of it was given back.

use chrono::{DateTime, Utc};

use super::conditions;
use super::gross::Gross;
use super::known::Known;
use crate::settlement::calendar::Period;
use crate::settlement::readiness::{Conditions, ready_at};

/// A line that is no refund.
pub(super) struct Sale<'a> {
    pub(super) known: Known<'a>,
    pub(super) conditions: Conditions,
    pub(super) gross: Gross,
    /// The period that it would be settled in by itself; `None` while that cannot be said.
    pub(super) ready_in: Option<Period>,
}

impl<'a> Sale<'a> {
    pub(super) fn of(known: Known<'a>) -> Self {
        let conditions = conditions::of(&known);
        let ready_in = ready_at(&conditions, known.policy()).map(|ready| Period::of(ready.value));
        let gross = Gross::of(&known);
        Self { known, conditions, gross, ready_in }
    }

    /// When it takes effect, if that is known.
    pub(super) fn effective_at(&self) -> Option<DateTime<Utc>> {
        self.conditions.effective.at().map(|at| at.value)
    }
}
