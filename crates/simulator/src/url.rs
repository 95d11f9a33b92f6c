//! Where a server is.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// A parsed `http://host:port/path` or `https://…`. The path is a prefix under which requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    tls: bool,
    host: String,
    port: u16,
    path: String,
}

/// Why a text is not an address that can be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither `http://` nor `https://` in front.
    #[error("{text:?} must begin with http:// or https://")]
    Scheme {
        /// The text given.
        text: String,
    },
    /// No host, or one with characters that hosts do not have.
    #[error("{text:?} names no host; write it as http://host:port")]
    Host {
        /// The text given.
        text: String,
    },
    /// The port is no number from 1 to 65535.
    #[error("{text:?} has no valid port; ports go from 1 to 65535")]
    Port {
        /// The text given.
        text: String,
    },
    /// A query, a fragment or a blank, where only a path prefix may stand.
    #[error("{text:?} must end with its path: no blanks, no '?', no '#'")]
    Path {
        /// The text given.
        text: String,
    },
}

impl Url {
    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host to connect to, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path prefix, without a slash at its end; empty for the root.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands in the `Host` header: the port only where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.tls) { host } else { format!("{host}:{}", self.port) }
    }
}

fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let given = || text.to_owned();
        let (tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(UrlError::Scheme { text: given() }),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if path.contains(|c: char| c.is_whitespace() || c.is_control() || c == '?' || c == '#') {
            return Err(UrlError::Path { text: given() });
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').ok_or_else(|| UrlError::Host { text: given() })?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c)) {
            return Err(UrlError::Host { text: given() });
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => default_port(tls),
            None => return Err(UrlError::Host { text: given() }),
            Some(digits) => {
                digits.parse().ok().filter(|port| *port != 0).ok_or_else(|| UrlError::Port { text: given() })?
            }
        };
        Ok(Self { tls, host: host.into(), port, path: path.trim_end_matches('/').into() })
    }
}

impl From<SocketAddr> for Url {
    /// The plain address of a server on this machine.
    fn from(address: SocketAddr) -> Self {
        Self { tls: false, host: address.ip().to_string(), port: address.port(), path: String::new() }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_again() {
        for text in
            ["http://127.0.0.1:8080", "https://isv.example.com/saas/v2", "http://[::1]:9000", "http://localhost"]
        {
            assert_eq!(text.parse::<Url>().unwrap().to_string(), text);
        }
        let url: Url = "https://isv.example.com:8443/hw/".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.path()), ("isv.example.com", 8443, "/hw"));
        assert_eq!(url.authority(), "isv.example.com:8443");
    }

    #[test]
    fn a_wrong_address_says_what_is_wrong() {
        let error = |text: &str| text.parse::<Url>().unwrap_err();
        assert!(matches!(error("ftp://x"), UrlError::Scheme { .. }));
        assert!(matches!(error("http://"), UrlError::Host { .. }));
        assert!(matches!(error("http://a b"), UrlError::Host { .. }));
        assert!(matches!(error("http://[::1"), UrlError::Host { .. }));
        assert!(matches!(error("http://[::1]x"), UrlError::Host { .. }));
        assert!(matches!(error("http://x:0"), UrlError::Port { .. }));
        assert!(matches!(error("http://x:70000"), UrlError::Port { .. }));
        assert!(matches!(error("http://x/a?b"), UrlError::Path { .. }));
    }
}
