//! The body of a request to explain: a check's question, and when it was asked.

use chopmark_domain::ids::SellerId;
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::json::PositionText;
use crate::openapi::CheckQuestion;
use crate::params;
use crate::problem::Problem;
use crate::question::Question;

/// The members that name the time.
const TIMES: [&str; 4] = ["at", "checked_at", "as_of", "time"];

/// The members of a check's question.
const QUESTION: [&str; 8] =
    ["license", "deployment", "seller", "product", "machine", "nonce", "version", "min_position"];

/// What a verdict has beside its position, its time and its nonce.
const VERDICT: [&str; 9] = [
    "valid",
    "code",
    "reason",
    "license",
    "lease",
    "lease_expires_at",
    "grace_until",
    "next_check_after",
    "enrolment_secret",
];

/// When a question was asked, as far as that is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct When {
    /// The position of the answer.
    pub(crate) position: Option<Position>,
    /// The time of the answer, UTC.
    pub(crate) at: Option<DateTime<Utc>>,
}

/// The body as it was read.
#[derive(Debug)]
pub(crate) struct Body {
    question: Vec<u8>,
    names_license: bool,
    when: When,
}

/// A question, and how it names the license.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) question: Question<'a>,
    /// Whether it names a `license`, as the checks of instances and codes do.
    pub(crate) names_license: bool,
}

impl Asked<'_> {
    /// The seller named, where one can have this name.
    pub(crate) fn seller(&self) -> Option<SellerId> {
        self.question.seller.as_deref().and_then(|seller| SellerId::parse(seller).ok())
    }
}

impl Body {
    /// Reads a body about the license of this id. No body at all asks about now.
    pub(crate) fn read(body: &[u8], id: &str) -> Result<Self, Problem> {
        let mut sent: Map<String, Value> =
            if body.iter().all(u8::is_ascii_whitespace) { Map::new() } else { params::object(body)? };
        if is_verdict(&sent) {
            take_verdict_apart(&mut sent, id)?;
        }
        let when = When { position: position(&mut sent)?, at: time(&mut sent)? };
        let mut question = match sent.remove("question") {
            None | Some(Value::Null) => flat(sent)?,
            Some(Value::Object(question)) => nested(question, &sent)?,
            Some(_) => return Err(Problem::malformed("`question` is the JSON object that the check was asked with")),
        };
        // It tells how far the answer had to wait; the answer's own position counts.
        question.remove("min_position");
        let names_license = names(&question, id)?;
        if !names_license && question.get("deployment").is_none_or(Value::is_null) {
            question.insert("license".into(), id.into());
        }
        Ok(Self { question: Value::Object(question).to_string().into_bytes(), names_license, when })
    }

    /// The question, read as a check's is.
    pub(crate) fn asked(&self) -> Result<Asked<'_>, Problem> {
        Ok(Asked { question: Question::parse(&self.question)?, names_license: self.names_license })
    }

    pub(crate) fn when(&self) -> When {
        self.when
    }
}

/// Whether this is the answer of a check, handed back.
fn is_verdict(sent: &Map<String, Value>) -> bool {
    let is_answered =
        sent.get("valid").is_some_and(Value::is_boolean) && sent.get("code").is_some_and(Value::is_string);
    is_answered || sent.get("license").is_some_and(Value::is_object)
}

/// Leaves of a verdict what tells which one it was: its position and its time. What was asked, it does not tell.
fn take_verdict_apart(sent: &mut Map<String, Value>, id: &str) -> Result<(), Problem> {
    if let Some(other) =
        sent.get("license").and_then(|license| license.get("id")?.as_str()).filter(|other| *other != id)
    {
        return Err(Problem::malformed(format!("the answer is about {other:?}; explain that one")));
    }
    VERDICT.iter().chain(&["because"]).for_each(|member| drop(sent.remove(*member)));
    Ok(())
}

/// The question whose members stand beside the moment. What is misspelt must not be explained as if it were not there.
fn flat(sent: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    match sent.keys().find(|name| !QUESTION.contains(&name.as_str())) {
        None => Ok(sent),
        Some(unknown) => Err(Problem::malformed(format!(
            "`{unknown}` is nothing that this takes: send the members of the check's question, beside or in `question`, \
             and the answer's `position` and `checked_at`"
        ))),
    }
}

/// The question that stands for itself. Members unknown in it are passed over, as by a check.
fn nested(question: Map<String, Value>, beside: &Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let rest: Map<String, Value> = beside.iter().filter(|(name, _)| *name != "nonce").map(cloned).collect();
    match flat(rest)?.iter().find(|(_, value)| !value.is_null()) {
        None => Ok(question),
        Some((twice, _)) => Err(Problem::malformed(format!(
            "`{twice}` stands beside `question`: put all that was asked into it, or leave `question` out"
        ))),
    }
}

fn cloned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// Whether a question names its license. It must be the one of the path.
fn names(question: &Map<String, Value>, id: &str) -> Result<bool, Problem> {
    let named = question.get("license").filter(|license| !license.is_null());
    let deployment = question.get("deployment").and_then(|deployment| deployment.get("uuid"));
    match named.or(deployment) {
        Some(Value::String(other)) if other != id => {
            Err(Problem::malformed(format!("the question is about {other:?}; explain that one, or leave it out")))
        }
        _ => Ok(named.is_some()),
    }
}

fn position(sent: &mut Map<String, Value>) -> Result<Option<Position>, Problem> {
    let position = match sent.remove("position") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => params::position(&text),
        Some(_) => None,
    };
    let mend = || Problem::malformed("`position` is not a position; hand back the `position` of an answer");
    position.map(Some).ok_or_else(mend)
}

fn time(sent: &mut Map<String, Value>) -> Result<Option<DateTime<Utc>>, Problem> {
    let given: Vec<_> = TIMES.iter().filter_map(|name| Some((name, sent.remove(*name)?))).collect();
    match given.as_slice() {
        [] | [(_, Value::Null)] => Ok(None),
        [(name, Value::String(text))] => {
            params::time(text).map(Some).map_err(|error| Problem::malformed(format!("`{name}`: {error}")))
        }
        [(name, _)] => Err(Problem::malformed(format!("`{name}` is a text, like \"2026-11-24T12:00:00Z\""))),
        _ => Err(Problem::malformed("say the time once: `checked_at`, `at`, `as_of` or `time`")),
    }
}

impl PartialSchema for Body {
    fn schema() -> RefOr<Schema> {
        crate::openapi::explain_body()
    }
}

impl ToSchema for Body {
    fn name() -> std::borrow::Cow<'static, str> {
        "ExplainRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((CheckQuestion::name().into(), CheckQuestion::schema()));
        schemas.push((PositionText::name().into(), PositionText::schema()));
        CheckQuestion::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::question::Subject;

    fn read(body: &Value) -> Result<Body, Problem> {
        Body::read(body.to_string().as_bytes(), "L1")
    }

    #[test]
    fn a_question_is_taken_flat_or_nested() {
        let flat = json!({
            "license": "L1", "product": "P1", "machine": { "fingerprint": "m" }, "min_position": "9",
            "position": "7", "checked_at": "2026-11-24T12:00:00.123Z",
        });
        let nested = json!({
            "question": { "license": "L1", "product": "P1", "machine": { "fingerprint": "m" } },
            "position": "7", "at": "2026-11-24T20:00:00.123+08:00",
        });
        for body in [flat, nested] {
            let body = read(&body).unwrap();
            assert_eq!(body.when().position, Some(Position(7)));
            assert_eq!(body.when().at.unwrap().timestamp_millis() % 1000, 123);
            let asked = body.asked().unwrap();
            assert_eq!(asked.question.product.as_ref().unwrap().as_str(), "P1");
            assert_eq!(asked.question.machine.as_deref(), Some("m"));
            assert_eq!(asked.question.min_position, None);
            assert!(asked.names_license);
        }
    }

    #[test]
    fn an_answer_handed_back_tells_when_it_was() {
        let at = "2026-11-24T12:00:00.123Z";
        let valid = json!({
            "valid": true, "code": "VALID", "reason": "active", "license": { "id": "L1", "status": "active" },
            "lease": "a.b.c", "lease_expires_at": at, "grace_until": at, "next_check_after": 3417, "nonce": "n",
            "position": "7", "checked_at": at,
        });
        let not_found = json!({
            "valid": false, "code": "NOT_FOUND", "reason": "no such license", "next_check_after": 60,
            "position": "7", "checked_at": at,
        });
        for (answer, more) in [
            (&valid, json!({})),
            (&not_found, json!({})),
            (&valid, json!({ "machine": { "fingerprint": "m" } })),
            (&valid, json!({ "question": { "license": "L1", "machine": { "fingerprint": "m" }, "later": 1 } })),
        ] {
            let mut sent = answer.clone();
            sent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let body = read(&sent).unwrap();
            assert_eq!(body.when(), When { position: Some(Position(7)), at: at.parse().ok() }, "{sent}");
            let asked = body.asked().unwrap();
            assert_eq!(asked.question.subject, Subject::License("L1".into()));
            assert_eq!(asked.question.machine.is_some(), !more.as_object().unwrap().is_empty());
        }
    }

    #[test]
    fn the_members_of_a_question_are_those_described() {
        let described = &crate::openapi::openapi()["components"]["schemas"]["QuestionMembers"]["properties"];
        let described: std::collections::BTreeSet<_> =
            described.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(described, QUESTION.into());
        let answer = ["CheckJudgement", "CheckMoment"]
            .map(|part| &crate::openapi::openapi()["components"]["schemas"][part]["properties"]);
        for member in answer.into_iter().flat_map(|part| part.as_object().unwrap().keys()) {
            let is_known =
                VERDICT.contains(&member.as_str()) || ["position", "checked_at", "nonce"].contains(&&**member);
            assert!(is_known, "{member} of an answer can be handed back");
        }
    }

    #[test]
    fn nothing_at_all_asks_about_now() {
        for body in ["", " \n", "{}", r#"{"question":null,"position":null,"at":null}"#] {
            let body = Body::read(body.as_bytes(), "L1").unwrap();
            assert_eq!(body.when(), When::default());
            let asked = body.asked().unwrap();
            assert_eq!(asked.question.subject, Subject::License("L1".into()));
            assert!(!asked.names_license, "the path does");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_mend() {
        for (body, hint) in [
            (json!({ "license": "L2" }), "L2"),
            (json!({ "deployment": { "uuid": "L2", "project_id": "p", "region_id": "r" }, "product": "P" }), "L2"),
            (json!({ "question": "L1" }), "`question`"),
            (json!({ "position": 7 }), "`position`"),
            (json!({ "position": "here" }), "`position`"),
            (json!({ "at": "yesterday" }), "`at`"),
            (json!({ "as_of": 1_700_000_000 }), "`as_of`"),
            (json!({ "time": "now" }), "`time`"),
            (json!({ "zz": 1 }), "`zz`"),
            (json!({ "Machine": { "fingerprint": "m" } }), "`Machine`"),
            (json!({ "question": {}, "zz": 1 }), "`zz`"),
            (json!({ "question": {}, "product": "P1" }), "`product`"),
            (json!({ "valid": true, "code": "VALID", "license": { "id": "L2" } }), "L2"),
            (json!({ "at": "2026-11-24T12:00:00Z", "as_of": "2026-11-24T12:00:00Z" }), "once"),
        ] {
            let detail = read(&body).unwrap_err().to_string();
            assert!(detail.contains(hint), "{body}: {detail}");
        }
        assert!(read(&json!({ "machine": {} })).unwrap().asked().is_err(), "the same that a check refuses");
        assert!(Body::read(b"[]", "L1").is_err());
    }
}
