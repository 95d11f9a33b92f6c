//! What a deployment is judged on. Explaining a verdict later must come to the same, so this is a function of what the
//! log says, of the question and of the time.

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::license::{self, Activation, Code, DeploymentClaim, License, Status, Verdict, judge};
use chrono::{DateTime, TimeDelta, Utc};

use crate::question::{Deployment, Question};

/// The license of a deployment that asks as one of its product: the one on record; where there is none or it is of
/// another product, the one that it would get. Enrolling is bounded, and who is above the bound is not punished for it.
pub(crate) fn as_enrolled(on_record: Option<License>, deployment: &Deployment) -> License {
    let sku = Some(deployment.product.clone());
    match on_record {
        Some(license) if license.sku == sku => license,
        Some(license) => License { sku, ..license },
        None => License {
            status: Status::Active,
            sku,
            quantity: None,
            expires_at: None,
            expiry_approximate: false,
            facts_applied: false,
            unfrozen_at: None,
            activation: Activation::Done,
            blocked: false,
            machines: None,
            deployment: None,
            revision: 0,
        },
    }
}

/// Judges a deployment on the license that [`as_enrolled`] gives. `is_own`: its latest enrolment is the asker's, made by
/// this very check.
pub(crate) fn judge_deployment<'a>(
    license: &License,
    terms: &'a ProductTerms,
    question: &Question<'_>,
    is_own: bool,
    now: DateTime<Utc>,
) -> Verdict<'a> {
    judge(license, Some(terms), as_the_asker(question.asked(), license, is_own), now)
}

/// A deployment's question as it is judged.
///
/// Who is enrolled by asking has the secret that was made for the answer, whatever secret came with the question.
fn as_the_asker<'a>(asked: license::Question<'a>, license: &License, is_own: bool) -> license::Question<'a> {
    let own = license.deployment.as_ref().filter(|_| is_own);
    let presented = |claim: DeploymentClaim<'a>| match own {
        Some(own) => DeploymentClaim { presented: Some(own.secret), ..claim },
        None => claim,
    };
    license::Question { deployment: asked.deployment.map(presented), ..asked }
}

/// Whether an enrolment was made by the check that was judged then. Such a check tells the first millisecond by which its
/// enrolment was on record; those that find the enrolment come later.
pub(crate) fn is_own_enrolment(
    enrolled_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    judged_at: DateTime<Utc>,
) -> bool {
    enrolled_at.max(recorded_at) > judged_at - TimeDelta::milliseconds(1)
}

/// Whether a deployment is on record just as it asks.
pub(super) fn is_on_record(license: &License, deployment: &Deployment) -> bool {
    let claim = deployment.claim();
    let runs_this = license.sku.as_ref() == Some(&deployment.product);
    let known = license.deployment.as_ref();
    runs_this && known.is_some_and(|known| known.is_enrolled(&claim) && known.is_from_there(&claim))
}

/// Why a deployment that is not on record as it asks is not enrolled, as things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another system of the same project uses the id, and the product does not bear clones.
    Clone,
    /// It is enrolled from elsewhere, or may not be used.
    Otherwise,
}

/// Whether, and why, it is refused.
pub(super) fn refusal(
    on_record: &License,
    terms: &ProductTerms,
    question: &Question<'_>,
    deployment: &Deployment,
    now: DateTime<Utc>,
) -> Option<Refused> {
    let license = as_enrolled(Some(on_record.clone()), deployment);
    let is_from_there = license.deployment.as_ref().is_some_and(|known| known.is_from_there(&deployment.claim()));
    match judge(&license, Some(terms), question.asked(), now).code {
        code if code.is_valid() => None,
        Code::DeploymentConflict if is_from_there => Some(Refused::Clone),
        _ => Some(Refused::Otherwise),
    }
}
