//! `chopmark rebuild`: the views from the log, to replace those kept or to compare with them.

use std::sync::Arc;
use std::time::Instant;

use chopmark_log::EventLog;
use chopmark_log::snapshot::SnapshotError;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_projector::{VerifyError, VerifyReport, rebuild, verify};
use serde_json::json;

use super::kept::existing_log;
use crate::cli::RebuildArgs;
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;

const HELP: &str = "see docs/operations/recovery.md";

/// Rebuilds the license index, or compares the one kept with a fresh one.
///
/// # Errors
/// The log cannot be read; with `--verify`, there is a difference, or what is kept is damaged or of another version.
pub(crate) async fn run(args: &RebuildArgs, config: &Config) -> Result<(), Failure> {
    let data = DataDir::at(&config.data_dir);
    let log = existing_log(config, SqliteOptions::default()).await?;
    let outcome = if args.verify { compare(args, &data, &log).await } else { replace(args, &data, &log).await };
    log.close().await;
    outcome
}

async fn replace(args: &RebuildArgs, data: &DataDir, log: &Arc<SqliteLog>) -> Result<(), Failure> {
    // A running server saves its own index over ours.
    let _lock = data.lock()?;
    let begun = Instant::now();
    let log: Arc<dyn EventLog> = log.clone();
    let index = rebuild(log, None, |_| ()).await.or_fail(Reason::Storage, "rebuilding", HELP)?;
    let path = data.index_snapshot();
    let position = index.save(&path).or_fail(Reason::Storage, "saving the license index", HELP)?;
    let seconds = begun.elapsed().as_secs_f64();
    crate::print(&if args.json {
        let found = json!({ "licenses": index.len(), "position": position.to_string(), "seconds": seconds });
        format!("{found}\n")
    } else {
        format!("{} licenses at position {position}, from the log in {seconds:.1} s\n", index.len())
    })
}

async fn compare(args: &RebuildArgs, data: &DataDir, log: &Arc<SqliteLog>) -> Result<(), Failure> {
    let log: Arc<dyn EventLog> = log.clone();
    match verify(&data.index_snapshot(), log.clone()).await {
        Ok(report) => {
            crate::print(&found(args, &report))?;
            if report.is_equal() { Ok(()) } else { Err(Failure { reason: Reason::CheckFailed, complaints: vec![] }) }
        }
        Err(VerifyError::Snapshot(SnapshotError::Absent { .. })) => {
            let index = rebuild(log, None, |_| ()).await.or_fail(Reason::Storage, "rebuilding", HELP)?;
            crate::print(&if args.json {
                format!("{}\n", json!({ "licenses": index.len() }))
            } else {
                format!(
                    "{} licenses in the log, and no index kept to compare them with: one is saved when the server stops\n",
                    index.len()
                )
            })
        }
        Err(VerifyError::Snapshot(unusable @ (SnapshotError::Damaged { .. } | SnapshotError::Foreign { .. }))) => {
            unlike(args, &unusable)
        }
        Err(error) => Err(error).or_fail(Reason::Storage, "comparing", HELP),
    }
}

/// What is kept is no index, so it is not that of the log.
fn unlike(args: &RebuildArgs, unusable: &SnapshotError) -> Result<(), Failure> {
    if args.json {
        crate::print(&format!("{}\n", json!({ "equal": false, "unusable": unusable.to_string() })))?;
        return Err(Failure { reason: Reason::CheckFailed, complaints: vec![] });
    }
    let help = "stop the server and run `chopmark rebuild`; no license depends on it";
    Err(Failure::new(Reason::CheckFailed, unusable.to_string(), help))
}

fn found(args: &RebuildArgs, report: &VerifyReport) -> String {
    if args.json {
        let differences: Vec<_> = report
            .differences
            .iter()
            .map(|difference| json!({ "kept": difference.snapshot, "log": difference.log }))
            .collect();
        let (position, licenses) = (report.position.to_string(), report.licenses);
        return format!(
            "{}\n",
            json!({
                "equal": report.is_equal(),
                "position": position,
                "licenses": licenses,
                "differing": report.differing,
                "differences": differences,
            })
        );
    }
    if report.is_equal() {
        let (licenses, position) = (report.licenses, report.position);
        return format!("equal: {licenses} licenses at position {position} are what the log says\n");
    }
    let mut text = format!("{} lines differ at position {}:\n", report.differing, report.position);
    let none = "(none)".to_owned();
    for difference in &report.differences {
        let (kept, log) = (difference.snapshot.as_ref().unwrap_or(&none), difference.log.as_ref().unwrap_or(&none));
        text += &format!("  kept  {kept}\n  log   {log}\n");
    }
    text + "  help: stop the server and run `chopmark rebuild`\n"
}
