//! What the reactor counts and times.

use std::time::Duration;

use chopmark_domain::ids::SellerId;
use chopmark_huawei::open_api::ErrorKind;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// The metrics of the reactor.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_reactor_following` | gauge: 1 while it follows the log; 0 before, after, and when it met what it cannot read |
/// | `chopmark_reactor_open_orders{seller}` | gauge: orders whose facts are wanted and asked for |
/// | `chopmark_reactor_abandoned_orders{seller}` | gauge: orders whose facts are wanted and no longer asked for |
/// | `chopmark_reactor_open_errands{seller}` | gauge: codes to be activated and licenses to be uploaded |
/// | `chopmark_reactor_abandoned_errands{seller}` | gauge: codes not activated and licenses not uploaded, which are no longer tried |
/// | `chopmark_reactor_requests_total{api,result}` | counter: requests to the open API by `ok`, `transient`, `refused`, `malformed` |
/// | `chopmark_reactor_request_seconds` | histogram: one request, its second host included |
#[derive(Debug, Clone)]
pub struct ReactorMetrics {
    following: IntGauge,
    open_orders: IntGaugeVec,
    abandoned_orders: IntGaugeVec,
    open_errands: IntGaugeVec,
    abandoned_errands: IntGaugeVec,
    requests: IntCounterVec,
    request_seconds: Histogram,
}

impl ReactorMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::unregistered();
        registry.register(Box::new(metrics.following.clone()))?;
        registry.register(Box::new(metrics.open_orders.clone()))?;
        registry.register(Box::new(metrics.abandoned_orders.clone()))?;
        registry.register(Box::new(metrics.open_errands.clone()))?;
        registry.register(Box::new(metrics.abandoned_errands.clone()))?;
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.request_seconds.clone()))?;
        Ok(metrics)
    }

    /// Makes metrics that nobody scrapes: for tests.
    #[must_use]
    #[expect(clippy::expect_used, reason = "names and buckets are constants; `register` is run by a test")]
    pub fn unregistered() -> Self {
        let by_seller = |name, help| IntGaugeVec::new(Opts::new(name, help), &["seller"]).expect("a valid gauge");
        let seconds = vec![0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0];
        Self {
            following: IntGauge::new("chopmark_reactor_following", "1 while the reactor follows the log.")
                .expect("a valid gauge"),
            open_orders: by_seller("chopmark_reactor_open_orders", "Orders whose facts are wanted and asked for."),
            abandoned_orders: by_seller(
                "chopmark_reactor_abandoned_orders",
                "Orders whose facts are wanted and no longer asked for.",
            ),
            open_errands: by_seller(
                "chopmark_reactor_open_errands",
                "Codes to be activated and licenses to be uploaded.",
            ),
            abandoned_errands: by_seller(
                "chopmark_reactor_abandoned_errands",
                "Codes not activated and licenses not uploaded, which are no longer tried.",
            ),
            requests: IntCounterVec::new(
                Opts::new("chopmark_reactor_requests_total", "Requests to the open API by result."),
                &["api", "result"],
            )
            .expect("a valid counter"),
            request_seconds: Histogram::with_opts(
                HistogramOpts::new("chopmark_reactor_request_seconds", "Time of a request to the open API.")
                    .buckets(seconds),
            )
            .expect("a valid histogram"),
        }
    }

    pub(crate) fn follows(&self, follows: bool) {
        self.following.set(follows.into());
    }

    /// How many orders of a seller are open, and how many abandoned.
    pub(crate) fn show_orders(&self, seller: &SellerId, (open, abandoned): (usize, usize)) {
        show(&self.open_orders, seller, open);
        show(&self.abandoned_orders, seller, abandoned);
    }

    /// How many errands of a seller are open, and how many abandoned.
    pub(crate) fn show_errands(&self, seller: &SellerId, (open, abandoned): (usize, usize)) {
        show(&self.open_errands, seller, open);
        show(&self.abandoned_errands, seller, abandoned);
    }

    /// A request was answered, or failed in this way.
    pub(crate) fn answered(&self, api: &str, failed: Option<ErrorKind>, took: Duration) {
        self.requests.with_label_values(&[api, result_of(failed)]).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }
}

fn show(gauge: &IntGaugeVec, seller: &SellerId, count: usize) {
    gauge.with_label_values(&[seller.as_str()]).set(i64::try_from(count).unwrap_or(i64::MAX));
}

/// A result as metrics name it.
pub(crate) fn result_of(failed: Option<ErrorKind>) -> &'static str {
    match failed {
        None => "ok",
        Some(ErrorKind::Transient) => "transient",
        Some(ErrorKind::Refused) => "refused",
        Some(ErrorKind::Malformed) => "malformed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_register_once_under_their_documented_names() {
        let registry = Registry::new();
        let metrics = ReactorMetrics::register(&registry).unwrap();
        metrics.follows(true);
        let seller = SellerId::parse("acme").unwrap();
        metrics.show_orders(&seller, (2, 1));
        metrics.show_errands(&seller, (3, 0));
        metrics.answered("order/query", Some(ErrorKind::Refused), Duration::from_millis(5));
        let names: Vec<_> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        assert_eq!(
            names,
            [
                "chopmark_reactor_abandoned_errands",
                "chopmark_reactor_abandoned_orders",
                "chopmark_reactor_following",
                "chopmark_reactor_open_errands",
                "chopmark_reactor_open_orders",
                "chopmark_reactor_request_seconds",
                "chopmark_reactor_requests_total"
            ]
        );
        assert!(ReactorMetrics::register(&registry).is_err());
    }
}
