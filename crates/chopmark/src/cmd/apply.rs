//! `chopmark apply`: the catalog of the file into the log, shown first.

use std::fmt::Write;
use std::sync::Arc;

use chopmark_commands::{Commands, SystemClock};
use chopmark_domain::catalog::{Catalog, Event};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::SellerId;
use chopmark_log::LogMetrics;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::kept::HELP;
use crate::cli::ApplyArgs;
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::{open_log, wanted_terms};

/// Shows what differs, and appends it unless that was not asked for.
///
/// # Errors
/// The log cannot be used; with `--dry-run`, there are differences.
pub(crate) async fn run(args: &ApplyArgs, config: &Config) -> Result<(), Failure> {
    let log = log(args, config).await?;
    let commands = log.clone().map(|log| Commands::new(log, Arc::new(SystemClock)));
    let done = apply(args, config, commands.as_ref()).await;
    if let Some(log) = log {
        log.close().await;
    }
    done
}

/// Looks at every seller before anything is appended for one.
async fn apply(args: &ApplyArgs, config: &Config, commands: Option<&Commands>) -> Result<(), Failure> {
    let effective_at = args.effective.unwrap_or_else(Utc::now);
    let (mut text, mut changes) = (String::new(), vec![]);
    for seller in &config.sellers {
        let before = catalog(commands, &seller.id).await?;
        for event in before.apply(&wanted_terms(config, &seller.id), effective_at) {
            text += &sentence(seller.id.as_str(), &before, &event);
            changes.extend(as_json(seller.id.as_str(), &before, &event));
        }
    }
    if text.is_empty() {
        text.push_str("the catalog in the log is as the file has it; nothing to do\n");
    }
    if !args.json {
        crate::print(&text)?;
    }
    if let Some(commands) = commands.filter(|_| !args.dry_run) {
        for seller in &config.sellers {
            append(commands, config, &seller.id, effective_at).await?;
        }
    }
    if args.json {
        // After the deed, since it says whether it was done.
        crate::print(&format!("{}\n", json!({ "changes": changes, "applied": !args.dry_run })))?;
    }
    if args.dry_run && !changes.is_empty() {
        return Err(Failure { reason: Reason::CheckFailed, complaints: vec![] });
    }
    Ok(())
}

/// A seller's catalog in the log; empty where there is no log.
async fn catalog(commands: Option<&Commands>, seller: &SellerId) -> Result<Catalog, Failure> {
    let Some(commands) = commands else { return Ok(Catalog::default()) };
    let catalog = commands.catalog(seller).await;
    catalog.or_fail(Reason::Storage, format!("the catalog of seller {seller}"), HELP)
}

async fn append(
    commands: &Commands,
    config: &Config,
    seller: &SellerId,
    effective_at: DateTime<Utc>,
) -> Result<(), Failure> {
    let cause = Cause::Operator { actor: "cli".into() };
    let applied = commands.apply_catalog(seller, &wanted_terms(config, seller), effective_at, &cause).await;
    applied.or_fail(Reason::Storage, format!("the catalog of seller {seller}"), HELP).map(drop)
}

/// The log; `None` where there is none and nothing is to be written.
async fn log(args: &ApplyArgs, config: &Config) -> Result<Option<Arc<SqliteLog>>, Failure> {
    if args.dry_run && !config.log_file.exists() {
        return Ok(None);
    }
    DataDir::at(&config.data_dir).create()?;
    let options = SqliteOptions { verify: false, ..SqliteOptions::default() };
    open_log(config, options, LogMetrics::unregistered()).await.map(Some)
}

/// `+ acme  a63ee5c9-0000  from 2026-12-01T00:00:00Z` and, for a change, each term that differs.
fn sentence(seller: &str, before: &Catalog, event: &Event) -> String {
    let Event::ProductDefined(defined) = event else { return String::new() };
    let known = before.latest(&defined.sku);
    let mark = if known.is_some() { '~' } else { '+' };
    let when = defined.effective_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut text = format!("{mark} {seller}  {}  from {when}\n", defined.sku);
    for (key, old, new) in differences(before, event) {
        // Writing to a string cannot fail.
        let _ = match old {
            Some(old) if new.is_null() => writeln!(text, "    {key}: {old} → taken out"),
            Some(old) => writeln!(text, "    {key}: {old} → {new}"),
            None if known.is_some() => writeln!(text, "    {key}: new → {new}"),
            None => writeln!(text, "    {key}: {new}"),
        };
    }
    text
}

fn as_json(seller: &str, before: &Catalog, event: &Event) -> Option<Value> {
    let Event::ProductDefined(defined) = event else { return None };
    let terms: serde_json::Map<String, Value> = differences(before, event)
        .into_iter()
        .map(|(key, old, new)| (key, json!({ "from": old, "to": new })))
        .collect();
    Some(json!({
        "seller": seller,
        "sku": defined.sku,
        "catalog_version": defined.catalog_version,
        "effective_at": defined.effective_at,
        "terms": terms,
    }))
}

/// Each term that differs: its name, what it was, what it becomes.
fn differences(before: &Catalog, event: &Event) -> Vec<(String, Option<Value>, Value)> {
    let Event::ProductDefined(defined) = event else { return vec![] };
    let object = |terms| match serde_json::to_value(terms) {
        Ok(Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    let old = before.latest(&defined.sku).map(|dated| object(&dated.terms)).unwrap_or_default();
    let new = object(&defined.terms);
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    let mut differences: Vec<_> =
        changed.map(|(key, value)| (key.clone(), old.get(key).cloned(), value.clone())).collect();
    let gone = old.iter().filter(|(key, _)| !new.contains_key(*key));
    differences.extend(gone.map(|(key, value)| (key.clone(), Some(value.clone()), Value::Null)));
    differences
}
