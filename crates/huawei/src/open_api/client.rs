//! The client: signed requests, with a second host for when the first is away.

mod address;

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use chopmark_domain::ids::{EventId, LicenseCode, OrderId, OrderLineId};
use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use reqwest::{Client, Method, Response, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

pub use address::{SetupError, is_loopback};
use address::{authority, host_url, may_be_plain};

use super::answer::{ErrorKind, OpenApiError, OrderAnswer, parse_order_answer};
use super::code::{CodeOutcome, parse_activation, parse_code_query};
use super::signing::{self, CONTENT_HASH_HEADER, DATE_HEADER, UNSIGNED_PAYLOAD};
use super::upload::{Upload, parse_upload_answer, upload_path};
use super::{ACTIVATE_LIST_PATH, ACTIVATE_PATH, HEARTBEAT_LIST_PATH, HEARTBEAT_PATH, ORDER_QUERY_PATH};
use crate::site::Site;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// For one request to one host, its answer included.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// An order has a few lines and a few kilobytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// An answer about a license code is kept with what it causes, and is a few hundred bytes.
const LONGEST_CODE_ANSWER: usize = 64 * 1024;

const JSON: &str = "application/json";

/// Which of the interfaces for license codes is called (topics 0070649244, 0070649245). Either passes the marketplace's
/// access check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LicenseApi {
    /// One code at a time. Its answers are documented.
    #[default]
    V1,
    /// Lists of codes, here of one. Of its query no table was seen; every shape that it may answer in is read.
    V2,
}

/// How an upload's form is signed. No page tells which the gateway accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UploadSigning {
    /// Over its exact bytes.
    #[default]
    ExactBody,
    /// `UNSIGNED-PAYLOAD` in place of the body's hash, as the vendor's SDK does for streams.
    UnsignedPayload,
}

/// A seller's access to the open API. Certificates are verified; redirects are not followed.
#[derive(Debug)]
pub struct OpenApi {
    client: Client,
    base: Url,
    fallback: Option<Url>,
    access_key: SecretString,
    secret_key: SecretString,
    license_api: LicenseApi,
    upload_signing: UploadSigning,
}

/// A request but for its host, date and signature.
struct Call<'a> {
    method: Method,
    path: &'a str,
    query: &'a [(String, String)],
    content_type: &'a str,
    body: &'a [u8],
    /// Whether the signature covers the body.
    signing: UploadSigning,
    longest_answer: usize,
}

impl<'a> Call<'a> {
    fn get(path: &'a str, query: &'a [(String, String)]) -> Self {
        let signing = UploadSigning::ExactBody;
        Self {
            method: Method::GET,
            path,
            query,
            content_type: JSON,
            body: b"",
            signing,
            longest_answer: LONGEST_ANSWER,
        }
    }

    fn post(path: &'a str, content_type: &'a str, body: &'a [u8]) -> Self {
        let method = Method::POST;
        Self { method, content_type, body, longest_answer: LONGEST_CODE_ANSWER, ..Self::get(path, &[]) }
    }
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
        let (license_api, upload_signing) = (LicenseApi::default(), UploadSigning::default());
        Ok(Self { client, base, fallback, access_key, secret_key, license_api, upload_signing })
    }

    /// With this version of the interfaces for license codes.
    #[must_use]
    pub fn with_license_api(mut self, license_api: LicenseApi) -> Self {
        self.license_api = license_api;
        self
    }

    /// With uploads signed so.
    #[must_use]
    pub fn with_upload_signing(mut self, upload_signing: UploadSigning) -> Self {
        self.upload_signing = upload_signing;
        self
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
        let answer = self.call(&Call::get(ORDER_QUERY_PATH, &query), now).await?;
        parse_order_answer(order, answer.status, &answer.body)
    }

    /// Activates a license code (topic 0070649244). `now` is when the request is signed.
    ///
    /// Twice does no harm: the second time it is [`CodeOutcome::AlreadyActive`].
    ///
    /// # Errors
    /// [`OpenApiError`].
    pub async fn activate_code(&self, code: &LicenseCode, now: DateTime<Utc>) -> Result<CodeOutcome, OpenApiError> {
        let answer = self.ask_about_code([ACTIVATE_PATH, ACTIVATE_LIST_PATH], code, now).await?;
        parse_activation(code, answer.status, &answer.body)
    }

    /// Asks for the state of a license code (topic 0070649245). `now` is when the request is signed.
    ///
    /// # Errors
    /// [`OpenApiError`].
    pub async fn query_code(&self, code: &LicenseCode, now: DateTime<Utc>) -> Result<CodeOutcome, OpenApiError> {
        let answer = self.ask_about_code([HEARTBEAT_PATH, HEARTBEAT_LIST_PATH], code, now).await?;
        parse_code_query(code, answer.status, &answer.body)
    }

    /// Hands over the license that was applied for by an event (topic 0070649351). `now` is when the request is signed.
    ///
    /// Twice does no harm; the same license makes the same request.
    ///
    /// # Errors
    /// [`OpenApiError`]; of kind [`ErrorKind::Refused`] also where the text or the file's name is longer than the
    /// marketplace takes.
    pub async fn upload_license(
        &self,
        event: &EventId,
        upload: Upload<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), OpenApiError> {
        let path = upload_path(event)?;
        let form = upload.form()?;
        let call = Call { signing: self.upload_signing, ..Call::post(&path, &form.content_type, &form.body) };
        let answer = self.call(&call, now).await?;
        parse_upload_answer(answer.status, &answer.body)
    }

    /// Posts a question about one code to the path of the version in use: the first is v1, the second v2.
    async fn ask_about_code(
        &self,
        paths: [&str; 2],
        code: &LicenseCode,
        now: DateTime<Utc>,
    ) -> Result<Answer, OpenApiError> {
        let [one, list] = paths;
        let (path, question): (_, Value) = match self.license_api {
            LicenseApi::V1 => (one, json!({"license": code.as_str()})),
            LicenseApi::V2 => (list, json!({"license_list": [code.as_str()]})),
        };
        self.call(&Call::post(path, JSON, question.to_string().as_bytes()), now).await
    }

    async fn call(&self, call: &Call<'_>, now: DateTime<Utc>) -> Result<Answer, OpenApiError> {
        let first = self.send(&self.base, call, now).await;
        let is_away = match &first {
            Ok(answer) => answer.is_host_away(),
            Err(error) => error.kind == ErrorKind::Transient,
        };
        match &self.fallback {
            Some(fallback) if is_away => {
                tracing::info!(host = self.base.host_str(), "the open API is away; asking its second host");
                self.send(fallback, call, now).await
            }
            _ => first,
        }
    }

    async fn send(&self, base: &Url, call: &Call<'_>, now: DateTime<Utc>) -> Result<Answer, OpenApiError> {
        let mut url = base.clone();
        url.set_path(&format!("{}{}", base.path().trim_end_matches('/'), call.path));
        if !call.query.is_empty() {
            url.set_query(Some(&signing::query_string(call.query)));
        }
        let host = authority(&url);
        let date = signing::format_date(now);
        let mut headers = vec![("host", host.as_str()), (DATE_HEADER, &date)];
        if call.method == Method::POST {
            headers.push(("content-type", call.content_type));
        }
        if call.signing == UploadSigning::UnsignedPayload {
            headers.push((CONTENT_HASH_HEADER, UNSIGNED_PAYLOAD));
        }
        let (path, body) = (url.path(), call.body);
        let signed =
            signing::Request { method: call.method.as_str(), path, query: call.query, headers: &headers, body };
        let (access_key, secret_key) = (self.access_key.expose_secret(), self.secret_key.expose_secret());
        let authorization = signing::sign(&signed, access_key, secret_key, &date);
        let mut request = self
            .client
            .request(call.method.clone(), url)
            .header(HOST, &host)
            .header(DATE_HEADER, &date)
            .header(CONTENT_TYPE, call.content_type)
            .header(AUTHORIZATION, authorization);
        if call.signing == UploadSigning::UnsignedPayload {
            request = request.header(CONTENT_HASH_HEADER, UNSIGNED_PAYLOAD);
        }
        if !call.body.is_empty() {
            request = request.body(call.body.to_vec());
        }
        read(request.send().await.map_err(unreachable)?, call.longest_answer).await
    }
}

async fn read(mut response: Response, longest: usize) -> Result<Answer, OpenApiError> {
    let status = response.status().as_u16();
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > longest {
            let message = format!("HTTP {status} with an answer of more than {longest} bytes");
            return Err(OpenApiError::new(ErrorKind::Malformed, message));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
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
