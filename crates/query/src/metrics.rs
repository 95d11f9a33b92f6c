//! What the API counts.

use chopmark_domain::ids::SellerId;
use chopmark_domain::license::Code;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

use crate::problem::Kind;

/// The routes beside checks, as the label names them.
const ROUTES: [&str; 22] = [
    "console",
    "licenses",
    "license",
    "history",
    "explain",
    "block",
    "machines",
    "machine",
    "deliveries",
    "tokens",
    "periods",
    "period",
    "lines",
    "line",
    "forecast",
    "bills",
    "transactions",
    "mappings",
    "reconciliation",
    "statements",
    "adjustments",
    "closing",
];

/// Metrics of the API.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_checks_total{code}` | counter: checks answered, by the verdict's code |
/// | `chopmark_checks_refused_total{problem}` | counter: checks not answered, by the problem's name |
/// | `chopmark_enrolments_total{outcome}` | counter: deployments that were not on record, by what became of them |
/// | `chopmark_clones_suspected_total{seller}` | counter: enrolments, made or refused, that follow each other as those of two systems do |
/// | `chopmark_api_requests_total{route,status}` | counter: requests to all other routes, by HTTP status |
#[derive(Debug, Clone)]
pub struct QueryMetrics {
    /// One counter per code, at the code's place: no lookup on the way of a check.
    checks: [IntCounter; Code::ALL.len()],
    checks_refused: IntCounterVec,
    enrolments: IntCounterVec,
    clones_suspected: IntCounterVec,
    requests: IntCounterVec,
}

/// What became of a deployment that was not on record as it asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnrolmentOutcome {
    /// It was seen for the first time.
    First,
    /// It was enrolled anew: installed again, or a clone.
    Anew,
    /// Answered and not recorded: there were too many.
    Bounded,
    /// It is used elsewhere, or may not be used.
    Refused,
    /// Answered and not recorded: the log could not be written.
    Failed,
}

impl EnrolmentOutcome {
    const ALL: [Self; 5] = [Self::First, Self::Anew, Self::Bounded, Self::Refused, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Anew => "anew",
            Self::Bounded => "bounded",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl QueryMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// Another metric of the same name is registered there.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let checks = counter("chopmark_checks_total", "Checks answered, by code.", &["code"])?;
        let checks_refused =
            counter("chopmark_checks_refused_total", "Checks not answered, by problem.", &["problem"])?;
        let help = "Deployments that were not on record, by what became of them.";
        let enrolments = counter("chopmark_enrolments_total", help, &["outcome"])?;
        let help = "Enrolments, made or refused, that follow each other as those of two systems with one ECS id do.";
        let clones_suspected = counter("chopmark_clones_suspected_total", help, &["seller"])?;
        let help = "Requests to all routes but checks, by route and HTTP status.";
        let requests = counter("chopmark_api_requests_total", help, &["route", "status"])?;
        // At 0 from the start: an increase from nothing is none to an alert.
        Kind::ALL.iter().for_each(|kind| drop(checks_refused.with_label_values(&[kind.name()])));
        EnrolmentOutcome::ALL.iter().for_each(|outcome| drop(enrolments.with_label_values(&[outcome.as_str()])));
        ROUTES.iter().for_each(|route| drop(requests.with_label_values(&[*route, "200"])));
        let checks = Code::ALL.map(|code| checks.with_label_values(&[code.as_str()]));
        Ok(Self { checks, checks_refused, enrolments, clones_suspected, requests })
    }

    /// A check was answered.
    pub(crate) fn checked(&self, code: Code) {
        if let Some(counter) = self.checks.get(code as usize) {
            counter.inc();
        }
    }

    /// A check was not answered.
    pub(crate) fn refused(&self, problem: Kind) {
        self.checks_refused.with_label_values(&[problem.name()]).inc();
    }

    /// A deployment was not on record.
    pub(crate) fn enrolled(&self, outcome: EnrolmentOutcome) {
        self.enrolments.with_label_values(&[outcome.as_str()]).inc();
    }

    /// Two systems seem to use one ECS id.
    pub(crate) fn clone_suspected(&self, seller: &SellerId) {
        self.clones_suspected.with_label_values(&[seller.as_str()]).inc();
    }

    /// A route other than that of checks answered.
    pub(crate) fn answered(&self, route: &str, status: u16) {
        self.requests.with_label_values(&[route, &status.to_string()]).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_counted_from_zero_under_a_name_of_its_own() {
        let registry = Registry::new();
        let metrics = QueryMetrics::register(&registry).unwrap();
        metrics.refused(Kind::NotReady);
        let families = registry.gather();
        let family = families.iter().find(|family| family.name() == "chopmark_checks_refused_total").unwrap();
        assert_eq!(family.get_metric().len(), Kind::ALL.len());
        let refused: f64 = family.get_metric().iter().map(|metric| metric.get_counter().get_value()).sum();
        assert_eq!(refused.to_string(), "1");
    }

    #[test]
    fn every_code_has_the_counter_of_its_name() {
        let registry = Registry::new();
        let metrics = QueryMetrics::register(&registry).unwrap();
        for (count, code) in (1..).zip(Code::ALL) {
            (0..count).for_each(|_| metrics.checked(code));
        }
        let families = registry.gather();
        let family = families.iter().find(|family| family.name() == "chopmark_checks_total").unwrap();
        for (count, code) in (1..).zip(Code::ALL) {
            let counted =
                family.get_metric().iter().find(|metric| metric.get_label()[0].value() == code.as_str()).unwrap();
            assert_eq!(counted.get_counter().get_value(), f64::from(count), "{code:?}");
        }
    }
}
