//! What the bookkeeper counts.

use prometheus::{IntCounter, IntGauge, Registry};

/// The metrics of the billing views.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_billing_applied_total` | counter: events taken up by this process, those that say nothing of money included |
/// | `chopmark_billing_position` | gauge: the position up to which the views are |
/// | `chopmark_billing_lag_events` | gauge: how far the views are behind the log, in positions (SQLite: events) |
/// | `chopmark_billing_stopped` | gauge: 1 if an event of ours cannot be read, which needs a newer version |
/// | `chopmark_billing_errors_total` | counter: failed readings and writings; each is tried again |
#[derive(Debug, Clone)]
pub struct BillingMetrics {
    pub(crate) applied: IntCounter,
    pub(crate) position: IntGauge,
    pub(crate) lag: IntGauge,
    pub(crate) stopped: IntGauge,
    pub(crate) errors: IntCounter,
}

impl BillingMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::unregistered();
        registry.register(Box::new(metrics.applied.clone()))?;
        registry.register(Box::new(metrics.position.clone()))?;
        registry.register(Box::new(metrics.lag.clone()))?;
        registry.register(Box::new(metrics.stopped.clone()))?;
        registry.register(Box::new(metrics.errors.clone()))?;
        Ok(metrics)
    }

    /// Makes metrics that nobody scrapes: for short commands and tests.
    #[must_use]
    #[expect(clippy::expect_used, reason = "names are constants; `register` is run by a test")]
    pub fn unregistered() -> Self {
        let counter = |name, help| IntCounter::new(name, help).expect("a valid counter");
        let gauge = |name, help| IntGauge::new(name, help).expect("a valid gauge");
        Self {
            applied: counter("chopmark_billing_applied_total", "Events taken up by the billing views."),
            position: gauge("chopmark_billing_position", "The position up to which the billing views are."),
            lag: gauge("chopmark_billing_lag_events", "How far the billing views are behind the log."),
            stopped: gauge(
                "chopmark_billing_stopped",
                "1 if an event cannot be read by this version; the billing views answer from before it.",
            ),
            errors: counter("chopmark_billing_errors_total", "Failed readings and writings of the billing views."),
        }
    }
}
