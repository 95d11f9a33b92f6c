//! Deployments: an ECS asks with what its metadata service told it. Whoever is not on record is enrolled.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chopmark_commands::{CommandError, Done};
use chopmark_domain::catalog::{DatedTerms, ProductKind};
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{Command, Enrolment, EnrolmentHash, Refusal, Standing};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::Position;
use chopmark_projector::{Found, LookUp};
use chrono::{DateTime, Utc};

use super::answer::{Judged, Outcome};
use super::sight::{as_enrolled, is_settled};
use crate::Query;
use crate::asker::Asker;
use crate::metrics::EnrolmentOutcome;
use crate::question::{Deployment, Question};

/// A deployment that asks as one of an image product.
struct Asking<'a> {
    query: &'a Query,
    deployment: &'a Deployment,
    seller: SellerId,
    terms: Arc<DatedTerms>,
    now: DateTime<Utc>,
}

/// Finds the deployment, or makes it known.
pub(super) async fn look_up(
    query: &Query,
    question: &Question<'_>,
    deployment: &Deployment,
    asker: &Asker<'_>,
    now: DateTime<Utc>,
) -> Outcome {
    let Some((seller, terms)) = image_product(query, question, deployment, now) else {
        return Outcome::NotFound { position: query.progress.position(), ambiguous: false };
    };
    let asking = Asking { query, deployment, seller, terms, now };
    let looked_up = asking.look();
    let on_record = looked_up.found.as_ref().map(|found| &found.license);
    if on_record.is_some_and(|license| is_settled(license, &asking.terms.terms, question, deployment, now)) {
        return asking.judged(looked_up, None);
    }
    if !asker.may_enrol(&asking.key(), &deployment.product) {
        query.metrics.enrolled(EnrolmentOutcome::Bounded);
        return asking.judged(looked_up, None);
    }
    asking.enrol(looked_up, asker).await
}

fn image_product(
    query: &Query,
    question: &Question<'_>,
    deployment: &Deployment,
    now: DateTime<Utc>,
) -> Option<(SellerId, Arc<DatedTerms>)> {
    let (seller, terms) = query.index.product(&deployment.product, now)?;
    let is_the_one_named = question.seller.as_deref().is_none_or(|named| named == seller.as_str());
    (is_the_one_named && terms.terms.kind == ProductKind::Image).then_some((seller, terms))
}

impl Asking<'_> {
    fn look(&self) -> LookUp {
        self.query.index.deployment(&self.seller, &self.deployment.ecs, self.now)
    }

    fn key(&self) -> LicenseKey {
        LicenseKey { seller: self.seller.clone(), id: LicenseId::Deployment(self.deployment.ecs.clone()) }
    }

    /// What is on record, as one of the product asked for.
    fn judged(&self, looked_up: LookUp, enrolment_secret: Option<String>) -> Outcome {
        let LookUp { position, found, .. } = looked_up;
        let license = as_enrolled(found.map(|found| found.license), self.deployment);
        let found = Found { key: self.key(), license, terms: Some(Arc::clone(&self.terms)) };
        Outcome::Judged(Box::new(Judged { position, found, enrolment_secret }))
    }

    /// Makes the deployment known, with a secret of its own from now on. `before` is what was on record.
    async fn enrol(&self, before: LookUp, asker: &Asker<'_>) -> Outcome {
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let command = Command::Enrol(Box::new(Enrolment {
            product: self.deployment.product.clone(),
            facts: self.deployment.facts.clone(),
            presented: self.deployment.presented,
            secret: EnrolmentHash::of(&secret),
            policy: self.terms.terms.clones,
            at_most: self.query.enrolments_a_day,
        }));
        match self.query.commands.license(&self.key(), command, &asker.cause()).await {
            Ok(done) => self.enrolled(&done, secret).await,
            Err(CommandError::Refused(Refusal::TooManyToday)) => {
                self.query.metrics.enrolled(EnrolmentOutcome::Bounded);
                self.judged(before, None)
            }
            Err(CommandError::Refused(_)) => {
                self.query.metrics.enrolled(EnrolmentOutcome::Refused);
                self.query.wait_for_head().await;
                self.judged(self.look(), None)
            }
            Err(error) => {
                // A customer's server goes on although our log does not.
                tracing::error!(seller = %self.seller, ecs = %self.deployment.ecs, %error, "a deployment is not enrolled");
                self.query.metrics.enrolled(EnrolmentOutcome::Failed);
                self.judged(before, None)
            }
        }
    }

    async fn enrolled(&self, done: &Done<Standing>, secret: String) -> Outcome {
        // Nothing new: the secret presented is good, and only the index did not know it yet.
        let is_news = done.appended > 0;
        if is_news {
            self.count(done);
        }
        let position = done.position.unwrap_or(Position::START);
        self.query.wait_for(position).await;
        let mut looked_up = self.look();
        // The index did not come to it in time; the command knows how the deployment stands.
        if looked_up.position < position {
            looked_up = LookUp { position, found: self.as_decided(done), ..looked_up };
        }
        self.judged(looked_up, is_news.then_some(secret))
    }

    fn as_decided(&self, done: &Done<Standing>) -> Option<Found> {
        let license = done.state.license()?.clone();
        Some(Found { key: self.key(), license, terms: Some(Arc::clone(&self.terms)) })
    }

    fn count(&self, done: &Done<Standing>) {
        let Some(license) = done.state.license() else { return };
        let outcome = if license.revision == 1 { EnrolmentOutcome::First } else { EnrolmentOutcome::Anew };
        self.query.metrics.enrolled(outcome);
        let deployment = license.deployment.as_ref();
        if deployment.is_some_and(|deployment| deployment.clone_seen_at == Some(deployment.enrolled_at)) {
            self.query.metrics.clone_suspected(&self.seller);
            let (seller, ecs) = (&self.seller, &self.deployment.ecs);
            tracing::warn!(%seller, %ecs, "two systems seem to use one ECS id in turn: a clone is suspected");
        }
    }
}
