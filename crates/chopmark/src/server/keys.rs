//! The keys that leases are signed with: those of the configuration, or those that Chopmark made itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chopmark_signing::{KeyRing, LeaseIssuer, key_file};
use tokio_util::sync::CancellationToken;

use super::data_dir::DataDir;
use crate::cli::serve::Role;
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};

/// How often the key file is looked at: a rotation is taken up within this time.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What to do where the key file cannot be used.
pub(crate) const HELP: &str = "see docs/operations/keys.md";

/// The keys that a configuration names; `None` where it leaves them to Chopmark.
///
/// # Errors
/// They cannot be used.
pub(crate) fn configured(config: &Config) -> Result<Option<KeyRing>, Failure> {
    if config.keys.signing.is_empty() {
        return Ok(None);
    }
    let help = "name Ed25519 keys in PKCS#8 PEM, e.g. made by: openssl genpkey -algorithm ed25519";
    KeyRing::from_pems(&config.keys.signing).or_fail(Reason::Usage, "keys.signing", help).map(Some)
}

/// The keys of a configuration; makes them in the data folder where it names none and there are none. Only role `all`
/// makes keys: of several processes each would make its own, and software would trust one of them.
///
/// # Errors
/// They cannot be read, written or used; or they are not named, and are not to be made.
pub(super) fn ensure(config: &Config, role: Role, data: &DataDir) -> Result<KeyRing, Failure> {
    if let Some(keys) = configured(config)? {
        return Ok(keys);
    }
    if role != Role::All {
        let what = format!("role {} signs, and [keys] signing of the configuration names no key", role.name());
        let help = "give every process the same keys: openssl genpkey -algorithm ed25519 -out signing.pem, then \
                    `[keys] signing = [{ file = \"signing.pem\" }]`";
        return Err(Failure::new(Reason::Usage, what, help));
    }
    let random = [rand::random(), rand::random()];
    key_file::create_if_missing(&data.signing_keys(), random).or_fail(Reason::Storage, "the signing keys", HELP)
}

/// Takes up the keys that a rotation puts into the file, until told to stop.
pub(crate) async fn follow(file: PathBuf, leases: Arc<LeaseIssuer>, stop: CancellationToken) {
    let mut seen = changed_at(&file);
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        let now = changed_at(&file);
        if now == seen {
            continue;
        }
        match key_file::load(&file) {
            Ok(keys) => {
                tracing::info!(kid = %keys.signing().kid(), "the signing keys have changed");
                leases.replace_keys(keys);
                seen = now;
            }
            Err(error) => {
                tracing::error!(%error, "the signing keys have changed and cannot be used; the former ones go on");
            }
        }
    }
}

fn changed_at(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|facts| facts.modified()).ok()
}
