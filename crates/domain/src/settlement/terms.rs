//! What a product and a seller are settled by: data of the catalog, each with the time from which it holds.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::Schedule;
use super::calendar::working_days::{CalendarError, WorkingDays};
use super::money::Ratio;
use super::policy::Policy;
use super::product::{AccessType, Category, Site};
use super::usage::image::PartialHour;
use crate::catalog::{Catalog, ProductKind, ProductTerms};
use crate::ids::Sku;

/// How a product is settled, beside its `fee_ratio`. What is absent follows from the kind of product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettlementTerms {
    /// How it reaches its customers, which decides supervision and refunds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_type: Option<AccessType>,
    /// The tab of the bill that it is under.
    pub category: Category,
    /// Whether its orders pass acceptance, where both kinds exist (SaaS).
    pub supervised: bool,
    /// Whether it takes part in the tiers of the platform fee.
    pub tiers: bool,
    /// The part of a voucher that the seller bears; absent: as much as the seller's share (S22).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voucher_bear_ratio: Option<Ratio>,
    /// Joint operation: what the partner gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner_ratio: Option<Ratio>,
    /// Joint operation: the tax that the price contains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_rate: Option<Ratio>,
    /// Joint operation with a share of the floor price: the discount that makes the floor of the list price. Absent: a
    /// share of the deal price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor_discount: Option<Ratio>,
    /// Images by use: the price of an hour, in the site's currency. With it, hours seen become an estimated line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hourly_price: Option<Decimal>,
    /// Images by use: how a part of an hour counts; absent: as the seller's policy says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_hour: Option<PartialHour>,
}

impl Default for SettlementTerms {
    fn default() -> Self {
        Self {
            access_type: None,
            category: Category::Generic,
            supervised: false,
            tiers: true,
            voucher_bear_ratio: None,
            partner_ratio: None,
            tax_rate: None,
            floor_discount: None,
            hourly_price: None,
            partial_hour: None,
        }
    }
}

impl SettlementTerms {
    /// How a product of a kind reaches its customers, where the terms do not say.
    #[must_use]
    pub fn access_type(&self, kind: ProductKind) -> AccessType {
        self.access_type.unwrap_or(match kind {
            ProductKind::Saas => AccessType::Saas,
            ProductKind::LicenseCode | ProductKind::OnlineLicense => AccessType::License,
            ProductKind::Image => AccessType::Image,
        })
    }
}

/// How a seller is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerTerms {
    /// On which site.
    pub site: Site,
    /// Whether the seller's business information is certified; without it nothing is billed (S14).
    #[serde(default = "certified")]
    pub certified: bool,
    /// The deposit (保证金) with the marketplace from this moment on, in the site's currency; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<Decimal>,
    /// Days off and make-up working days beyond those that ship, one a line: see the working days' own text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub working_days: String,
    /// Every switch.
    #[serde(default)]
    pub policy: Policy,
}

fn certified() -> bool {
    true
}

impl SellerTerms {
    /// When the seller's bills are run.
    #[must_use]
    pub fn schedule<'a>(&self, working_days: &'a WorkingDays) -> Schedule<'a> {
        Schedule { site: self.site, run_day: self.policy.run_days.of(self.site), working_days }
    }

    /// The working days that ship, with those that the seller added.
    ///
    /// # Errors
    /// The first line of the seller's that cannot be read.
    pub fn all_working_days(&self) -> Result<WorkingDays, CalendarError> {
        let mut days = WorkingDays::china().clone();
        days.extend(&self.working_days)?;
        Ok(days)
    }

    /// The terms of a seller of a site who said nothing else.
    #[must_use]
    pub fn of(site: Site) -> Self {
        Self { site, certified: true, deposit: None, working_days: String::new(), policy: Policy::default() }
    }
}

/// Of whom nothing is known: the China site's, every switch at its default.
static UNSAID: LazyLock<SellerTerms> = LazyLock::new(|| SellerTerms::of(Site::Cn));

/// How a seller is settled at a moment. While the catalog says nothing of it, like a seller of the China site.
#[must_use]
pub fn seller_at(catalog: &Catalog, at: DateTime<Utc>) -> &SellerTerms {
    catalog.seller_terms_at(at).map_or(&*UNSAID, |dated| &dated.terms)
}

/// The terms of a product at a moment; where none were in force by then, the earliest that are known. `None` for a
/// product that the catalog does not have.
#[must_use]
pub fn product_at<'a>(catalog: &'a Catalog, sku: &Sku, at: DateTime<Utc>) -> Option<&'a ProductTerms> {
    catalog.terms_at(sku, at).or_else(|| catalog.earliest_terms(sku)).map(|dated| &dated.terms)
}
