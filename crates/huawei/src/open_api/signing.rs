//! `SDK-HMAC-SHA256`: how requests to the marketplace's API gateway are signed with AK and SK
//! (获取AK/SK认证; 公共请求消息头参数).
//!
//! [`sign`] is for who calls, [`verify`] for who plays the marketplace.

use std::fmt::Write;

use chrono::{DateTime, NaiveDateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::uri::uri_encoded;

/// The name of the scheme, as it stands in `Authorization`.
pub const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// The header that says when a request was signed. It takes part in the signature.
pub const DATE_HEADER: &str = "x-sdk-date";

/// The header that speaks for the body: where it says [`UNSIGNED_PAYLOAD`], the signature does not cover the body.
pub const CONTENT_HASH_HEADER: &str = "x-sdk-content-sha256";

/// What [`CONTENT_HASH_HEADER`] says of a body that is not signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// A request, as far as a signature covers it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path as it stands in the request line, without the query string.
    pub path: &'a str,
    /// Names and values of the query string, decoded, in any order.
    pub query: &'a [(String, String)],
    /// Names of either case, and values. [`sign`] signs all of them; [`verify`] those that the signature names.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; empty where there is none.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The value of a header, blanks around it removed.
    fn header(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }

    /// What stands for the body in the text that is signed. Nothing but the agreed word is taken from the header: a hash
    /// there could be that of another body.
    fn payload(&self) -> String {
        match self.header(CONTENT_HASH_HEADER) {
            Some(UNSIGNED_PAYLOAD) => UNSIGNED_PAYLOAD.to_owned(),
            _ => hex::encode(Sha256::digest(self.body)),
        }
    }

    /// The text whose digest is signed. `signed_headers` are in lower case and in order.
    fn canonical<'n>(&self, signed_headers: impl Iterator<Item = &'n str> + Clone) -> String {
        let slash = if self.path.ends_with('/') { "" } else { "/" };
        let query = query_string(self.query);
        let mut text = format!("{}\n{}{slash}\n{query}\n", self.method, self.path);
        let mut names = String::new();
        for name in signed_headers {
            let value = self.header(name).unwrap_or_default();
            // Writing to a String does not fail.
            let _ = writeln!(text, "{name}:{value}");
            let separator = if names.is_empty() { "" } else { ";" };
            let _ = write!(names, "{separator}{name}");
        }
        let body = self.payload();
        let _ = write!(text, "\n{names}\n{body}");
        text
    }
}

/// The `Authorization` of a request. Every header given is signed, so `host` and [`DATE_HEADER`] must be among them.
/// `date` is the value of the latter, see [`format_date`].
#[must_use]
pub fn sign(request: &Request<'_>, access_key: &str, secret_key: &str, date: &str) -> String {
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    let canonical = request.canonical(names.iter().map(String::as_str));
    let signature = hex::encode(signature(secret_key, date, &canonical));
    let names = names.join(";");
    format!("{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}")
}

/// Why a request is not taken for that of the seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthentic {
    /// No `Authorization`, or one of another scheme or shape.
    #[error("there is no Authorization of the form `{ALGORITHM} Access=…, SignedHeaders=…, Signature=…`")]
    NoAuthorization,
    /// Signed under another AK.
    #[error("the access key is not known")]
    UnknownAccessKey,
    /// The date is missing, unsigned or malformed.
    #[error("the header X-Sdk-Date must be signed and of the form yyyyMMdd'T'HHmmss'Z'")]
    NoDate,
    /// The host is not signed.
    #[error("the header Host must be signed")]
    NoHost,
    /// Another SK, or another request.
    #[error("the signature is wrong")]
    WrongSignature,
}

/// Checks the signature in the `Authorization` header of a request as received, and tells when it was signed, UTC.
/// Whether that is too long ago is the caller's matter.
///
/// # Errors
/// [`Unauthentic`].
pub fn verify(request: &Request<'_>, access_key: &str, secret_key: &str) -> Result<DateTime<Utc>, Unauthentic> {
    let header = request.header("authorization").ok_or(Unauthentic::NoAuthorization)?;
    let authorization = Authorization::parse(header).ok_or(Unauthentic::NoAuthorization)?;
    if authorization.access_key != access_key {
        return Err(Unauthentic::UnknownAccessKey);
    }
    let signed_headers = || authorization.signed_headers.split(';');
    if !signed_headers().any(|name| name == "host") {
        return Err(Unauthentic::NoHost);
    }
    if !signed_headers().any(|name| name == DATE_HEADER) {
        return Err(Unauthentic::NoDate);
    }
    let date = request.header(DATE_HEADER).ok_or(Unauthentic::NoDate)?;
    let signed_at = parse_date(date).ok_or(Unauthentic::NoDate)?;
    let expected = signature(secret_key, date, &request.canonical(signed_headers()));
    if bool::from(expected.ct_eq(&authorization.signature)) { Ok(signed_at) } else { Err(Unauthentic::WrongSignature) }
}

/// The parts of an `Authorization`.
struct Authorization<'a> {
    access_key: &'a str,
    signed_headers: &'a str,
    signature: [u8; 32],
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix(ALGORITHM)?.split(',').map(str::trim);
        let access_key = parts.next()?.strip_prefix("Access=")?;
        let signed_headers = parts.next()?.strip_prefix("SignedHeaders=")?;
        let hexadecimal = parts.next()?.strip_prefix("Signature=")?;
        let mut signature = [0; 32];
        hex::decode_to_slice(hexadecimal, &mut signature).ok()?;
        parts.next().is_none().then_some(Self { access_key, signed_headers, signature })
    }
}

fn signature(secret_key: &str, date: &str, canonical: &str) -> [u8; 32] {
    let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()).expect("any key length");
    mac.update(format!("{ALGORITHM}\n{date}\n{digest}").as_bytes());
    mac.finalize().into_bytes().into()
}

/// A query string as it is signed: names and values URI-encoded, sorted. Sent like this, it says what was signed.
#[must_use]
pub fn query_string(pairs: &[(String, String)]) -> String {
    let mut encoded: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", uri_encoded(name), uri_encoded(value))).collect();
    encoded.sort();
    encoded.join("&")
}

/// A moment as `X-Sdk-Date` has it: `yyyyMMdd'T'HHmmss'Z'`, UTC.
#[must_use]
pub fn format_date(at: DateTime<Utc>) -> String {
    at.format(DATE_FORMAT).to_string()
}

/// Reads an `X-Sdk-Date`; `None` where it is none.
#[must_use]
pub fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    Some(NaiveDateTime::parse_from_str(text, DATE_FORMAT).ok()?.and_utc())
}

#[cfg(test)]
mod tests;
