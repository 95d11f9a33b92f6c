//! `chopmark keys`: what leases are signed with.

use std::path::{Path, PathBuf};

use chopmark_signing::{Key, KeyRing, Role, key_file};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::text;
use crate::cli::keys::{KeysCommand, ListArgs, RootArgs, RotateArgs};
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::keys::{HELP, configured};

/// So long after a change of the keys a rotation waits: published keys may be five minutes old where they are cached.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(10);

/// Lists, rotates, or prints the root.
///
/// # Errors
/// There are no keys, they cannot be used, or they are not Chopmark's to rotate.
pub(crate) fn run(command: &KeysCommand, config: &Config) -> Result<(), Failure> {
    match command {
        KeysCommand::List(args) => list(args, config),
        KeysCommand::Rotate(args) => rotate(args, config),
        KeysCommand::Root(args) => root(args, config),
    }
}

/// The keys, and the file that Chopmark keeps them in; no file where the configuration names them.
///
/// # Errors
/// There are none, or they cannot be used.
pub(crate) fn existing(config: &Config) -> Result<(KeyRing, Option<PathBuf>), Failure> {
    if let Some(keys) = configured(config)? {
        return Ok((keys, None));
    }
    let data = DataDir::at(&config.data_dir);
    data.must_exist()?;
    let file = data.signing_keys();
    if !file.exists() {
        let what = format!("there are no signing keys {} yet", file.display());
        return Err(Failure::new(Reason::Storage, what, "they are made when the server starts"));
    }
    let keys = key_file::load(&file).or_fail(Reason::Storage, "the signing keys", HELP)?;
    Ok((keys, Some(file)))
}

fn list(args: &ListArgs, config: &Config) -> Result<(), Failure> {
    let (keys, file) = existing(config)?;
    if args.json {
        let line = |key: &Key| format!("{}\n", json!({ "kid": key.kid(), "role": role(key.role()), "x": key.x() }));
        return crate::print(&keys.keys().map(line).collect::<String>());
    }
    let row = |key: &Key| vec![key.kid().to_string(), role(key.role()).into()];
    let table = text::table(&["KID", "ROLE"], &keys.keys().map(row).collect::<Vec<_>>());
    let from = file.map_or_else(|| "named by [keys] signing of the configuration".into(), |file| kept_in(&file));
    crate::print(&format!("{table}{from}\n"))
}

/// E.g. `kept in data/signing-keys.pem, last changed 2026-11-24T12:00:00Z`.
fn kept_in(file: &Path) -> String {
    let changed =
        changed_at(file).map(|at| format!(", last changed {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)));
    format!("kept in {}{}", file.display(), changed.unwrap_or_default())
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Signing => "signing",
        Role::Next => "next",
        Role::Retired => "former",
        Role::Published => "published",
    }
}

fn rotate(args: &RotateArgs, config: &Config) -> Result<(), Failure> {
    let (keys, file) = existing(config)?;
    let Some(file) = file else {
        let what = "the keys are named by [keys] signing of the configuration, so the configuration is what rotates";
        let help = "make a key: openssl genpkey -algorithm ed25519 -out next.pem; append it to the list and restart the \
                    servers, so that it is published; later, move it to the front and restart them again";
        return Err(Failure::new(Reason::Usage, what, help));
    };
    if !args.force {
        must_be_settled(&file, Utc::now())?;
    }
    let former = keys.signing().kid().clone();
    let rotated = keys.rotate(rand::random()).or_fail(Reason::Storage, "rotating", HELP)?;
    key_file::replace(&file, &rotated).or_fail(Reason::Storage, "rotating", HELP)?;
    let signing = rotated.signing().kid();
    let next = rotated.keys().find(|key| key.role() == Role::Next).map(Key::kid);
    if args.json {
        let done = json!({ "signing": signing, "next": next, "former": (former != *signing).then_some(&former) });
        return crate::print(&format!("{}\n", without_nulls(done)));
    }
    let mut said = vec![];
    if former == *signing {
        said.push(format!(
            "signing  {signing}  as before: there was no next key, and a key is published before it signs"
        ));
    } else {
        said.push(format!("signing  {signing}  it was the next key and was published until now"));
    }
    said.extend(
        next.map(|next| format!("next     {next}  just made; it is published, and signs after the next rotation")),
    );
    if former != *signing {
        said.push(format!("former   {former}  it signs no more; leases that it signed stay good until they end"));
    }
    said.push(
        "A running server takes this up within ten seconds. Software that trusts one of these keys follows by itself."
            .into(),
    );
    crate::print(&(said.join("\n") + "\n"))
}

/// A key that signs must have been published before, long enough for every server and every program to have seen it.
fn must_be_settled(file: &Path, now: DateTime<Utc>) -> Result<(), Failure> {
    let Some(left) = changed_at(file).map(|at| at + SETTLED_AFTER - now).filter(|left| *left > TimeDelta::zero())
    else {
        return Ok(());
    };
    let what = format!(
        "the keys changed within the last {} minutes, so the next one may not be published everywhere yet, and software \
         would refuse what it signs",
        SETTLED_AFTER.num_minutes()
    );
    let help = format!("rotate again in {} minutes, or at once with --force", left.num_minutes() + 1);
    Err(Failure::new(Reason::CheckFailed, what, help))
}

fn changed_at(file: &Path) -> Option<DateTime<Utc>> {
    std::fs::metadata(file).and_then(|facts| facts.modified()).ok().map(DateTime::<Utc>::from)
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

fn root(args: &RootArgs, config: &Config) -> Result<(), Failure> {
    let (keys, _) = existing(config)?;
    if args.json {
        return crate::print(&format!("{:#}\n", json!(keys.jwks())));
    }
    crate::explain("The public part of the key that signs, for software to compile in:\n");
    crate::print(&format!("{}\n", keys.root()))
}
