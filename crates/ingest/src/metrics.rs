//! What the callback listener counts.

use chopmark_huawei::answer::ResultCode;
use chopmark_huawei::callback::{Activity, Reason};
use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

use crate::body::BodyError;
use crate::sellers::Sellers;

/// The reason of requests whose path names no seller of this configuration.
pub(crate) const UNKNOWN_SELLER: &str = "unknown_seller";
/// The reason of requests that are no `POST`.
pub(crate) const WRONG_METHOD: &str = "method";
/// The reason of requests to any other path.
pub(crate) const WRONG_PATH: &str = "path";

/// Metrics of the callback listener.
#[derive(Clone)]
pub struct IngestMetrics {
    /// `chopmark_callbacks_total{seller,activity,result}`: answers to authenticated callbacks, dial tests included.
    pub(crate) callbacks: IntCounterVec,
    /// `chopmark_callbacks_rejected_total{reason}`: requests turned away before they meant anything.
    pub(crate) rejected: IntCounterVec,
    /// `chopmark_dial_tests_total{seller,result}`: answers to test traffic.
    pub(crate) dial_tests: IntCounterVec,
    /// `chopmark_provisional_terms_total{seller}`: freezes lifted after the expiry known here. Each wants a look: the
    /// refresh that goes with it has not come.
    pub(crate) provisional_terms: IntCounterVec,
    /// `chopmark_callback_seconds`: from the request's head to its answer.
    pub(crate) seconds: Histogram,
}

impl IngestMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// A metric of that name is registered already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0];
        let seconds = Histogram::with_opts(
            HistogramOpts::new("chopmark_callback_seconds", "From a callback's head to its answer, in seconds")
                .buckets(buckets),
        )?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self {
            callbacks: counter(
                "chopmark_callbacks_total",
                "Authenticated callbacks by seller, activity and result code",
                &["seller", "activity", "result"],
            )?,
            rejected: counter("chopmark_callbacks_rejected_total", "Requests turned away, by reason", &["reason"])?,
            dial_tests: counter(
                "chopmark_dial_tests_total",
                "Dial tests by seller and result code",
                &["seller", "result"],
            )?,
            provisional_terms: counter(
                "chopmark_provisional_terms_total",
                "Freezes lifted after the known expiry, by seller",
                &["seller"],
            )?,
            seconds,
        })
    }

    /// Begins at 0 what an alert may watch: a series that begins at its first event has not increased.
    pub(crate) fn begin(&self, sellers: &Sellers) {
        let reasons = Reason::KINDS.iter().map(|reason| reason.as_str());
        let unread = BodyError::ALL.iter().map(|error| error.as_str());
        for reason in reasons.chain(unread).chain([UNKNOWN_SELLER, WRONG_METHOD, WRONG_PATH]) {
            self.rejected.with_label_values(&[reason]);
        }
        for seller in sellers.keys().map(|seller| seller.as_str()) {
            self.provisional_terms.with_label_values(&[seller]);
            for result in [ResultCode::Success, ResultCode::IllegalParameter, ResultCode::InternalError] {
                self.dial_tests.with_label_values(&[seller, result.as_str()]);
            }
            for activity in Activity::ALL {
                for result in [ResultCode::Success, ResultCode::UnknownInstance, ResultCode::InternalError] {
                    self.callbacks.with_label_values(&[seller, activity.as_str(), result.as_str()]);
                }
            }
        }
    }
}
