//! The catalog of a seller: products and their terms, as events in time, and the secret that instance ids derive from.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::codec::events;
use crate::ids::Sku;
use crate::purchase::SellerSecret;
use crate::settlement::bill::mapping::Mapping;
use crate::settlement::terms::{SellerTerms, SettlementTerms};

/// Seconds after which a lease must be renewed, where no product says otherwise: a day.
pub const LEASE_SECONDS: u32 = 86_400;

/// Seconds a lease stays verifiable offline beyond its renewal, where no product says otherwise: a week.
pub const OFFLINE_GRACE_SECONDS: u32 = 604_800;

/// Kind of product, which decides how its licenses come to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductKind {
    /// An instance of a service (SaaS V2.0).
    Saas,
    /// Authorization codes made by the marketplace (License 2.0).
    LicenseCode,
    /// Licenses made on request (在线开通License).
    OnlineLicense,
    /// An image that runs on an ECS.
    Image,
}

/// How many machines may use one license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seats {
    /// As many as the amount bought; written `"quantity"`.
    Quantity,
    /// So many.
    #[serde(untagged)]
    Fixed(u32),
}

impl Seats {
    /// The limit for an amount bought; `None` while that amount is unknown.
    #[must_use]
    pub fn limit(self, quantity: Option<u32>) -> Option<u32> {
        match self {
            Self::Fixed(seats) => Some(seats),
            Self::Quantity => quantity,
        }
    }
}

/// What a license entitles to, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entitlement {
    /// On or off.
    Flag(bool),
    /// A number.
    Number(i64),
    /// A text; the text `quantity` stands for the amount bought.
    Text(String),
}

/// What is done about an ECS id that two systems use in turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClonePolicy {
    /// It is reported, and both go on: a paying customer is not punished on a suspicion.
    #[default]
    Report,
    /// Whoever holds the secret goes on; the other is refused.
    Refuse,
}

/// In which form the license of an online product is handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenseForm {
    /// As text where it fits into the 1,024 characters that the marketplace takes, else as a file.
    #[default]
    Text,
    /// As a file.
    File,
}

/// The terms under which a product's licenses are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductTerms {
    /// Kind of product.
    pub kind: ProductKind,
    /// Its name, for people.
    pub name: String,
    /// What a license entitles to.
    #[serde(default)]
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Machines per license; absent means unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<Seats>,
    /// Days after expiry during which a license stays valid by our own clock.
    pub grace_days: u32,
    /// Seconds after which a lease must be renewed.
    pub lease_seconds: u32,
    /// Seconds a lease stays verifiable offline beyond its renewal.
    pub offline_grace_seconds: u32,
    /// Seconds between two checks of one program.
    pub check_interval_seconds: u32,
    /// The marketplace's share of the price, e.g. `0.05`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_ratio: Option<Decimal>,
    /// What is done about clones of an image product.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clones: ClonePolicy,
    /// In which form an online product's licenses are handed over.
    #[serde(default, skip_serializing_if = "is_default")]
    pub license_form: LicenseForm,
    /// How it is settled.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settlement: SettlementTerms,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The seller's secret was made; first event of a seller's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretCreated {
    /// 32 random bytes, hexadecimal.
    pub secret: SellerSecret,
}

/// A product's terms from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductDefined {
    /// Counts the changes of this seller's catalog, from 1, without gaps.
    pub catalog_version: u32,
    /// Which product.
    pub sku: Sku,
    /// From when the terms hold, UTC.
    pub effective_at: DateTime<Utc>,
    /// The terms.
    pub terms: ProductTerms,
}

/// How a seller is settled from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerTermsDefined {
    /// Counts the changes of this seller's catalog together with those of products.
    pub catalog_version: u32,
    /// From when the terms hold, UTC.
    pub effective_at: DateTime<Utc>,
    /// The terms.
    pub terms: SellerTerms,
}

/// A mapping of columns was saved under its name, in place of the one that had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingSaved {
    /// The mapping.
    pub mapping: Mapping,
}

events! {
    /// Events of a seller's stream.
    pub enum Event {
        /// The secret.
        SecretCreated(SecretCreated) = "seller_secret_created.v1",
        /// Terms of a product.
        ProductDefined(ProductDefined) = "product_defined.v1",
        /// How the seller is settled.
        SellerTermsDefined(SellerTermsDefined) = "seller_terms_defined.v1",
        /// How columns of imported files are read.
        MappingSaved(MappingSaved) = "mapping_saved.v1",
    }
}

/// Terms of one product with their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedTerms {
    /// The catalog version that brought them.
    pub catalog_version: u32,
    /// From when they hold, UTC.
    pub effective_at: DateTime<Utc>,
    /// The terms.
    pub terms: ProductTerms,
}

/// A seller's catalog, folded from the seller's stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// The secret, once made.
    pub secret: Option<SellerSecret>,
    /// The version of the last change; 0 before the first.
    pub version: u32,
    products: BTreeMap<Sku, Vec<DatedTerms>>,
    #[serde(default)]
    seller: Vec<DatedSellerTerms>,
    #[serde(default)]
    mappings: BTreeMap<String, Mapping>,
}

/// How a seller is settled, with the time of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedSellerTerms {
    /// The catalog version that brought them.
    pub catalog_version: u32,
    /// From when they hold, UTC.
    pub effective_at: DateTime<Utc>,
    /// The terms.
    pub terms: SellerTerms,
}

impl Catalog {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::SecretCreated(SecretCreated { secret }) => self.secret = Some(secret.clone()),
            Event::ProductDefined(ProductDefined { catalog_version, sku, effective_at, terms }) => {
                self.version = *catalog_version;
                self.products.entry(sku.clone()).or_default().push(DatedTerms {
                    catalog_version: *catalog_version,
                    effective_at: *effective_at,
                    terms: terms.clone(),
                });
            }
            Event::SellerTermsDefined(SellerTermsDefined { catalog_version, effective_at, terms }) => {
                self.version = *catalog_version;
                self.seller.push(DatedSellerTerms {
                    catalog_version: *catalog_version,
                    effective_at: *effective_at,
                    terms: terms.clone(),
                });
            }
            Event::MappingSaved(MappingSaved { mapping }) => {
                self.mappings.insert(mapping.name.clone(), mapping.clone());
            }
        }
    }

    /// How the seller is settled at a moment: the latest change that is in force by then; where none is, the one that is
    /// in force first. `None` while nothing is known of it.
    #[must_use]
    pub fn seller_terms_at(&self, at: DateTime<Utc>) -> Option<&DatedSellerTerms> {
        // Changes that hold from one moment on correct each other: the last one given is the first that is found.
        let given = || self.seller.iter().rev();
        given().find(|dated| dated.effective_at <= at).or_else(|| given().min_by_key(|dated| dated.effective_at))
    }

    /// The last terms given to the seller, in force or not yet.
    #[must_use]
    pub fn latest_seller_terms(&self) -> Option<&DatedSellerTerms> {
        self.seller.last()
    }

    /// Mappings that were saved, by name.
    pub fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        self.mappings.values()
    }

    /// The event that saves a mapping; none if it is saved.
    #[must_use]
    pub fn save_mapping(&self, mapping: Mapping) -> Vec<Event> {
        let known = self.mappings.get(&mapping.name) == Some(&mapping);
        if known { vec![] } else { vec![MappingSaved { mapping }.into()] }
    }

    /// The terms of a product at a moment: the latest change that is in force by then.
    #[must_use]
    pub fn terms_at(&self, sku: &Sku, at: DateTime<Utc>) -> Option<&DatedTerms> {
        self.products.get(sku)?.iter().rev().find(|dated| dated.effective_at <= at)
    }

    /// The terms of a product that are in force first; of several from one moment on, the last that were given.
    #[must_use]
    pub fn earliest_terms(&self, sku: &Sku) -> Option<&DatedTerms> {
        self.products.get(sku)?.iter().rev().min_by_key(|dated| dated.effective_at)
    }

    /// The last terms given to a product, in force or not yet.
    #[must_use]
    pub fn latest(&self, sku: &Sku) -> Option<&DatedTerms> {
        self.products.get(sku)?.last()
    }

    /// Every product with all its terms, in the order they were given.
    pub fn products(&self) -> impl Iterator<Item = (&Sku, &[DatedTerms])> {
        self.products.iter().map(|(sku, terms)| (sku, terms.as_slice()))
    }

    /// The event that gives the seller a secret, unless there is one.
    #[must_use]
    pub fn create_secret(&self, secret: SellerSecret) -> Vec<Event> {
        if self.secret.is_some() { vec![] } else { vec![SecretCreated { secret }.into()] }
    }

    /// The events that bring this catalog to the wanted terms from a moment on. Products that are not named stay
    /// as they are: their customers still hold licenses. `seller` is how the seller is to be settled.
    #[must_use]
    pub fn apply(
        &self,
        seller: &SellerTerms,
        wanted: &[(Sku, ProductTerms)],
        effective_at: DateTime<Utc>,
    ) -> Vec<Event> {
        let settled_so = self.latest_seller_terms().is_some_and(|dated| dated.terms == *seller);
        let seller = (!settled_so).then(|| {
            let catalog_version = self.version + 1;
            SellerTermsDefined { catalog_version, effective_at, terms: seller.clone() }.into()
        });
        let changed = wanted.iter().filter(|(sku, terms)| self.latest(sku).is_none_or(|dated| dated.terms != *terms));
        let first = self.version + 1 + u32::from(seller.is_some());
        let products = (first..).zip(changed).map(|(catalog_version, (sku, terms))| {
            ProductDefined { catalog_version, sku: sku.clone(), effective_at, terms: terms.clone() }.into()
        });
        seller.into_iter().chain(products).collect()
    }
}
