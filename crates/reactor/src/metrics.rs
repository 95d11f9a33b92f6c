//! What the reactor counts and times.

use std::time::Duration;

use chopmark_domain::ids::SellerId;
use chopmark_huawei::open_api::{ErrorKind, OpenApiError, OrderAnswer};
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// The open API's order query, as metrics and causes name it.
pub(crate) const ORDER_QUERY: &str = "order/query";

/// The metrics of the reactor.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_reactor_following` | gauge: 1 while it follows the log; 0 before, after, and when it met what it cannot read |
/// | `chopmark_reactor_open_orders{seller}` | gauge: orders whose facts are wanted and asked for |
/// | `chopmark_reactor_abandoned_orders{seller}` | gauge: orders whose facts are wanted and no longer asked for |
/// | `chopmark_reactor_requests_total{api,result}` | counter: requests to the open API by `ok`, `transient`, `refused`, `malformed` |
/// | `chopmark_reactor_request_seconds` | histogram: one request, its second host included |
#[derive(Debug, Clone)]
pub struct ReactorMetrics {
    following: IntGauge,
    open_orders: IntGaugeVec,
    abandoned_orders: IntGaugeVec,
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

    pub(crate) fn show_orders(&self, seller: &SellerId, open: usize, abandoned: usize) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.open_orders.with_label_values(&[seller.as_str()]).set(gauge(open));
        self.abandoned_orders.with_label_values(&[seller.as_str()]).set(gauge(abandoned));
    }

    pub(crate) fn answered(&self, answer: &Result<OrderAnswer, OpenApiError>, took: Duration) {
        let result = match answer.as_ref().map_err(|error| error.kind) {
            Ok(_) => "ok",
            Err(ErrorKind::Transient) => "transient",
            Err(ErrorKind::Refused) => "refused",
            Err(ErrorKind::Malformed) => "malformed",
        };
        self.requests.with_label_values(&[ORDER_QUERY, result]).inc();
        self.request_seconds.observe(took.as_secs_f64());
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
        metrics.show_orders(&SellerId::parse("acme").unwrap(), 2, 1);
        metrics.answered(&Err(OpenApiError::new(ErrorKind::Refused, "no")), Duration::from_millis(5));
        let names: Vec<_> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        assert_eq!(
            names,
            [
                "chopmark_reactor_abandoned_orders",
                "chopmark_reactor_following",
                "chopmark_reactor_open_orders",
                "chopmark_reactor_request_seconds",
                "chopmark_reactor_requests_total"
            ]
        );
        assert!(ReactorMetrics::register(&registry).is_err());
    }
}
