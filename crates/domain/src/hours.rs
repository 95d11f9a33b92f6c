//! Hours in which deployments were seen: what finance compares with the hours that the marketplace bills.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::codec::events;
use crate::ids::{EcsId, Sku};

/// A day, UTC: one stream of a seller's hours. Written `20261124`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(NaiveDate);

impl Day {
    /// The day of a moment.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        Self(at.date_naive())
    }

    /// Reads what [`Display`](fmt::Display) wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let day = Self(NaiveDate::parse_from_str(text, "%Y%m%d").ok()?);
        (day.to_string() == text).then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y%m%d"))
    }
}

/// An hour, UTC, by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "DateTime<Utc>", into = "DateTime<Utc>")]
pub struct Hour(DateTime<Utc>);

impl Hour {
    /// The hour that a moment is in.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        // Only a time some 300 years from 1970 has no whole hour; it stands for itself.
        Self(at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at))
    }

    /// Its beginning.
    #[must_use]
    pub fn start(self) -> DateTime<Utc> {
        self.0
    }

    /// Its end: the beginning of the next.
    #[must_use]
    pub fn end(self) -> DateTime<Utc> {
        self.0 + TimeDelta::hours(1)
    }
}

impl From<DateTime<Utc>> for Hour {
    fn from(at: DateTime<Utc>) -> Self {
        Self::of(at)
    }
}

impl From<Hour> for DateTime<Utc> {
    fn from(hour: Hour) -> Self {
        hour.0
    }
}

/// A deployment that asked within an hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeenDeployment {
    /// The product it said it runs.
    pub product: Sku,
    /// Which ECS.
    pub ecs: EcsId,
    /// How the ECS is charged, as its metadata say: `0` pay-per-use, `1` yearly or monthly, `2` spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_mode: Option<String>,
}

/// Deployments that one event holds, so that no event grows beyond what a log takes. An hour with more has several.
pub const SEEN_PER_EVENT: usize = 20_000;

/// An hour is over: these deployments were seen in it. What is found later does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursClosed {
    /// Which hour.
    pub hour: Hour,
    /// Who was seen, sorted.
    pub seen: Vec<SeenDeployment>,
}

events! {
    /// Events of a seller's day of hours.
    pub enum Event {
        /// An hour is over.
        HoursClosed(HoursClosed) = "hours_closed.v1",
    }
}

/// The hours of a day that are closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hours {
    closed: BTreeSet<Hour>,
}

impl Hours {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        let Event::HoursClosed(HoursClosed { hour, .. }) = event;
        self.closed.insert(*hour);
    }

    /// Whether an hour is closed.
    #[must_use]
    pub fn is_closed(&self, hour: Hour) -> bool {
        self.closed.contains(&hour)
    }

    /// The events that close an hour, none if it is closed: one, unless very many were seen.
    #[must_use]
    pub fn close(&self, closing: HoursClosed) -> Vec<Event> {
        let HoursClosed { hour, seen } = closing;
        if self.is_closed(hour) {
            return vec![];
        }
        let part = |seen: &[SeenDeployment]| HoursClosed { hour, seen: seen.to_vec() }.into();
        if seen.is_empty() { vec![part(&[])] } else { seen.chunks(SEEN_PER_EVENT).map(part).collect() }
    }
}
