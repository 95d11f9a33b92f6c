//! How a stored line stands at a moment.

use chopmark_domain::settlement::readiness::Readiness;
use chrono::{DateTime, Utc};

use super::Rules;
use crate::rows::LineRow;

/// When a line is settled, and what it waits for. A closed month stands: its lines wait for nothing.
pub(crate) fn stand(row: &LineRow, rules: &Rules, now: DateTime<Utc>) -> Readiness {
    let mut readiness = row.drawn.waits(&rules.terms, &rules.working_days, now);
    if let Some(closed) = row.closed_in {
        readiness.expected = Some(closed);
        readiness.run = Some(rules.schedule().run(closed));
        readiness.blocked.clear();
    }
    readiness
}

#[cfg(test)]
mod tests {
    use chopmark_domain::catalog::Catalog;
    use chopmark_domain::settlement::marked::{Happening, Marked};
    use chopmark_domain::settlement::readiness::{Missing, OnBill, Supervision};

    use super::*;
    use crate::contract::samples;

    /// Lines in every state that decides, all of May 2024.
    fn lines() -> Vec<LineRow> {
        let at = Happening::At(Marked::stated("2024-05-05T02:00:00Z".parse().unwrap()));
        let moments = [at, Happening::NotYet, Happening::Unknown];
        let may = samples::month("202405");
        let mut lines = vec![];
        for n in 0..3 * 3 * 4 * 3 * 3 * 2 * 2 * 2 {
            let mut row = samples::bare_line("line");
            let drawn = &mut row.drawn;
            drawn.line.settle_ready_at = Some(Marked::stated("2024-05-05T02:00:00Z".parse().unwrap()));
            drawn.conditions.effective = moments[n % 3];
            drawn.conditions.paid_in_full = moments[n / 3 % 3];
            drawn.conditions.supervision =
                moments.get(n / 9 % 4).map_or(Supervision::NotApplicable, |at| Supervision::Until(*at));
            drawn.conditions.seller_certified = [Some(true), Some(false), None][n / 36 % 3];
            drawn.on_bill = [OnBill::Unknown, OnBill::Unbilled, OnBill::Billed(may)][n / 108 % 3];
            drawn.line.period = [Some(may), None][n / 324 % 2];
            drawn.missing = [vec![Missing::SalesAmount], vec![Missing::LineType]][n / 648 % 2].clone();
            row.closed_in = [None, Some(may)][n / 1296 % 2];
            lines.push(row);
        }
        lines
    }

    #[test]
    fn once_its_bill_is_run_only_a_line_that_may_wait_waits() {
        let rules = Rules::at(&Catalog::default(), DateTime::UNIX_EPOCH);
        let now: DateTime<Utc> = "2024-06-20T00:00:00Z".parse().unwrap();
        let open = rules.schedule().open_period(now);
        let (mut settled, mut waiting) = (0, 0);
        for row in lines() {
            let readiness = stand(&row, &rules, now);
            let waits = !readiness.blocked.is_empty() || readiness.expected.is_some_and(|expected| expected >= open);
            assert!(row.may_wait() || !waits, "{:?}: {readiness:?}", row.drawn);
            settled += u32::from(!row.may_wait());
            waiting += u32::from(waits);
        }
        assert!(settled > 500 && waiting > 500, "{settled} settled, {waiting} wait");
    }
}
