//! The answer to a check, written once.

use chopmark_domain::catalog::{LEASE_SECONDS, OFFLINE_GRACE_SECONDS, ProductTerms};
use chopmark_domain::license::{Code, Language, Reason, Verdict, Worded, judge};
use chopmark_log::Position;
use chopmark_projector::Found;
use chopmark_signing::{Holder, Lease, LeaseRequest, NoLease, Term};
use chopmark_views::{DeploymentSighting, Sighting};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::next_check::next_check_after;
use super::sight::judge_deployment;
use crate::Query;
use crate::json::{ClockTime, PositionText, TYPICAL_BYTES, Time};
use crate::license_view::LicenseView;
use crate::question::{Question, Subject};

/// What a question led to. Not `Debug`, like all here: it may hold a secret.
pub(super) enum Outcome {
    /// To a license.
    Judged(Box<Judged>),
    /// To nothing, or to several sellers' licenses.
    NotFound {
        /// The position of the log that this is true at.
        position: Position,
        /// Several sellers have a license with the id.
        ambiguous: bool,
    },
    /// To a code that only the marketplace can tell of, and it has not yet.
    BeingConfirmed {
        /// The position of the log that this is true at.
        position: Position,
        /// The marketplace is not asked, since too many are looked up already.
        over_limit: bool,
    },
}

impl Outcome {
    /// To a license on record.
    pub(super) fn judged(position: Position, found: Found) -> Self {
        Self::Judged(Box::new(Judged { position, found, enrolment_secret: None, recorded_by: None }))
    }

    /// To a license that the log heard of by this very check.
    pub(super) fn news(position: Position, found: Found, recorded_by: DateTime<Utc>) -> Self {
        let recorded_by = Some(recorded_by);
        Self::Judged(Box::new(Judged { position, found, enrolment_secret: None, recorded_by }))
    }

    /// The time by which the event was recorded that the check caused, if it did.
    pub(super) fn recorded_by(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Judged(judged) => judged.recorded_by,
            _ => None,
        }
    }
}

/// A license that was found.
pub(super) struct Judged {
    /// The position of the log that this is true at.
    pub(super) position: Position,
    /// The license.
    pub(super) found: Found,
    /// The secret that the deployment was enrolled with just now.
    pub(super) enrolment_secret: Option<String>,
    /// The check caused an event, which was recorded by then; to the millisecond, UTC.
    pub(super) recorded_by: Option<DateTime<Utc>>,
}

/// An answer, ready to be sent.
pub(super) struct Written {
    pub(super) code: Code,
    /// It tells a guesser that he guessed wrong, or would if he guessed on.
    pub(super) is_failure: bool,
    pub(super) position: Position,
    pub(super) body: Vec<u8>,
}

/// The verdict, and what goes with it.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckAnswer)]
pub(crate) struct Answer<'a> {
    /// Whether the software may run.
    valid: bool,
    /// Why, in one word.
    #[schema(schema_with = crate::openapi::codes)]
    code: Code,
    /// The same in words, in the language asked for.
    #[schema(value_type = String)]
    reason: Said,
    /// The license; absent for `NOT_FOUND`, and for a code that is being confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<LicenseView<'a>>,
    /// A signed proof of a valid verdict, a JWS that verifies offline.
    #[serde(skip_serializing_if = "is_added_last")]
    lease: Option<&'a str>,
    /// When the lease must be renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_expires_at: Option<Time>,
    /// When the lease ends offline, for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_until: Option<Time>,
    /// Seconds until the next check.
    next_check_after: u32,
    /// The secret that the deployment was enrolled with by asking. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolment_secret: Option<&'a str>,
    /// The nonce of the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    position: PositionText,
    /// When it was judged, by the server's clock.
    checked_at: ClockTime,
}

/// A reason in words: a verdict's, or that of a question nobody can judge.
#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    Verdict(Worded),
    Text(&'static str),
}

/// Writes the answer to a question.
pub(super) fn write(
    query: &Query,
    question: &Question<'_>,
    outcome: &Outcome,
    language: Language,
    now: DateTime<Utc>,
) -> Written {
    match outcome {
        Outcome::Judged(judged) => write_verdict(query, question, judged, language, now),
        &Outcome::NotFound { position, ambiguous } => {
            let reason = if ambiguous {
                Said::Text(ambiguous_in(language))
            } else {
                Said::Verdict(Reason::from(Code::NotFound).worded(language))
            };
            Written { is_failure: true, ..write_without_license(question, Code::NotFound, reason, position, now) }
        }
        &Outcome::BeingConfirmed { position, over_limit } => {
            let reason = Said::Text(being_confirmed_in(language));
            let written = write_without_license(question, Code::Pending, reason, position, now);
            Written { is_failure: over_limit, ..written }
        }
    }
}

fn write_verdict(
    query: &Query,
    question: &Question<'_>,
    judged: &Judged,
    language: Language,
    now: DateTime<Utc>,
) -> Written {
    let Judged { position, found, enrolment_secret, recorded_by } = judged;
    let terms: Option<&ProductTerms> = found.terms.as_deref().map(|dated| &dated.terms);
    let verdict = match (&question.subject, terms) {
        (Subject::Deployment(_), Some(terms)) => {
            judge_deployment(&found.license, terms, question, recorded_by.is_some(), now)
        }
        _ => judge(&found.license, terms, question.asked(), now),
    };
    let lease = lease(query, question, found, &verdict, now);
    note_sighting(query, question, found, &verdict, lease.as_ref(), now);
    let renew_by = lease.as_ref().map(|lease| lease.renew_by);
    let answer = Answer {
        valid: verdict.code.is_valid(),
        code: verdict.code,
        reason: Said::Verdict(verdict.reason.worded(language)),
        license: Some(LicenseView::new(&found.key.id, &found.license, terms, &verdict)),
        lease: lease.as_ref().map(|lease| lease.jws.as_str()),
        lease_expires_at: renew_by.map(Time),
        grace_until: lease.as_ref().map(|lease| Time(lease.expires_at)),
        next_check_after: next_check_after(verdict.code, terms, renew_by, now),
        enrolment_secret: enrolment_secret.as_deref(),
        nonce: question.nonce.as_deref(),
        position: PositionText(*position),
        checked_at: ClockTime(now),
    };
    Written { code: verdict.code, is_failure: false, position: *position, body: to_bytes(&answer) }
}

/// The lease is most of an answer, and there is nothing to escape in it: letters, digits, `-`, `_` and dots. So it is not
/// written with all else but [added](to_bytes) as it is.
fn is_added_last(_: &Option<&str>) -> bool {
    true
}

/// The answer as it is sent, with the lease it gives.
fn to_bytes(answer: &Answer<'_>) -> Vec<u8> {
    let mut body = Vec::with_capacity(TYPICAL_BYTES);
    #[expect(clippy::expect_used, reason = "answers are structs of plain values, which are always JSON")]
    chopmark_json::append(&mut body, answer).expect("plain data serialises");
    if let Some(lease) = answer.lease {
        body.pop();
        body.extend_from_slice(br#","lease":""#);
        body.extend_from_slice(lease.as_bytes());
        body.extend_from_slice(br#""}"#);
    }
    body
}

fn write_without_license(
    question: &Question<'_>,
    code: Code,
    reason: Said,
    position: Position,
    now: DateTime<Utc>,
) -> Written {
    let answer = Answer {
        valid: code.is_valid(),
        code,
        reason,
        license: None,
        lease: None,
        lease_expires_at: None,
        grace_until: None,
        next_check_after: next_check_after(code, None, None, now),
        enrolment_secret: None,
        nonce: question.nonce.as_deref(),
        position: PositionText(position),
        checked_at: ClockTime(now),
    };
    Written { code, is_failure: false, position, body: to_bytes(&answer) }
}

/// The lease of a valid verdict. `None` where nothing is left that it could prove.
fn lease(
    query: &Query,
    question: &Question<'_>,
    found: &Found,
    verdict: &Verdict<'_>,
    now: DateTime<Utc>,
) -> Option<Lease> {
    if !verdict.code.is_valid() {
        return None;
    }
    let holder = match &question.subject {
        Subject::Deployment(deployment) => Some(Holder::Deployment(deployment.ecs.as_str())),
        Subject::License(_) => question.machine.as_deref().map(Holder::Machine),
    };
    let request = LeaseRequest {
        seller: found.key.seller.as_str(),
        license: found.key.id.as_str(),
        product: found.license.sku.as_ref().or(question.product.as_ref()).map(|sku| sku.as_str()),
        holder,
        entitlements: verdict.entitlements.as_ref(),
        term: lease_term(found, verdict),
    };
    match query.leases.issue(&request, now) {
        Ok(lease) => Some(lease),
        Err(NoLease::NothingLeft) => None,
        Err(error) => {
            tracing::error!(license = %found.key.id, %error, "a lease cannot be given out");
            None
        }
    }
}

/// For how long leases of a license may be given out.
fn lease_term(found: &Found, verdict: &Verdict<'_>) -> Term {
    let terms = found.terms.as_deref().map(|dated| &dated.terms);
    Term {
        lease_seconds: terms.map_or(LEASE_SECONDS, |terms| terms.lease_seconds),
        offline_grace_seconds: terms.map_or(OFFLINE_GRACE_SECONDS, |terms| terms.offline_grace_seconds),
        not_beyond: verdict.ends_at,
        facts_pending: !found.license.facts_known(),
    }
}

/// Remembers who asked: a machine that has a seat, or a deployment that is on record and good. Others prove nothing, and
/// are not remembered.
fn note_sighting(
    query: &Query,
    question: &Question<'_>,
    found: &Found,
    verdict: &Verdict<'_>,
    lease: Option<&Lease>,
    now: DateTime<Utc>,
) {
    let (seller, license) = (found.key.seller.as_str(), found.key.id.as_str());
    let saw = |holder: &str| {
        let lease_until = lease.map(|lease| lease.expires_at);
        query.seen.saw(Sighting { seller, license, holder, at: now, lease_until });
    };
    match (&question.subject, question.machine.as_deref()) {
        (Subject::License(_), Some(machine)) if found.license.has_machine(machine) => saw(machine),
        (Subject::License(_), _) => {}
        (Subject::Deployment(deployment), _) => {
            if found.license.deployment.is_some() && verdict.code.is_valid() {
                saw("");
                query.seen.saw_deployment_hour(DeploymentSighting {
                    seller,
                    product: deployment.product.as_str(),
                    ecs: license,
                    charging_mode: deployment.facts.charging_mode.as_deref(),
                    at: now,
                });
            }
        }
    }
}

fn ambiguous_in(language: Language) -> &'static str {
    match language {
        Language::English => "several sellers have a license with this id; name the seller",
        Language::Chinese => "多个商家有此编号的许可证，请指明商家",
    }
}

fn being_confirmed_in(language: Language) -> &'static str {
    match language {
        Language::English => "being confirmed with the marketplace; this takes a moment",
        Language::Chinese => "正在向云商店确认，请稍候",
    }
}
