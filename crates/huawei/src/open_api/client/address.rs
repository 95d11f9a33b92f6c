//! Addresses that the open API may be called at.

use reqwest::Url;

/// A configuration under which the open API cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Order facts and signatures do not travel in the clear.
    #[error("open_api.base_url {url}: http:// is only for loopback hosts (localhost, 127.0.0.1, ::1); use https://")]
    PlainHttp {
        /// The address configured, without user and password.
        url: String,
    },
    /// Not HTTP at all.
    #[error("open_api.base_url {url}: must begin with https://")]
    Scheme {
        /// The address configured, without user and password.
        url: String,
    },
    /// TLS could not be set up.
    #[error("the open API's client cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// Whether this address may go without TLS.
pub(super) fn may_be_plain(url: &Url) -> Result<bool, SetupError> {
    let shown = || format!("{}://{}", url.scheme(), authority(url));
    match url.scheme() {
        "https" => Ok(false),
        "http" if is_loopback(url) => Ok(true),
        "http" => Err(SetupError::PlainHttp { url: shown() }),
        _ => Err(SetupError::Scheme { url: shown() }),
    }
}

/// Whether a URL leads to this machine: what is said to it needs no TLS.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[expect(clippy::expect_used, reason = "the hosts are constants; a test makes a client of every site")]
pub(super) fn host_url(host: &str) -> Url {
    Url::parse(&format!("https://{host}")).expect("a host makes a URL")
}

/// Host and port, as the `Host` header has them.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
