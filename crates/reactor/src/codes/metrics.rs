//! What the code desk counts.

use chopmark_domain::ids::SellerId;
use chopmark_huawei::open_api::ErrorKind;
use prometheus::{IntCounterVec, Opts, Registry};

use crate::metrics::result_of;

/// How a lookup ended, as metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    /// The marketplace knows the code.
    Known,
    /// The marketplace does not.
    NotExist,
    /// The marketplace did not tell, or not in time.
    Untold,
    /// It was answered not long ago.
    Remembered,
    /// Nothing that may be a code.
    Implausible,
    /// The seller has no open API.
    NoOpenApi,
    /// The marketplace was away not long ago.
    Away,
    /// Too many questions are under way.
    Busy,
    /// Too many unknown codes within an hour.
    OverQuota,
}

impl Lookup {
    fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::NotExist => "not_exist",
            Self::Untold => "untold",
            Self::Remembered => "remembered",
            Self::Implausible => "implausible",
            Self::NoOpenApi => "no_open_api",
            Self::Away => "away",
            Self::Busy => "busy",
            Self::OverQuota => "over_quota",
        }
    }
}

/// The metrics of the code desk.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_code_lookups_total{seller,result}` | counter: lookups of codes that checks named and nobody here knew |
/// | `chopmark_code_questions_total{seller,result}` | counter: questions to the marketplace about codes, daily ones included, by `ok`, `transient`, `refused`, `malformed` |
#[derive(Debug, Clone)]
pub struct CodeMetrics {
    lookups: IntCounterVec,
    questions: IntCounterVec,
}

impl CodeMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::unregistered();
        registry.register(Box::new(metrics.lookups.clone()))?;
        registry.register(Box::new(metrics.questions.clone()))?;
        Ok(metrics)
    }

    /// Makes metrics that nobody scrapes: for tests.
    #[must_use]
    #[expect(clippy::expect_used, reason = "names are constants; `register` is run by a test")]
    pub fn unregistered() -> Self {
        let counter =
            |name, help| IntCounterVec::new(Opts::new(name, help), &["seller", "result"]).expect("a valid counter");
        Self {
            lookups: counter("chopmark_code_lookups_total", "Lookups of codes that nobody here knew, by result."),
            questions: counter("chopmark_code_questions_total", "Questions to the marketplace about codes, by result."),
        }
    }

    pub(super) fn looked_up(&self, seller: &SellerId, lookup: Lookup) {
        self.lookups.with_label_values(&[seller.as_str(), lookup.as_str()]).inc();
    }

    pub(super) fn asked(&self, seller: &SellerId, failed: Option<ErrorKind>) {
        self.questions.with_label_values(&[seller.as_str(), result_of(failed)]).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_register_once_under_their_documented_names() {
        let registry = Registry::new();
        let metrics = CodeMetrics::register(&registry).unwrap();
        let seller = SellerId::parse("acme").unwrap();
        metrics.looked_up(&seller, Lookup::NotExist);
        metrics.asked(&seller, None);
        let names: Vec<_> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        assert_eq!(names, ["chopmark_code_lookups_total", "chopmark_code_questions_total"]);
        assert!(CodeMetrics::register(&registry).is_err());
    }
}
