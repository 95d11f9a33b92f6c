//! Refunds without a name of their own: pages disagree whether a release names the order that gives back, or the one that
//! is given back. In the second case the refund is known to be, and its order is not.

use std::collections::BTreeSet;

use super::known::{Known, kind, takes_back};
use super::{Books, Case, LineFacts};
use crate::settlement::product::{Billed, LineType};
use crate::settlement::statement::{StatedAt, StatedFacts, Subject};
use crate::stream::LicenseId;

/// What is known of the refunds that were named by what they give back: what the callback said, and that it is one.
pub(super) fn named_by_their_originals(case: &Case) -> Vec<(&Subject, LineFacts)> {
    let named = case.lines.iter().filter_map(|(subject, facts)| {
        let sold = matches!(kind(subject, facts), Billed::As(line_type) if line_type != LineType::Refund);
        let given_back = facts.named.iter().find(|named| takes_back(named.part)).filter(|_| sold)?;
        let refund = LineFacts {
            first_seen: given_back.acknowledged_at,
            named: vec![given_back.clone()],
            order: None,
            order_at: 0,
            stated: StatedFacts { line_type: Some(LineType::Refund), ..StatedFacts::default() },
            stated_at: StatedAt::new(),
            seen_hours: 0,
            sources: facts.sources.clone(),
        };
        Some((subject, refund))
    });
    named.collect()
}

/// A refund that was named by what it gives back, unless it is known by its own name too.
pub(super) fn refund<'a>(
    subject: &'a Subject,
    facts: &'a LineFacts,
    known: &[Known<'_>],
    books: &Books<'a>,
) -> Option<Known<'a>> {
    let refund = Known::of(subject, facts, books)?;
    let is_it = |other: &Known<'_>| {
        let same_part = |(named, other): (&super::Named, &super::Named)| {
            (named.part, &named.license) == (other.part, &other.license)
        };
        let states_it = other.facts.stated.original_order_line_id.as_ref() == refund.order_line_id();
        states_it || refund.named().zip(other.named()).is_some_and(same_part)
    };
    let is_known = known.iter().any(is_it);
    let line_id = format!("{}/refund", refund.line_id);
    (!is_known).then_some(Known { line_id, ..refund })
}

/// Licenses of which something never is on a bill: trials, and what is charged by use.
pub(super) fn licenses_for_nothing(case: &Case) -> BTreeSet<&LicenseId> {
    let free = case.lines.iter().filter(|(subject, facts)| kind(subject, facts) == Billed::Never);
    free.flat_map(|(_, facts)| &facts.named).map(|named| &named.license).collect()
}
