//! License codes and uploads: the interfaces whose answers have `error_code` (错误码, topic 0070649244).

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::license::CodeState;
use chopmark_huawei::open_api::LONGEST_CHARACTERS;
use chopmark_huawei::time::format_expire_time;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::interface::Interface;
use super::{Desk, answer, form};
use crate::codes::{Code, Refused};
use crate::uploads::Uploaded;

/// So many codes a list may have.
const MOST_CODES: usize = 100;

/// A code has at most this many characters.
const LONGEST_CODE: usize = 64;

pub(super) async fn activate(request: HttpRequest, body: web::Bytes, desk: web::Data<Desk>) -> HttpResponse {
    match desk.admit(Interface::Activate, &request, &body).await {
        Err(refusal) => refusal,
        Ok(()) => respond(activated(&desk, &body, false)),
    }
}

pub(super) async fn activate_list(request: HttpRequest, body: web::Bytes, desk: web::Data<Desk>) -> HttpResponse {
    match desk.admit(Interface::Activate, &request, &body).await {
        Err(refusal) => refusal,
        Ok(()) => respond(activated(&desk, &body, true)),
    }
}

pub(super) async fn query(request: HttpRequest, body: web::Bytes, desk: web::Data<Desk>) -> HttpResponse {
    match desk.admit(Interface::Heartbeat, &request, &body).await {
        Err(refusal) => refusal,
        Ok(()) => respond(queried(&desk, &body, false)),
    }
}

pub(super) async fn query_list(request: HttpRequest, body: web::Bytes, desk: web::Data<Desk>) -> HttpResponse {
    match desk.admit(Interface::Heartbeat, &request, &body).await {
        Err(refusal) => refusal,
        Ok(()) => respond(queried(&desk, &body, true)),
    }
}

pub(super) async fn upload(
    request: HttpRequest,
    event: web::Path<String>,
    body: web::Bytes,
    desk: web::Data<Desk>,
) -> HttpResponse {
    if let Err(refusal) = desk.admit(Interface::Upload, &request, &body).await {
        return refusal;
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(uploaded) = content_type.and_then(|content_type| uploaded(content_type, &body)) else {
        return respond(Err(Refused::Parameter));
    };
    if desk.uploads().take(&event, uploaded) { respond(Ok(None)) } else { internal_error() }
}

pub(super) fn internal_error() -> HttpResponse {
    error(StatusCode::INTERNAL_SERVER_ERROR, "92020001", "internal error")
}

pub(super) fn error(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    answer(status, &json!({"error_code": code, "error_msg": message}))
}

/// The newer page has status 200 for every result.
fn respond(outcome: Result<Option<Value>, Refused>) -> HttpResponse {
    match outcome {
        Err(refused) => error(StatusCode::OK, refused.as_str(), &refused.to_string()),
        Ok(None) => error(StatusCode::OK, "92020000", "success"),
        Ok(Some(data)) => {
            answer(StatusCode::OK, &json!({"error_code": "92020000", "error_msg": "success", "data": data}))
        }
    }
}

/// A list is answered success and nothing more.
fn activated(desk: &Desk, body: &[u8], is_list: bool) -> Result<Option<Value>, Refused> {
    let (question, now) = (question(body)?, Utc::now());
    let ids = ids(&question, is_list)?;
    let codes = desk.codes().activate(&ids, now)?;
    let info = codes.first().filter(|_| !is_list).map(|code| {
        let mut info = json!({"status": status(code, now)});
        if let Some(expires_at) = code.expires_at {
            info["expire_time"] = json!(format_expire_time(expires_at));
        }
        info["product_id"] = json!(code.product_id);
        info["amount"] = json!(code.quantity);
        info["order_id"] = json!(code.order_id);
        json!({"license_code_info": info.to_string()})
    });
    Ok(info)
}

fn queried(desk: &Desk, body: &[u8], is_list: bool) -> Result<Option<Value>, Refused> {
    let (question, now) = (question(body)?, Utc::now());
    let ids = ids(&question, is_list)?;
    let codes = desk.codes().query(&ids)?;
    let mut infos: Vec<_> = ids.iter().zip(&codes).map(|(id, code)| license_info(id, code, now)).collect();
    Ok(if is_list { Some(Value::Array(infos)) } else { infos.pop() })
}

/// The rows that the query's table shows, and no more.
fn license_info(id: &str, code: &Code, now: DateTime<Utc>) -> Value {
    let mut info = json!({"license_code": id, "status": status(code, now)});
    if let Some(activated_at) = code.activated_at {
        info["activate_time"] = json!(format_expire_time(activated_at));
    }
    if let Some(expires_at) = code.expires_at {
        info["expire_time"] = json!(format_expire_time(expires_at));
    }
    info["product_id"] = json!(code.product_id);
    info
}

fn status(code: &Code, now: DateTime<Utc>) -> &'static str {
    match code.state_at(now) {
        CodeState::Expired => "EXPIRED",
        CodeState::Released => "RELEASED",
        CodeState::Alive | CodeState::Inactive => "ALIVE",
    }
}

fn question(body: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::Parameter)
}

fn ids(question: &Value, is_list: bool) -> Result<Vec<&str>, Refused> {
    let ids: Option<Vec<_>> = match is_list {
        false => question["license"].as_str().map(|id| vec![id]),
        true => question["license_list"].as_array().and_then(|ids| ids.iter().map(Value::as_str).collect()),
    };
    let ids = ids.ok_or(Refused::Parameter)?;
    let fits = |id: &&str| !id.is_empty() && id.chars().count() <= LONGEST_CODE;
    if ids.is_empty() || ids.len() > MOST_CODES || !ids.iter().all(fits) {
        return Err(Refused::Parameter);
    }
    Ok(ids)
}

/// The license in a form; `None` where the form is not as the page has it (topic 0070649351).
fn uploaded(content_type: &str, body: &[u8]) -> Option<Uploaded> {
    let parts = form::parts(content_type, body)?;
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    let request = part("isvUpdateFileReq").filter(|part| part.content_type == Some("application/json"))?;
    let request: Value = serde_json::from_slice(request.content).ok()?;
    match request["type"].as_str()? {
        "CHARACTERS" => {
            let text = request["characters"].as_str()?;
            let fits = (1..=LONGEST_CHARACTERS).contains(&text.chars().count());
            fits.then(|| Uploaded::Text(text.to_owned()))
        }
        "FILE" => {
            let name = request["file_name"].as_str().filter(|name| !name.is_empty())?;
            let content = part("file")?.content;
            let is_whole = request["sha256"].as_str()? == hex::encode(Sha256::digest(content));
            is_whole.then(|| Uploaded::File { name: name.to_owned(), content: content.to_vec() })
        }
        _ => None,
    }
}
