//! What the worker counts.

use prometheus::{IntCounter, IntGauge, Registry};

/// Metrics of upkeep.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_machines_lapsed_total` | counter: machines freed because nobody heard of them |
/// | `chopmark_hours_closed_total` | counter: hours closed |
/// | `chopmark_log_seals_total` | counter: seals put on record |
/// | `chopmark_log_sealed_timestamp_seconds` | gauge: when this process last found or made a seal, in seconds since 1970; 0 before that |
/// | `chopmark_upkeep_failed_total` | counter: what could not be done; the next round tries again |
#[derive(Debug, Clone)]
pub struct UpkeepMetrics {
    pub(crate) lapsed: IntCounter,
    pub(crate) closed: IntCounter,
    pub(crate) sealed: IntCounter,
    pub(crate) sealed_at: IntGauge,
    pub(crate) failed: IntCounter,
}

impl UpkeepMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let sealed_at = IntGauge::new(
            "chopmark_log_sealed_timestamp_seconds",
            "When the log was last sealed, as far as known here.",
        )?;
        registry.register(Box::new(sealed_at.clone()))?;
        Ok(Self {
            lapsed: counter("chopmark_machines_lapsed_total", "Machines freed because nobody heard of them.")?,
            closed: counter("chopmark_hours_closed_total", "Hours closed.")?,
            sealed: counter("chopmark_log_seals_total", "Seals put on record.")?,
            sealed_at,
            failed: counter("chopmark_upkeep_failed_total", "What upkeep could not do at the time.")?,
        })
    }
}
