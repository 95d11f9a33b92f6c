//! What a deployment is judged on. Explaining a verdict later must come to the same, so this is a function of what the
//! log says, of the question and of the time.

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::license::{self, Activation, DeploymentClaim, License, Status, Verdict, judge};
use chrono::{DateTime, Utc};

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

/// Judges a deployment on the license that [`as_enrolled`] gives.
pub(crate) fn judge_deployment<'a>(
    license: &License,
    terms: &'a ProductTerms,
    question: &Question<'_>,
    now: DateTime<Utc>,
) -> Verdict<'a> {
    judge(license, Some(terms), as_the_asker(question.asked(), license, now), now)
}

/// A deployment's question as it is judged.
///
/// Who is enrolled by asking has the secret that was made for the answer. So an enrolment at or after the time of the
/// question is the asker's own, whatever secret came with the question.
fn as_the_asker<'a>(asked: license::Question<'a>, license: &License, now: DateTime<Utc>) -> license::Question<'a> {
    let own = license.deployment.as_ref().filter(|known| known.enrolled_at >= now);
    let presented = |claim: DeploymentClaim<'a>| match own {
        Some(own) => DeploymentClaim { presented: Some(own.secret), ..claim },
        None => claim,
    };
    license::Question { deployment: asked.deployment.map(presented), ..asked }
}

/// Whether nothing is to be enrolled: the deployment is on record as it asks, or is refused as things stand.
pub(super) fn is_settled(
    on_record: &License,
    terms: &ProductTerms,
    question: &Question<'_>,
    deployment: &Deployment,
    now: DateTime<Utc>,
) -> bool {
    let runs_this = on_record.sku.as_ref() == Some(&deployment.product);
    let is_enrolled = on_record.deployment.as_ref().is_some_and(|known| known.is_enrolled(&deployment.claim()));
    let refused = || {
        let license = as_enrolled(Some(on_record.clone()), deployment);
        !judge(&license, Some(terms), question.asked(), now).code.is_valid()
    };
    (runs_this && is_enrolled) || refused()
}
