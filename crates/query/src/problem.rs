//! Errors as the API tells them: `application/problem+json` (RFC 9457) with a stable type, and what to do.

use std::borrow::Cow;
use std::fmt;
use std::future::ready;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError, Route, web};
use chopmark_commands::{CommandError, SettlementRefusal};
use chopmark_domain::access::TokenRefusal;
use chopmark_domain::license::{Code, Refusal};
use chopmark_domain::settlement::month::MonthRefusal;
use serde::Serialize;

use crate::limits::Exceeded;

/// Where the types of problems live. The page behind each says more than fits into an answer.
pub(crate) const TYPES: &str = "https://chopmark.dev/problems/";

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
    /// `lease-refused`, 403: the lease shown does not prove what is asked for.
    LeaseRefused,
    /// `no-such-path`, 404: nothing lives here.
    NoSuchPath,
    /// `no-such-license`, 404: there is no such license among the token's sellers.
    NoSuchLicense,
    /// `no-such-machine`, 404: the license has no machine of this fingerprint.
    NoSuchMachine,
    /// `method-not-allowed`, 405: the path is right, the method is not.
    MethodNotAllowed,
    /// `request-timeout`, 408: the body did not arrive in time.
    RequestTimeout,
    /// `no-such-token`, 404: there is no token of this name within the reach of the token presented.
    NoSuchToken,
    /// `no-such-period`, 404: nothing is settled in that month, and no bill of it was imported.
    NoSuchPeriod,
    /// `no-such-line`, 404: the seller has no settlement line of this id.
    NoSuchLine,
    /// `no-such-bill`, 404: the bill was not imported.
    NoSuchBill,
    /// `no-such-difference`, 404: the bill has no pair of this key.
    NoSuchDifference,
    /// `period-closed`, 409: the month is closed and takes nothing more.
    PeriodClosed,
    /// `period-not-over`, 409: the month goes on, so it cannot be closed.
    PeriodNotOver,
    /// `adjustment-exists`, 409: another correction of that month has this id.
    AdjustmentExists,
    /// `difference-changed`, 409: the pair differs by another amount than the one that was judged.
    DifferenceChanged,
    /// `file-refused`, 422: the file is no table that is read, or nothing of it is taken.
    FileRefused,
    /// `too-much`, 422: more than one answer or one change takes.
    TooMuch,
    /// `license-ambiguous`, 409: several sellers have a license with this id.
    LicenseAmbiguous,
    /// `license-released`, 409: the license was released, and releasing is final.
    LicenseReleased,
    /// `token-exists`, 409: a token of this name was made before.
    TokenExists,
    /// `license-not-usable`, 409: no machine can be added to the license as it is; `code` says how it is.
    LicenseNotUsable,
    /// `machine-limit`, 409: all seats of the license are taken; `code` is `MACHINE_LIMIT`.
    MachineLimit,
    /// `body-too-large`, 413: more bytes than the endpoint takes.
    BodyTooLarge,
    /// `too-many-requests`, 429: more than the limits allow; ask again after `Retry-After` seconds.
    TooManyRequests,
    /// `internal`, 500: a fault of the server; its log says which.
    Internal,
    /// `not-ready`, 503: the license index has not caught up with the log yet.
    NotReady,
    /// `unavailable`, 503: something that the answer needs cannot be read now.
    Unavailable,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 31] = [
        Self::MalformedRequest,
        Self::TokenRequired,
        Self::TokenUnknown,
        Self::Forbidden,
        Self::LeaseRefused,
        Self::NoSuchPath,
        Self::NoSuchLicense,
        Self::NoSuchMachine,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::NoSuchToken,
        Self::NoSuchPeriod,
        Self::NoSuchLine,
        Self::NoSuchBill,
        Self::NoSuchDifference,
        Self::PeriodClosed,
        Self::PeriodNotOver,
        Self::AdjustmentExists,
        Self::DifferenceChanged,
        Self::FileRefused,
        Self::TooMuch,
        Self::LicenseAmbiguous,
        Self::LicenseReleased,
        Self::TokenExists,
        Self::LicenseNotUsable,
        Self::MachineLimit,
        Self::BodyTooLarge,
        Self::TooManyRequests,
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
            Self::LeaseRefused => ("lease-refused", StatusCode::FORBIDDEN, "Lease not accepted"),
            Self::NoSuchPath => ("no-such-path", StatusCode::NOT_FOUND, "No such path"),
            Self::NoSuchLicense => ("no-such-license", StatusCode::NOT_FOUND, "No such license"),
            Self::NoSuchMachine => ("no-such-machine", StatusCode::NOT_FOUND, "No such machine"),
            Self::MethodNotAllowed => ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::RequestTimeout => ("request-timeout", StatusCode::REQUEST_TIMEOUT, "Body took too long"),
            Self::NoSuchToken => ("no-such-token", StatusCode::NOT_FOUND, "No such token"),
            Self::NoSuchPeriod => ("no-such-period", StatusCode::NOT_FOUND, "No such period"),
            Self::NoSuchLine => ("no-such-line", StatusCode::NOT_FOUND, "No such settlement line"),
            Self::NoSuchBill => ("no-such-bill", StatusCode::NOT_FOUND, "No such bill"),
            Self::NoSuchDifference => ("no-such-difference", StatusCode::NOT_FOUND, "No such difference"),
            Self::PeriodClosed => ("period-closed", StatusCode::CONFLICT, "The period is closed"),
            Self::PeriodNotOver => ("period-not-over", StatusCode::CONFLICT, "The period is not over"),
            Self::AdjustmentExists => ("adjustment-exists", StatusCode::CONFLICT, "There is such an adjustment"),
            Self::DifferenceChanged => ("difference-changed", StatusCode::CONFLICT, "The difference is another now"),
            Self::FileRefused => ("file-refused", StatusCode::UNPROCESSABLE_ENTITY, "File not taken"),
            Self::TooMuch => ("too-much", StatusCode::UNPROCESSABLE_ENTITY, "Too much at once"),
            Self::LicenseAmbiguous => ("license-ambiguous", StatusCode::CONFLICT, "More than one license"),
            Self::LicenseReleased => ("license-released", StatusCode::CONFLICT, "The license was released"),
            Self::TokenExists => ("token-exists", StatusCode::CONFLICT, "There is such a token"),
            Self::LicenseNotUsable => ("license-not-usable", StatusCode::CONFLICT, "License not usable"),
            Self::MachineLimit => ("machine-limit", StatusCode::CONFLICT, "All seats taken"),
            Self::BodyTooLarge => ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "Body too large"),
            Self::TooManyRequests => ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Fault of the server"),
            Self::NotReady => ("not-ready", StatusCode::SERVICE_UNAVAILABLE, "Not ready yet"),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "Not available now"),
        }
    }

    fn of_month(refusal: &MonthRefusal) -> Self {
        match refusal {
            MonthRefusal::Closed { .. } => Self::PeriodClosed,
            MonthRefusal::OtherAdjustment { .. } => Self::AdjustmentExists,
            MonthRefusal::TooManyLines { .. } => Self::TooMuch,
        }
    }

    fn of_settlement(refusal: &SettlementRefusal) -> Self {
        match refusal {
            SettlementRefusal::NoBill { .. } => Self::NoSuchBill,
            SettlementRefusal::TooMuch { .. } => Self::TooMuch,
            SettlementRefusal::UsageStated | SettlementRefusal::Digest { .. } | SettlementRefusal::Mapping { .. } => {
                Self::MalformedRequest
            }
        }
    }

    /// Seconds after which asking again makes sense, where it does at all.
    fn retry_after(self) -> Option<u64> {
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
    code: Option<Code>,
    retry_after: Option<u64>,
    /// Boxed, since hardly any problem has one and every result may carry a problem.
    limit: Option<Box<Exceeded>>,
}

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        Self { limit: Some(Box::new(exceeded)), ..exceeded.problem() }
    }
}

impl Problem {
    /// A problem, and what the caller can do about it.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), allow: None, code: None, retry_after: kind.retry_after(), limit: None }
    }

    /// The request is not what the endpoint takes.
    pub(crate) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::MalformedRequest, detail)
    }

    /// There is no such license among those that the asker may see. The same words whatever the reason.
    pub(crate) fn no_such_license() -> Self {
        Self::new(Kind::NoSuchLicense, "no license of this token's sellers has this id; check it")
    }

    /// There is no such token within the asker's reach.
    pub(crate) fn no_such_token() -> Self {
        Self::new(Kind::NoSuchToken, "no token within this token's reach has this name; see the list: GET /v1/tokens")
    }

    /// What a command did not do, and why.
    pub(crate) fn of_command(error: CommandError) -> Self {
        match error {
            CommandError::Refused(Refusal::Unknown) => Self::no_such_license(),
            CommandError::Refused(Refusal::Released) => {
                Self::new(Kind::LicenseReleased, "the license was released, which is final; nothing was changed")
            }
            CommandError::Token(TokenRefusal::Unknown(_)) => Self::no_such_token(),
            CommandError::Token(TokenRefusal::Exists(id)) => {
                let detail = format!("there is, or was, a token named {id}; names are for ever, choose another");
                Self::new(Kind::TokenExists, detail)
            }
            CommandError::Month(refusal) => Self::new(Kind::of_month(&refusal), refusal.to_string()),
            CommandError::Settlement(refusal) => Self::new(Kind::of_settlement(&refusal), refusal.to_string()),
            error => {
                tracing::error!(%error, "a command failed");
                let detail = "the event log cannot be written now; try again, and see the server's log";
                Self::new(Kind::Unavailable, detail)
            }
        }
    }

    /// The path takes only these methods.
    pub(crate) fn allow(methods: &'static str) -> Self {
        Self { allow: Some(methods), ..Self::new(Kind::MethodNotAllowed, format!("use {methods} here")) }
    }

    /// The same, with the code that a check would be given: member `code`.
    pub(crate) fn with_code(self, code: Code) -> Self {
        Self { code: Some(code), ..self }
    }

    /// The same, and after so many seconds it makes sense to ask again.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// What the caller can do about it.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
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
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
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
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(challenge) = self.kind.challenge() {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let Some(methods) = self.allow {
            response.insert_header((header::ALLOW, methods));
        }
        let (r#type, status) = (format!("{TYPES}{name}"), status.as_u16());
        let body = Body { r#type, title, status, detail: &self.detail, code: self.code };
        let mut response = response.body(crate::json::to_bytes(&body));
        if let Some(limit) = &self.limit {
            limit.tell(response.headers_mut());
        }
        response
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
