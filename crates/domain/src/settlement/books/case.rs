//! What is known of the lines of a case.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Named, News, Said, Source};
use crate::order::OrderFacts;
use crate::settlement::statement::{Place, StatedAt, StatedFacts, Subject};

/// All that is known of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFacts {
    /// When it was first heard of, UTC.
    pub first_seen: DateTime<Utc>,
    /// The callbacks that named it, earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<Named>,
    /// The open API's last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderFacts>,
    /// Where that answer stands in the log.
    #[serde(default)]
    pub order_at: u64,
    /// What was stated, the newest of each field.
    #[serde(default)]
    pub stated: StatedFacts,
    /// Where each field was stated.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stated_at: StatedAt,
    /// Hours in which deployments were seen.
    #[serde(default)]
    pub seen_hours: u64,
    /// Where it is known from, in the order of the log.
    pub sources: Vec<Source>,
}

impl LineFacts {
    fn first_seen_at(first_seen: DateTime<Utc>) -> Self {
        Self {
            first_seen,
            named: vec![],
            order: None,
            order_at: 0,
            stated: StatedFacts::default(),
            stated_at: StatedAt::new(),
            seen_hours: 0,
            sources: vec![],
        }
    }

    fn name(&mut self, named: Named) {
        self.named.push(named);
        self.named
            .sort_by(|a, b| (a.acknowledged_at, a.part, &a.license).cmp(&(b.acknowledged_at, b.part, &b.license)));
    }

    fn answer(&mut self, order: OrderFacts, position: u64) {
        if position >= self.order_at {
            (self.order, self.order_at) = (Some(order), position);
        }
    }

    fn state(&mut self, stated: &StatedFacts, at: impl Fn(&str) -> Place) {
        self.stated.take_up_from(&mut self.stated_at, stated, at);
    }

    /// Takes in what else is known of this line.
    fn merge(&mut self, other: Self) {
        self.first_seen = self.first_seen.min(other.first_seen);
        other.named.into_iter().for_each(|named| self.name(named));
        if let Some(order) = other.order {
            self.answer(order, other.order_at);
        }
        self.state(&other.stated, |field| other.stated_at.get(field).copied().unwrap_or_default());
        self.seen_hours += other.seen_hours;
        self.sources.extend(other.sources);
        self.sources.sort();
    }
}

/// Lines that decide about each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The lines. A list of pairs, since their names are no strings.
    #[serde(with = "pairs")]
    pub lines: BTreeMap<Subject, LineFacts>,
}

impl Case {
    /// Takes news up, in any order.
    pub fn take_up(&mut self, news: News) {
        let News { subject, said, recorded_at, source } = news;
        let facts = self.lines.entry(subject).or_insert_with(|| LineFacts::first_seen_at(recorded_at));
        facts.first_seen = facts.first_seen.min(recorded_at);
        match said {
            Said::Named(named) => facts.name(named),
            Said::Order(order) => facts.answer(order, source.position),
            Said::Stated(stated) => facts.state(&stated, |_| (source.position, source.row)),
            Said::SeenHours(hours) => facts.seen_hours += hours,
        }
        let place = facts.sources.partition_point(|known| *known <= source);
        facts.sources.insert(place, source);
    }

    /// Takes the lines of another case in: something came to be known that connects them.
    pub fn merge(&mut self, other: Self) {
        for (subject, facts) in other.lines {
            match self.lines.entry(subject) {
                Entry::Vacant(vacant) => drop(vacant.insert(facts)),
                Entry::Occupied(mut known) => known.get_mut().merge(facts),
            }
        }
    }
}

/// Maps whose keys are no strings, in JSON.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{LineFacts, Subject};

    pub(super) fn serialize<S: Serializer>(
        lines: &BTreeMap<Subject, LineFacts>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        lines.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Subject, LineFacts>, D::Error> {
        Ok(Vec::<(Subject, LineFacts)>::deserialize(deserializer)?.into_iter().collect())
    }
}
