//! One request: read, verified, taken up, answered, noted.

use std::time::Instant;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::SellerId;
use chopmark_huawei::answer::{Answer, ResultCode};
use chopmark_huawei::callback::{Delivery, Rejection, Verified, verify};
use chopmark_huawei::keys::AccessKey;
use tokio::time::timeout_at;

use crate::Ingest;
use crate::body::{self, BodyError};
use crate::metrics;
use crate::note::Note;
use crate::sellers::SellerDoor;
use crate::take_up::{self, TakenUp};

const BODY_SIGN: HeaderName = HeaderName::from_static("body-sign");

/// `POST /callbacks/{seller}`.
pub(crate) async fn callback(
    request: HttpRequest,
    path: web::Path<String>,
    payload: Payload,
    ingest: Data<Ingest>,
) -> HttpResponse {
    let begun = Instant::now();
    let deadline = tokio::time::Instant::now() + ingest.limits.answer_within;
    let mut note = Note::begin(&request, &path, ingest.commands.now());
    let seller = SellerId::parse(&path).ok();
    let Some((seller, door)) = seller.as_ref().and_then(|id| ingest.sellers.get_key_value(id)) else {
        let answer = Answer::failure(ResultCode::AuthenticationFailed, ResultCode::AuthenticationFailed.message());
        note.rejected(metrics::UNKNOWN_SELLER);
        // Whatever body there is stays unread: nobody here could have signed it.
        return ingest.answer(begun, note, &answer, None).closing();
    };
    let read = timeout_at(deadline, body::read(payload, ingest.limits.body_bytes)).await;
    let body = match read.unwrap_or(Err(BodyError::Slow)) {
        Ok(body) => body,
        Err(error) => return ingest.unread(begun, note, door, error),
    };
    let delivery =
        Delivery { query: request.query_string(), content_encoding: content_encoding(&request), body: &body };
    match verify(&delivery, &door.keys, ingest.commands.now()) {
        Err(rejection) => ingest.rejected(begun, note, &rejection, body.len()),
        Ok(verified) => {
            note.verified(&verified);
            let Verified { callback, test, request, key, .. } = verified;
            let cause = Cause::Callback(Box::new(request));
            let answer = if test {
                timeout_at(deadline, take_up::echo(&ingest, seller, door, &callback))
                    .await
                    .unwrap_or_else(|_| too_late())
            } else {
                let taken_up = timeout_at(deadline, ingest.take_up(seller, door, &callback, &cause)).await;
                ingest.settle(deadline, taken_up.ok()).await
            };
            ingest.answer(begun, note, &answer, Some(key)).into()
        }
    }
}

/// Anything but POST.
pub(crate) async fn wrong_method(request: HttpRequest, path: web::Path<String>, ingest: Data<Ingest>) -> HttpResponse {
    let mut note = Note::begin(&request, &path, ingest.commands.now());
    note.rejected(metrics::WRONG_METHOD);
    let answer = Answer::failure(ResultCode::IllegalParameter, "param is invalid: callbacks are sent by POST");
    let door = SellerId::parse(&path).ok().and_then(|id| ingest.sellers.get(&id));
    ingest.answer(Instant::now(), note, &answer, door.and_then(SellerDoor::default_key)).closing()
}

/// Any path but that of callbacks. It is counted and not noted: those who look for doors would fill the journal.
pub(crate) async fn wrong_path(ingest: Data<Ingest>) -> HttpResponse {
    ingest.metrics.rejected.with_label_values(&[metrics::WRONG_PATH]).inc();
    let answer = Answer::failure(ResultCode::IllegalParameter, "param is invalid: callbacks go to /callbacks/<seller>");
    Reply::new(answer.to_bytes(), None).closing()
}

/// Nothing is said of what may have been stored meanwhile: the marketplace calls again, and it is found then.
fn too_late() -> Answer {
    Answer::failure(ResultCode::InternalError, "not done in time, call again")
}

/// The header as text; what is not even text is certainly not `identity`.
fn content_encoding(request: &HttpRequest) -> Option<&str> {
    request.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"))
}

/// An answer on its way out.
struct Reply(HttpResponse);

impl Reply {
    /// HTTP 200, JSON, and with a key `Body-Sign` in exactly that case.
    fn new(body: Vec<u8>, key: Option<&AccessKey>) -> Self {
        let mut response = HttpResponse::Ok();
        response.insert_header((CONTENT_TYPE, "application/json;charset=utf-8"));
        if let Some(signature) = key.and_then(|key| HeaderValue::from_str(&key.body_sign(&body)).ok()) {
            response.insert_header((BODY_SIGN, signature));
        }
        let mut response = response.body(body);
        response.head_mut().set_camel_case_headers(true);
        Self(response)
    }

    /// The answer, and the end of the connection: what is still coming on it is not read.
    fn closing(mut self) -> HttpResponse {
        self.0.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        self.0
    }
}

impl From<Reply> for HttpResponse {
    fn from(reply: Reply) -> Self {
        reply.0
    }
}

impl Ingest {
    /// Waits until a check would agree with what was taken up; `None` was not stored in time.
    async fn settle(&self, deadline: tokio::time::Instant, taken_up: Option<TakenUp>) -> Answer {
        let Some(TakenUp { answer, position }) = taken_up else { return too_late() };
        let (Some(index), Some(position)) = (&self.index, position) else { return answer };
        let reached = timeout_at(deadline, index.reached(position)).await;
        // While the index catches up for the first time no check is answered, so none can disagree.
        if reached.is_err() && index.is_caught_up() { too_late() } else { answer }
    }

    fn rejected(&self, begun: Instant, mut note: Note, rejection: &Rejection<'_>, length: usize) -> HttpResponse {
        note.rejection(rejection, length);
        self.answer(begun, note, &rejection.answer(), rejection.key).into()
    }

    fn unread(&self, begun: Instant, mut note: Note, door: &SellerDoor, error: BodyError) -> HttpResponse {
        note.rejected(error.as_str());
        let message = format!("{}: {error}", ResultCode::IllegalParameter.message());
        let answer = Answer::failure(ResultCode::IllegalParameter, &message);
        self.answer(begun, note, &answer, door.default_key()).closing()
    }

    /// Every answer to a callback leaves through here, counted and noted.
    fn answer(&self, begun: Instant, note: Note, answer: &Answer, key: Option<&AccessKey>) -> Reply {
        let body = answer.to_bytes();
        note.count(&self.metrics, answer.result_code, begun.elapsed());
        self.journal.record(note.into_delivery(answer, &body, begun.elapsed()));
        Reply::new(body, key)
    }
}

#[cfg(test)]
mod tests;
