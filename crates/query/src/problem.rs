//! Errors as the API tells them: `application/problem+json` (RFC 9457) with a stable type, and what to do.

use std::borrow::Cow;
use std::fmt;
use std::future::ready;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError, Route, web};
use serde::Serialize;

/// Where the types of problems live. The page behind each says more than fits into an answer.
const TYPES: &str = "https://chopmark.dev/problems/";

/// Kinds of problem. Their names are stable: programs may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `malformed-request`, 400: the body or a parameter is not what the endpoint takes.
    MalformedRequest,
    /// `token-required`, 401: the endpoint wants a token and none was given.
    TokenRequired,
    /// `token-unknown`, 401: the token given is not one of this installation.
    TokenUnknown,
    /// `forbidden`, 403: the token's role or its list of sellers does not reach so far.
    Forbidden,
    /// `no-such-path`, 404: nothing lives here.
    NoSuchPath,
    /// `no-such-license`, 404: there is no such license among the token's sellers.
    NoSuchLicense,
    /// `method-not-allowed`, 405: the path is right, the method is not.
    MethodNotAllowed,
    /// `request-timeout`, 408: the body did not arrive in time.
    RequestTimeout,
    /// `license-ambiguous`, 409: several sellers have a license with this id.
    LicenseAmbiguous,
    /// `body-too-large`, 413: more bytes than the endpoint takes.
    BodyTooLarge,
    /// `internal`, 500: a fault of the server; its log says which.
    Internal,
    /// `not-ready`, 503: the license index has not caught up with the log yet.
    NotReady,
    /// `unavailable`, 503: something that the answer needs cannot be read now.
    Unavailable,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::MalformedRequest,
        Self::TokenRequired,
        Self::TokenUnknown,
        Self::Forbidden,
        Self::NoSuchPath,
        Self::NoSuchLicense,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::LicenseAmbiguous,
        Self::BodyTooLarge,
        Self::Internal,
        Self::NotReady,
        Self::Unavailable,
    ];

    /// The last part of the problem's type.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.facts().1
    }

    fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::MalformedRequest => ("malformed-request", StatusCode::BAD_REQUEST, "Malformed request"),
            Self::TokenRequired => ("token-required", StatusCode::UNAUTHORIZED, "Token required"),
            Self::TokenUnknown => ("token-unknown", StatusCode::UNAUTHORIZED, "Unknown token"),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "Not allowed with this token"),
            Self::NoSuchPath => ("no-such-path", StatusCode::NOT_FOUND, "No such path"),
            Self::NoSuchLicense => ("no-such-license", StatusCode::NOT_FOUND, "No such license"),
            Self::MethodNotAllowed => ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::RequestTimeout => ("request-timeout", StatusCode::REQUEST_TIMEOUT, "Body took too long"),
            Self::LicenseAmbiguous => ("license-ambiguous", StatusCode::CONFLICT, "More than one license"),
            Self::BodyTooLarge => ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "Body too large"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Fault of the server"),
            Self::NotReady => ("not-ready", StatusCode::SERVICE_UNAVAILABLE, "Not ready yet"),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "Not available now"),
        }
    }

    /// Seconds after which asking again makes sense, where it does at all.
    fn retry_after(self) -> Option<u32> {
        match self {
            Self::NotReady | Self::Unavailable => Some(2),
            _ => None,
        }
    }

    fn challenge(self) -> Option<&'static str> {
        match self {
            Self::TokenRequired => Some("Bearer realm=\"chopmark\""),
            Self::TokenUnknown => Some("Bearer realm=\"chopmark\", error=\"invalid_token\""),
            _ => None,
        }
    }
}

/// An error of the API. Tells the caller what to do and nothing of the server's inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    allow: Option<&'static str>,
}

impl Problem {
    /// A problem, and what the caller can do about it.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), allow: None }
    }

    /// The request is not what the endpoint takes.
    pub(crate) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::MalformedRequest, detail)
    }

    /// The path takes only these methods.
    pub(crate) fn allow(methods: &'static str) -> Self {
        Self { allow: Some(methods), ..Self::new(Kind::MethodNotAllowed, format!("use {methods} here")) }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    fn error_response(&self) -> HttpResponse {
        let (name, status, title) = self.kind.facts();
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.kind.retry_after() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(challenge) = self.kind.challenge() {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let Some(methods) = self.allow {
            response.insert_header((header::ALLOW, methods));
        }
        let body = Body { r#type: format!("{TYPES}{name}"), title, status: status.as_u16(), detail: &self.detail };
        response.body(crate::json::to_bytes(&body))
    }
}

/// What a path answers to methods other than its own.
pub(crate) fn wrong_method(methods: &'static str) -> Route {
    web::to(move || ready(Err::<HttpResponse, _>(Problem::allow(methods))))
}

/// What paths answer that lead nowhere.
pub(crate) fn no_such_path() -> Route {
    web::to(|| {
        let detail = "nothing lives at this path; see the API's documentation for those that exist";
        ready(Err::<HttpResponse, _>(Problem::new(Kind::NoSuchPath, detail)))
    })
}
