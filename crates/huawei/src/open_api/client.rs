//! The client: one signed GET, with a second host for when the first is away.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use chopmark_domain::ids::{OrderId, OrderLineId};
use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use reqwest::{Client, Response, Url, redirect};
use secrecy::{ExposeSecret, SecretString};

use super::ORDER_QUERY_PATH;
use super::answer::{ErrorKind, OpenApiError, OrderAnswer, parse_order_answer};
use super::signing::{self, DATE_HEADER};
use crate::site::Site;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// For one request to one host, its answer included.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// An order has a few lines and a few kilobytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

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

/// A seller's access to the open API. Certificates are verified; redirects are not followed.
#[derive(Debug)]
pub struct OpenApi {
    client: Client,
    base: Url,
    fallback: Option<Url>,
    access_key: SecretString,
    secret_key: SecretString,
}

/// An answer as it came.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    /// A gateway answers for a marketplace that it cannot reach.
    fn is_host_away(&self) -> bool {
        matches!(self.status, 502..=504)
    }
}

impl OpenApi {
    /// Access with an AK and SK, to the hosts of a site or to `base_url` in their place. A path in `base_url` goes
    /// before the API's own.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(
        site: Site,
        base_url: Option<Url>,
        access_key: SecretString,
        secret_key: SecretString,
    ) -> Result<Self, SetupError> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .user_agent(concat!("chopmark/", env!("CARGO_PKG_VERSION")));
        let (client, base, fallback) = match base_url {
            Some(base) if may_be_plain(&base)? => (client.no_proxy(), base, None),
            Some(base) => (client.https_only(true), base, None),
            None => {
                let hosts = site.hosts();
                (client.https_only(true), host_url(hosts[0]), hosts.get(1).map(|host| host_url(host)))
            }
        };
        let client = client.build().map_err(SetupError::Client)?;
        Ok(Self { client, base, fallback, access_key, secret_key })
    }

    /// Asks what an order is about: all of its lines, or one. `now` is when the request is signed.
    ///
    /// The marketplace's second host is asked where the first cannot be reached.
    ///
    /// # Errors
    /// [`OpenApiError`].
    pub async fn query_order(
        &self,
        order: &OrderId,
        line: Option<&OrderLineId>,
        now: DateTime<Utc>,
    ) -> Result<OrderAnswer, OpenApiError> {
        let mut query = vec![("orderId".to_owned(), order.as_str().to_owned())];
        query.extend(line.map(|line| ("orderLineId".to_owned(), line.as_str().to_owned())));
        let answer = self.get(ORDER_QUERY_PATH, &query, now).await?;
        parse_order_answer(order, answer.status, &answer.body)
    }

    async fn get(&self, path: &str, query: &[(String, String)], now: DateTime<Utc>) -> Result<Answer, OpenApiError> {
        let first = self.get_from(&self.base, path, query, now).await;
        let is_away = match &first {
            Ok(answer) => answer.is_host_away(),
            Err(error) => error.kind == ErrorKind::Transient,
        };
        match &self.fallback {
            Some(fallback) if is_away => {
                tracing::info!(host = self.base.host_str(), "the open API is away; asking its second host");
                self.get_from(fallback, path, query, now).await
            }
            _ => first,
        }
    }

    async fn get_from(
        &self,
        base: &Url,
        path: &str,
        query: &[(String, String)],
        now: DateTime<Utc>,
    ) -> Result<Answer, OpenApiError> {
        let mut url = base.clone();
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        url.set_query(Some(&signing::query_string(query)));
        let host = authority(&url);
        let date = signing::format_date(now);
        let request = signing::Request {
            method: "GET",
            path: url.path(),
            query,
            headers: &[("host", &host), (DATE_HEADER, &date)],
            body: b"",
        };
        let (access_key, secret_key) = (self.access_key.expose_secret(), self.secret_key.expose_secret());
        let authorization = signing::sign(&request, access_key, secret_key, &date);
        let response = self
            .client
            .get(url)
            .header(HOST, host)
            .header(DATE_HEADER, date)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, authorization)
            .send()
            .await
            .map_err(unreachable)?;
        read(response).await
    }
}

async fn read(mut response: Response) -> Result<Answer, OpenApiError> {
    let status = response.status().as_u16();
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            let message = format!("HTTP {status} with an answer of more than {LONGEST_ANSWER} bytes");
            return Err(OpenApiError::new(ErrorKind::Malformed, message));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}

/// Whether this address may go without TLS.
fn may_be_plain(url: &Url) -> Result<bool, SetupError> {
    let shown = || format!("{}://{}", url.scheme(), authority(url));
    match url.scheme() {
        "https" => Ok(false),
        "http" if is_loopback(url) => Ok(true),
        "http" => Err(SetupError::PlainHttp { url: shown() }),
        _ => Err(SetupError::Scheme { url: shown() }),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[expect(clippy::expect_used, reason = "the hosts are constants; a test makes a client of every site")]
fn host_url(host: &str) -> Url {
    Url::parse(&format!("https://{host}")).expect("a host makes a URL")
}

/// Host and port, as the `Host` header has them.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn unreachable(error: reqwest::Error) -> OpenApiError {
    // The address is known, and without it the message is the same for every order.
    OpenApiError::new(ErrorKind::Transient, chain(&error.without_url()))
}

/// An error with its causes: the outermost alone says little.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a String does not fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
