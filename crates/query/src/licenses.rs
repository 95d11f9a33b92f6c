//! Licenses as the token routes show them: `GET /v1/licenses` and `GET /v1/licenses/{id}`.

pub(crate) mod list;
pub(crate) mod show;

use chopmark_domain::license::{Deployment, judge_itself};
use chopmark_projector::Found;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::show::describe_at;
use crate::json::Time;
use crate::license_view::{LicenseView, VerdictView};

/// A license with the verdict that a check without product would get, from a machine that has a seat.
#[derive(Serialize, ToSchema)]
#[schema(as = LicenseEntry)]
pub(crate) struct Entry<'a> {
    #[serde(flatten)]
    license: LicenseView<'a>,
    /// Whose license.
    #[schema(example = "acme")]
    seller: &'a str,
    /// The product's name, while the product is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    product_name: Option<&'a str>,
    /// An operator stopped it.
    blocked: bool,
    /// What the ECS said of itself, where the license is a deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentView<'a>>,
    /// The verdict.
    verdict: VerdictView,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(found: &'a Found, now: DateTime<Utc>) -> Self {
        let terms = found.terms.as_deref().map(|dated| &dated.terms);
        let verdict = judge_itself(&found.license, terms, now);
        let deployment = found.license.deployment.as_deref();
        Self {
            license: LicenseView::new(&found.key.id, &found.license, terms, &verdict),
            seller: found.key.seller.as_str(),
            product_name: terms.map(|terms| terms.name.as_str()),
            blocked: found.license.blocked,
            deployment: deployment.map(|deployment| DeploymentView::new(deployment, now)),
            verdict: VerdictView::from(&verdict),
        }
    }
}

/// A deployment without its secret, of which not even the hash is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Deployment)]
struct DeploymentView<'a> {
    /// The cloud project.
    project_id: &'a str,
    /// The region.
    #[schema(example = "cn-east-3")]
    region_id: &'a str,
    /// The image it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_id: Option<&'a str>,
    /// `0` pay-per-use, `1` yearly or monthly, `2` spot.
    #[serde(skip_serializing_if = "Option::is_none")]
    charging_mode: Option<&'a str>,
    /// When it was last enrolled.
    enrolled_at: Time,
    /// When two systems were last seen to use its id in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    clone_seen_at: Option<Time>,
    /// Whether that was within the last 24 hours.
    clone_suspected: bool,
}

impl<'a> DeploymentView<'a> {
    fn new(deployment: &'a Deployment, now: DateTime<Utc>) -> Self {
        let facts = &deployment.facts;
        Self {
            project_id: facts.project_id.as_str(),
            region_id: facts.region_id.as_str(),
            image_id: facts.image_id.as_ref().map(|image| image.as_str()),
            charging_mode: facts.charging_mode.as_deref(),
            enrolled_at: Time(deployment.enrolled_at),
            clone_seen_at: deployment.clone_seen_at.map(Time),
            clone_suspected: deployment.is_clone_suspected(now),
        }
    }
}

/// A license as `GET /v1/licenses` lists it, for those who look at the index without a server.
#[must_use]
pub fn describe(found: &Found, now: DateTime<Utc>) -> serde_json::Value {
    // Texts, numbers and times always serialise.
    serde_json::to_value(Entry::new(found, now)).unwrap_or_default()
}
