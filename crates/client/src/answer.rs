//! The three answers, with facts for the program to decide on.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::code::Code;
use crate::trouble::Trouble;

/// May the program run?
#[derive(Debug, Clone)]
pub enum Answer {
    /// Yes.
    Licensed(Facts),
    /// Yes for now, but somebody should do something before [`Facts::offline_until`]: renew the license
    /// ([`Code::Grace`]), mend the connection ([`Code::Offline`], [`Code::FirstRun`]), or, with any other code, ask the
    /// seller why the server does not renew the lease.
    InGrace(Facts),
    /// No.
    Denied(Denial),
}

/// What a yes stands on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Why.
    pub code: Code,
    /// The same in words for the customer's administrator.
    pub reason: String,
    /// What the license entitles to, by name, out of the signed lease. Empty before the order's facts are known, and
    /// in the grace of a first run.
    pub entitlements: Map<String, Value>,
    /// When the license ends, UTC, as the server last said it (this is not signed); `None` if it has no end or that
    /// is not known.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the lease should be renewed, UTC; from then on the answer is [`Answer::InGrace`]. `None` without a lease.
    pub renew_by: Option<DateTime<Utc>>,
    /// When the program stops being licensed if the server is never reached again, UTC.
    pub offline_until: DateTime<Utc>,
    /// How the answer came about.
    pub contact: Contact,
}

/// What a no stands on.
#[derive(Debug, Clone)]
pub struct Denial {
    /// Why.
    pub code: Code,
    /// The same in words for the customer's administrator.
    pub reason: String,
    /// How the answer came about.
    pub contact: Contact,
}

/// Where an answer is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The server, just now.
    Online,
    /// What is kept on disk from earlier.
    Disk,
}

/// How an answer came about.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Where it is from.
    pub source: Source,
    /// Since when the server has not answered sensibly, UTC; `None` if it did the last time it was asked.
    pub unreachable_since: Option<DateTime<Utc>>,
    /// What went wrong in this check; `None` if nothing did, or the server was not asked.
    pub trouble: Option<Trouble>,
    /// How long to wait before the next check. Spread by the server, and here while it cannot be reached.
    pub next_check_after: Duration,
    /// The clock of this machine is more than ten minutes behind a time it, or the server, has shown before. Time is
    /// counted on from there, so that this gains nothing.
    pub clock_turned_back: bool,
    /// Why what was learnt could not be written to the state folder. It is kept in memory, and a restart during an
    /// outage will not know of it. `None` if it was written.
    pub not_kept: Option<String>,
}

impl Answer {
    /// Whether the program may run.
    #[must_use]
    pub fn may_run(&self) -> bool {
        !matches!(self, Self::Denied(_))
    }

    /// Why.
    #[must_use]
    pub fn code(&self) -> &Code {
        match self {
            Self::Licensed(facts) | Self::InGrace(facts) => &facts.code,
            Self::Denied(denial) => &denial.code,
        }
    }

    /// The same in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Licensed(facts) | Self::InGrace(facts) => &facts.reason,
            Self::Denied(denial) => &denial.reason,
        }
    }

    /// How the answer came about.
    #[must_use]
    pub fn contact(&self) -> &Contact {
        match self {
            Self::Licensed(facts) | Self::InGrace(facts) => &facts.contact,
            Self::Denied(denial) => &denial.contact,
        }
    }

    /// The facts of a yes.
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        match self {
            Self::Licensed(facts) | Self::InGrace(facts) => Some(facts),
            Self::Denied(_) => None,
        }
    }
}
