//! What the API counts.

use chopmark_domain::license::Code;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

use crate::problem::{Kind, Problem};

/// The routes that need a token, as the label names them.
const ROUTES: [&str; 3] = ["licenses", "license", "deliveries"];

/// Metrics of the API.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_checks_total{code}` | counter: checks answered, by the verdict's code |
/// | `chopmark_checks_refused_total{problem}` | counter: checks not answered, by the problem's name |
/// | `chopmark_api_requests_total{route,status}` | counter: requests to the token routes, by HTTP status |
#[derive(Debug, Clone)]
pub struct QueryMetrics {
    /// One counter per code, at the code's place: no lookup on the way of a check.
    checks: [IntCounter; Code::ALL.len()],
    checks_refused: IntCounterVec,
    requests: IntCounterVec,
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
        let help = "Requests to the token routes, by route and HTTP status.";
        let requests = counter("chopmark_api_requests_total", help, &["route", "status"])?;
        // At 0 from the start: an increase from nothing is none to an alert.
        Kind::ALL.iter().for_each(|kind| drop(checks_refused.with_label_values(&[kind.name()])));
        ROUTES.iter().for_each(|route| drop(requests.with_label_values(&[*route, "200"])));
        Ok(Self { checks: Code::ALL.map(|code| checks.with_label_values(&[code.as_str()])), checks_refused, requests })
    }

    /// A check was answered.
    pub(crate) fn checked(&self, code: Code) {
        if let Some(counter) = self.checks.get(code as usize) {
            counter.inc();
        }
    }

    /// A check was not answered.
    pub(crate) fn refused(&self, problem: &Problem) {
        self.checks_refused.with_label_values(&[problem.kind().name()]).inc();
    }

    /// A token route answered.
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
        metrics.refused(&Problem::new(Kind::NotReady, "not yet"));
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
