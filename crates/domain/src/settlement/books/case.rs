//! What is known of the lines of a case.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Named, News, Said, Source};
use crate::order::OrderFacts;
use crate::settlement::statement::{StatedFacts, Subject};

/// All that is known of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFacts {
    /// When it was first heard of, UTC.
    pub first_seen: DateTime<Utc>,
    /// The callbacks that named it, in the order of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<Named>,
    /// The open API's last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderFacts>,
    /// What was stated, the newest of each field.
    #[serde(default)]
    pub stated: StatedFacts,
    /// Hours in which deployments were seen.
    #[serde(default)]
    pub seen_hours: u64,
    /// Where it is known from, in the order of the log.
    pub sources: Vec<Source>,
}

/// Lines that decide about each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The lines. A list of pairs, since their names are no strings.
    #[serde(with = "pairs")]
    pub lines: BTreeMap<Subject, LineFacts>,
}

impl Case {
    /// Takes news up.
    pub fn take_up(&mut self, news: News) {
        let News { subject, said, recorded_at, source } = news;
        let facts = self.lines.entry(subject).or_insert_with(|| LineFacts {
            first_seen: recorded_at,
            named: vec![],
            order: None,
            stated: StatedFacts::default(),
            seen_hours: 0,
            sources: vec![],
        });
        facts.first_seen = facts.first_seen.min(recorded_at);
        match said {
            Said::Named(named) => facts.named.push(named),
            Said::Order(order) => facts.order = Some(order),
            Said::Stated(stated) => facts.stated.take_up(&stated),
            Said::SeenHours(hours) => facts.seen_hours += hours,
        }
        facts.sources.push(source);
    }

    /// Takes the lines of another case in: something came to be known that connects them.
    pub fn merge(&mut self, other: Self) {
        self.lines.extend(other.lines);
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
