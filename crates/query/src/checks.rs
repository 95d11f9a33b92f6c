//! `POST /v1/checks`: may this software run?

use actix_web::{HttpResponse, ResponseError, web};
use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{self, Code, Reason, judge};
use chopmark_projector::{Found, LookUp};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::json::{self, ClockTime, PositionText};
use crate::license_view::LicenseView;
use crate::problem::Problem;
use crate::question::{Question, Subject};
use crate::{Query, body};

/// Seconds until the next check, where no product says otherwise.
const CHECK_INTERVAL_SECONDS: u32 = 3_600;

#[derive(Serialize)]
struct Answer<'a> {
    valid: bool,
    code: Code,
    reason: Said<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<LicenseView<'a>>,
    next_check_after: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    position: PositionText,
    checked_at: ClockTime,
}

/// A reason in words: a verdict's, or that of a question nobody can judge.
#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Verdict(Reason),
    Text(&'a str),
}

/// Answers a check.
pub(crate) async fn check(query: web::Data<Query>, payload: web::Payload) -> HttpResponse {
    answer(&query, payload).await.unwrap_or_else(|problem| {
        query.metrics.refused(&problem);
        problem.error_response()
    })
}

async fn answer(query: &Query, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let body = body::read(payload, query.body_bytes).await?;
    let question = Question::parse(&body)?;
    query.must_be_ready()?;
    if let Some(position) = question.min_position {
        query.wait_for(position).await;
    }
    let now = query.commands.now();
    let looked_up = look_up(query, &question, now);
    Ok(match &looked_up.found {
        Some(found) => judged(query, &question, &looked_up, found, now),
        None => not_found(query, &question, &looked_up, now),
    })
}

/// Finds the license asked about. An id or seller that cannot exist is as unknown as one that does not.
fn look_up(query: &Query, question: &Question<'_>, now: DateTime<Utc>) -> LookUp {
    let nothing = || LookUp { position: query.progress.position(), found: None, ambiguous: false };
    let Subject::License(id) = &question.subject else {
        return nothing();
    };
    match question.seller.as_deref().map(SellerId::parse) {
        Some(Err(_)) => nothing(),
        Some(Ok(seller)) => query.index.look_up(Some(&seller), id, question.product.as_ref(), now),
        None => query.index.look_up(None, id, question.product.as_ref(), now),
    }
}

fn judged(
    query: &Query,
    question: &Question<'_>,
    looked_up: &LookUp,
    found: &Found,
    now: DateTime<Utc>,
) -> HttpResponse {
    let terms: Option<&ProductTerms> = found.terms.as_deref().map(|dated| &dated.terms);
    let asked = license::Question { product: question.product.as_ref(), names_machine: question.names_machine };
    let verdict = judge(&found.license, terms, asked, now);
    query.metrics.checked(verdict.code);
    let answer = Answer {
        valid: verdict.code.is_valid(),
        code: verdict.code,
        reason: Said::Verdict(verdict.reason),
        license: Some(LicenseView::new(&found.key.id, &found.license, terms, &verdict)),
        next_check_after: terms.map_or(CHECK_INTERVAL_SECONDS, |terms| terms.check_interval_seconds),
        nonce: question.nonce.as_deref(),
        position: PositionText(looked_up.position),
        checked_at: ClockTime(now),
    };
    json::response_at(&answer, looked_up.position)
}

fn not_found(query: &Query, question: &Question<'_>, looked_up: &LookUp, now: DateTime<Utc>) -> HttpResponse {
    query.metrics.checked(Code::NotFound);
    let answer = Answer {
        valid: Code::NotFound.is_valid(),
        code: Code::NotFound,
        reason: Said::Text(if looked_up.ambiguous {
            "several sellers have a license with this id; name the seller"
        } else {
            "no such license"
        }),
        license: None,
        next_check_after: CHECK_INTERVAL_SECONDS,
        nonce: question.nonce.as_deref(),
        position: PositionText(looked_up.position),
        checked_at: ClockTime(now),
    };
    json::response_at(&answer, looked_up.position)
}
