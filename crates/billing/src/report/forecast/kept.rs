//! Sums that the store keeps, without the lines that are read one by one.

use std::collections::BTreeMap;

use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::forecast::{Gathering, Sum};
use chopmark_domain::settlement::money::{Currency, Money};
use chopmark_domain::settlement::product::Category;
use chrono::NaiveDate;

use crate::report::ReportError;
use crate::rows::{AgeRow, LineRow};

/// Lines that wait for the run of their bill at most, by period, tab, currency and the day since which they are open.
#[derive(Default)]
pub(super) struct Kept(BTreeMap<(Period, Category, Currency, Option<NaiveDate>), Totals>);

struct Totals {
    lines: u64,
    not_computed: u64,
    estimated: u64,
    stated_sum: Money,
    estimated_sum: Money,
    rounded_sum: Money,
}

impl Kept {
    pub(super) fn of(ages: &[AgeRow]) -> Result<Self, ReportError> {
        let mut kept = Self::default();
        for age in ages {
            let AgeRow { period, category, currency, open_since, lines, not_computed, estimated, .. } = *age;
            let stated_sum = Money::new(age.stated_sum, currency)?;
            let estimated_sum = Money::new(age.estimated_sum, currency)?;
            let rounded_sum = Money::new(age.rounded_sum, currency)?;
            let totals = Totals { lines, not_computed, estimated, stated_sum, estimated_sum, rounded_sum };
            kept.0.insert((period, category, currency, open_since), totals);
        }
        Ok(kept)
    }

    /// A line is judged by itself.
    pub(super) fn take_out(&mut self, row: &LineRow) -> Result<(), ReportError> {
        let Some(age) = AgeRow::of(row) else { return Ok(()) };
        let place = (age.period, age.category, age.currency, age.open_since);
        let Some(totals) = self.0.get_mut(&place) else { return Ok(()) };
        totals.lines = totals.lines.saturating_sub(age.lines);
        totals.not_computed = totals.not_computed.saturating_sub(age.not_computed);
        totals.estimated = totals.estimated.saturating_sub(age.estimated);
        totals.stated_sum = totals.stated_sum.minus(Money::new(age.stated_sum, age.currency)?)?;
        totals.estimated_sum = totals.estimated_sum.minus(Money::new(age.estimated_sum, age.currency)?)?;
        totals.rounded_sum = totals.rounded_sum.minus(Money::new(age.rounded_sum, age.currency)?)?;
        Ok(())
    }

    /// What is left goes into a forecast.
    pub(super) fn hand_over(self, gathering: &mut Gathering) -> Result<(), ReportError> {
        for ((period, category, _, open_since), totals) in self.0 {
            if totals.lines > 0 {
                let rounded = totals.rounded_sum;
                gathering.take_up_sum((period, category), open_since, &totals.sum(), rounded)?;
            }
        }
        Ok(())
    }
}

impl Totals {
    fn sum(self) -> Sum {
        let Self { lines, not_computed, estimated, stated_sum, estimated_sum, .. } = self;
        let stated = lines.saturating_sub(not_computed).saturating_sub(estimated);
        // A sum beyond 28 digits was rounded: what no line is left of is nothing, to the last digit.
        let of = |lines: u64, sum: Money| if lines > 0 { sum } else { Money::zero(sum.currency()) };
        let count = |lines: u64| usize::try_from(lines).unwrap_or(usize::MAX);
        Sum {
            stated: of(stated, stated_sum),
            estimated: of(estimated, estimated_sum),
            lines: count(lines),
            lines_not_computed: count(not_computed),
        }
    }
}
