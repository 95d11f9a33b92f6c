//! A license as answers show it. What is not known is absent.

use chopmark_domain::catalog::{ProductKind, ProductTerms};
use chopmark_domain::license::{Code, Entitlements, License, Reason, SeatUse, Status, Verdict};
use chopmark_domain::stream::LicenseId;
use serde::Serialize;

use crate::json::Time;

/// The member `license` of an answer.
#[derive(Debug, Serialize)]
pub(crate) struct LicenseView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<ProductKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a str>,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_approximate: Option<bool>,
    facts: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entitlements: Option<Entitlements<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<SeatUse>,
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
            status: license.status,
            expires_at: license.expires_at.map(Time),
            expiry_approximate: license.expires_at.map(|_| license.expiry_approximate),
            facts: if license.facts_known() { "known" } else { "pending" },
            quantity: license.quantity,
            entitlements: verdict.entitlements,
            seats: verdict.seats,
            revision: license.revision,
        }
    }
}

/// Codes are made for one kind of product; what an instance is an instance of, its product says.
fn kind(id: &LicenseId, terms: Option<&ProductTerms>) -> Option<ProductKind> {
    match id {
        LicenseId::Code(_) => Some(ProductKind::LicenseCode),
        LicenseId::Instance(_) => terms.map(|terms| terms.kind),
    }
}

/// A verdict beside a license.
#[derive(Debug, Serialize)]
pub(crate) struct VerdictView {
    valid: bool,
    code: Code,
    reason: Reason,
}

impl From<&Verdict<'_>> for VerdictView {
    fn from(verdict: &Verdict<'_>) -> Self {
        Self { valid: verdict.code.is_valid(), code: verdict.code, reason: verdict.reason }
    }
}
