//! What the issuer of leases counts.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// The metrics of leases.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_leases_total{how}` | counter: leases given out: `signed` for the request, or `reused` |
/// | `chopmark_lease_cache_entries` | gauge: leases whose signature is kept |
#[derive(Debug, Clone)]
pub struct SigningMetrics {
    leases: IntCounterVec,
    pub(crate) signed: IntCounter,
    pub(crate) reused: IntCounter,
    pub(crate) cached: IntGauge,
}

impl SigningMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::unregistered();
        registry.register(Box::new(metrics.leases.clone()))?;
        registry.register(Box::new(metrics.cached.clone()))?;
        Ok(metrics)
    }

    /// Makes metrics that nobody scrapes: for short commands and tests.
    #[must_use]
    #[expect(clippy::expect_used, reason = "names are constants; `register` is run by a test")]
    pub fn unregistered() -> Self {
        let leases = IntCounterVec::new(Opts::new("chopmark_leases_total", "Leases given out."), &["how"])
            .expect("a valid counter");
        let cached = IntGauge::new("chopmark_lease_cache_entries", "Leases whose signature is kept.");
        Self {
            signed: leases.with_label_values(&["signed"]),
            reused: leases.with_label_values(&["reused"]),
            cached: cached.expect("a valid gauge"),
            leases,
        }
    }

    /// Leases signed so far.
    #[must_use]
    pub fn signed(&self) -> u64 {
        self.signed.get()
    }

    /// Leases given out again so far.
    #[must_use]
    pub fn reused(&self) -> u64 {
        self.reused.get()
    }

    /// Leases whose signature is kept now.
    #[must_use]
    pub fn cached(&self) -> usize {
        usize::try_from(self.cached.get()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_there_from_the_start_and_once() {
        let registry = Registry::new();
        SigningMetrics::register(&registry).unwrap();
        let families = registry.gather();
        let series: Vec<_> = families.iter().map(|family| (family.name(), family.get_metric().len())).collect();
        assert_eq!(series, [("chopmark_lease_cache_entries", 1), ("chopmark_leases_total", 2)]);
        assert!(SigningMetrics::register(&registry).is_err());
    }
}
