//! A license as answers show it. What is not known is absent.

use chopmark_domain::catalog::{ProductKind, ProductTerms};
use chopmark_domain::license::{Code, Entitlements, License, Reason, SeatUse, Shown, Verdict};
use chopmark_domain::stream::LicenseId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::Time;

/// The member `license` of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LicenseState)]
pub(crate) struct LicenseView<'a> {
    /// The instance id, the license code or the ECS's uuid.
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::openapi::kinds, required = false)]
    kind: Option<ProductKind>,
    /// The SKU that was bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a str>,
    /// Where it stands.
    #[schema(schema_with = crate::openapi::statuses)]
    status: Shown,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// The end is the marketplace's estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_approximate: Option<bool>,
    /// Whether what was bought is known.
    #[schema(schema_with = crate::openapi::fact_states)]
    facts: &'static str,
    /// The amount bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::openapi::entitlements, required = false)]
    entitlements: Option<Entitlements<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::openapi::seat_use, required = false)]
    seats: Option<SeatUse>,
    /// How many events it has.
    revision: u32,
}

impl<'a> LicenseView<'a> {
    /// Shows a license under its product's terms, as far as they are known, and judged.
    pub(crate) fn new(
        id: &'a LicenseId,
        license: &'a License,
        terms: Option<&ProductTerms>,
        verdict: &Verdict<'a>,
    ) -> Self {
        Self {
            id: id.as_str(),
            kind: kind(id, terms),
            product: license.sku.as_ref().map(|sku| sku.as_str()),
            status: license.shown(terms),
            expires_at: license.expires_at.map(Time),
            expiry_approximate: license.expires_at.map(|_| license.expiry_approximate),
            facts: facts(license.facts_known()),
            quantity: license.quantity,
            entitlements: verdict.entitlements,
            seats: verdict.seats,
            revision: license.revision,
        }
    }
}

/// How answers say whether what was bought is known.
pub(crate) fn facts(are_known: bool) -> &'static str {
    if are_known { "known" } else { "pending" }
}

/// Codes are made for one kind of product, and so are deployments; what an instance is an instance of, its product says.
fn kind(id: &LicenseId, terms: Option<&ProductTerms>) -> Option<ProductKind> {
    match id {
        LicenseId::Code(_) => Some(ProductKind::LicenseCode),
        LicenseId::Deployment(_) => Some(ProductKind::Image),
        LicenseId::Instance(_) => terms.map(|terms| terms.kind),
    }
}

/// A verdict beside a license.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(crate) struct VerdictView {
    /// Whether the software may run.
    valid: bool,
    /// Why, in one word.
    #[schema(schema_with = crate::openapi::codes)]
    code: Code,
    /// The same in words.
    #[schema(value_type = String)]
    reason: Reason,
}

impl From<&Verdict<'_>> for VerdictView {
    fn from(verdict: &Verdict<'_>) -> Self {
        Self { valid: verdict.code.is_valid(), code: verdict.code, reason: verdict.reason }
    }
}
