//! The URL: what it says of the server, and how the connection is protected.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::form_urlencoded;

use crate::error::PostgresError;
use crate::hosts;
use crate::tls::{self, Authorities};

/// How long a peer may be silent before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// What somebody wants of every connection.
#[derive(Debug, Clone)]
pub struct Session {
    /// How long a connection may take to be made, whatever hosts the URL names.
    pub connect_timeout: Duration,
    /// Settings of the server for these connections, like `("statement_timeout", "3000")`. Names and values are without
    /// spaces and backslashes.
    pub settings: Vec<(&'static str, String)>,
}

/// Where the server is, how it is reached, and what is wanted of each connection. Made of a URL like
/// `postgres://user:password@host/database?sslmode=require`.
///
/// A URL may name several hosts, as `postgres://user@one,two/database`. All are asked at once, so that one which does not
/// answer holds up nobody; the first that takes writes is used, unless the URL says `target_session_attrs=any`.
#[derive(Clone)]
pub struct Address {
    /// One for each host.
    pub(crate) hosts: Vec<Config>,
    /// With TLS; `None` for a plain connection.
    pub(crate) security: Option<MakeRustlsConnect>,
    pub(crate) connect_timeout: Duration,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // `Config` leaves its password out.
        f.debug_struct("Address").field("hosts", &self.hosts).field("is_secure", &self.security.is_some()).finish()
    }
}

impl Address {
    /// Reads a URL. `sslmode=require`, `verify-ca` and `verify-full` all mean that the server proves its name; any other
    /// mode, or none, means a plain connection, since an encrypted one to a stranger protects nothing. `sslrootcert=`
    /// names a file of authorities to trust instead of the public ones.
    ///
    /// # Errors
    /// [`PostgresError::Url`]; [`PostgresError::Authorities`].
    pub fn of(url: &SecretString, session: &Session) -> Result<Self, PostgresError> {
        let (config, authorities) = understood(url)?;
        if authorities.is_none() && config.get_hosts().iter().any(is_far) {
            tracing::warn!("the connection to PostgreSQL is not encrypted: add sslmode=require to its URL");
        }
        let security = authorities.as_ref().map(tls::connector).transpose()?;
        let config = configured(config, session, security.is_some());
        Ok(Self { hosts: hosts::each(&config)?, security, connect_timeout: session.connect_timeout })
    }
}

/// What the URL says, and whom to trust where it asks for TLS.
fn understood(url: &SecretString) -> Result<(Config, Option<Authorities>), PostgresError> {
    let (plain, query) = url.expose_secret().split_once('?').unwrap_or((url.expose_secret(), ""));
    let mut rest = form_urlencoded::Serializer::new(String::new());
    let (mut is_secure, mut file, mut wanted) = (false, None, TargetSessionAttrs::ReadWrite);
    // In these URLs, a plus is a plus.
    for (name, value) in form_urlencoded::parse(query.replace('+', "%2B").as_bytes()) {
        match &*name {
            "sslmode" => is_secure = mode(&value)?,
            "sslrootcert" => file = Some(PathBuf::from(&*value)),
            "target_session_attrs" if value == "any" => wanted = TargetSessionAttrs::Any,
            _ => {
                rest.append_pair(&name, &value);
            }
        }
    }
    let rest = rest.finish().replace('+', "%20");
    let parsed = format!("{plain}?{rest}").parse::<Config>();
    let mut config = parsed.map_err(|error| PostgresError::Url { what: error.to_string() })?;
    if config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(wanted);
    }
    Ok((config, is_secure.then(|| file.map_or(Authorities::Public, Authorities::InFile))))
}

fn mode(value: &str) -> Result<bool, PostgresError> {
    match value {
        "require" | "verify-ca" | "verify-full" => Ok(true),
        "disable" | "allow" | "prefer" => Ok(false),
        other => Err(PostgresError::Url { what: format!("sslmode={other:?}; write require or disable") }),
    }
}

fn configured(mut config: Config, session: &Session, is_secure: bool) -> Config {
    config.ssl_mode(if is_secure { SslMode::Require } else { SslMode::Disable });
    config.connect_timeout(session.connect_timeout);
    config.tcp_user_timeout(SILENCE).keepalives_idle(SILENCE).keepalives_interval(SILENCE / 3);
    if config.get_application_name().is_none() {
        config.application_name("chopmark");
    }
    let mut options = config.get_options().unwrap_or_default().to_owned();
    for (name, value) in &session.settings {
        options.push_str(&format!(" -c {name}={value}"));
    }
    config.options(options);
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

    fn session() -> Session {
        Session { connect_timeout: Duration::from_secs(3), settings: vec![("search_path", "chopmark".into())] }
    }

    fn only_config(url: &str) -> Config {
        let mut address = Address::of(&SecretString::from(url), &session()).unwrap();
        assert_eq!(address.hosts.len(), 1);
        address.hosts.remove(0)
    }

    #[test]
    fn only_a_url_that_asks_for_it_is_encrypted_and_then_the_server_proves_its_name() {
        let authorities = |query: &str| understood(&format!("postgres://a:b@db.example/c{query}").into()).unwrap().1;
        for plain in ["", "?sslmode=disable", "?sslmode=prefer", "?connect_timeout=3"] {
            assert_eq!(authorities(plain), None, "{plain}");
        }
        for secure in ["?sslmode=require", "?sslmode=verify-full", "?application_name=x&sslmode=verify-ca"] {
            assert_eq!(authorities(secure), Some(Authorities::Public), "{secure}");
        }
        let file = authorities("?sslmode=require&sslrootcert=%2Fetc/ca%20%2B+1.pem");
        assert_eq!(file, Some(Authorities::InFile("/etc/ca ++1.pem".into())));
        assert_eq!(only_config("postgres://a@b/c?sslmode=require").get_ssl_mode(), SslMode::Require);
        assert_eq!(only_config("postgres://a@b/c").get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn the_rest_of_the_url_is_kept() {
        let config = only_config(
            "postgresql://me:p%40ss@db:6432/finance?application_name=a%20b&options=-c%20a%3Db&keepalives=0",
        );
        assert_eq!((config.get_user(), config.get_dbname()), (Some("me"), Some("finance")));
        assert_eq!((config.get_password(), config.get_ports()), (Some(&b"p@ss"[..]), &[6432][..]));
        assert_eq!(config.get_application_name(), Some("a b"));
        assert_eq!(config.get_options(), Some("-c a=b -c search_path=chopmark"));
        assert!(!config.get_keepalives());
        let socket = only_config("postgres://me@%2Frun%2Fpostgresql/finance");
        assert_eq!(socket.get_hosts(), [Host::Unix("/run/postgresql".into())]);
    }

    #[test]
    fn of_several_hosts_each_is_asked_by_itself_and_must_take_writes() {
        let address = Address::of(&"postgres://a:b@one:1,two:2/c".into(), &session()).unwrap();
        let hosts: Vec<_> = address.hosts.iter().map(|host| (host.get_hosts().to_vec(), host.get_ports())).collect();
        assert_eq!(hosts, [(vec![Host::Tcp("one".into())], &[1][..]), (vec![Host::Tcp("two".into())], &[2][..])]);
        for host in &address.hosts {
            assert_eq!(host.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
            assert_eq!((host.get_password(), host.get_dbname()), (Some(&b"b"[..]), Some("c")));
        }
        let any = only_config("postgres://a@one/c?target_session_attrs=any");
        assert_eq!(any.get_target_session_attrs(), TargetSessionAttrs::Any);
        let read_only = only_config("postgres://a@one/c?target_session_attrs=read-only");
        assert_eq!(read_only.get_target_session_attrs(), TargetSessionAttrs::ReadOnly);
    }

    #[test]
    fn a_url_that_is_not_understood_is_told_without_its_password() {
        for url in [
            "postgres://a:secret@h/c?sslmode=maybe",
            "postgres://a:secret@h:port/c",
            "postgres://a:secret@h/c?colour=red",
            "postgres://a:secret@/c",
            "postgres://a:secret@one,two,three/c?port=1,2",
        ] {
            let told = Address::of(&url.into(), &session()).unwrap_err().to_string();
            assert!(told.contains("not understood") && !told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let shown = format!("{:?}", Address::of(&"postgres://a:secret@h/c".into(), &session()).unwrap());
        assert!(shown.contains("\"h\"") && !shown.contains("secret"), "{shown}");
    }
}
