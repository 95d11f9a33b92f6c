//! Deployments: ECSs that run an image product. What they say of themselves is a claim, never a proof.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::event::DeploymentEnrolled;
use crate::catalog::ClonePolicy;
use crate::digest::SecretDigest;
use crate::ids::{ImageId, ProjectId, RegionId, Sku};

/// Within this time, enrolments in turn are taken for two systems with one ECS id, and not for a system installed again.
pub const CLONE_WINDOW: TimeDelta = TimeDelta::hours(24);

/// So many enrolments within [`CLONE_WINDOW`] are suspicious even where no secret that has ended comes back.
const SUSPICIOUS_ENROLMENTS: usize = 4;

/// Secrets that have ended and are still recognised.
const ENDED_SECRETS: usize = 4;

/// SHA-256 of an enrolment secret. Secrets are 256 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnrolmentHash(SecretDigest);

impl EnrolmentHash {
    /// The hash of a secret as presented.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(SecretDigest::of(secret))
    }
}

/// What an ECS says of itself, from its metadata service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EcsFacts {
    /// The cloud project it is in.
    pub project_id: ProjectId,
    /// The region it is in.
    pub region_id: RegionId,
    /// The image it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<ImageId>,
    /// How it is charged: `0` pay-per-use, `1` yearly or monthly, `2` spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_mode: Option<String>,
}

/// A deployment as checks need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// What it said of itself when it was last enrolled.
    pub facts: EcsFacts,
    /// The hash of its present secret.
    pub secret: EnrolmentHash,
    /// When it was last enrolled, UTC.
    pub enrolled_at: DateTime<Utc>,
    /// When two systems were last seen to use its id in turn, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clone_seen_at: Option<DateTime<Utc>>,
    /// Secrets that ended, with the time, the latest last.
    ended: Vec<(EnrolmentHash, DateTime<Utc>)>,
    /// Times of the enrolments within [`CLONE_WINDOW`] of the last, itself included.
    enrolments: Vec<DateTime<Utc>>,
}

/// Who asks: where it says it is, and the secret it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeploymentClaim<'a> {
    /// The project it says it is in.
    pub project_id: &'a ProjectId,
    /// The region it says it is in.
    pub region_id: &'a RegionId,
    /// The hash of the secret it presents.
    pub presented: Option<EnrolmentHash>,
}

impl Deployment {
    pub(super) fn enrolled(before: Option<&Self>, event: &DeploymentEnrolled) -> Self {
        let DeploymentEnrolled { facts, secret, at, alternates, .. } = event;
        let (mut ended, mut enrolments) = (vec![], vec![]);
        if let Some(before) = before {
            ended.clone_from(&before.ended);
            ended.push((before.secret, *at));
            ended.drain(..ended.len().saturating_sub(ENDED_SECRETS));
            enrolments.extend(before.enrolments.iter().filter(|time| **time + CLONE_WINDOW > *at));
        }
        enrolments.push(*at);
        let clone_seen_at = if *alternates { Some(*at) } else { before.and_then(|before| before.clone_seen_at) };
        Self { facts: facts.clone(), secret: *secret, enrolled_at: *at, clone_seen_at, ended, enrolments }
    }

    /// Whether the claim comes from where the deployment is.
    #[must_use]
    pub fn is_from_there(&self, claim: &DeploymentClaim<'_>) -> bool {
        self.facts.project_id == *claim.project_id && self.facts.region_id == *claim.region_id
    }

    /// Whether the claim has the present secret.
    #[must_use]
    pub fn is_enrolled(&self, claim: &DeploymentClaim<'_>) -> bool {
        claim.presented == Some(self.secret)
    }

    /// Enrolments within [`CLONE_WINDOW`] before a moment.
    pub(super) fn enrolments_before(&self, now: DateTime<Utc>) -> usize {
        self.enrolments.iter().filter(|time| **time + CLONE_WINDOW > now).count()
    }

    /// Whether enrolling who asks would show two systems that use this id in turn: a secret that ended a short while
    /// ago comes back, or enrolments follow each other as no installing does.
    pub(super) fn alternates(&self, presented: Option<EnrolmentHash>, now: DateTime<Utc>) -> bool {
        let came_back = self.ended.iter().any(|(secret, at)| Some(*secret) == presented && *at + CLONE_WINDOW > now);
        came_back || self.enrolments_before(now) + 1 >= SUSPICIOUS_ENROLMENTS
    }

    /// Whether two systems were seen to use this id in turn a short while ago.
    #[must_use]
    pub fn is_clone_suspected(&self, now: DateTime<Utc>) -> bool {
        self.clone_seen_at.is_some_and(|at| at + CLONE_WINDOW > now)
    }

    /// Whether the claim is refused: it comes from elsewhere, or from a clone where the product does not bear clones.
    pub(super) fn refuses(&self, claim: &DeploymentClaim<'_>, policy: ClonePolicy, now: DateTime<Utc>) -> bool {
        let is_clone =
            !self.is_enrolled(claim) && (self.is_clone_suspected(now) || self.alternates(claim.presented, now));
        !self.is_from_there(claim) || (policy == ClonePolicy::Refuse && is_clone)
    }
}

/// A deployment that asks to be enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The product it runs.
    pub product: Sku,
    /// What it says of itself.
    pub facts: EcsFacts,
    /// The hash of the secret it presents.
    pub presented: Option<EnrolmentHash>,
    /// The hash of the secret it would get.
    pub secret: EnrolmentHash,
    /// What the product does about clones.
    pub policy: ClonePolicy,
    /// Enrolments of one deployment within [`CLONE_WINDOW`] that are recorded.
    pub at_most: u32,
}

impl Enrolment {
    pub(super) fn claim(&self) -> DeploymentClaim<'_> {
        DeploymentClaim {
            project_id: &self.facts.project_id,
            region_id: &self.facts.region_id,
            presented: self.presented,
        }
    }

    pub(super) fn into_event(self, alternates: bool, at: DateTime<Utc>) -> DeploymentEnrolled {
        DeploymentEnrolled { product: self.product, facts: self.facts, secret: self.secret, at, alternates }
    }
}
