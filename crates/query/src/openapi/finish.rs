//! The last touches: what is true of every path, said once.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::problem::{Kind, TYPES};

/// Adds to the paths what all of them have, and takes out what none has.
pub(super) fn finish(api: OpenApi) -> Value {
    // A description is texts, numbers and lists.
    let mut document = serde_json::to_value(api).unwrap_or_default();
    absent_is_not_null(&mut document);
    document["components"]["securitySchemes"]["token"] = json!({
        "type": "http", "scheme": "bearer",
        "description": "A token of this installation. The first one is in the file `admin-token` of the data folder.",
    });
    document["components"]["schemas"]["Problem"] = problem();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            add_problems(path, method, operation);
        }
    }
    document
}

/// What is not known is absent, never `null`; and what may be left out need not be sent as `null` either.
fn absent_is_not_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(absent_is_not_null);
            not_null(members);
        }
        Value::Array(items) => items.iter_mut().for_each(absent_is_not_null),
        _ => {}
    }
}

fn not_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("oneOf") else { return };
    choices.retain(|choice| choice["type"] != "null");
    if let [only] = choices.as_slice() {
        let only = only.clone();
        schema.remove("oneOf");
        // Beside a reference stands at most a description.
        schema.extend(only.as_object().cloned().unwrap_or_default());
    }
}

/// RFC 9457, as problems are here.
fn problem() -> Value {
    let types: Vec<String> = Kind::ALL.iter().map(|kind| format!("{TYPES}{}", kind.name())).collect();
    let statuses: Vec<u16> = Kind::ALL.iter().map(|kind| kind.status().as_u16()).collect();
    let least = statuses.iter().min();
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri", "enum": types, "description": "Which problem; stable." },
            "title": { "type": "string", "description": "The same for people." },
            "status": { "type": "integer", "minimum": least, "maximum": 599 },
            "detail": { "type": "string", "description": "What to do about it." },
            "code": { "type": "string", "enum": super::codes().enum_values, "description": "How the license stands." },
        },
    })
}

fn add_problems(path: &str, method: &str, operation: &mut Value) {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for kind in problems(path, method, operation) {
        by_status.entry(kind.status().as_u16()).or_default().push(kind.name());
    }
    for (status, names) in by_status {
        let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Problem");
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        operation["responses"][status.to_string()] = json!({
            "description": format!("{title}: {names}."),
            "content": { "application/problem+json": { "schema": schema } },
        });
    }
}

/// The problems that an operation may answer.
fn problems(path: &str, method: &str, operation: &Value) -> Vec<Kind> {
    let has = |member: &str| operation.get(member).is_some();
    let (is_of_licenses, is_of_tokens) = (path.starts_with("/v1/licenses"), path.starts_with("/v1/tokens"));
    let (names_one, is_of_machines) = (path.contains("{id}"), path.ends_with("{fingerprint}"));
    let mut problems = match path {
        "/livez" | "/openapi.json" | "/.well-known/jwks.json" => vec![],
        "/readyz" => vec![Kind::NotReady],
        _ => vec![Kind::MalformedRequest, Kind::TooManyRequests, Kind::Internal, Kind::NotReady, Kind::Unavailable],
    };
    if has("security") {
        problems.extend([Kind::TokenRequired, Kind::TokenUnknown, Kind::Forbidden]);
    }
    if has("requestBody") {
        problems.extend([Kind::RequestTimeout, Kind::BodyTooLarge]);
    }
    if is_of_licenses && names_one {
        problems.extend([Kind::NoSuchLicense, Kind::LicenseAmbiguous]);
    }
    problems.extend(of_settlement(path, method));
    match (method, is_of_machines) {
        ("put", true) => problems.extend([Kind::LicenseNotUsable, Kind::MachineLimit]),
        ("delete", true) => problems.extend([Kind::NoSuchMachine, Kind::LeaseRefused]),
        ("put", false) if path.ends_with("/block") => problems.push(Kind::LicenseReleased),
        ("post", false) if is_of_tokens => problems.push(Kind::TokenExists),
        ("delete", false) if is_of_tokens => problems.push(Kind::NoSuchToken),
        _ => {}
    }
    problems
}

/// The problems of the paths of settlement, beside those of all paths.
fn of_settlement(path: &str, method: &str) -> &'static [Kind] {
    match (path.strip_prefix("/v1/settlement").unwrap_or_default(), method) {
        ("/periods" | "/lines" | "/forecast" | "/periods/{period}/lines" | "/adjustments", "get") => &[Kind::TooMuch],
        ("/periods/{period}", "get") => &[Kind::NoSuchPeriod, Kind::TooMuch],
        ("/periods/{period}/close", "get") => &[Kind::TooMuch],
        ("/periods/{period}/close", "post") => &[Kind::PeriodNotOver, Kind::TooMuch],
        ("/lines/{line_id}", _) => &[Kind::NoSuchLine],
        ("/bills" | "/transactions", "post") => &[Kind::FileRefused, Kind::TooMuch],
        ("/mappings", "put") => &[Kind::TooMuch],
        ("/reconciliation/{period}", _) => &[Kind::TooMuch],
        ("/reconciliation/{period}/judgements", _) => {
            &[Kind::NoSuchBill, Kind::NoSuchDifference, Kind::DifferenceChanged, Kind::TooMuch]
        }
        ("/bills/{category}/{period}/progress", _) => &[Kind::NoSuchBill],
        ("/statements", _) => &[Kind::TooMuch],
        ("/adjustments", "post") => &[Kind::PeriodClosed, Kind::AdjustmentExists],
        _ => &[],
    }
}
