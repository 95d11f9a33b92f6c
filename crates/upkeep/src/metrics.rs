//! What the worker counts.

use prometheus::{IntCounter, Registry};

/// Metrics of upkeep.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_machines_lapsed_total` | counter: machines freed because nobody heard of them |
/// | `chopmark_hours_closed_total` | counter: hours closed |
/// | `chopmark_upkeep_failed_total` | counter: what could not be done; the next round tries again |
#[derive(Debug, Clone)]
pub struct UpkeepMetrics {
    pub(crate) lapsed: IntCounter,
    pub(crate) closed: IntCounter,
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
        Ok(Self {
            lapsed: counter("chopmark_machines_lapsed_total", "Machines freed because nobody heard of them.")?,
            closed: counter("chopmark_hours_closed_total", "Hours closed.")?,
            failed: counter("chopmark_upkeep_failed_total", "What upkeep could not do at the time.")?,
        })
    }
}
