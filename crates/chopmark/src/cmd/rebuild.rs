//! `chopmark rebuild`: the views from the log, to replace those kept or to compare with them.

mod billing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chopmark_log::snapshot::SnapshotError;
use chopmark_log::{Engine, EventLog, Leadership};
use chopmark_projector::{VerifyError, VerifyReport, rebuild, verify};
use serde_json::{Value, json};

use super::kept::existing_log;
use crate::cli::RebuildArgs;
use crate::config::{Config, ViewsAt};
use crate::failure::{Complaint, Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::log::Care;

const HELP: &str = "see docs/operations/recovery.md";

/// Who was killed leads for so long at most; who is alive does not give it up.
const LEAD_WITHIN: Duration = Duration::from_secs(30);

/// What was made or compared.
struct Outcome {
    /// For people, with the end of its line.
    text: String,
    /// For machines.
    json: Value,
    /// Whether nothing differs.
    is_equal: bool,
}

/// Rebuilds the license index and the billing views, or compares those kept with fresh ones.
///
/// # Errors
/// The log cannot be read; with `--verify`, there is a difference, or what is kept is damaged or of another version.
pub(crate) async fn run(args: &RebuildArgs, config: &Config) -> Result<(), Failure> {
    let data = DataDir::at(&config.data_dir);
    let log = existing_log(config, Care::Whole).await?;
    let outcome = if args.verify { compare(config, &data, &log).await } else { replace(config, &data, &log).await };
    log.close().await;
    let Outcome { text, json, is_equal } = outcome?;
    crate::print(&if args.json { format!("{json}\n") } else { text })?;
    if is_equal { Ok(()) } else { Err(Failure { reason: Reason::CheckFailed, complaints: vec![] }) }
}

async fn replace(config: &Config, data: &DataDir, log: &Arc<dyn Engine>) -> Result<Outcome, Failure> {
    data.create()?;
    // A running server saves its own index over ours, and writes the billing views itself.
    let _lock = data.lock()?;
    let _leadership = leadership(config, log).await?;
    let begun = Instant::now();
    let log: Arc<dyn EventLog> = log.clone();
    let index = rebuild(log.clone(), None, |_| ()).await.or_fail(Reason::Storage, "rebuilding", HELP)?;
    let path = data.index_snapshot();
    let position = index.save(&path).or_fail(Reason::Storage, "saving the license index", HELP)?;
    let seconds = begun.elapsed().as_secs_f64();
    let licenses = Outcome {
        text: format!("{} licenses at position {position}, from the log in {seconds:.1} s\n", index.len()),
        json: json!({ "licenses": index.len(), "position": position.to_string(), "seconds": seconds }),
        is_equal: true,
    };
    Ok(licenses.and(billing::replace(config, log).await?))
}

/// Billing views in PostgreSQL are written by whoever leads.
async fn leadership(config: &Config, log: &Arc<dyn Engine>) -> Result<Option<Leadership>, Failure> {
    if matches!(config.views, ViewsAt::Sqlite { .. }) {
        return Ok(None);
    }
    match tokio::time::timeout(LEAD_WITHIN, log.lead()).await {
        Ok(leadership) => Ok(Some(leadership)),
        Err(_) => Err(Failure::new(
            Reason::Storage,
            "another process keeps the billing views, or the event log cannot be reached",
            "stop every `chopmark serve` of role all or worker, then run it again",
        )),
    }
}

async fn compare(config: &Config, data: &DataDir, log: &Arc<dyn Engine>) -> Result<Outcome, Failure> {
    let log: Arc<dyn EventLog> = log.clone();
    let licenses = match verify(&data.index_snapshot(), log.clone()).await {
        Ok(report) => found(&report),
        Err(VerifyError::Snapshot(SnapshotError::Absent { .. })) => {
            let index = rebuild(log.clone(), None, |_| ()).await.or_fail(Reason::Storage, "rebuilding", HELP)?;
            let text = format!(
                "{} licenses in the log, and no index kept to compare them with: one is saved when the server stops\n",
                index.len()
            );
            Outcome { text, json: json!({ "licenses": index.len() }), is_equal: true }
        }
        Err(VerifyError::Snapshot(unusable @ (SnapshotError::Damaged { .. } | SnapshotError::Foreign { .. }))) => {
            unlike(&unusable)
        }
        Err(error) => return Err(error).or_fail(Reason::Storage, "comparing", HELP),
    };
    Ok(licenses.and(billing::compare(config, log).await?))
}

impl Outcome {
    /// This of the license index, and that of the billing views.
    fn and(mut self, billing: Self) -> Self {
        if let Value::Object(fields) = &mut self.json {
            fields.insert("billing".into(), billing.json);
        }
        Self { text: self.text + &billing.text, json: self.json, is_equal: self.is_equal && billing.is_equal }
    }
}

/// What is kept is no index, so it is not that of the log.
fn unlike(unusable: &SnapshotError) -> Outcome {
    let help = "stop the server and run `chopmark rebuild`; no license depends on it";
    crate::warn(&Complaint::new(unusable.to_string(), help));
    Outcome {
        text: "the license index that is kept cannot be used\n".into(),
        json: json!({ "equal": false, "unusable": unusable.to_string() }),
        is_equal: false,
    }
}

fn found(report: &VerifyReport) -> Outcome {
    let (position, licenses) = (report.position.to_string(), report.licenses);
    let differences: Vec<_> = report
        .differences
        .iter()
        .map(|difference| json!({ "kept": difference.snapshot, "log": difference.log }))
        .collect();
    let json = json!({
        "equal": report.is_equal(),
        "position": position,
        "licenses": licenses,
        "differing": report.differing,
        "differences": differences,
    });
    if report.is_equal() {
        let text = format!("equal: {licenses} licenses at position {position} are what the log says\n");
        return Outcome { text, json, is_equal: true };
    }
    let mut text = format!("{} lines differ at position {position}:\n", report.differing);
    let none = "(none)".to_owned();
    for difference in &report.differences {
        let (kept, log) = (difference.snapshot.as_ref().unwrap_or(&none), difference.log.as_ref().unwrap_or(&none));
        text += &format!("  kept  {kept}\n  log   {log}\n");
    }
    text += "  help: stop the server and run `chopmark rebuild`\n";
    Outcome { text, json, is_equal: false }
}
