//! What the log counts and times.

use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};

use crate::event_log::AppendError;

/// The metrics of an event log, the same for every engine.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_log_append_seconds` | histogram: one append, from the call until its events are on stable storage |
/// | `chopmark_log_batch_events` | histogram: events made durable together |
/// | `chopmark_log_appends_total{result}` | counter: appends by `stored`, `repeated` (had been stored before), `conflict`, `invalid`, `unavailable`, `unknown` |
/// | `chopmark_log_wal_bytes` | gauge: the part of the write-ahead log in use (SQLite) |
#[derive(Debug, Clone)]
pub struct LogMetrics {
    /// `chopmark_log_append_seconds`.
    pub append_seconds: Histogram,
    /// `chopmark_log_batch_events`.
    pub batch_events: Histogram,
    /// `chopmark_log_appends_total`, by `result`.
    pub appends: IntCounterVec,
    /// `chopmark_log_wal_bytes`.
    pub wal_bytes: IntGauge,
}

/// How an append may end.
const RESULTS: [&str; 6] = ["stored", "repeated", "conflict", "invalid", "unavailable", "unknown"];

/// How an append ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Success {
    Stored,
    Repeated,
}

impl LogMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::unregistered();
        registry.register(Box::new(metrics.append_seconds.clone()))?;
        registry.register(Box::new(metrics.batch_events.clone()))?;
        registry.register(Box::new(metrics.appends.clone()))?;
        registry.register(Box::new(metrics.wal_bytes.clone()))?;
        Ok(metrics)
    }

    /// Makes metrics that nobody scrapes: for short commands and tests.
    #[must_use]
    #[expect(clippy::expect_used, reason = "names and buckets are constants; `register` is run by a test")]
    pub fn unregistered() -> Self {
        let seconds = vec![0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 4.0];
        let events = vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
        let appends = IntCounterVec::new(Opts::new("chopmark_log_appends_total", "Appends by result."), &["result"])
            .expect("a valid counter");
        // At 0 from the start: an increase from nothing is none to an alert.
        RESULTS.iter().for_each(|result| drop(appends.with_label_values(&[result])));
        Self {
            append_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "chopmark_log_append_seconds",
                    "Time of an append until its events are on stable storage.",
                )
                .buckets(seconds),
            )
            .expect("a valid histogram"),
            batch_events: Histogram::with_opts(
                HistogramOpts::new("chopmark_log_batch_events", "Events made durable together.").buckets(events),
            )
            .expect("a valid histogram"),
            appends,
            wal_bytes: IntGauge::new("chopmark_log_wal_bytes", "Bytes of the write-ahead log in use.")
                .expect("a valid gauge"),
        }
    }

    pub(crate) fn count(&self, outcome: Result<Success, &AppendError>) {
        let result = match outcome {
            Ok(Success::Stored) => "stored",
            Ok(Success::Repeated) => "repeated",
            Err(AppendError::Conflict { .. }) => "conflict",
            Err(AppendError::Invalid { .. }) => "invalid",
            Err(AppendError::Unavailable { .. }) => "unavailable",
            Err(AppendError::Unknown { .. }) => "unknown",
        };
        self.appends.with_label_values(&[result]).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_is_counted_from_zero() {
        let registry = Registry::new();
        let metrics = LogMetrics::register(&registry).unwrap();
        let unavailable = AppendError::Unavailable { reason: "disk full".into() };
        for outcome in [Ok(Success::Stored), Ok(Success::Repeated), Err(&unavailable)] {
            metrics.count(outcome);
        }
        let families = registry.gather();
        let appends = families.iter().find(|family| family.name() == "chopmark_log_appends_total").unwrap();
        let mut counted: Vec<_> = appends
            .get_metric()
            .iter()
            .map(|metric| (metric.get_label()[0].value(), metric.get_counter().get_value()))
            .collect();
        counted.sort_by(|a, b| a.0.cmp(b.0));
        let expected = [
            ("conflict", 0.0),
            ("invalid", 0.0),
            ("repeated", 1.0),
            ("stored", 1.0),
            ("unavailable", 1.0),
            ("unknown", 0.0),
        ];
        assert_eq!(counted, expected);
    }

    #[test]
    fn metrics_register_once_under_their_documented_names() {
        let registry = Registry::new();
        let metrics = LogMetrics::register(&registry).unwrap();
        metrics.count(Ok(Success::Stored));
        let names: Vec<_> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        assert_eq!(
            names,
            [
                "chopmark_log_append_seconds",
                "chopmark_log_appends_total",
                "chopmark_log_batch_events",
                "chopmark_log_wal_bytes"
            ]
        );
        assert!(LogMetrics::register(&registry).is_err());
    }
}
