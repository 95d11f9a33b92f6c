//! Listeners: where they are, and what they take.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Found, Section, Unique};
use super::secret::RELATIVE_TO_CONFIG;

/// The addresses to listen on.
#[derive(Debug, Clone)]
pub(crate) struct Listen {
    /// For the marketplace.
    pub(crate) callbacks: SocketAddr,
    /// For checks and views.
    pub(crate) api: SocketAddr,
    /// For Prometheus.
    pub(crate) metrics: SocketAddr,
    /// For everything that needs a token, where it is not on `api`.
    pub(crate) admin: Option<SocketAddr>,
}

/// Certificate and key of a listener, PEM files that exist.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// The certificate and its chain.
    pub(crate) cert: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

/// What a listener takes before it refuses or hangs up.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Bytes of a callback's body.
    pub(crate) callback_body_bytes: usize,
    /// Bytes of a check's body.
    pub(crate) api_body_bytes: usize,
    /// Connections open at a time, on each listener.
    pub(crate) connections: usize,
    /// Within which a request's head must have arrived.
    pub(crate) request: Duration,
    /// How long a connection may be idle between two requests.
    pub(crate) keep_alive: Duration,
    /// Given to running requests at shutdown.
    pub(crate) shutdown: Duration,
    /// Deliveries the delivery journal remembers.
    pub(crate) journal_deliveries: usize,
}

pub(super) fn read(found: Found<'_>) -> Option<Listen> {
    let mut section = found.section()?;
    let mut taken = Unique::new("listener at");
    let callbacks = section.required("callbacks", "callbacks = \"127.0.0.1:8080\"", |found| address(found, &mut taken));
    let api = section.required("api", "api = \"127.0.0.1:8081\"", |found| address(found, &mut taken));
    let metrics = section.required("metrics", "metrics = \"127.0.0.1:9090\"", |found| address(found, &mut taken));
    let admin = section.optional("admin", |found| address(found, &mut taken));
    section.finish();
    Some(Listen { callbacks: callbacks?, api: api?, metrics: metrics?, admin: admin? })
}

fn address(found: Found<'_>, taken: &mut Unique<SocketAddr>) -> Option<SocketAddr> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let text = found.text()?;
    let Ok(address) = text.parse::<SocketAddr>() else {
        let what = format!("{text:?} is not an IP address with a port");
        spot.refuse(reader, what, format!("write {}", likely_address(&text)));
        return None;
    };
    // Port 0 is another one each time.
    if address.port() != 0 {
        taken.add(&address, spot, reader);
    }
    Some(address)
}

/// What was probably meant by something that is no address.
fn likely_address(text: &str) -> String {
    match text.rsplit_once(':') {
        Some(("", port)) if port.parse::<u16>().is_ok() => format!("\"0.0.0.0:{port}\" to listen on every address"),
        Some(("localhost", port)) if port.parse::<u16>().is_ok() => format!("\"127.0.0.1:{port}\""),
        _ => "it like \"127.0.0.1:8080\", or \"[::1]:8080\" for IPv6".into(),
    }
}

pub(super) fn read_tls(found: Found<'_>) -> Option<Tls> {
    let mut section = found.section()?;
    let cert = section.required("cert", "cert = \"tls/fullchain.pem\"", existing_file);
    let key = section.required("key", "key = \"tls/key.pem\"", existing_file);
    section.finish();
    Some(Tls { cert: cert?, key: key? })
}

fn existing_file(found: Found<'_>) -> Option<PathBuf> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let path = reader.folder.join(found.text()?);
    if path.is_file() {
        return Some(path);
    }
    spot.refuse(reader, format!("there is no file {}", path.display()), RELATIVE_TO_CONFIG);
    None
}

const BODY_BYTES: RangeInclusive<i64> = 1024..=16 * 1024 * 1024;

pub(super) fn read_limits(found: Found<'_>) -> Option<Limits> {
    let mut section = found.section()?;
    let callback_body_bytes = amount(&mut section, "callback_body_bytes", BODY_BYTES);
    let api_body_bytes = amount(&mut section, "api_body_bytes", BODY_BYTES);
    let connections = amount(&mut section, "connections", 1..=1_000_000);
    let request = seconds(&mut section, "request_seconds", 1..=300);
    let keep_alive = seconds(&mut section, "keep_alive_seconds", 1..=3600);
    let shutdown = seconds(&mut section, "shutdown_seconds", 1..=300);
    let journal_deliveries = amount(&mut section, "journal_deliveries", 1000..=10_000_000);
    section.finish();
    Some(Limits {
        callback_body_bytes: callback_body_bytes?,
        api_body_bytes: api_body_bytes?,
        connections: connections?,
        request: request?,
        keep_alive: keep_alive?,
        shutdown: shutdown?,
        journal_deliveries: journal_deliveries?,
    })
}

fn amount(section: &mut Section<'_>, key: &'static str, range: RangeInclusive<i64>) -> Option<usize> {
    section.required(key, &format!("{key} = {}", range.end()), |found| found.whole(range.clone()))
}

fn seconds(section: &mut Section<'_>, key: &'static str, range: RangeInclusive<i64>) -> Option<Duration> {
    section
        .required(key, &format!("{key} = {}", range.end()), |found| found.whole(range.clone()))
        .map(Duration::from_secs)
}
