//! What is counted about sightings.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Registry};

/// Metrics of the views.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_views_waiting` | gauge: sightings in memory that are not written yet |
/// | `chopmark_views_dropped_total` | counter: sightings that found no room, or could not be written at the end |
/// | `chopmark_views_write_failures_total` | counter: writings that failed; each is tried again |
/// | `chopmark_views_write_seconds` | histogram: one writing |
#[derive(Debug, Clone)]
pub struct ViewsMetrics {
    pub(crate) waiting: IntGauge,
    pub(crate) dropped: IntCounter,
    pub(crate) write_failures: IntCounter,
    pub(crate) write_seconds: Histogram,
}

impl ViewsMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::unregistered();
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.dropped.clone()))?;
        registry.register(Box::new(metrics.write_failures.clone()))?;
        registry.register(Box::new(metrics.write_seconds.clone()))?;
        Ok(metrics)
    }

    /// Makes metrics that nobody scrapes: for short commands and tests.
    #[must_use]
    #[expect(clippy::expect_used, reason = "names and buckets are constants; `register` is run by a test")]
    pub fn unregistered() -> Self {
        let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let seconds = HistogramOpts::new("chopmark_views_write_seconds", "One writing of what was seen, in seconds.");
        Self {
            waiting: IntGauge::new("chopmark_views_waiting", "Sightings that are not written yet.")
                .expect("a valid gauge"),
            dropped: IntCounter::new("chopmark_views_dropped_total", "Sightings that were not remembered.")
                .expect("a valid counter"),
            write_failures: IntCounter::new("chopmark_views_write_failures_total", "Writings that failed.")
                .expect("a valid counter"),
            write_seconds: Histogram::with_opts(seconds.buckets(buckets)).expect("a valid histogram"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_register_once_under_their_documented_names() {
        let registry = Registry::new();
        ViewsMetrics::register(&registry).unwrap();
        let names: Vec<_> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        assert_eq!(
            names,
            [
                "chopmark_views_dropped_total",
                "chopmark_views_waiting",
                "chopmark_views_write_failures_total",
                "chopmark_views_write_seconds"
            ]
        );
        assert!(ViewsMetrics::register(&registry).is_err());
    }
}
