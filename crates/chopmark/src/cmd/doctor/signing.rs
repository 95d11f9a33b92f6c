//! The keys that leases are signed with.

use std::path::Path;

use chopmark_signing::KeyRing;

use super::finding::{Finding, counted};
use crate::cmd::keys;
use crate::config::Config;
use crate::server::data_dir::DataDir;

/// Looks whether they can be read by their owner alone, and whether a next one is published.
pub(super) fn look(config: &Config) -> Vec<Finding> {
    let subject = "signing";
    let file = DataDir::at(&config.data_dir).signing_keys();
    if config.keys.signing.is_empty() && !file.exists() {
        let what = format!("{} does not exist yet", file.display());
        return vec![Finding::warn(subject, what, "it is made when the server starts")];
    }
    match keys::existing(config) {
        Ok((keys, file)) => vec![judge(&keys, file.as_deref())],
        Err(failure) => failure
            .complaints
            .into_iter()
            .map(|complaint| Finding::fail(subject, complaint.what, complaint.help))
            .collect(),
    }
}

fn judge(keys: &KeyRing, file: Option<&Path>) -> Finding {
    let from = file.map_or_else(|| "the configuration".into(), |file| file.display().to_string());
    let what = format!("{from}: {}, {} signs", counted(keys.keys().count(), "key"), keys.signing().kid());
    if keys.keys().nth(1).is_some() {
        return Finding::ok("signing", what);
    }
    let mend = match file {
        Some(_) => "publish the next key before it must sign: chopmark keys rotate",
        None => "publish the next key before it must sign: append it to [keys] signing",
    };
    Finding::warn("signing", format!("{what}, and no next one is published"), mend)
}
