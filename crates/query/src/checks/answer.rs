//! The answer to a check, written once.

use std::sync::Arc;

use chopmark_domain::catalog::{LEASE_SECONDS, OFFLINE_GRACE_SECONDS, ProductTerms};
use chopmark_domain::license::{Code, Language, Reason, Verdict, Worded, judge};
use chopmark_log::Position;
use chopmark_projector::Found;
use chopmark_signing::{Given, Holder, Lease, LeaseRequest, NoLease, Term};
use chopmark_views::{DeploymentSighting, Sighting};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::next_check::next_check_after;
use super::sight::judge_deployment;
use super::steady::{Asking, Grounds, Steady};
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
#[derive(ToSchema)]
#[schema(as = CheckAnswer)]
pub(crate) struct Answer<'a> {
    #[serde(flatten)]
    judgement: Judgement<'a>,
    #[serde(flatten)]
    passing: Passing<'a>,
}

/// What stays the same for as long as nothing changes.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckJudgement)]
struct Judgement<'a> {
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
    /// When the lease must be renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_expires_at: Option<Time>,
    /// When the lease ends offline, for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_until: Option<Time>,
    /// A signed proof of a valid verdict, a JWS that verifies offline.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<&'a str>,
}

/// What is of this one check.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckMoment)]
struct Passing<'a> {
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
    let steady = steady(query, question, found, &verdict, language, now);
    note_sighting(query, question, found, &verdict, steady.lease.as_ref(), now);
    let renew_by = steady.lease.as_ref().map(Given::renew_by);
    let passing = Passing {
        next_check_after: next_check_after(verdict.code, terms, renew_by, now),
        enrolment_secret: enrolment_secret.as_deref(),
        nonce: question.nonce.as_deref(),
        position: PositionText(*position),
        checked_at: ClockTime(now),
    };
    Written { code: verdict.code, is_failure: false, position: *position, body: complete(&steady.text, &passing) }
}

/// What stays the same of an answer: as it was given before, where it would be the same, else anew.
fn steady(
    query: &Query,
    question: &Question<'_>,
    found: &Found,
    verdict: &Verdict<'_>,
    language: Language,
    now: DateTime<Utc>,
) -> Arc<Steady> {
    let (product, machine) = (question.product.as_ref(), question.machine.as_deref());
    let asking = Asking { license: &found.key, product, machine, language };
    let grounds = Grounds::of(found, verdict);
    let may_be_given_again = |steady: &Arc<Steady>| {
        let term = lease_term(found, verdict);
        steady.grounds == grounds && steady.lease.is_some_and(|lease| query.leases.gives_again(&lease, &term, now))
    };
    if let Some(steady) = query.steady_answers.get(asking).filter(may_be_given_again) {
        return steady;
    }
    let lease = lease(query, question, found, verdict, now);
    let terms = found.terms.as_deref().map(|dated| &dated.terms);
    let judgement = Judgement {
        valid: verdict.code.is_valid(),
        code: verdict.code,
        reason: Said::Verdict(verdict.reason.worded(language)),
        license: Some(LicenseView::new(&found.key.id, &found.license, terms, verdict)),
        lease_expires_at: lease.as_ref().map(|lease| Time(lease.given.renew_by())),
        grace_until: lease.as_ref().map(|lease| Time(lease.given.expires_at())),
        lease: lease.as_ref().map(|lease| lease.jws.as_str()),
    };
    let text = begun(&judgement).into();
    let steady = Arc::new(Steady { grounds, lease: lease.map(|lease| lease.given), text });
    // A verdict that is not valid is written anew each time: software that may not run does not ask often.
    if steady.lease.is_some() {
        query.steady_answers.keep(asking, Arc::clone(&steady));
    }
    steady
}

impl Answer<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        complete(&begun(&self.judgement), &self.passing)
    }
}

/// The first members of an answer: a JSON object that lacks its end.
fn begun(judgement: &Judgement<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(TYPICAL_BYTES);
    append(&mut text, judgement);
    text.pop();
    text
}

/// An answer as it is sent, of its first members and the others.
fn complete(begun: &[u8], passing: &Passing<'_>) -> Vec<u8> {
    let mut body = Vec::with_capacity(TYPICAL_BYTES);
    body.extend_from_slice(begun);
    append(&mut body, passing);
    // Both have members: what would open the second object parts them.
    if let Some(opening) = body.get_mut(begun.len()) {
        *opening = b',';
    }
    body
}

fn append(json: &mut Vec<u8>, part: &impl Serialize) {
    #[expect(clippy::expect_used, reason = "answers are structs of plain values, which are always JSON")]
    chopmark_json::append(json, part).expect("plain data serialises");
}

fn write_without_license(
    question: &Question<'_>,
    code: Code,
    reason: Said,
    position: Position,
    now: DateTime<Utc>,
) -> Written {
    let judgement = Judgement {
        valid: code.is_valid(),
        code,
        reason,
        license: None,
        lease_expires_at: None,
        grace_until: None,
        lease: None,
    };
    let passing = Passing {
        next_check_after: next_check_after(code, None, None, now),
        enrolment_secret: None,
        nonce: question.nonce.as_deref(),
        position: PositionText(position),
        checked_at: ClockTime(now),
    };
    let body = Answer { judgement, passing }.to_bytes();
    Written { code, is_failure: false, position, body }
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
    lease: Option<&Given>,
    now: DateTime<Utc>,
) {
    let (seller, license) = (found.key.seller.as_str(), found.key.id.as_str());
    let saw = |holder: &str| {
        let lease_until = lease.map(Given::expires_at);
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
