//! The event log and what is folded from it.

use std::path::Path;
use std::sync::Arc;

use chopmark_log::{Engine, EventLog, Position, ReadError};
use chopmark_reactor::{AtRisk, at_risk};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::finding::Finding;
use crate::cmd::kept::{complaint, existing_log, index};
use crate::config::Config;
use crate::failure::Failure;
use crate::server::data_dir::DataDir;
use crate::server::log::Care;

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
    if let Some(file) = config.log.file().filter(|file| !file.exists()) {
        return Looked { findings: absent(file, &data), ..Looked::default() };
    }
    match existing_log(config, Care::Whole).await {
        Ok(log) => {
            let looked = look_into(config, &data, &log).await;
            log.close().await;
            looked
        }
        Err(failure) => Looked { findings: failed(failure), ..Looked::default() },
    }
}

/// There is no log: not yet, or not any more.
fn absent(file: &Path, data: &DataDir) -> Vec<Finding> {
    match data.must_not_miss(file) {
        Ok(()) => {
            let what = format!("{} does not exist yet", file.display());
            vec![Finding::warn("log", what, "it is made when the server starts")]
        }
        Err(failure) => failed(failure),
    }
}

async fn look_into(config: &Config, data: &DataDir, log: &Arc<dyn Engine>) -> Looked {
    let head = match log.head().await {
        Ok(head) => head,
        Err(error) => return Looked { findings: vec![unreachable(config, &error)], ..Looked::default() },
    };
    let mut findings = vec![found(config, head)];
    match index(data, log.as_ref()).await {
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
    Looked { findings, head: Some(head), at_risk }
}

/// Every record of a file was read when it was opened; those that are elsewhere were not.
fn found(config: &Config, head: Position) -> Finding {
    let how = if config.log.is_remote() { "answers" } else { "intact" };
    Finding::ok("log", format!("{}: {how}, head {head}", config.log))
}

fn unreachable(config: &Config, error: &ReadError) -> Finding {
    let mend = "start what keeps it, or mend log.url; until then callbacks are answered 000005, and delivered again";
    Finding::fail("log", format!("{}: {error}", config.log), mend)
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
