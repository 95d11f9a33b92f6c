//! `chopmark log verify`.

use chopmark_log::ReadError;
use chopmark_signing::SealError;
use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::inspect::{self, Covered, Finding, Report, Trust};
use super::{keys_in, keys_of};
use crate::cli::log::VerifyArgs;
use crate::cmd::kept::existing_log;
use crate::config::Config;
use crate::failure::{Failure, Reason};
use crate::server::log::Care;

/// Reads every record of the log, or of an exported one, and says whether it is what was written and sealed.
///
/// # Errors
/// It is not, or cannot be read.
pub(super) async fn run(args: &VerifyArgs, config: &Config) -> Result<(), Failure> {
    let keys = keys_of(config)?.and(keys_in(&args.keys)?);
    // Whoever has no keys at all can still see whether records and seals fit; and is told that he sees no more.
    let trust = if keys.is_empty() { Trust::Unsigned } else { Trust::Keys(keys) };
    let inspected = match &args.exported {
        Some(file) => inspect::file(file, &trust),
        None => {
            let log = existing_log(config, Care::BesideAServer).await?;
            let inspected = inspect::log(&*log, &trust).await;
            log.close().await;
            inspected
        }
    };
    match inspected {
        Ok(report) => crate::print(&if args.json { format!("{}\n", as_json(&report)) } else { text(&report) }),
        Err(finding) => {
            if args.json {
                crate::print(&format!("{}\n", json!({ "whole": false, "finding": finding.to_string() })))?;
            }
            Err(failure(&finding))
        }
    }
}

/// How a command ends that found this.
pub(crate) fn failure(finding: &Finding) -> Failure {
    let reason = match finding {
        Finding::Read(ReadError::Unavailable { .. }) => Reason::Storage,
        _ => Reason::CheckFailed,
    };
    Failure::new(reason, finding.to_string(), help(finding))
}

fn help(finding: &Finding) -> &'static str {
    match finding {
        Finding::Seal { source: SealError::UnknownKey { .. }, .. } => {
            "name a JWKS that has the key: --keys FILE; if this installation never had it, somebody else sealed this log"
        }
        Finding::Export(_) => "export it again, or take another copy; nothing was changed",
        Finding::NotASeal(_) => "run the version of chopmark that wrote it, or a newer one",
        _ => "nothing was changed; compare with a backup, see docs/operations/backup.md",
    }
}

/// For people.
pub(crate) fn text(report: &Report) -> String {
    let Report { records, streams, chain, seals, is_signed, covered } = report;
    let mut lines = vec![format!("whole        {records} records in {streams} streams, each as it was written")];
    match covered {
        None => lines.push("sealed       nothing: that it is the same log as ever, nobody can tell".into()),
        Some(Covered { records: sealed, until }) => {
            let signed = if *is_signed {
                "signed by known keys"
            } else {
                "signatures not looked at: no keys to believe are known here, name some with --keys"
            };
            let until = until.to_rfc3339_opts(SecondsFormat::Micros, true);
            let seals = counted(*seals);
            lines.push(format!("sealed       {sealed} records, up to {until}: {seals}, {signed}"));
            lines.push(format!("not sealed   {} after them", records - sealed));
        }
    }
    lines.push(format!("chain        {chain}"));
    lines.join("\n") + "\n"
}

fn counted(seals: u64) -> String {
    if seals == 1 { "1 seal".into() } else { format!("{seals} seals") }
}

/// For machines.
pub(crate) fn as_json(report: &Report) -> Value {
    let Report { records, streams, chain, seals, is_signed, covered } = report;
    let sealed = covered.map_or(0, |covered| covered.records);
    let mut json = json!({
        "whole": true,
        "records": records,
        "streams": streams,
        "chain": chain,
        "seals": seals,
        "signatures": if *is_signed { "verified" } else { "not_verified" },
        "sealed_records": sealed,
        "unsealed_records": records - sealed,
    });
    if let (Some(covered), Value::Object(members)) = (covered, &mut json) {
        let until = covered.until.to_rfc3339_opts(SecondsFormat::Micros, true);
        members.insert("sealed_until".into(), until.into());
    }
    json
}
