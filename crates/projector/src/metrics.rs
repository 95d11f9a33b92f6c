//! What the projector counts.

use std::sync::{Arc, OnceLock};

use chopmark_log::EventLog;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntGauge, IntGaugeVec, Opts, Registry};

use crate::index::LicenseIndex;

/// The metrics of the projector and its index.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_projector_applied_total` | counter: events applied by this process |
/// | `chopmark_projector_lag_events` | gauge: how far the index is behind the log, in positions (SQLite: events) |
/// | `chopmark_projector_stopped` | gauge: 1 if an event of ours cannot be applied, which needs a newer version |
/// | `chopmark_projector_log_away_seconds` | gauge: for how long the log has not answered; 0 while it does |
/// | `chopmark_projector_read_errors_total` | counter: failed readings of the log |
/// | `chopmark_licenses{seller,status}` | gauge: licenses, deployments included |
/// | `chopmark_index_bytes` | gauge: memory of the index |
#[derive(Debug, Clone)]
pub struct ProjectorMetrics {
    pub(crate) applied: IntCounter,
    lag: IntGauge,
    pub(crate) read_errors: IntCounter,
    index: IndexMetrics,
}

impl ProjectorMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::unregistered();
        registry.register(Box::new(metrics.applied.clone()))?;
        registry.register(Box::new(metrics.lag.clone()))?;
        registry.register(Box::new(metrics.read_errors.clone()))?;
        registry.register(Box::new(metrics.index.clone()))?;
        Ok(metrics)
    }

    /// Makes metrics that nobody scrapes: for short commands and tests.
    #[must_use]
    #[expect(clippy::expect_used, reason = "names are constants; `register` is run by a test")]
    pub fn unregistered() -> Self {
        let counter = |name, help| IntCounter::new(name, help).expect("a valid counter");
        let gauge = |name, help| IntGauge::new(name, help).expect("a valid gauge");
        Self {
            applied: counter("chopmark_projector_applied_total", "Events applied to the license index."),
            lag: gauge("chopmark_projector_lag_events", "How far the license index is behind the log."),
            read_errors: counter("chopmark_projector_read_errors_total", "Failed readings of the log."),
            index: IndexMetrics {
                index: Arc::default(),
                licenses: IntGaugeVec::new(Opts::new("chopmark_licenses", "Licenses."), &["seller", "status"])
                    .expect("a valid gauge"),
                bytes: gauge("chopmark_index_bytes", "Memory of the license index."),
                stopped: gauge(
                    "chopmark_projector_stopped",
                    "1 if an event cannot be applied by this version, which then answers from before it.",
                ),
                log_away: gauge("chopmark_projector_log_away_seconds", "For how long the log has not answered."),
            },
        }
    }

    /// Tells which index is meant, once.
    pub(crate) fn watch(&self, index: &LicenseIndex) {
        self.index.index.get_or_init(|| index.clone());
    }

    /// How far an index is behind a log.
    pub(crate) fn lag(&self, log: &Arc<dyn EventLog>, index: &LicenseIndex) -> Lag {
        Lag { log: Arc::clone(log), index: index.clone(), gauge: self.lag.clone() }
    }
}

/// How far the index is behind the log.
#[derive(Clone)]
pub(crate) struct Lag {
    log: Arc<dyn EventLog>,
    index: LicenseIndex,
    gauge: IntGauge,
}

impl Lag {
    /// It is not.
    pub(crate) fn none(&self) {
        self.gauge.set(0);
    }

    /// Looks, and with that whether the log answers. Where even its head cannot be read, what was known last stays.
    pub(crate) async fn look(&self) {
        let Ok(head) = self.log.head().await else { return self.index.contact().lost() };
        self.index.contact().found();
        // Positions count events in the log that runs here; elsewhere they may leave gaps, and this is a measure.
        let lag = head.0.saturating_sub(self.index.position().0);
        self.gauge.set(i64::try_from(lag).unwrap_or(i64::MAX));
    }
}

/// Gauges that look at the index when somebody asks.
#[derive(Debug, Clone)]
struct IndexMetrics {
    index: Arc<OnceLock<LicenseIndex>>,
    licenses: IntGaugeVec,
    bytes: IntGauge,
    stopped: IntGauge,
    log_away: IntGauge,
}

impl Collector for IndexMetrics {
    fn desc(&self) -> Vec<&Desc> {
        let mut all = self.licenses.desc();
        all.extend(self.bytes.desc());
        all.extend(self.stopped.desc());
        all.extend(self.log_away.desc());
        all
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(index) = self.index.get() else {
            return vec![];
        };
        let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.bytes.set(whole(index.memory_bytes()));
        self.stopped.set(index.progress().stands_still().into());
        let away = index.contact().lost_for().unwrap_or_default();
        self.log_away.set(i64::try_from(away.as_secs()).unwrap_or(i64::MAX));
        for (seller, counts) in index.counts() {
            for (status, licenses) in counts.named() {
                self.licenses.with_label_values(&[seller.as_str(), status]).set(whole(licenses));
            }
        }
        let mut all = self.licenses.collect();
        all.extend(self.bytes.collect());
        all.extend(self.stopped.collect());
        all.extend(self.log_away.collect());
        all
    }
}
