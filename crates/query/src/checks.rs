//! `POST /v1/checks`: may this software run?

mod answer;
mod codes;
mod deployments;
mod language;
mod next_check;
pub(crate) mod sight;
pub(crate) mod steady;

use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use chopmark_domain::ids::SellerId;
use chopmark_projector::LookUp;
use chrono::{DateTime, Utc};

use self::answer::{Answer, Outcome, Written, write};
pub(crate) use self::language::Spoken;
use crate::asker::Asker;
use crate::openapi::CheckQuestion;
use crate::problem::Problem;
use crate::question::{Question, Subject};
use crate::{Query, body, json};

/// May this software run?
#[utoipa::path(
    post, path = "/v1/checks", operation_id = "check", tag = "checks", request_body = CheckQuestion,
    responses((status = 200, description = "The verdict.", body = Answer<'_>)),
)]
pub(crate) async fn check(query: web::Data<Query>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let (asker, spoken) = (Asker::of(&request, &query), Spoken::of(&request));
    match answer(&query, payload, &asker, spoken).await {
        Ok(written) => send(&query, written, &asker, spoken),
        Err(problem) => {
            let (kind, response) = asker.refuse(&problem);
            query.metrics.refused(kind);
            response
        }
    }
}

async fn answer(query: &Query, payload: web::Payload, asker: &Asker<'_>, spoken: Spoken) -> Result<Written, Problem> {
    let body = body::read(payload, query.body_bytes).await?;
    let question = Question::parse(&body)?;
    query.must_be_ready()?;
    if let Some(position) = question.min_position {
        Box::pin(query.wait_for(position)).await;
    }
    let asked_at = query.now();
    let outcome = look_up(query, &question, asker, asked_at).await?;
    // What the check itself put on record was there by the time that it tells.
    let now = outcome.recorded_by().unwrap_or(asked_at);
    Ok(write(query, &question, &outcome, spoken.language, now))
}

fn send(query: &Query, written: Written, asker: &Asker<'_>, spoken: Spoken) -> HttpResponse {
    let Written { code, is_failure, position, body } = written;
    let mut response = json::written_at(body, position);
    spoken.tell(&mut response);
    let response = if is_failure { asker.let_fail(response) } else { Ok(response) };
    match response {
        Ok(response) => {
            query.metrics.checked(code);
            response
        }
        Err(exceeded) => {
            let problem = Problem::from(exceeded);
            query.metrics.refused(problem.kind());
            problem.error_response()
        }
    }
}

async fn look_up(
    query: &Query,
    question: &Question<'_>,
    asker: &Asker<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome, Problem> {
    let outcome = match &question.subject {
        Subject::License(id) => of_license(query, question, id, asker, now).await,
        Subject::Deployment(deployment) => {
            Box::pin(deployments::look_up(query, question, deployment, asker, now)).await
        }
    };
    if let Outcome::Judged(judged) = &outcome {
        asker.may_ask_about(&judged.found.key)?;
    }
    Ok(outcome)
}

async fn of_license(
    query: &Query,
    question: &Question<'_>,
    id: &str,
    asker: &Asker<'_>,
    now: DateTime<Utc>,
) -> Outcome {
    let LookUp { position, found, ambiguous } = in_index(query, question, id, now);
    if let Some(found) = found {
        codes::refresh(query, &found);
        return Outcome::judged(position, found);
    }
    let not_found = Outcome::NotFound { position, ambiguous };
    if ambiguous {
        return not_found;
    }
    // Elsewhere, as what is done seldom is: a check of what is known needs no room for it.
    Box::pin(codes::confirm(query, question, id, asker, now)).await.unwrap_or(not_found)
}

/// Finds the license asked about. An id or seller that cannot exist is as unknown as one that does not.
fn in_index(query: &Query, question: &Question<'_>, id: &str, now: DateTime<Utc>) -> LookUp {
    match question.seller.as_deref().map(SellerId::parse) {
        Some(Err(_)) => LookUp { position: query.progress.position(), found: None, ambiguous: false },
        Some(Ok(seller)) => query.index.look_up(Some(&seller), id, question.product.as_ref(), now),
        None => query.index.look_up(None, id, question.product.as_ref(), now),
    }
}
