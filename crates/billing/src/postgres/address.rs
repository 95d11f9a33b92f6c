//! The URL: what it says of the server, and how the connection is protected.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use url::form_urlencoded;

use super::PostgresOptions;
use crate::store::StoreError;

/// How long a peer may be silent before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// Whom to trust as the server's authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Authorities {
    Public,
    InFile(PathBuf),
}

/// Where and how.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) config: Config,
    /// TLS, with these authorities; `None` for a plain connection.
    pub(super) security: Option<Authorities>,
}

impl Address {
    /// Reads a URL. `sslmode=require`, `verify-ca` and `verify-full` all mean that the server proves its name; any other
    /// mode, or none, means a plain connection, since an encrypted one to a stranger protects nothing.
    pub(super) fn of(url: &SecretString, options: &PostgresOptions) -> Result<Self, StoreError> {
        let (plain, query) = url.expose_secret().split_once('?').unwrap_or((url.expose_secret(), ""));
        let mut rest = form_urlencoded::Serializer::new(String::new());
        let (mut is_secure, mut file) = (false, None);
        // In these URLs, a plus is a plus.
        for (name, value) in form_urlencoded::parse(query.replace('+', "%2B").as_bytes()) {
            match &*name {
                "sslmode" => is_secure = mode(&value)?,
                "sslrootcert" => file = Some(PathBuf::from(&*value)),
                _ => {
                    rest.append_pair(&name, &value);
                }
            }
        }
        let rest = rest.finish().replace('+', "%20");
        let config = format!("{plain}?{rest}").parse::<Config>().map_err(|error| not_understood(&error.to_string()))?;
        let security = is_secure.then(|| file.map_or(Authorities::Public, Authorities::InFile));
        Ok(Self { config: configured(config, options, is_secure), security })
    }
}

fn mode(value: &str) -> Result<bool, StoreError> {
    match value {
        "require" | "verify-ca" | "verify-full" => Ok(true),
        "disable" | "allow" | "prefer" => Ok(false),
        other => Err(not_understood(&format!("sslmode={other:?}; write require or disable"))),
    }
}

fn not_understood(what: &str) -> StoreError {
    let reason =
        format!("the URL is not understood ({what}); write postgres://user:password@host/database?sslmode=require");
    StoreError::Unavailable { reason }
}

fn configured(mut config: Config, options: &PostgresOptions, is_secure: bool) -> Config {
    config.ssl_mode(if is_secure { SslMode::Require } else { SslMode::Disable });
    if !is_secure && config.get_hosts().iter().any(is_far) {
        tracing::warn!("the connection to PostgreSQL is not encrypted: add sslmode=require to views.url");
    }
    config.connect_timeout(options.connect_timeout);
    config.tcp_user_timeout(SILENCE).keepalives_idle(SILENCE).keepalives_interval(SILENCE / 3);
    if config.get_application_name().is_none() {
        config.application_name("chopmark");
    }
    // Filters make plans that do not fit each other, so each question is planned for itself. Rows are read in the order of
    // an index up to a limit: where the server has no statistics yet, as after a rebuild, it would rather gather all of
    // them as a bitmap and sort them for every page.
    let settings = format!(
        "{} -c search_path={} -c statement_timeout={} -c plan_cache_mode=force_custom_plan \
         -c enable_bitmapscan=off -c jit=off",
        config.get_options().unwrap_or_default(),
        options.schema,
        options.statement_timeout.as_millis()
    );
    config.options(settings);
    config
}

/// Whether a host is not this machine, as far as its name tells.
fn is_far(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name != "localhost" && !name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<Address, StoreError> {
        Address::of(&SecretString::from(url), &PostgresOptions::default())
    }

    #[test]
    fn only_a_url_that_asks_for_it_is_encrypted_and_then_the_server_proves_its_name() {
        let security = |query: &str| address(&format!("postgres://a:b@db.example/c{query}")).unwrap().security;
        for plain in ["", "?sslmode=disable", "?sslmode=prefer", "?connect_timeout=3"] {
            assert_eq!(security(plain), None, "{plain}");
        }
        for secure in ["?sslmode=require", "?sslmode=verify-full", "?application_name=x&sslmode=verify-ca"] {
            assert_eq!(security(secure), Some(Authorities::Public), "{secure}");
        }
        let file = security("?sslmode=require&sslrootcert=%2Fetc/ca%20%2B+1.pem");
        assert_eq!(file, Some(Authorities::InFile("/etc/ca ++1.pem".into())));
    }

    #[test]
    fn the_rest_of_the_url_is_kept() {
        let config =
            address("postgresql://me:p%40ss@db:6432/finance?application_name=a%20b&options=-c%20a%3Db").unwrap().config;
        assert_eq!((config.get_user(), config.get_dbname()), (Some("me"), Some("finance")));
        assert_eq!((config.get_password(), config.get_ports()), (Some(&b"p@ss"[..]), &[6432][..]));
        assert_eq!(config.get_application_name(), Some("a b"));
        assert!(config.get_options().unwrap().starts_with("-c a=b -c search_path=chopmark "));
        let socket = address("postgres://me@%2Frun%2Fpostgresql/finance").unwrap().config;
        assert_eq!(socket.get_hosts(), [Host::Unix("/run/postgresql".into())]);
    }

    #[test]
    fn a_url_that_is_not_understood_is_told_without_its_password() {
        for url in [
            "postgres://a:secret@h/c?sslmode=maybe",
            "postgres://a:secret@h:port/c",
            "postgres://a:secret@h/c?colour=red",
        ] {
            let told = address(url).unwrap_err().to_string();
            assert!(told.contains("not understood") && !told.contains("secret"), "{told}");
        }
    }
}
