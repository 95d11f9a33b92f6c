//! The connection string.

use std::sync::Arc;

use eventstore::{ClientSettings, Credentials};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::error::ConnectError;

/// Schemes that are the client's by another name.
const SCHEMES: [(&str, &str); 6] = [
    ("esdb://", "esdb://"),
    ("esdb+discover://", "esdb+discover://"),
    ("kurrentdb://", "esdb://"),
    ("kurrentdb+discover://", "esdb+discover://"),
    ("kdb://", "esdb://"),
    ("kdb+discover://", "esdb+discover://"),
];

/// What holds unless the connection string says otherwise. Commands need the leader; and an append may take three seconds
/// in all, so a node is not waited for as long as the client would.
const DEFAULTS: [(&str, &str); 4] = [
    ("nodePreference", "leader"),
    ("discoveryInterval", "100"),
    ("gossipTimeout", "1000"),
    ("connectionName", "chopmark"),
];

/// Where the server is, and who asks it.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) settings: ClientSettings,
    /// The user of the connection string, decoded, which the client leaves out.
    pub(super) credentials: Option<Credentials>,
}

impl Address {
    /// Reads a connection string, and tries the certificates that it names: the client would panic over bad ones.
    pub(super) fn parse(url: &SecretString) -> Result<Self, ConnectError> {
        let invalid = |reason: String| ConnectError::Url { reason };
        let url = url.expose_secret();
        let (theirs, rest) = SCHEMES
            .into_iter()
            .find_map(|(ours, theirs)| Some((theirs, url.strip_prefix(ours)?)))
            .ok_or_else(|| invalid("it begins with none of esdb://, esdb+discover://, kurrentdb://".into()))?;
        let url = with_defaults(&format!("{theirs}{rest}"));
        // Its message may be the whole string, which nobody is to see.
        let settings: ClientSettings = url.parse().map_err(|error: eventstore::ClientSettingsParseError| {
            invalid(error.error().map_or_else(|| error.message().to_owned(), ToString::to_string))
        })?;
        let credentials = credentials(&url);
        if settings.is_secure_mode_enabled() {
            try_certificates(&settings).map_err(|reason| ConnectError::Certificates { reason })?;
        }
        Ok(Self { settings, credentials })
    }
}

fn with_defaults(url: &str) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let said: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
    let is_said =
        |name: &str| said.iter().any(|part| part.split('=').next().is_some_and(|n| n.eq_ignore_ascii_case(name)));
    let unsaid = DEFAULTS.into_iter().filter(|(name, _)| !is_said(name)).map(|(name, value)| format!("{name}={value}"));
    let query: Vec<String> = said.iter().map(|part| (*part).to_owned()).chain(unsaid).collect();
    format!("{place}?{}", query.join("&"))
}

/// User and password, read from before the hosts: where there are several, the whole is no URL.
fn credentials(url: &str) -> Option<Credentials> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let url = Url::parse(&format!("{scheme}://{user}@host")).ok()?;
    let [login, password] = [url.username(), url.password().unwrap_or_default()].map(decoded);
    (!login.is_empty()).then(|| Credentials::new(login, password))
}

/// `%40` is `@`. What is not written so stays.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// Does what the client does with certificates, and gives its reason instead of a panic.
fn try_certificates(settings: &ClientSettings) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    match settings.tls_ca_file() {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| format!("{file}: {error}"))?;
            }
        }
        None => {
            let natives = rustls_native_certs::load_native_certs();
            if let Some(error) = natives.errors.first() {
                return Err(format!("of the system: {error}"));
            }
            for certificate in natives.certs {
                roots.add(certificate).map_err(|error| format!("of the system: {error}"))?;
            }
        }
    }
    let Some((certificate, key)) = settings.user_certificate() else { return Ok(()) };
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{key}: {error}"))?;
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_root_certificates(roots).with_client_auth_cert(chain, key))
        .map_err(|error| format!("{certificate}: {error}"))?;
    Ok(())
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let unusable = |error: rustls::pki_types::pem::Error| format!("{file}: {error}");
    CertificateDer::pem_file_iter(file).map_err(unusable)?.collect::<Result<_, _>>().map_err(unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, ConnectError> {
        Address::parse(&SecretString::from(url))
    }

    #[test]
    fn the_leader_is_preferred_unless_the_string_says_otherwise() {
        let address = parse("esdb://one:2113?tls=false").unwrap();
        assert_eq!(address.settings, "esdb://one:2113?tls=false&nodePreference=leader&discoveryInterval=100&gossipTimeout=1000&connectionName=chopmark".parse().unwrap());
        let said = parse("esdb://one?tls=false&NODEPREFERENCE=follower&gossipTimeout=5").unwrap().settings;
        assert_eq!(said.node_preference(), eventstore::NodePreference::Follower);
        assert_eq!(said.gossip_timeout().as_millis(), 5);
    }

    #[test]
    fn kurrentdb_is_another_name_for_the_same() {
        for (name, has_discovery) in [("kurrentdb", false), ("kurrentdb+discover", true), ("kdb", false)] {
            let settings = parse(&format!("{name}://a:1,b:2?tls=false")).unwrap().settings;
            assert_eq!(settings.is_dns_discovery_enabled(), has_discovery);
            assert_eq!(settings.hosts().len(), 2);
        }
    }

    #[test]
    fn user_and_password_are_decoded() {
        for hosts in ["one:2113", "one:2113,two:2113,three"] {
            let address = parse(&format!("esdb://chop%40mark:p%3Ass%2F%25w%zz+d@{hosts}?tls=false")).unwrap();
            assert_eq!(address.credentials, Some(Credentials::new("chop@mark", "p:ss/%w%zz+d")));
        }
        assert_eq!(parse("esdb://one?tls=false").unwrap().credentials, None);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        let wrong = [
            "http://u:secret@one",
            "esdb://u:secret@one:port",
            "esdb://u:secret@one:2113,two:port",
            "esdb://u:secret@",
            "esdb://u:secret@one/path?tls=false",
            "esdb://u:secret@one?tls=perhaps",
            "esdb://u:secret@one?userCertFile=a.pem",
            "esdb://u:secret@one?tlsCaFile=/nowhere/ca.pem",
        ];
        for url in wrong {
            let error = parse(url).err().expect(url).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
