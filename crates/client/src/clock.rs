//! What time it is, also on machines whose clock was turned back.

use chrono::{DateTime, Utc};

/// A clock.
pub trait Clock: Send + Sync {
    /// The time, UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// Unix seconds as a time; the end of time for what is beyond it.
pub(crate) fn time(seconds: i64) -> DateTime<Utc> {
    let beyond = if seconds < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp(seconds, 0).unwrap_or(beyond)
}
