//! Why an event exists: the metadata kept beside its data, so that every number can be traced to the signed bytes,
//! API answer or person behind it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How far a signed request's time may be from ours, either way (请求认证说明, zh-cn_topic_0070649248).
pub const REQUEST_WINDOW: TimeDelta = TimeDelta::seconds(60);

/// How long the very same request is remembered: it is valid for [`REQUEST_WINDOW`] to either side of its time, and our
/// own clock may be set back a little meanwhile.
pub const REQUEST_MEMORY: TimeDelta = TimeDelta::seconds(150);

/// Metadata of an event, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// What caused the event.
    pub cause: Cause,
    /// Status requests about this license that were answered shortly before and changed nothing. With them the stream
    /// remembers them before the license moves on: the very same request again must still change nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<RequestSignature>,
}

impl From<Cause> for Metadata {
    fn from(cause: Cause) -> Self {
        Self { cause, answered: vec![] }
    }
}

/// What caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Cause {
    /// A callback of the marketplace.
    Callback(Box<SignedRequest>),
    /// An answer of the marketplace's open API.
    OpenApi {
        /// Which interface, e.g. `order/query`.
        api: String,
        /// The answer's JSON without the buyer's fields. It stands once, with the order's event that took it up;
        /// absent elsewhere, and where there was no answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// A person, through the command line or the API.
    Operator {
        /// Who, as far as is known: a token's id, or `cli`.
        actor: String,
    },
    /// A file that a person imported. Which of its rows says what stands with the event.
    Import {
        /// Who, as far as is known: a token's id, or `cli`.
        actor: String,
        /// The file's name, for people.
        file_name: String,
        /// SHA-256 of the file's bytes, hexadecimal.
        sha256: String,
    },
    /// Software that a customer runs: a machine activated or freed, a deployment enrolled.
    Software {
        /// The network it called from, where that is known: `203.0.113.0/24`, `2001:db8:1::/48`. Not its address, which
        /// belongs to a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// Chopmark itself, e.g. the seller's secret made at first start.
    System,
}

impl Cause {
    /// The signature of the request, where a signed request was the cause.
    #[must_use]
    pub fn signature(&self) -> Option<RequestSignature> {
        match self {
            Self::Callback(request) => Some(request.signature),
            _ => None,
        }
    }
}

/// A signed request, kept exactly as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRequest {
    /// The body as received. Verified bytes are JSON, hence UTF-8, hence a string.
    pub body: String,
    /// The `signature` of the query string.
    pub signature: RequestSignature,
    /// The `timestamp` of the query string, exactly as sent: it takes part in the signature.
    pub timestamp: String,
    /// The `nonce` of the query string, percent-decoded: so it takes part in the signature.
    pub nonce: String,
    /// Which key verified it: the interface type and a digest of the key, never the key.
    pub key_id: String,
    /// Over which form of the body the signature held.
    pub signed_form: SignedForm,
    /// When the request had been read, by our clock.
    pub received_at: DateTime<Utc>,
    /// SHA-256 of the bytes received, where personal data were cut out of `body`; hexadecimal. It tells whether other
    /// bytes are the same, and does not bring back what was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted_from_sha256: Option<String>,
}

/// Over which form of the body a request's signature held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedForm {
    /// The bytes as received.
    Raw,
    /// Top-level keys ascending, compact, nulls left out (HTTP Body签名, zh-cn_topic_0070649476).
    Canonical,
}

/// A request's signature: two requests with the same one are the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestSignature(pub [u8; 32]);

impl Serialize for RequestSignature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for RequestSignature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}
