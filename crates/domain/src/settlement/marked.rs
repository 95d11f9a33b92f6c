//! Facts with how far they can be trusted: stated by the marketplace, estimated by us, known to lie ahead, or unknown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a fact is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Ours, e.g. our acknowledgement as the effective time; replaced as soon as the marketplace states it.
    Estimate,
    /// The marketplace's, by its API, its console's export, or an operator who read it there.
    Stated,
}

/// A fact with its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Marked<T> {
    /// The fact.
    pub value: T,
    /// How it is known.
    pub mark: Mark,
}

impl<T> Marked<T> {
    /// A fact that the marketplace stated.
    pub fn stated(value: T) -> Self {
        Self { value, mark: Mark::Stated }
    }

    /// A fact that we estimated.
    pub fn estimate(value: T) -> Self {
        Self { value, mark: Mark::Estimate }
    }

    /// What is known after another source spoke: an estimate never replaces what was stated, whichever came first.
    #[must_use]
    pub fn replaced_by(self, newer: Self) -> Self {
        if newer.mark >= self.mark { newer } else { self }
    }
}

/// When something happens to an order line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// Nobody said.
    #[default]
    Unknown,
    /// It is known not to have happened.
    NotYet,
    /// It happens at this moment, UTC, which may lie ahead.
    At(Marked<DateTime<Utc>>),
}

impl Happening {
    /// Its moment, if there is one.
    #[must_use]
    pub fn at(self) -> Option<Marked<DateTime<Utc>>> {
        if let Self::At(at) = self { Some(at) } else { None }
    }

    /// Whether it is known to lie ahead of a moment.
    #[must_use]
    pub fn is_ahead_of(self, now: DateTime<Utc>) -> bool {
        match self {
            Self::Unknown => false,
            Self::NotYet => true,
            Self::At(at) => at.value > now,
        }
    }
}
