//! `chopmark log seal`.

use std::sync::Arc;
use std::time::Duration;

use chopmark_commands::{Commands, SystemClock};
use chopmark_upkeep::{Seals, UpkeepMetrics};
use prometheus::Registry;
use serde_json::json;

use crate::cli::log::SealArgs;
use crate::cmd::kept::existing_log;
use crate::cmd::keys::existing;
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::log::Care;
use crate::server::seals::SignedSeals;

/// Seals the log now, unless nothing is new.
///
/// # Errors
/// There are no keys, or the log cannot be read or written.
pub(super) async fn run(args: &SealArgs, config: &Config) -> Result<(), Failure> {
    let (keys, _) = existing(config)?;
    let log = existing_log(config, Care::BesideAServer).await?;
    let mistake = "this is a mistake in chopmark; report it";
    let metrics = UpkeepMetrics::register(&Registry::new()).or_fail(Reason::Storage, "the metrics", mistake)?;
    let commands = Commands::new(log.clone(), Arc::new(SystemClock));
    let keys = Arc::new(keys);
    let sealer = Arc::new(SignedSeals(move || Arc::clone(&keys)));
    let sealed = Seals::new(commands, sealer, Duration::ZERO, metrics).seal().await;
    log.close().await;
    let sealed = sealed.or_fail(Reason::CheckFailed, "the log is not sealed", "look at it: chopmark log verify")?;
    crate::print(&match (sealed, args.json) {
        (Some(sealed), true) => {
            format!("{}\n", json!({ "sealed": true, "claims": sealed.claims, "seal": sealed.seal }))
        }
        (Some(sealed), false) => format!("sealed  {} records, chain {}\n", sealed.claims.records, sealed.claims.chain),
        (None, true) => format!("{}\n", json!({ "sealed": false })),
        (None, false) => "sealed already: nothing is new\n".into(),
    })
}
