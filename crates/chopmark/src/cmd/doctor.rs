//! `chopmark doctor`: what is wrong, or will be.

mod billing;
mod callbacks;
mod finding;
mod listeners;
mod log;
mod signing;
mod views;

use std::path::Path;

use chopmark_reactor::AtRisk;
use secrecy::ExposeSecret;

use crate::at_risk::{asked_for, errands_asked_for};
use crate::cli::DoctorArgs;
use crate::config::Config;
use crate::failure::{Failure, Reason};
use finding::{Finding, Health, counted};

/// Below this, nothing can be kept any more.
const DISK_FULL_BYTES: u64 = 4 << 20;
/// Below this, the disk is nearly full.
const DISK_FAIL_BYTES: u64 = 256 << 20;
/// Below this, it soon will be.
const DISK_WARN_BYTES: u64 = 2 << 30;
/// Shorter keys can be guessed.
const KEY_CHARACTERS: usize = 16;

/// Looks at everything and says how it is.
///
/// # Errors
/// Something failed.
pub(crate) async fn run(args: &DoctorArgs, config: &Config) -> Result<(), Failure> {
    let mut findings = configuration(config);
    findings.extend(keys(config));
    findings.extend(signing::look(config));
    findings.push(disk(&config.data_dir));
    let looked = log::look(config).await;
    findings.extend(looked.findings);
    findings.push(views::look(config).await);
    findings.push(billing::look(config, looked.head).await);
    findings.extend(callbacks::look(config, &open(looked.at_risk, config)));
    findings.extend(listeners::look(config, args.role).await);
    if args.json {
        crate::print(&format!("{}\n", serde_json::to_string_pretty(&findings).unwrap_or_default()))?;
    } else {
        findings.iter().try_for_each(|finding| crate::print(&format!("{finding}\n")))?;
    }
    let failed = findings.iter().any(|finding| finding.health == Health::Fail);
    if failed { Err(Failure { reason: Reason::CheckFailed, complaints: vec![] }) } else { Ok(()) }
}

/// What can be late.
fn open(AtRisk { orders, errands }: AtRisk, config: &Config) -> AtRisk {
    let asking = config.sellers_that_ask();
    AtRisk { orders: asked_for(orders, &asking), errands: errands_asked_for(errands, &asking) }
}

fn configuration(config: &Config) -> Vec<Finding> {
    let from = config.file.as_ref().map_or("the built-in default".into(), |file| file.display().to_string());
    let (sellers, products) = (counted(config.sellers.len(), "seller"), counted(config.products.len(), "product"));
    let read = Finding::ok("config", format!("{from}: {sellers}, {products}"));
    let warnings = config.warnings().into_iter().map(|warning| Finding::warn("config", warning.what, warning.help));
    std::iter::once(read).chain(warnings).collect()
}

fn keys(config: &Config) -> Vec<Finding> {
    let of = |seller: &crate::config::SellerConfig| {
        let short = seller.keys.iter().filter(|(_, key)| key.expose_secret().chars().count() < KEY_CHARACTERS).count();
        let what = format!("seller {} has {}", seller.id, counted(seller.keys.len(), "key"));
        match short {
            0 => Finding::ok("keys", what),
            _ => Finding::warn(
                "keys",
                format!("{what}, {short} of them shorter than {KEY_CHARACTERS} characters"),
                "make a longer key in the seller's console; several keys may be configured while changing over",
            ),
        }
    };
    config.sellers.iter().map(of).collect()
}

fn disk(data_dir: &Path) -> Finding {
    let space = match rustix::fs::statvfs(data_dir) {
        Ok(space) => space.f_bavail.saturating_mul(space.f_frsize),
        Err(error) => {
            let what = format!("{}: {error}", data_dir.display());
            return Finding::warn("disk", what, "it is made when the server starts; otherwise set data_dir");
        }
    };
    let what = format!("{} MiB free for {}", space >> 20, data_dir.display());
    let mend = "make room: an append that finds none is answered 000005";
    match space {
        _ if space < DISK_FULL_BYTES => Finding::fail("disk", format!("the disk is full: {what}"), mend),
        _ if space < DISK_FAIL_BYTES => Finding::fail("disk", what, mend),
        _ if space < DISK_WARN_BYTES => Finding::warn("disk", what, mend),
        _ => Finding::ok("disk", what),
    }
}
