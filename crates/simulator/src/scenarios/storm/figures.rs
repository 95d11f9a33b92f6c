//! What a storm measured.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::worker::Tally;
use crate::latency::Percentiles;

/// What a storm measured.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Connections used.
    pub connections: usize,
    /// Deliveries answered with success.
    pub acknowledged: u64,
    /// Of them: repeated purchases.
    pub duplicates: u64,
    /// What went wrong, and how often.
    pub errors: BTreeMap<String, u64>,
    /// How long it blew, in seconds.
    pub seconds: f64,
    /// Successful answers a second.
    pub per_second: f64,
    /// How long answers took.
    pub latency: Percentiles,
}

impl Figures {
    pub(super) fn new(tally: &Tally, connections: usize, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "counts of deliveries are far below 2^52")]
        let acknowledged = tally.acknowledged as f64;
        Self {
            connections,
            acknowledged: tally.acknowledged,
            duplicates: tally.duplicates,
            errors: tally.errors.clone(),
            seconds,
            per_second: acknowledged / seconds.max(f64::MIN_POSITIVE),
            latency: tally.latency.percentiles(),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, duplicates, seconds, per_second, latency, .. } = self;
        writeln!(
            f,
            "    {per_second:.0} a second over {connections} connections for {seconds:.2} s, {duplicates} of them duplicates"
        )?;
        writeln!(f, "    {latency}")?;
        for (error, times) in &self.errors {
            writeln!(f, "    {times} × {error}")?;
        }
        Ok(())
    }
}
