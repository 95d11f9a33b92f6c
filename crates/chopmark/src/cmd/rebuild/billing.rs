//! The billing views: made anew from the log, or compared with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chopmark_billing::sqlite::SqliteBilling;
use chopmark_billing::store::{BillingStore, StoreError};
use chopmark_billing::{BookError, Rebuilding, VerifyError, VerifyReport, rebuild, verify};
use chopmark_log::EventLog;
use serde_json::json;

use super::Outcome;
use crate::config::Config;
use crate::failure::{Complaint, Failure, OrFail, Reason};
use crate::server::billing;

const HELP: &str = "see docs/operations/recovery.md";

/// How often a person is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Makes them anew. Those of this version keep their tables, and with them what others may read there.
///
/// # Errors
/// They cannot be written, or the log cannot be read.
pub(super) async fn replace(config: &Config, log: Arc<dyn EventLog>) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let opened = match billing::open(&config.views).await {
        Err(StoreError::Version { .. }) => billing::open_anew(&config.views).await,
        opened => opened,
    };
    let store = opened.or_fail(Reason::Storage, "the billing views", HELP)?;
    let rebuilt = rebuild(log, store, None, teller()).await;
    let rebuilt = rebuilt.or_fail(Reason::Storage, "rebuilding the billing views", HELP)?;
    let (position, events, seconds) = (rebuilt.position, rebuilt.events, begun.elapsed().as_secs_f64());
    Ok(Outcome {
        text: format!("billing views at position {position}, from {events} events in {seconds:.1} s\n"),
        json: json!({ "position": position.to_string(), "events": events, "seconds": seconds }),
        is_equal: true,
    })
}

/// Compares them with fresh ones; only reads those that are kept.
///
/// # Errors
/// They or the log cannot be read.
pub(super) async fn compare(config: &Config, log: Arc<dyn EventLog>) -> Result<Outcome, Failure> {
    let kept = match billing::open_kept(&config.views).await {
        Err(unusable @ (StoreError::Version { .. } | StoreError::Damaged { .. })) => return Ok(unlike(&unusable)),
        opened => opened.or_fail(Reason::Storage, "the billing views", HELP)?,
    };
    let Some(kept) = kept else {
        let text = "no billing views kept: they are made when the server starts\n".into();
        return Ok(Outcome { text, json: json!({}), is_equal: true });
    };
    let folder = tempfile::tempdir().or_fail(Reason::Storage, "a folder for fresh billing views", HELP)?;
    let path = folder.path().join("billing.db");
    let fresh = tokio::task::spawn_blocking(move || SqliteBilling::open(&path)).await;
    let fresh = fresh.or_fail(Reason::Storage, "fresh billing views", HELP)?;
    let fresh: Arc<dyn BillingStore> = Arc::new(fresh.or_fail(Reason::Storage, "fresh billing views", HELP)?);
    match verify(log, kept.as_ref(), fresh, teller()).await {
        Ok(report) => Ok(found(&report)),
        Err(VerifyError::Book(BookError::Store(damaged @ StoreError::Damaged { .. }))) => Ok(unlike(&damaged)),
        Err(unfinished @ VerifyError::Unfinished { .. }) => Ok(left(&unfinished)),
        Err(error) => Err(error).or_fail(Reason::Storage, "comparing the billing views", HELP),
    }
}

/// Tells on standard error how far it is, now and then.
fn teller() -> impl FnMut(Rebuilding) {
    let begun = Instant::now();
    let mut told = begun;
    move |so_far| {
        if told.elapsed() < TELL_EVERY {
            return;
        }
        told = Instant::now();
        let Rebuilding { position, until, events } = so_far;
        let seconds = begun.elapsed().as_millis().max(1);
        let rate = u128::from(events) * 1_000 / seconds;
        crate::explain(&format!("billing views: position {position} of {until}, {rate} events/s\n"));
    }
}

/// What is kept are no views of this version, so they are not those of the log.
fn unlike(unusable: &StoreError) -> Outcome {
    Outcome {
        text: format!("billing views: {unusable}\n"),
        json: json!({ "equal": false, "unusable": unusable.to_string() }),
        is_equal: false,
    }
}

/// What is kept is half of something, so there is nothing to compare yet.
fn left(unfinished: &VerifyError) -> Outcome {
    let help = "start the server, let it catch up, and compare again; no license depends on it";
    crate::warn(&Complaint::new(unfinished.to_string(), help));
    Outcome {
        text: "billing views: not compared\n".into(),
        json: json!({ "equal": false, "unfinished": unfinished.to_string() }),
        is_equal: false,
    }
}

fn found(report: &VerifyReport) -> Outcome {
    let position = report.position.to_string();
    let differences = report.differences.iter();
    let differences = differences.map(|difference| json!({ "kept": difference.kept, "log": difference.log }));
    let json = json!({
        "equal": report.is_equal(),
        "position": position,
        "compared": report.compared,
        "differing": report.differing,
        "differences": differences.collect::<Vec<_>>(),
    });
    let text = if report.is_equal() {
        format!("equal: {} rows of the billing views at position {position} are what the log says\n", report.compared)
    } else {
        let shown: String = report.differences.iter().map(|difference| format!("  {difference}\n")).collect();
        let help = "  help: stop the server and run `chopmark rebuild`";
        format!("{} rows of the billing views differ at position {position}:\n{shown}{help}\n", report.differing)
    };
    Outcome { text, json, is_equal: report.is_equal() }
}
