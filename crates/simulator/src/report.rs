//! What came of a scenario, step by step, for people and for programs.

use std::fmt;

use chopmark_huawei::answer::ResultCode;
use serde::Serialize;

use crate::console::Finding;
use crate::scenarios::storm::Figures;

/// One thing tried.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// What was tried.
    pub name: String,
    /// Whether all was as it must be.
    pub ok: bool,
    /// What came of it.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub millis: f64,
    /// What the marketplace would not accept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// A purchase that the server took on: its answer was success, so nothing may ever undo it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The order.
    pub order_id: String,
    /// The instance that the answer named.
    pub instance: String,
}

/// What came of a scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which.
    pub scenario: &'static str,
    /// Whether every step was as it must be.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub millis: f64,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What a storm measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storm: Option<Figures>,
    /// The purchases that `storm` and `outage` saw acknowledged, where they keep them.
    #[serde(skip)]
    pub acknowledged: Vec<Acknowledged>,
}

impl Report {
    /// How many steps were not as they must be.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.steps.iter().filter(|step| !step.ok).count()
    }
}

/// Watches a scenario while it plays.
pub trait Progress: Sync {
    /// A scenario begins.
    fn began(&self, _scenario: &str) {}
    /// A step is done.
    fn stepped(&self, _step: &Step) {}
    /// So many of so many deliveries of a storm are done.
    fn advanced(&self, _done: u64, _of: u64) {}
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {}

const NAME_WIDTH: usize = 58;

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, millis, detail, .. } = self;
        write!(f, "  {} {name:<NAME_WIDTH$} {millis:>8.1} ms  {detail}", mark(self.ok))?;
        for finding in &self.findings {
            write!(f, "\n      {finding}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.scenario)?;
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        if let Some(figures) = &self.storm {
            write!(f, "{figures}")?;
        }
        f.write_str(&self.summary())
    }
}

impl Report {
    /// The report in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let (steps, failures) = (self.steps.len(), self.failures());
        let outcome = match failures {
            0 => format!("all {steps} steps as they must be"),
            _ => format!("{failures} of {steps} steps not as they must be"),
        };
        format!("{} {}: {outcome}, {:.2} s", mark(self.ok), self.scenario, self.millis / 1000.0)
    }
}

fn mark(ok: bool) -> char {
    if ok { '✓' } else { '✗' }
}

/// A result in the words of a step's detail, e.g. `000000 success.`.
pub(crate) fn result(code: Option<&str>, message: Option<&str>) -> String {
    let code = code.unwrap_or("no resultCode");
    match message {
        Some(message) if code != ResultCode::Success.as_str() => format!("{code} {message}"),
        _ => code.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let step = |name: &str, ok: bool| Step {
            name: name.into(),
            ok,
            detail: "000000".into(),
            millis: 1.25,
            findings: if ok { vec![] } else { vec![Finding::BodySignMissing] },
        };
        Report {
            scenario: "purchase",
            ok: false,
            millis: 2500.0,
            steps: vec![step("bought", true), step("looked at", false)],
            storm: None,
            acknowledged: vec![],
        }
    }

    #[test]
    fn a_report_reads_in_columns_and_ends_in_a_summary() {
        let text = report().to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "purchase");
        assert_eq!(lines[1], format!("  ✓ {:<58}      1.2 ms  000000", "bought"));
        assert_eq!(lines[2], format!("  ✗ {:<58}      1.2 ms  000000", "looked at"));
        assert_eq!(lines[3], "      there is no header Body-Sign");
        assert_eq!(lines[4], "✗ purchase: 1 of 2 steps not as they must be, 2.50 s");
    }

    #[test]
    fn a_report_is_json_too() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["steps"][1]["findings"][0]["check"], "body_sign_missing");
        assert_eq!(json["ok"], false);
        assert!(json.get("storm").is_none());
    }
}
