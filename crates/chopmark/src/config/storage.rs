//! Where the event log and the views are kept.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::document::Value;
use super::reader::Found;
use super::secret;

const LOG_FILE: &str = "log.db";
const VIEWS_FILE: &str = "views.db";
const BILLING_FILE: &str = "billing.db";

/// From a second to a week.
const SEAL_EVERY_SECONDS: RangeInclusive<i64> = 1..=604_800;

/// Where views are kept.
#[derive(Debug, Clone)]
pub(crate) enum ViewsAt {
    /// In files.
    Sqlite {
        /// What was last seen.
        views_file: PathBuf,
        /// The views of settlement.
        billing_file: PathBuf,
    },
    /// In PostgreSQL, where processes share them.
    Postgres {
        /// Where; may hold a password.
        url: SecretString,
    },
}

/// Where the event log is.
#[derive(Debug, Clone)]
pub(crate) enum LogAt {
    /// In a file.
    Sqlite(PathBuf),
    /// In PostgreSQL; the URL may hold a password.
    Postgres(SecretString),
    /// In EventStoreDB or KurrentDB; the URL may hold a password.
    Eventstore(SecretString),
}

impl LogAt {
    /// The file, where it is one.
    #[must_use]
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => Some(file),
            Self::Postgres(_) | Self::Eventstore(_) => None,
        }
    }

    /// Whether it is elsewhere: it may be away while this process is up, and others may write to it.
    #[must_use]
    pub(crate) fn is_remote(&self) -> bool {
        self.file().is_none()
    }
}

/// For people: the file, or the URL without what is secret.
impl fmt::Display for LogAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => file.display().fmt(f),
            Self::Postgres(url) | Self::Eventstore(url) => f.write_str(&without_secrets(url.expose_secret())),
        }
    }
}

/// The event log, and the time between two seals over it.
pub(super) fn read_log(found: Found<'_>, data_dir: &Path) -> Option<(LogAt, Duration)> {
    let mut section = found.section()?;
    let log = section.required("url", "url = \"sqlite:\"", |found| read_log_url(found, data_dir));
    let seal_every =
        section.required("seal_every_seconds", "seal_every_seconds = 3600", |found| found.whole(SEAL_EVERY_SECONDS));
    section.finish();
    Some((log?, Duration::from_secs(seal_every?)))
}

fn read_log_url(found: Found<'_>, data_dir: &Path) -> Option<LogAt> {
    const MEND: &str = "write \"sqlite:\" for the file log.db under data_dir, \"sqlite:PATH\", \"postgres://…\", \
                        \"esdb://…\" or \"kurrentdb://…\"";
    let (spot, reader) = (found.spot.clone(), found.reader);
    let (url, is_plain) = read_url(found)?;
    let log = match at(url.expose_secret()) {
        Ok(At::Sqlite(file)) => Ok(LogAt::Sqlite(data_dir.join(file.unwrap_or(LOG_FILE)))),
        Ok(At::Postgres) => remote(&url, is_plain, POSTGRES_FORM).map(|()| LogAt::Postgres(url)),
        Ok(At::Eventstore) => remote(&url, is_plain, EVENTSTORE_FORM).map(|()| LogAt::Eventstore(url)),
        Err(what) => Err((what, MEND)),
    };
    log.map_err(|(what, mend)| spot.refuse(reader, what, mend)).ok()
}

/// A URL, and whether it stands in the configuration itself.
fn read_url(found: Found<'_>) -> Option<(SecretString, bool)> {
    let is_plain = matches!(found.value, Value::Text(_));
    let url = if is_plain { found.text()?.into() } else { secret::read(found)? };
    Some((url, is_plain))
}

/// Where views are.
pub(super) fn read_views(found: Found<'_>, data_dir: &Path) -> Option<ViewsAt> {
    let mut section = found.section()?;
    let views = section.required("url", "url = \"sqlite:\"", |found| read_views_url(found, data_dir));
    section.finish();
    views
}

fn read_views_url(found: Found<'_>, data_dir: &Path) -> Option<ViewsAt> {
    const MEND: &str = "write \"sqlite:\" for the files views.db and billing.db under data_dir, \"sqlite:PATH\" for \
                        another views.db with billing.db beside it, or \"postgres://…\"";
    let (spot, reader) = (found.spot.clone(), found.reader);
    let (url, is_plain) = read_url(found)?;
    let views = match at(url.expose_secret()) {
        Ok(At::Sqlite(file)) => sqlite_views(data_dir, file).map_err(|what| (what, MEND)),
        Ok(At::Postgres) => remote(&url, is_plain, POSTGRES_FORM).map(|()| ViewsAt::Postgres { url }),
        Ok(At::Eventstore) => Err(("views are kept in tables: no log takes them".into(), MEND)),
        Err(what) => Err((what, MEND)),
    };
    views.map_err(|(what, mend)| spot.refuse(reader, what, mend)).ok()
}

fn sqlite_views(data_dir: &Path, file: Option<&str>) -> Result<ViewsAt, String> {
    let views_file = data_dir.join(file.unwrap_or(VIEWS_FILE));
    let billing_file = views_file.with_file_name(BILLING_FILE);
    if billing_file == views_file {
        return Err(format!("{BILLING_FILE} is the file of the views of settlement, beside this one"));
    }
    Ok(ViewsAt::Sqlite { views_file, billing_file })
}

const POSTGRES_FORM: &str = "write it like postgres://USER@HOST/DATABASE";
const EVENTSTORE_FORM: &str = "write it like esdb://HOST:2113?tls=true, or esdb://HOST1:2113,HOST2:2113,HOST3:2113 for a \
                               cluster";

/// Refuses what is no URL of a server, and a password where everybody reads it.
fn remote(url: &SecretString, is_plain: bool, form: &'static str) -> Result<(), (String, &'static str)> {
    const SECRET: &str = "write url = { env = \"NAME\" } or { file = \"PATH\" }, and put the whole URL there";
    let Some(Parts { user, host, query, .. }) = parts(url.expose_secret()) else {
        return Err(("this is no URL of a server".into(), form));
    };
    if !host.split(',').all(is_host) {
        return Err(("this URL names no host, or a port that is no number".into(), form));
    }
    let asks = Url::parse(&format!("query:?{query}"))
        .is_ok_and(|url| url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("password")));
    if is_plain && (user.is_some_and(|user| user.contains(':')) || asks) {
        return Err(("a URL with a password is a secret, and stands in no configuration file".into(), SECRET));
    }
    Ok(())
}

/// A name or address, with a port or without.
fn is_host(text: &str) -> bool {
    let end_of_name = text.rfind(']').map_or_else(|| text.find(':').unwrap_or(text.len()), |bracket| bracket + 1);
    let (name, port) = text.split_at(end_of_name);
    let is_port = |port: &str| port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    !name.is_empty() && (port.is_empty() || is_port(port))
}

/// The URL of a server in its parts. A cluster's names several hosts, so the general rules do not read it.
struct Parts<'u> {
    scheme: &'u str,
    user: Option<&'u str>,
    host: &'u str,
    path: &'u str,
    query: &'u str,
}

fn parts(url: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    Some(Parts { scheme, user, host, path, query })
}

/// Scheme, hosts and path: neither who logs in nor what else is said.
fn without_secrets(url: &str) -> String {
    parts(url).map_or_else(String::new, |Parts { scheme, host, path, .. }| format!("{scheme}://{host}{path}"))
}

/// What a URL names.
enum At<'u> {
    /// A file, or the usual one.
    Sqlite(Option<&'u str>),
    Postgres,
    Eventstore,
}

fn at(url: &str) -> Result<At<'_>, String> {
    // Messages name the scheme alone: a URL may hold a password.
    match url.split_once(':') {
        Some(("sqlite", rest)) => {
            Ok(At::Sqlite(Some(rest.strip_prefix("//").unwrap_or(rest)).filter(|path| !path.is_empty())))
        }
        Some(("postgres" | "postgresql", _)) => Ok(At::Postgres),
        Some(("esdb" | "esdb+discover" | "kurrentdb" | "kurrentdb+discover" | "kdb" | "kdb+discover", _)) => {
            Ok(At::Eventstore)
        }
        Some((scheme, _)) => Err(format!("{scheme}: is not known here")),
        None => Err("this is no URL".into()),
    }
}
