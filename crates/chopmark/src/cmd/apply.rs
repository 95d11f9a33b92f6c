//! `chopmark apply`: the catalog of the file into the log, shown first.

use std::fmt::Write;
use std::sync::Arc;

use chopmark_commands::{Commands, SystemClock};
use chopmark_domain::catalog::{Catalog, Event, ProductDefined, SellerTermsDefined};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::settlement::policy::Policy;
use chopmark_log::Engine;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::kept::HELP;
use super::operator;
use crate::cli::ApplyArgs;
use crate::config::{Config, SellerConfig};
use crate::failure::{Failure, OrFail, Reason};
use crate::server::wanted_terms;

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
        for event in before.apply(&seller.terms, &wanted_terms(config, &seller.id), effective_at) {
            let Some(change) = Change::of(&before, &event) else { continue };
            text += &change.sentence(seller.id.as_str());
            changes.push(change.as_json(seller.id.as_str()));
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
            append(commands, config, seller, effective_at).await?;
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
    seller: &SellerConfig,
    effective_at: DateTime<Utc>,
) -> Result<(), Failure> {
    let cause = Cause::Operator { actor: "cli".into() };
    let wanted = wanted_terms(config, &seller.id);
    let applied = commands.apply_catalog(&seller.id, &seller.terms, &wanted, effective_at, &cause).await;
    applied.or_fail(Reason::Storage, format!("the catalog of seller {}", seller.id), HELP).map(drop)
}

/// The log; `None` where there is none and nothing is to be written.
async fn log(args: &ApplyArgs, config: &Config) -> Result<Option<Arc<dyn Engine>>, Failure> {
    let is_missing = config.log.file().is_some_and(|file| !file.exists());
    if args.dry_run && is_missing {
        return Ok(None);
    }
    operator::log(config).await.map(Some)
}

/// A change of a catalog, as it is shown.
struct Change {
    /// The product; `None` for how the seller is settled.
    sku: Option<Sku>,
    catalog_version: u32,
    effective_at: DateTime<Utc>,
    /// Whether there were terms before.
    is_known: bool,
    differences: Vec<Difference>,
}

/// A term that differs.
struct Difference {
    key: String,
    old: Option<Value>,
    /// Null where it is taken out.
    new: Value,
}

impl Change {
    /// What an event changes; `None` for one that changes no terms.
    fn of(before: &Catalog, event: &Event) -> Option<Self> {
        match event {
            Event::ProductDefined(ProductDefined { catalog_version, sku, effective_at, terms }) => {
                let old = before.latest(sku).map(|dated| terms_of(&dated.terms));
                Some(Self::new(Some(sku.clone()), *catalog_version, *effective_at, old, &terms_of(terms)))
            }
            Event::SellerTermsDefined(SellerTermsDefined { catalog_version, effective_at, terms }) => {
                let old = before.latest_seller_terms().map(|dated| terms_of(&dated.terms));
                Some(Self::new(None, *catalog_version, *effective_at, old, &terms_of(terms)))
            }
            Event::SecretCreated(_) | Event::MappingSaved(_) => None,
        }
    }

    fn new(
        sku: Option<Sku>,
        catalog_version: u32,
        effective_at: DateTime<Utc>,
        old: Option<Map<String, Value>>,
        new: &Map<String, Value>,
    ) -> Self {
        let (is_known, old) = (old.is_some(), old.unwrap_or_default());
        let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
        let changed = changed.map(|(key, value)| (key, old.get(key).cloned(), value.clone()));
        let gone = old.iter().filter(|(key, _)| !new.contains_key(*key));
        let gone = gone.map(|(key, value)| (key, Some(value.clone()), Value::Null));
        let differences = changed.chain(gone).map(|(key, old, new)| Difference { key: key.clone(), old, new });
        Self { differences: differences.collect(), sku, catalog_version, effective_at, is_known }
    }

    /// `+ acme  a63ee5c9-0000  from 2026-12-01T00:00:00Z` and each term that differs. Of a seller's first terms, the
    /// switches that stand as they always do are left out.
    fn sentence(&self, seller: &str) -> String {
        let mark = if self.is_known { '~' } else { '+' };
        let what = self.sku.as_ref().map_or("how it is settled", Sku::as_str);
        let when = self.effective_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut text = format!("{mark} {seller}  {what}  from {when}\n");
        let usual = if self.is_known { Map::new() } else { flattened("policy", &as_object(&Policy::default())) };
        for Difference { key, old, new } in &self.differences {
            if usual.get(key) == Some(new) {
                continue;
            }
            // Writing to a string cannot fail.
            let _ = match old {
                Some(old) if new.is_null() => writeln!(text, "    {key}: {old} → taken out"),
                Some(old) => writeln!(text, "    {key}: {old} → {new}"),
                None if self.is_known => writeln!(text, "    {key}: new → {new}"),
                None => writeln!(text, "    {key}: {new}"),
            };
        }
        text
    }

    fn as_json(&self, seller: &str) -> Value {
        let terms = self.differences.iter().map(|Difference { key, old, new }| {
            let change = json!({ "from": old, "to": new });
            (key.clone(), change)
        });
        json!({
            "seller": seller,
            "sku": self.sku,
            "catalog_version": self.catalog_version,
            "effective_at": self.effective_at,
            "terms": terms.collect::<Map<String, Value>>(),
        })
    }
}

/// Terms by their names. What is a table within them has names with a dot, so that a change of one switch shows alone.
fn terms_of<T: Serialize>(terms: &T) -> Map<String, Value> {
    let named = as_object(terms).into_iter().flat_map(|(key, value)| match (key.as_str(), value) {
        ("policy" | "settlement", Value::Object(within)) => flattened(&key, &within),
        (_, value) => Map::from_iter([(key, value)]),
    });
    named.collect()
}

fn flattened(name: &str, within: &Map<String, Value>) -> Map<String, Value> {
    within.iter().map(|(key, value)| (format!("{name}.{key}"), value.clone())).collect()
}

fn as_object<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use chopmark_domain::settlement::policy::SetOff;
    use chopmark_domain::settlement::product::Site;
    use chopmark_domain::settlement::terms::SellerTerms;

    use super::*;

    fn shown(catalog: &mut Catalog, terms: &SellerTerms) -> String {
        let events = catalog.apply(terms, &[], DateTime::UNIX_EPOCH);
        let text = events.iter().filter_map(|event| Change::of(catalog, event)).map(|change| change.sentence("acme"));
        let text = text.collect();
        events.iter().for_each(|event| catalog.evolve(event));
        text
    }

    #[test]
    fn of_how_a_seller_is_settled_each_switch_is_shown_alone() {
        let mut catalog = Catalog::default();
        let mut terms = SellerTerms { certified: false, ..SellerTerms::of(Site::Cn) };
        let first = shown(&mut catalog, &terms);
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines[1..].sort();
            lines
        };
        let heading = "+ acme  how it is settled  from 1970-01-01T00:00:00Z";
        assert_eq!(sorted(&first), [heading, "    certified: false", "    site: \"cn\""]);
        terms.deposit = Some(10_000.into());
        terms.policy.set_off = SetOff::NextMonth;
        let heading = "~ acme  how it is settled  from 1970-01-01T00:00:00Z";
        assert_eq!(
            sorted(&shown(&mut catalog, &terms)),
            [heading, "    deposit: new → \"10000\"", "    policy.set_off: \"CURRENT_MONTH\" → \"NEXT_MONTH\"",]
        );
        assert_eq!(shown(&mut catalog, &terms), "");
    }
}
