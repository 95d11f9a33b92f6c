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
use super::sight::{Refused, as_enrolled, is_on_record, refusal};
use crate::asker::Asker;
use crate::metrics::EnrolmentOutcome;
use crate::question::{Deployment, Question};
use crate::{Query, up_to_millis};

/// A deployment that asks as one of an image product.
struct Asking<'a> {
    query: &'a Query,
    question: &'a Question<'a>,
    asker: &'a Asker<'a>,
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
    let asking = Asking { query, question, asker, deployment, seller, terms, now };
    let looked_up = asking.look();
    if looked_up.found.as_ref().is_some_and(|found| is_on_record(&found.license, deployment)) {
        return asking.judged(looked_up);
    }
    if let Some(refused) = asking.refusal(&looked_up) {
        asking.report(refused);
        return asking.judged(looked_up);
    }
    if !asker.may_enrol(&asking.key(), &deployment.product) {
        query.metrics.enrolled(EnrolmentOutcome::Bounded);
        return asking.judged(looked_up);
    }
    asking.enrol(looked_up).await
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

    /// Whether it is refused by what is on record.
    fn refusal(&self, looked_up: &LookUp) -> Option<Refused> {
        let license = &looked_up.found.as_ref()?.license;
        refusal(license, &self.terms.terms, self.question, self.deployment, self.now)
    }

    /// A refusal is no event, or whoever is refused could grow the log by asking on. So it is counted, and a clone told
    /// of in our own log.
    fn report(&self, refused: Refused) {
        self.query.metrics.enrolled(EnrolmentOutcome::Refused);
        if refused == Refused::Clone {
            self.suspect_clone("refused");
        }
    }

    fn suspect_clone(&self, outcome: &str) {
        self.query.metrics.clone_suspected(&self.seller);
        if self.asker.may_warn_of_clone(&self.key()) {
            let (seller, ecs, address) = (&self.seller, &self.deployment.ecs, self.asker.address());
            tracing::warn!(
                %seller, %ecs, %address, outcome,
                "two systems seem to use one ECS id in turn: a clone is suspected"
            );
        }
    }

    /// What is on record, as one of the product asked for.
    fn judged(&self, looked_up: LookUp) -> Outcome {
        self.outcome(looked_up, None, None)
    }

    fn outcome(
        &self,
        looked_up: LookUp,
        enrolment_secret: Option<String>,
        recorded_by: Option<DateTime<Utc>>,
    ) -> Outcome {
        let LookUp { position, found, .. } = looked_up;
        let license = as_enrolled(found.map(|found| found.license), self.deployment);
        let found = Found { key: self.key(), license, terms: Some(Arc::clone(&self.terms)) };
        Outcome::Judged(Box::new(Judged { position, found, enrolment_secret, recorded_by }))
    }

    /// Makes the deployment known, with a secret of its own from now on. `before` is what was on record.
    async fn enrol(&self, before: LookUp) -> Outcome {
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let command = Command::Enrol(Box::new(Enrolment {
            product: self.deployment.product.clone(),
            facts: self.deployment.facts.clone(),
            presented: self.deployment.presented,
            secret: EnrolmentHash::of(&secret),
            policy: self.terms.terms.clones,
            at_most: self.query.enrolments_a_day,
        }));
        match self.query.commands.license(&self.key(), command, &self.asker.cause()).await {
            Ok(done) => self.enrolled(&done, secret).await,
            Err(CommandError::Refused(Refusal::TooManyToday)) => {
                self.query.metrics.enrolled(EnrolmentOutcome::Bounded);
                self.judged(before)
            }
            Err(CommandError::Refused(_)) => {
                // The index did not know it yet.
                self.query.wait_for_head().await;
                let looked_up = self.look();
                self.report(self.refusal(&looked_up).unwrap_or(Refused::Otherwise));
                self.judged(looked_up)
            }
            Err(error) => {
                // A customer's server goes on although our log does not.
                tracing::error!(seller = %self.seller, ecs = %self.deployment.ecs, %error, "a deployment is not enrolled");
                self.query.metrics.enrolled(EnrolmentOutcome::Failed);
                self.judged(before)
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
        if !is_news {
            return self.judged(looked_up);
        }
        let recorded_by = self.recorded_by(done, position).await;
        self.outcome(looked_up, Some(secret), Some(recorded_by))
    }

    /// The first millisecond by which the enrolment was on record. By it, explaining a verdict knows the check that
    /// enrolled from those that came after.
    async fn recorded_by(&self, done: &Done<Standing>, position: Position) -> DateTime<Utc> {
        let enrolled_at = done.state.license().and_then(|license| Some(license.deployment.as_ref()?.enrolled_at));
        let page = self.query.commands.log().read_all(Position(position.0.saturating_sub(1)), 1).await;
        let record = page.ok().and_then(|page| page.records.into_iter().next());
        let recorded_at = record.map(|record| record.recorded_at);
        up_to_millis(enrolled_at.max(recorded_at).unwrap_or(self.now).max(self.now))
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
            self.suspect_clone("enrolled");
        }
    }
}
