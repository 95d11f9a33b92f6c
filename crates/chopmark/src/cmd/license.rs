//! `chopmark license`: licenses from the shell, straight from the log; no server needs to run.

use std::sync::Arc;

use chopmark_commands::{CommandError, Commands, SystemClock};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{InstanceAdopted, Refusal, Standing, Status, Terms};
use chopmark_domain::order::OrderRef;
use chopmark_domain::purchase::PurchaseIdentity;
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::LogMetrics;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_projector::{Filter, LicenseIndex};
use chopmark_query::describe;
use chrono::Utc;
use serde_json::Value;

use super::kept::{self, HELP, existing_log};
use crate::cli::license::{AdoptArgs, AdoptedStatus, LicenseCommand, ListArgs, ShowArgs, StatusName};
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::open_log;

/// Adopts, lists or shows.
///
/// # Errors
/// The log cannot be used, there is no such license, or it cannot be adopted.
pub(crate) async fn run(command: &LicenseCommand, config: &Config) -> Result<(), Failure> {
    let data = DataDir::at(&config.data_dir);
    if let LicenseCommand::Adopt(args) = command {
        must_be_configured(&args.seller, config)?;
    }
    // A server may be at work on the same file; checking every record is its business.
    let options = SqliteOptions { verify: false, ..SqliteOptions::default() };
    let log = match command {
        LicenseCommand::Adopt(_) => {
            data.create()?;
            open_log(config, options, LogMetrics::unregistered()).await?
        }
        LicenseCommand::List(_) | LicenseCommand::Show(_) => existing_log(config, options).await?,
    };
    let done = match command {
        LicenseCommand::Adopt(args) => adopt(args, &data, &log).await,
        LicenseCommand::List(args) => list(args, &data, &log).await,
        LicenseCommand::Show(args) => show(args, &data, &log).await,
    };
    log.close().await;
    done
}

/// Looked at before anything is made.
fn must_be_configured(seller: &SellerId, config: &Config) -> Result<(), Failure> {
    if config.sellers.iter().any(|configured| configured.id == *seller) {
        return Ok(());
    }
    let what = format!("seller {seller} is not configured");
    Err(Failure::new(Reason::Usage, what, "name one of the [[seller]] of the configuration"))
}

async fn adopt(args: &AdoptArgs, data: &DataDir, log: &Arc<SqliteLog>) -> Result<(), Failure> {
    let order = args.order.clone().zip(args.order_line.clone());
    let purchase =
        order.map(|(order_id, order_line_id)| PurchaseIdentity::OrderLine(OrderRef { order_id, order_line_id }));
    let terms = Terms {
        sku: args.sku.clone(),
        product_id: args.product_id.clone(),
        quantity: args.quantity,
        expires_at: args.expires_at,
        expiry_approximate: false,
    };
    let status = match args.status {
        AdoptedStatus::Active => Status::Active,
        AdoptedStatus::Frozen => Status::Frozen,
    };
    let commands = Commands::new(log.clone(), Arc::new(SystemClock));
    let cause = Cause::Operator { actor: "cli".into() };
    let adopted = InstanceAdopted { purchase, terms, status };
    let key = LicenseKey { seller: args.seller.clone(), id: LicenseId::Instance(args.instance.clone()) };
    let standing = commands.read_license(&key).await.or_fail(Reason::Storage, "adopting", HELP)?;
    let is_known = !matches!(standing, Standing::Absent);
    match commands.adopt(&args.seller, &args.instance, adopted, &cause).await {
        Err(CommandError::Refused(Refusal::Exists)) => {
            let what = format!("instance {} or its purchase has a license already", args.instance);
            return Err(Failure::new(Reason::CheckFailed, what, "look at it: chopmark license show"));
        }
        done => done.or_fail(Reason::Storage, "adopting", HELP)?,
    };
    let index = index(data, log).await?;
    let found = index.look_up(Some(&args.seller), args.instance.as_str(), None, Utc::now()).found;
    let mut shown = found.map(|found| describe(&found, Utc::now())).unwrap_or_default();
    crate::print(&if args.json {
        shown["adopted_before"] = is_known.into();
        format!("{shown}\n")
    } else {
        let word = if is_known { "adopted already, and left as it is" } else { "adopted" };
        format!("{word}\n{}", lines(&shown))
    })
}

async fn list(args: &ListArgs, data: &DataDir, log: &Arc<SqliteLog>) -> Result<(), Failure> {
    let filter = Filter {
        sellers: None,
        seller: args.seller.clone(),
        statuses: args.status.map(|status| match status {
            // A license begins with its purchase, so none is pending yet.
            StatusName::Pending => vec![],
            StatusName::Active => vec![Status::Active],
            StatusName::Frozen => vec![Status::Frozen],
            StatusName::Released => vec![Status::Released],
        }),
        product: args.product.clone(),
        id_prefix: args.prefix.clone(),
    };
    let index = index(data, log).await?;
    let now = Utc::now();
    let listing = index.list(&filter, None, args.limit.get(), now);
    let more = listing.next.is_some();
    let shown: Vec<Value> = listing.licenses.iter().map(|found| describe(found, now)).collect();
    let mut text = String::new();
    if args.json {
        shown.iter().for_each(|license| text += &format!("{license}\n"));
    } else if shown.is_empty() {
        text += "no license\n";
    } else {
        text += &row("SELLER", "LICENSE", "PRODUCT", "VERDICT", "EXPIRES");
        shown.iter().for_each(|license| text += &license_row(license));
        if more {
            text += &format!("… and more; --limit shows more than {}\n", args.limit);
        }
    }
    crate::print(&text)
}

async fn show(args: &ShowArgs, data: &DataDir, log: &Arc<SqliteLog>) -> Result<(), Failure> {
    let index = index(data, log).await?;
    let found = index.look_up(args.seller.as_ref(), &args.license, None, Utc::now());
    if found.ambiguous {
        let what = format!("several sellers have a license {}", args.license);
        return Err(Failure::new(Reason::Usage, what, "name one with --seller"));
    }
    let Some(found) = found.found else {
        let what = format!("there is no license {}", args.license);
        return Err(Failure::new(Reason::CheckFailed, what, "list them: chopmark license list"));
    };
    let shown = describe(&found, Utc::now());
    crate::print(&if args.json { format!("{shown:#}\n") } else { lines(&shown) })
}

/// The index as the log has it now. Where it is not whole, standard error says so.
async fn index(data: &DataDir, log: &Arc<SqliteLog>) -> Result<LicenseIndex, Failure> {
    let latest = kept::index(data, log).await?;
    kept::complaint(&latest).iter().for_each(crate::warn);
    Ok(latest.index)
}

/// One member a line; what is nested, indented.
fn lines(license: &Value) -> String {
    let mut text = String::new();
    for (key, value) in license.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => {
                inner
                    .iter()
                    .for_each(|(name, value)| text += &format!("{:<20} {}\n", format!("{key}.{name}"), plain(value)));
            }
            value => text += &format!("{key:<20} {}\n", plain(value)),
        }
    }
    text
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn license_row(license: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    row(
        &text(&license["seller"]),
        &text(&license["id"]),
        &text(&license["product"]),
        &text(&license["verdict"]["code"]),
        &text(&license["expires_at"]),
    )
}

fn row(seller: &str, license: &str, product: &str, verdict: &str, expires: &str) -> String {
    format!("{seller:<12} {license:<36} {product:<20} {verdict:<22} {expires}\n")
}
