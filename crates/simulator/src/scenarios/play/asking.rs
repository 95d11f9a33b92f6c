//! Asking the seller's API, and looking at the marketplace's books, until all is as it must be.

use std::time::Instant;

use serde_json::Value;

use super::{PAUSE, Play};
use crate::checks::{Answer, CheckError, Checks, Question};
use crate::open_api_server::Desk;
use crate::scenarios::wanted::{Wanted, in_words};

impl Play<'_> {
    /// Checks a license until it is as it must be, or patience ends. Without an API nothing is checked.
    pub(in crate::scenarios) async fn check(&mut self, name: &str, license: &str, wanted: &Wanted) {
        self.look(name, license, |verdict| match wanted.contradiction(verdict) {
            None => Ok(in_words(verdict)),
            Some(contradiction) => Err(contradiction),
        })
        .await;
    }

    /// Waits until a license has at least so many events, and gives their number. Without an API: nothing.
    pub(in crate::scenarios) async fn revision(&mut self, name: &str, license: &str, at_least: u64) -> Option<u64> {
        let mut revision = None;
        self.look(name, license, |verdict| {
            revision = verdict["license"]["revision"].as_u64();
            match revision {
                Some(found) if found >= at_least => Ok(format!("revision {found}")),
                found => Err(format!("revision is {found:?}, must become {at_least}")),
            }
        })
        .await;
        revision
    }

    /// A license must still have exactly so many events.
    pub(in crate::scenarios) async fn unchanged(&mut self, name: &str, license: &str, revision: Option<u64>) {
        let Some(before) = revision else { return };
        self.look(name, license, |verdict| match verdict["license"]["revision"].as_u64() {
            Some(now) if now == before => Ok(format!("revision {now}, as before")),
            now => Err(format!("revision is {now:?}, must still be {before}")),
        })
        .await;
    }

    async fn look(&mut self, name: &str, license: &str, judge: impl FnMut(&Value) -> Result<String, String>) {
        self.ask(name, &Question::license(license), judge).await;
    }

    /// Asks until the verdict is as it must be, or patience ends, and gives it then. Without an API: nothing.
    pub(in crate::scenarios) async fn ask(
        &mut self,
        name: &str,
        question: &Question,
        mut judge: impl FnMut(&Value) -> Result<String, String>,
    ) -> Option<Value> {
        let checks = self.checks.as_mut()?;
        let began = Instant::now();
        let (outcome, verdict) = loop {
            let answer = checks.question(question).await;
            let lost = matches!(answer, Err(CheckError::Http(_)));
            let (outcome, verdict) = match answer {
                Ok(verdict) => (judge(&verdict), Some(verdict)),
                Err(error) => (Err(error.to_string()), None),
            };
            if outcome.is_ok() || (lost && self.api_lost) || began.elapsed() >= self.context.patience {
                self.api_lost = lost;
                break (outcome, verdict);
            }
            tokio::time::sleep(PAUSE).await;
        };
        let verdict = verdict.filter(|_| outcome.is_ok());
        self.conclude(name, outcome, began);
        verdict
    }

    /// Asks until the verdict is as it must be, or patience ends.
    pub(in crate::scenarios) async fn wants(
        &mut self,
        name: &str,
        question: &Question,
        wanted: &Wanted,
    ) -> Option<Value> {
        let judge = |verdict: &Value| wanted.contradiction(verdict).map_or_else(|| Ok(in_words(verdict)), Err);
        self.ask(name, question, judge).await
    }

    /// Sends a request about machines, once, and judges its answer.
    pub(in crate::scenarios) async fn request(
        &mut self,
        name: &str,
        send: impl AsyncFnOnce(&mut Checks) -> Result<Answer, CheckError>,
        judge: impl FnOnce(&Answer) -> Result<String, String>,
    ) {
        let Some(checks) = self.checks.as_mut() else { return };
        let began = Instant::now();
        let outcome = match send(checks).await {
            Ok(answer) => judge(&answer),
            Err(error) => Err(error.to_string()),
        };
        self.conclude(name, outcome, began);
    }

    /// Looks at the marketplace's books until they are as they must be, or patience ends.
    pub(in crate::scenarios) async fn wait(
        &mut self,
        name: &str,
        mut judge: impl FnMut() -> Result<String, String>,
    ) -> bool {
        let began = Instant::now();
        let outcome = loop {
            let outcome = judge();
            if outcome.is_ok() || began.elapsed() >= self.context.patience {
                break outcome;
            }
            tokio::time::sleep(PAUSE).await;
        };
        let ok = outcome.is_ok();
        self.conclude(name, outcome, began);
        ok
    }

    /// Whether there is an API to ask; a scenario that is about nothing else fails without one.
    pub(in crate::scenarios) fn needs_api(&mut self) -> bool {
        if self.checks.is_none() {
            self.conclude("there is an API", Err("name it with --api".into()), Instant::now());
        }
        self.checks.is_some()
    }

    /// The marketplace's open API; a scenario that plays it fails without one.
    pub(in crate::scenarios) fn needs_desk(&mut self) -> Option<Desk> {
        if self.context.desk.is_none() {
            let problem =
                "let it be served with --open-api, and configure its address as the seller's open_api.base_url";
            self.conclude("the marketplace's open API is played", Err(problem.into()), Instant::now());
        }
        self.context.desk.clone()
    }
}
