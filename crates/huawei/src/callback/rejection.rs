//! Requests that are not taken up, each with its answer.

use super::activity::Activity;
use super::named::Named;
use crate::answer::{Answer, ResultCode};
use crate::keys::AccessKey;

/// Why a request is not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// `signature`, `timestamp` or `nonce` stands in the query string more than once.
    #[error("{name} stands more than once in the query string")]
    ParameterRepeated {
        /// Which.
        name: &'static str,
    },
    /// No `timestamp`.
    #[error("timestamp is missing")]
    TimestampMissing,
    /// No `nonce`.
    #[error("nonce is missing")]
    NonceMissing,
    /// The `timestamp` is neither 10 nor 13 digits.
    #[error("timestamp is neither 13 digits (milliseconds) nor 10 (seconds)")]
    TimestampMalformed,
    /// The `timestamp` is more than 60 s from our clock. If all callbacks end like this, our clock is wrong.
    #[error("timestamp is more than 60 s away")]
    TimestampOutsideWindow,
    /// No `signature`.
    #[error("signature is missing")]
    SignatureMissing,
    /// The `signature` is of none of the keys that may sign this.
    #[error("signature is wrong, or by a key that may not sign this")]
    SignatureWrong,
    /// The body is compressed or the like.
    #[error("Content-Encoding is not identity")]
    ContentEncoding,
    /// The body is not a JSON object in UTF-8.
    #[error("body is not a JSON object")]
    BodyNotJson,
    /// The body nests too deeply.
    #[error("body is nested too deeply")]
    BodyTooDeep,
    /// A key stands twice in one object of the body.
    #[error("body has a key twice")]
    DuplicateKey,
    /// An `activity` that is not known here.
    #[error("activity is unknown")]
    UnknownActivity,
    /// A mandatory field is absent or blank.
    #[error("{name} is missing")]
    FieldMissing {
        /// Which.
        name: &'static str,
    },
    /// A field has more characters than the marketplace's tables allow.
    #[error("{name} is longer than {max} characters")]
    FieldTooLong {
        /// Which.
        name: &'static str,
        /// Characters allowed.
        max: usize,
    },
    /// A field is not of its form.
    #[error("{name} is malformed")]
    FieldMalformed {
        /// Which.
        name: &'static str,
    },
    /// More instances than one query may name.
    #[error("more than {max} instance ids")]
    TooManyIds {
        /// How many are allowed.
        max: usize,
    },
}

impl Reason {
    /// One of every kind, its particulars left open.
    pub const KINDS: [Self; 16] = [
        Self::ParameterRepeated { name: "" },
        Self::TimestampMissing,
        Self::NonceMissing,
        Self::TimestampMalformed,
        Self::TimestampOutsideWindow,
        Self::SignatureMissing,
        Self::SignatureWrong,
        Self::ContentEncoding,
        Self::BodyNotJson,
        Self::BodyTooDeep,
        Self::DuplicateKey,
        Self::UnknownActivity,
        Self::FieldMissing { name: "" },
        Self::FieldTooLong { name: "", max: 0 },
        Self::FieldMalformed { name: "" },
        Self::TooManyIds { max: 0 },
    ];

    /// The reason as metrics spell it, without particulars.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ParameterRepeated { .. } => "parameter_repeated",
            Self::TimestampMissing => "timestamp_missing",
            Self::NonceMissing => "nonce_missing",
            Self::TimestampMalformed => "timestamp_malformed",
            Self::TimestampOutsideWindow => "timestamp_outside_window",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureWrong => "signature_wrong",
            Self::ContentEncoding => "content_encoding",
            Self::BodyNotJson => "body_not_json",
            Self::BodyTooDeep => "body_too_deep",
            Self::DuplicateKey => "duplicate_key",
            Self::UnknownActivity => "unknown_activity",
            Self::FieldMissing { .. } => "field_missing",
            Self::FieldTooLong { .. } => "field_too_long",
            Self::FieldMalformed { .. } => "field_malformed",
            Self::TooManyIds { .. } => "too_many_ids",
        }
    }

    /// The result code that answers it.
    #[must_use]
    pub fn result_code(self) -> ResultCode {
        match self {
            Self::SignatureMissing | Self::SignatureWrong => ResultCode::AuthenticationFailed,
            _ => ResultCode::IllegalParameter,
        }
    }
}

/// A request that is not taken up.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Rejection<'k> {
    /// Why.
    pub reason: Reason,
    /// What it wanted to be, as far as its body says.
    pub activity: Option<Activity>,
    /// Whether it comes from the marketplace nevertheless: its signature held.
    pub authenticated: bool,
    /// Test traffic, by its body. Believe it only of the marketplace.
    pub test: bool,
    /// What it is about, as far as its body says.
    pub named: Box<Named>,
    /// The body without personal data; `None` where it is no JSON object, and what it holds cannot be told.
    pub body: Option<String>,
    /// The key to sign the answer with; `None` where the seller has no key at all.
    pub key: Option<&'k AccessKey>,
}

impl Rejection<'_> {
    /// The answer. A wrong signature is told nothing more; a wrong parameter is named.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let code = self.reason.result_code();
        match code {
            ResultCode::IllegalParameter => Answer::failure(code, &format!("{}: {}", code.message(), self.reason)),
            _ => Answer::failure(code, code.message()),
        }
    }
}
