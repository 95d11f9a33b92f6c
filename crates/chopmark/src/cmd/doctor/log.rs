//! The event log and what is folded from it.

use std::sync::Arc;

use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, Position};
use chopmark_reactor::{AtRisk, at_risk};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::finding::Finding;
use crate::cmd::kept::{complaint, existing_log, index};
use crate::config::Config;
use crate::failure::Failure;
use crate::server::data_dir::DataDir;

/// What was found in the log.
#[derive(Default)]
pub(super) struct Looked {
    /// How it is.
    pub(super) findings: Vec<Finding>,
    /// Where it ends, if it can be read.
    pub(super) head: Option<Position>,
    /// What a customer may have paid for and not got.
    pub(super) at_risk: AtRisk,
}

/// Looks at the log's integrity, the clock that its last event was recorded by, and whether all of it is understood.
pub(super) async fn look(config: &Config) -> Looked {
    let data = DataDir::at(&config.data_dir);
    if !config.log_file.exists() {
        return Looked { findings: absent(config, &data), ..Looked::default() };
    }
    match existing_log(config, SqliteOptions::default()).await {
        Ok(log) => {
            let looked = look_into(config, &data, &log).await;
            log.close().await;
            looked
        }
        Err(failure) => Looked { findings: failed(failure), ..Looked::default() },
    }
}

/// There is no log: not yet, or not any more.
fn absent(config: &Config, data: &DataDir) -> Vec<Finding> {
    match data.must_not_miss(&config.log_file) {
        Ok(()) => {
            let what = format!("{} does not exist yet", config.log_file.display());
            vec![Finding::warn("log", what, "it is made when the server starts")]
        }
        Err(failure) => failed(failure),
    }
}

async fn look_into(config: &Config, data: &DataDir, log: &Arc<SqliteLog>) -> Looked {
    let end = log.head().await.ok();
    let head = end.unwrap_or(Position::START);
    let mut findings = vec![Finding::ok("log", format!("{}: intact, head {head}", config.log_file.display()))];
    match index(data, log).await {
        Ok(index) => {
            let complaint = complaint(&index);
            findings.extend(complaint.map(|complaint| Finding::fail("log", complaint.what, complaint.help)));
        }
        Err(failure) => findings.extend(failed(failure)),
    }
    let last = log.read_all(Position(head.0.saturating_sub(1)), 1).await.ok();
    if let Some(last) = last.and_then(|page| page.records.into_iter().next()) {
        findings.push(clock(last.recorded_at));
    }
    let log: Arc<dyn EventLog> = log.clone();
    let at_risk = at_risk(&log, &data.reactor_snapshot()).await.unwrap_or_else(|error| {
        findings.push(Finding::fail("log", error.to_string(), "see docs/operations/recovery.md"));
        AtRisk::default()
    });
    Looked { findings, head: end, at_risk }
}

fn failed(failure: Failure) -> Vec<Finding> {
    failure.complaints.into_iter().map(|complaint| Finding::fail("log", complaint.what, complaint.help)).collect()
}

fn clock(last_recorded_at: DateTime<Utc>) -> Finding {
    let now = Utc::now();
    let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    if last_recorded_at > now + TimeDelta::seconds(5) {
        let (now, recorded) = (text(now), text(last_recorded_at));
        let what = format!("it is {now}, but the log's last event was recorded at {recorded}");
        return Finding::fail("clock", what, "set the clock (NTP): signed callbacks are refused when it is 60 s wrong");
    }
    Finding::ok("clock", format!("{}, after the log's last event", text(now)))
}
