//! A small HTTP/1.1 client: one keep-alive connection, one buffer, requests as prebuilt bytes.
//!
//! Two things set it apart from the usual clients: it shows header names in exactly the letters they came in
//! (the marketplace wants `Body-Sign` so and not otherwise), and it costs so little that it can measure servers.

mod response;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub use response::{Exchange, Response};
use response::{Layout, Reader};

use crate::url::Url;

/// Why no answer came back.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection.
    #[error("cannot connect to {url}: {source}")]
    Connect {
        /// Where to.
        url: String,
        /// The system's word.
        source: io::Error,
    },
    /// An `https://` address without a TLS configuration to call it with.
    #[error("{url} needs TLS, and no TLS configuration was given")]
    NoTls {
        /// Where to.
        url: String,
    },
    /// The answer, or the connection, took too long.
    #[error("no answer within {} s", limit.as_secs_f64())]
    Timeout {
        /// How long was waited.
        limit: Duration,
    },
    /// The server closed the connection without a byte of an answer.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// The connection ended in the middle of the answer.
    #[error("the connection ended in the middle of the answer")]
    Truncated,
    /// What came is not HTTP/1.
    #[error("the answer is not HTTP/1: {problem}")]
    Malformed {
        /// What is wrong with it.
        problem: String,
    },
    /// The answer is larger than this client takes.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
}

/// What a client puts up with.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For connecting, TLS included.
    pub connect: Duration,
    /// From the first byte of the request to the last of the answer.
    pub exchange: Duration,
    /// Bytes of an answer's body.
    pub body: usize,
}

impl Default for Limits {
    /// Five seconds to connect; 20 s for an answer, after which the marketplace's debugger has given up
    /// (常见问题, access_topic_0000008); 16 MiB.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), exchange: Duration::from_secs(20), body: 16 << 20 }
    }
}

/// A request to be written out once and sent as often as needed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// The `Host` header: [`Url::authority`].
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Headers beside `Host` and `Content-Length`, written as they are.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// Writes the request at the end of a buffer.
    pub fn write_to(&self, buffer: &mut Vec<u8>) {
        for part in [self.method, " ", self.target, " HTTP/1.1\r\nHost: ", self.host, "\r\n"] {
            buffer.extend_from_slice(part.as_bytes());
        }
        for (name, value) in self.headers {
            for part in [name, ": ", value, "\r\n"] {
                buffer.extend_from_slice(part.as_bytes());
            }
        }
        buffer.extend_from_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        buffer.extend_from_slice(self.body);
    }

    /// The request's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256 + self.target.len() + self.body.len());
        self.write_to(&mut bytes);
        bytes
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

/// A connection to one server, opened when first used and again whenever it was lost.
pub struct Connection {
    url: Url,
    tls: Option<Arc<ClientConfig>>,
    limits: Limits,
    /// Present between two exchanges that left it usable.
    stream: Option<Box<dyn Stream>>,
    buffer: Vec<u8>,
}

impl Connection {
    /// A connection to a server; nothing is opened yet.
    #[must_use]
    pub fn to(url: &Url) -> Self {
        Self { url: url.clone(), tls: None, limits: Limits::default(), stream: None, buffer: Vec::with_capacity(4096) }
    }

    /// With this TLS configuration for `https://` addresses.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Arc<ClientConfig>>) -> Self {
        self.tls = tls;
        self
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where it leads.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Sends a request and reads the answer into the connection's buffer.
    ///
    /// A kept connection that the server closed before the first byte of an answer is opened again, once.
    ///
    /// # Errors
    /// No connection, no answer in time, or one that is not HTTP/1 or too large.
    pub async fn send(&mut self, request: &[u8]) -> Result<Exchange<'_>, HttpError> {
        let kept = self.stream.is_some();
        let mut began = Instant::now();
        let mut outcome = self.attempt(request).await;
        if kept && matches!(outcome, Err(HttpError::Closed)) {
            began = Instant::now();
            outcome = self.attempt(request).await;
        }
        Ok(Exchange::new(&self.buffer, outcome?, began.elapsed()))
    }

    async fn attempt(&mut self, request: &[u8]) -> Result<Layout, HttpError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let exchange = exchange(&mut *stream, request, &mut self.buffer, self.limits.body);
        let layout = within(self.limits.exchange, exchange).await?;
        if layout.keep_alive {
            self.stream = Some(stream);
        }
        Ok(layout)
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, HttpError> {
        let failed = |source| HttpError::Connect { url: self.url.to_string(), source };
        within(self.limits.connect, async {
            let tls = match (self.url.is_tls(), &self.tls) {
                (true, Some(tls)) => Some(TlsConnector::from(Arc::clone(tls))),
                (true, None) => return Err(HttpError::NoTls { url: self.url.to_string() }),
                (false, _) => None,
            };
            let tcp = TcpStream::connect((self.url.host(), self.url.port())).await.map_err(failed)?;
            tcp.set_nodelay(true).map_err(failed)?;
            let Some(tls) = tls else {
                return Ok(Box::new(tcp) as Box<dyn Stream>);
            };
            let name = ServerName::try_from(self.url.host().to_owned())
                .map_err(|invalid| failed(io::Error::new(io::ErrorKind::InvalidInput, invalid)))?;
            let stream = tls.connect(name, tcp).await.map_err(failed)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
        .await
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, HttpError>>) -> Result<T, HttpError> {
    timeout(limit, work).await.map_err(|_| HttpError::Timeout { limit })?
}

async fn exchange(
    stream: &mut dyn Stream,
    request: &[u8],
    buffer: &mut Vec<u8>,
    max_body: usize,
) -> Result<Layout, HttpError> {
    buffer.clear();
    let written = write(stream, request).await;
    // A server that refuses a request early answers while we still write: its answer counts for more than our error.
    match (Reader::new(stream, buffer, max_body).answer().await, written) {
        (Ok(layout), Ok(())) => Ok(layout),
        (Ok(layout), Err(_)) => Ok(Layout { keep_alive: false, ..layout }),
        (Err(error), _) => Err(error),
    }
}

async fn write(stream: &mut dyn Stream, request: &[u8]) -> io::Result<()> {
    stream.write_all(request).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests;
