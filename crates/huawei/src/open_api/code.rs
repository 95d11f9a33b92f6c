//! What the marketplace says of a license code: after activating it (topic 0070649244), and when asked (topic 0070649245).
//!
//! The tables of its answers are incomplete, so every shape they may mean is read: `data` as an object, a list, or either
//! as JSON in a text; the code's facts in it or in `license_code_info`, which is JSON in a text.

use chopmark_domain::ids::{LicenseCode, OrderId, OrderLineId, ProductId};
use chopmark_domain::license::{CodeAnswer, CodeState};
use chopmark_domain::order::OrderRef;
use serde_json::{Map, Value};

use super::answer::{Code, OpenApiError, failure, no_json, text};
use crate::redact::{redact_answer, redact_packed};
use crate::time::parse_time;

/// JSON in a text in JSON in a text is read so deep, and no deeper.
const DEEPEST_PACKING: usize = 4;

/// What the marketplace says of a license code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeOutcome {
    /// This.
    Known {
        /// The code's state and what came with it. An expiry that an activation names is an estimate; the query's is
        /// authoritative. A batch activation (v2) answers nothing but success: the state is alive, and all else is to
        /// be asked for.
        answer: CodeAnswer,
        /// The answer's JSON without personal data.
        kept_json: String,
    },
    /// There is no such code (92020005).
    NotExist,
    /// The buyer has not received the code yet, so it cannot be activated (92020004). That may pass.
    NotReceivedYet,
    /// It was activated before (92020003, on activating): ask for its state.
    AlreadyActive,
}

/// Reads an answer of `license/activate` about a code. `status` is its HTTP status, which counts only where the answer
/// has no code of the license interfaces: their pages contradict each other about it.
///
/// A batch is taken for all or nothing, as no page tells of failures of single codes.
///
/// # Errors
/// [`OpenApiError`], where the answer says nothing of the code.
pub fn parse_activation(code: &LicenseCode, status: u16, body: &[u8]) -> Result<CodeOutcome, OpenApiError> {
    read(code, status, body, CodeState::Alive, |_| Ok(CodeOutcome::AlreadyActive))
}

/// Reads an answer of `license/heartbeat` about a code; `status` as for [`parse_activation`].
///
/// A success that names no status, or one that is not known here, is a code that exists and is not active; so is 92020003.
///
/// # Errors
/// [`OpenApiError`], where the answer says nothing of the code.
pub fn parse_code_query(code: &LicenseCode, status: u16, body: &[u8]) -> Result<CodeOutcome, OpenApiError> {
    read(code, status, body, CodeState::Inactive, |answer| {
        let entry = find(code, answer.get("data"))?;
        // An error about the code is no word about its state, whatever else came with it.
        let found = CodeAnswer { state: CodeState::Inactive, ..code_answer(&entry, CodeState::Inactive) };
        Ok(CodeOutcome::Known { answer: found, kept_json: kept(answer.clone()) })
    })
}

/// `otherwise` is the state of a code that was answered with success and without a status.
fn read(
    code: &LicenseCode,
    status: u16,
    body: &[u8],
    otherwise: CodeState,
    illegal_state: impl FnOnce(&Map<String, Value>) -> Result<CodeOutcome, OpenApiError>,
) -> Result<CodeOutcome, OpenApiError> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else {
        return Err(no_json(status));
    };
    let result = Code::of(&answer);
    match result.as_ref().filter(|result| !result.is_gateway()).map(Code::number) {
        Some("92020000") => {
            let entry = find(code, answer.get("data"))?;
            Ok(CodeOutcome::Known { answer: code_answer(&entry, otherwise), kept_json: kept(answer) })
        }
        Some("92020003") => illegal_state(&answer),
        Some("92020004") => Ok(CodeOutcome::NotReceivedYet),
        Some("92020005") => Ok(CodeOutcome::NotExist),
        _ => Err(failure(status, result, &answer)),
    }
}

fn kept(mut answer: Map<String, Value>) -> String {
    redact_answer(&mut answer);
    redact_texts(&mut answer);
    Value::Object(answer).to_string()
}

fn redact_texts(answer: &mut Map<String, Value>) {
    for value in answer.values_mut() {
        match value {
            Value::String(text) => redact_packed(text),
            Value::Object(object) => redact_texts(object),
            Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).for_each(redact_texts),
            _ => {}
        }
    }
}

/// The facts about a code in `data`; empty where there is no `data`.
fn find(code: &LicenseCode, data: Option<&Value>) -> Result<Map<String, Value>, OpenApiError> {
    let Some(data) = data.filter(|data| !data.is_null()) else {
        return Ok(Map::new());
    };
    let entries = entries(data, DEEPEST_PACKING);
    let about = |entry: &Map<String, Value>| text(entry.get("license_code").or_else(|| entry.get("license")));
    let (named, unnamed): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| about(entry).is_some());
    // What names another code must not end on this one's stream.
    if let Some(entry) = named.iter().find(|entry| about(entry).as_deref() == Some(code.as_str())) {
        return Ok(entry.clone());
    }
    match (named.is_empty(), <[_; 1]>::try_from(unnamed)) {
        (true, Ok([entry])) => Ok(entry),
        _ => Err(OpenApiError::malformed("the answer's data are not about the code asked for")),
    }
}

/// The objects about codes that a value holds, each with the members of its `license_code_info` put over its own.
fn entries(value: &Value, depth: usize) -> Vec<Map<String, Value>> {
    if depth == 0 {
        return vec![];
    }
    match value {
        Value::String(packed) => {
            serde_json::from_str::<Value>(packed).map(|value| entries(&value, depth - 1)).unwrap_or_default()
        }
        Value::Array(items) => items.iter().flat_map(|item| entries(item, depth - 1)).collect(),
        Value::Object(object) => of_object(object, depth),
        _ => vec![],
    }
}

fn of_object(object: &Map<String, Value>, depth: usize) -> Vec<Map<String, Value>> {
    if let Some(info) = object.get("license_code_info") {
        let inner = entries(info, depth - 1);
        let over = |inner| object.clone().into_iter().chain::<Map<_, _>>(inner).collect();
        return if inner.is_empty() { vec![object.clone()] } else { inner.into_iter().map(over).collect() };
    }
    let is_entry = ["license_code", "license", "status", "expire_time"].iter().any(|name| object.contains_key(*name));
    // A list may stand under a name that no page tells.
    let list = object.values().find(|value| value.as_array().is_some_and(|items| items.iter().any(Value::is_object)));
    match list {
        Some(list) if !is_entry => entries(list, depth - 1),
        _ => vec![object.clone()],
    }
}

fn code_answer(entry: &Map<String, Value>, otherwise: CodeState) -> CodeAnswer {
    let field = |name| text(entry.get(name));
    CodeAnswer {
        state: field("status").and_then(|status| state(&status)).unwrap_or(otherwise),
        expires_at: field("expire_time").and_then(|time| parse_time(&time)),
        product_id: field("product_id").and_then(|id| ProductId::parse(&id).ok()),
        quantity: field("amount").and_then(|amount| amount.parse().ok()),
        order: field("order_id").and_then(|order| order_ref(&order, field("order_line_id"))),
    }
}

fn state(status: &str) -> Option<CodeState> {
    match status.to_ascii_uppercase().as_str() {
        "ALIVE" => Some(CodeState::Alive),
        "EXPIRED" => Some(CodeState::Expired),
        "RELEASED" => Some(CodeState::Released),
        _ => None,
    }
}

/// The API names an order and no line. Every line that its pages show is the order's first, named after it, so that one
/// is inferred.
fn order_ref(order: &str, line: Option<String>) -> Option<OrderRef> {
    let line = line.unwrap_or_else(|| format!("{order}-000001"));
    Some(OrderRef { order_id: OrderId::parse(order).ok()?, order_line_id: OrderLineId::parse(&line).ok()? })
}

#[cfg(test)]
mod tests;
