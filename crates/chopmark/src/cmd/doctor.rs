//! `chopmark doctor`: what is wrong, or will be.

use std::fmt;
use std::path::Path;

use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::sqlite::SqliteOptions;
use chopmark_log::{EventLog, LogMetrics, Position};
use chopmark_simulator::Url;
use chopmark_simulator::http::{Connection, Request};
use chrono::{TimeDelta, Utc};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::config::Config;
use crate::failure::{Failure, Reason};
use crate::server::data_dir::DataDir;
use crate::server::open_log;

/// Below this, the disk is nearly full.
const DISK_FAIL_BYTES: u64 = 256 << 20;
/// Below this, it soon will be.
const DISK_WARN_BYTES: u64 = 2 << 30;
/// The marketplace goes on calling for three hours, then unsubscribes the customer (接口说明, zh-cn_topic_0070649414).
const RETRY_WINDOW: TimeDelta = TimeDelta::hours(3);
/// Shorter keys can be guessed.
const KEY_CHARACTERS: usize = 16;

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    Ok,
    Warn,
    Fail,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    subject: String,
    health: Health,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    fn ok(subject: &str, what: impl Into<String>) -> Self {
        Self { subject: subject.into(), health: Health::Ok, what: what.into(), mend: None }
    }

    fn warn(subject: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { subject: subject.into(), health: Health::Warn, what: what.into(), mend: Some(mend.into()) }
    }

    fn fail(subject: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { health: Health::Fail, ..Self::warn(subject, what, mend) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.health {
            Health::Ok => "ok  ",
            Health::Warn => "warn",
            Health::Fail => "FAIL",
        };
        write!(f, "{word}  {:<12} {}", self.subject, self.what)?;
        self.mend.iter().try_for_each(|mend| write!(f, "\n{:<19}help: {mend}", ""))
    }
}

/// Looks at everything and says how it is.
///
/// # Errors
/// Something failed.
pub(crate) async fn run(args: &DoctorArgs, config: &Config) -> Result<(), Failure> {
    let mut findings = configuration(config);
    findings.extend(keys(config));
    findings.push(disk(&config.data_dir));
    findings.extend(log(config).await);
    findings.extend(journal(config).await);
    findings.extend(listeners(config).await);
    if args.json {
        crate::print(&format!("{}\n", serde_json::to_string_pretty(&findings).unwrap_or_default()))?;
    } else {
        findings.iter().try_for_each(|finding| crate::print(&format!("{finding}\n")))?;
    }
    let failed = findings.iter().any(|finding| finding.health == Health::Fail);
    if failed { Err(Failure { reason: Reason::CheckFailed, complaints: vec![] }) } else { Ok(()) }
}

fn configuration(config: &Config) -> Vec<Finding> {
    let from = config.file.as_ref().map_or("the built-in default".into(), |file| file.display().to_string());
    let (sellers, products) = (config.sellers.len(), config.products.len());
    let read = Finding::ok("config", format!("{from}: {sellers} sellers, {products} products"));
    let warnings = config.warnings().into_iter().map(|warning| Finding::warn("config", warning.what, warning.help));
    std::iter::once(read).chain(warnings).collect()
}

fn keys(config: &Config) -> Vec<Finding> {
    let of = |seller: &crate::config::SellerConfig| {
        let short = seller.keys.iter().filter(|(_, key)| key.expose_secret().chars().count() < KEY_CHARACTERS).count();
        let what = format!("seller {} has {} keys", seller.id, seller.keys.len());
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
        _ if space < DISK_FAIL_BYTES => Finding::fail("disk", what, mend),
        _ if space < DISK_WARN_BYTES => Finding::warn("disk", what, mend),
        _ => Finding::ok("disk", what),
    }
}

/// The log's integrity, and the clock that its last event was recorded by.
async fn log(config: &Config) -> Vec<Finding> {
    if !config.log_file.exists() {
        let what = format!("{} does not exist yet", config.log_file.display());
        return vec![Finding::warn("log", what, "it is made when the server starts")];
    }
    let log = match open_log(config, SqliteOptions::default(), LogMetrics::unregistered()).await {
        Ok(log) => log,
        Err(failure) => {
            let complaint = failure.complaints.into_iter().next();
            let (what, help) = complaint.map(|complaint| (complaint.what, complaint.help)).unwrap_or_default();
            return vec![Finding::fail("log", what, help)];
        }
    };
    let head = log.head().await.unwrap_or(Position::START);
    let mut findings = vec![Finding::ok("log", format!("{}: intact, head {head}", config.log_file.display()))];
    let last = log.read_all(Position(head.0.saturating_sub(1)), 1).await.ok();
    if let Some(last) = last.and_then(|page| page.records.into_iter().next()) {
        findings.push(clock(last.recorded_at));
    }
    log.close().await;
    findings
}

fn clock(last_recorded_at: chrono::DateTime<Utc>) -> Finding {
    let now = Utc::now();
    if last_recorded_at > now + TimeDelta::seconds(5) {
        let what = format!("it is {now}, but the log's last event was recorded at {last_recorded_at}");
        return Finding::fail("clock", what, "set the clock (NTP): signed callbacks are refused when it is 60 s wrong");
    }
    Finding::ok("clock", format!("{}, after the log's last event", now.format("%Y-%m-%dT%H:%M:%SZ")))
}

/// What the marketplace delivered lately, from the delivery journal.
async fn journal(config: &Config) -> Vec<Finding> {
    let path = DataDir::at(&config.data_dir).journal();
    if !path.exists() {
        return vec![Finding::warn("callbacks", "none yet on this node", "debug the product in the seller's console")];
    }
    let opened = Journal::open(&path, JournalOptions::default());
    let looked = match &opened {
        Ok(journal) => match (journal.last().await, journal.at_risk(Utc::now() - RETRY_WINDOW).await) {
            (Ok(last), Ok(at_risk)) => Ok((last, at_risk)),
            (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
        },
        Err(error) => Err(error.to_string()),
    };
    let (last, at_risk) = match looked {
        Ok(found) => found,
        Err(error) => {
            return vec![Finding::warn("callbacks", error, "the journal is not needed for answers; move it away")];
        }
    };
    let mut findings: Vec<Finding> = last
        .iter()
        .map(|last| {
            let minutes = (Utc::now() - last.at).num_minutes();
            Finding::ok("callbacks", format!("seller {}: the last one {minutes} minutes ago", last.seller))
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::warn("callbacks", "none yet on this node", "debug the product in the seller's console"));
    }
    findings.push(match at_risk.len() {
        0 => Finding::ok("at risk", "no callback is waiting for a successful answer"),
        some => Finding::fail(
            "at risk",
            format!("{some} callbacks did not succeed and are still being retried"),
            "see GET /v1/deliveries; after 3 hours the marketplace unsubscribes the customer",
        ),
    });
    findings
}

async fn listeners(config: &Config) -> Vec<Finding> {
    let listen = &config.listen;
    let mut findings = vec![];
    for (name, address) in [("callbacks", listen.callbacks), ("api", listen.api), ("metrics", listen.metrics)] {
        let tls = name == "callbacks" && config.tls.is_some();
        findings.push(listener(name, address, tls).await);
    }
    findings
}

async fn listener(name: &str, address: std::net::SocketAddr, tls: bool) -> Finding {
    let subject = "listener";
    let unreachable =
        || Finding::warn(subject, format!("{name} {address}: nothing answers"), "start it: chopmark serve");
    if tls || address.port() == 0 {
        return match tokio::net::TcpStream::connect(address).await {
            Ok(_) => Finding::ok(subject, format!("{name} {address}: open")),
            Err(_) => unreachable(),
        };
    }
    let Ok(url) = format!("http://{address}").parse::<Url>() else { return unreachable() };
    let request = Request { method: "GET", host: &url.authority(), target: "/readyz", headers: &[], body: b"" };
    match Connection::to(&url).send(&request.to_bytes()).await {
        Ok(answer) if answer.status == 200 => Finding::ok(subject, format!("{name} {address}: ready")),
        Ok(answer) => {
            let what = format!("{name} {address}: answers {}, not ready", answer.status);
            Finding::warn(subject, what, "wait until its index has caught up; if something else listens there, move it")
        }
        Err(_) => unreachable(),
    }
}
