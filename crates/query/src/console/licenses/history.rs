//! The time line of a license, and what is behind each of its events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::shown::Entry;
use crate::console::frame::Frame;
use crate::console::show;

/// `GET /v1/licenses/{id}/history`.
#[derive(Deserialize)]
pub(super) struct History {
    pub(super) events: Vec<Event>,
    pub(super) next_cursor: Option<String>,
}

/// An event of a license.
#[derive(Deserialize)]
pub(in crate::console) struct Event {
    pub(in crate::console) kind: String,
    pub(in crate::console) position: String,
    pub(in crate::console) recorded_at: DateTime<Utc>,
    data: Box<RawValue>,
    /// `None` where this version does not know what kind of cause it is.
    #[serde(deserialize_with = "known")]
    cause: Option<Cause>,
}

/// What is behind an event, by where it comes from.
#[derive(Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
enum Cause {
    Callback {
        body: String,
        signature: String,
        timestamp: String,
        nonce: String,
        key_id: String,
        signed_form: String,
        received_at: DateTime<Utc>,
        redacted_from_sha256: Option<String>,
    },
    OpenApi {
        api: String,
        answer: Option<String>,
        answered_at: Option<DateTime<Utc>>,
    },
    Operator {
        actor: String,
    },
    Import {
        actor: String,
        file_name: String,
        sha256: String,
    },
    Software {
        address: Option<String>,
    },
    System {},
}

/// A piece of evidence: what it is, its text, and whether the text stands in a block of its own.
type Evidence = (String, String, bool);

impl History {
    /// Leaves out what had not happened by then.
    pub(super) fn forget_after(&mut self, then: DateTime<Utc>) {
        let all = self.events.len();
        self.events.retain(|event| event.recorded_at <= then);
        if self.events.len() < all {
            self.next_cursor = None;
        }
    }
}

impl Event {
    /// Its name without the version.
    pub(in crate::console) fn name(&self) -> &str {
        self.kind.split('.').next().unwrap_or_default()
    }

    /// When it was recorded, as a machine reads it, and exactly.
    pub(in crate::console) fn recorded_at_text(&self) -> String {
        self.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    }

    /// The license's page as it was with this event.
    pub(super) fn as_of_link(&self, license: &Entry) -> String {
        license.link_as_of(&self.recorded_at_text())
    }

    /// Who or what is behind it, in a few words.
    pub(in crate::console) fn behind(&self, frame: &Frame) -> String {
        let t = frame.t;
        let Some(cause) = &self.cause else { return show::DASH.into() };
        match cause {
            Cause::Callback { .. } => t.by_callback.into(),
            Cause::OpenApi { api, .. } => frame.say(t.by_open_api, api),
            Cause::Operator { actor } => frame.say(t.by_operator, actor),
            Cause::Import { file_name, .. } => frame.say(t.by_import, file_name),
            Cause::Software { address: Some(address) } => frame.say(t.by_software_at, address),
            Cause::Software { address: None } => t.by_software.into(),
            Cause::System {} => t.by_system.into(),
        }
    }

    /// Everything that proves it.
    pub(in crate::console) fn evidence(&self, frame: &Frame) -> Vec<Evidence> {
        let t = frame.t;
        let line = |name: &str, text: &str| (name.to_owned(), text.to_owned(), false);
        let block = |name: &str, text: &str| (name.to_owned(), text.to_owned(), true);
        let mut all = match &self.cause {
            Some(Cause::Callback {
                body,
                signature,
                timestamp,
                nonce,
                key_id,
                signed_form,
                received_at,
                redacted_from_sha256,
            }) => {
                let mut signed = vec![
                    block(t.signed_bytes, body),
                    line(t.signature, signature),
                    line("timestamp", timestamp),
                    line("nonce", nonce),
                    line(t.key, key_id),
                    line(t.signed_form, &frame.word("signed-form", signed_form)),
                    line(t.received, &show::time(*received_at)),
                ];
                signed.extend(redacted_from_sha256.as_ref().map(|digest| line(t.redacted_from, digest)));
                signed
            }
            Some(Cause::OpenApi { answer, answered_at, .. }) => {
                let when = answered_at.map(|at| line(t.answered_at, &show::time(at)));
                answer.as_ref().map(|answer| block(t.api_answer, &pretty(answer))).into_iter().chain(when).collect()
            }
            Some(Cause::Import { actor, sha256, .. }) => {
                vec![line(t.file_digest, sha256), line(t.operator, actor)]
            }
            Some(Cause::Operator { .. } | Cause::Software { .. } | Cause::System {}) | None => vec![],
        };
        all.push(block(t.recorded_as, &pretty(self.data.get())));
        all
    }
}

/// A cause, if it is of a kind that is known here.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cause>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// JSON with a line for each member. What is signed is never shown so.
fn pretty(json: &str) -> String {
    let value = serde_json::from_str::<Value>(json);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| json.to_owned())
}
