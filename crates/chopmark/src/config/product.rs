//! Products: what is on sale, and the terms its licenses are judged by.

use std::collections::BTreeMap;

use chopmark_domain::catalog::{
    ClonePolicy, Entitlement, LEASE_SECONDS, LicenseForm, OFFLINE_GRACE_SECONDS, ProductKind, ProductTerms, Seats,
};
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_huawei::answer::AppInfo;
use rust_decimal::Decimal;

use super::document::Value;
use super::reader::{self, Found, Section, Unique};
use super::{app_info, settlement};

/// A product of a seller.
#[derive(Debug)]
pub(crate) struct ProductConfig {
    /// What the marketplace calls it.
    pub(crate) sku: Sku,
    /// Whose it is; one of the sellers of this configuration.
    pub(crate) seller: SellerId,
    /// The terms its licenses are judged by, for the catalog.
    pub(crate) terms: ProductTerms,
    /// What its customers see, in place of the seller's.
    pub(crate) app_info: Option<AppInfo>,
}

const KINDS: [(&str, ProductKind); 4] = [
    ("saas", ProductKind::Saas),
    ("license_code", ProductKind::LicenseCode),
    ("online_license", ProductKind::OnlineLicense),
    ("image", ProductKind::Image),
];

const CLONES: [(&str, ClonePolicy); 2] = [("report", ClonePolicy::Report), ("refuse", ClonePolicy::Refuse)];

const FORMS: [(&str, LicenseForm); 2] = [("text", LicenseForm::Text), ("file", LicenseForm::File)];

/// The most bytes of a product's entitlements as JSON. They stand in every lease, and a program hands its lease back in a
/// header, of which a server takes 8 KiB.
const ENTITLEMENTS_MAX: usize = 4_096;

const YEAR: i64 = 31_536_000;

pub(super) fn read(found: Found<'_>, skus: &mut Unique<Sku>, sellers: &Unique<SellerId>) -> Option<ProductConfig> {
    let mut section = found.section()?;
    let sku = section.required("sku", "sku = \"…\", the skuCode of the marketplace", |found| read_sku(found, skus));
    let seller =
        section.required("seller", "seller = \"…\", the id of a [[seller]]", |found| read_seller(found, sellers));
    let terms = read_terms(&mut section);
    let app_info = section.optional("app_info", app_info::read);
    section.finish();
    Some(ProductConfig { sku: sku?, seller: seller?, terms: terms?, app_info: app_info? })
}

fn read_sku(found: Found<'_>, skus: &mut Unique<Sku>) -> Option<Sku> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let sku = found.parsed(Sku::parse, "write the skuCode that the marketplace shows for the product")?;
    skus.add(&sku, spot, reader);
    Some(sku)
}

fn read_seller(found: Found<'_>, sellers: &Unique<SellerId>) -> Option<SellerId> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let seller = found.parsed(SellerId::parse, "write the id of a [[seller]]")?;
    if !sellers.contains(&seller) {
        let known = sellers.values().map(SellerId::as_str);
        let mend = reader::nearest(seller.as_str(), known, "the sellers are");
        spot.refuse(reader, format!("there is no seller {seller}"), mend);
    }
    Some(seller)
}

fn read_terms(section: &mut Section<'_>) -> Option<ProductTerms> {
    let kind = section.required("kind", "kind = \"saas\"", |found| found.one_of(&KINDS));
    let name = section.required("name", "name = \"Example\"", Found::text);
    let entitlements = section.optional("entitlements", read_entitlements);
    let seats = section.optional("seats", |found| read_seats(found, kind));
    let grace_days = section.optional("grace_days", |found| found.whole(0..=3650));
    let lease_seconds = section.optional("lease_seconds", |found| found.whole(60..=YEAR));
    let offline_grace_seconds = section.optional("offline_grace_seconds", |found| found.whole(0..=YEAR));
    let check_interval_seconds = section.optional("check_interval_seconds", |found| found.whole(1..=YEAR));
    let fee_ratio = section.optional("fee_ratio", |found| found.parsed(ratio, "write it like \"0.05\", in quotes"));
    let clones = section.optional("clones", |found| found.one_of(&CLONES));
    let license_form = section.optional("license_form", |found| found.one_of(&FORMS));
    let settlement = section.optional("settlement", |found| settlement::read_product(found, kind));
    Some(ProductTerms {
        kind: kind?,
        name: name?,
        entitlements: entitlements?.unwrap_or_default(),
        seats: seats?,
        grace_days: grace_days?.unwrap_or(15),
        lease_seconds: lease_seconds?.unwrap_or(LEASE_SECONDS),
        offline_grace_seconds: offline_grace_seconds?.unwrap_or(OFFLINE_GRACE_SECONDS),
        check_interval_seconds: check_interval_seconds?.unwrap_or(3600),
        fee_ratio: fee_ratio?,
        clones: clones?.unwrap_or_default(),
        license_form: license_form?.unwrap_or_default(),
        settlement: settlement?.unwrap_or_default(),
    })
}

fn read_entitlements(found: Found<'_>) -> Option<BTreeMap<String, Entitlement>> {
    let section = found.section()?;
    let (spot, reader) = (section.spot.clone(), section.reader);
    // All are read before the first problem ends it.
    let read: Vec<_> = section.entries().map(|(name, found)| Some((name, read_entitlement(found)?))).collect();
    let entitlements: BTreeMap<_, _> = read.into_iter().collect::<Option<_>>()?;
    let length = serde_json::to_vec(&entitlements).map_or(0, |json| json.len());
    if length > ENTITLEMENTS_MAX {
        let what = format!("all together have {length} bytes as JSON; at most {ENTITLEMENTS_MAX} go into a lease");
        spot.refuse(reader, what, "shorten names and texts, or let the software keep the texts and name only a choice");
        return None;
    }
    Some(entitlements)
}

fn read_entitlement(found: Found<'_>) -> Option<Entitlement> {
    let found = found.interpreted();
    match found.value {
        Value::Flag(flag) => Some(Entitlement::Flag(flag)),
        Value::Whole(number) => Some(Entitlement::Number(number)),
        Value::Text(text) => Some(Entitlement::Text(text)),
        ref other => {
            let what = format!("an entitlement is not {}", other.type_name());
            found.refuse(what, "write true, false, a whole number, a text, or \"quantity\" for the amount bought");
            None
        }
    }
}

fn read_seats(found: Found<'_>, kind: Option<ProductKind>) -> Option<Seats> {
    const MEND: &str = "write a whole number from 1, or \"quantity\" for the amount bought";
    if kind == Some(ProductKind::Image) {
        found.refuse("an image runs on one ECS each, which is no machine with a seat", "leave it out");
        return None;
    }
    let found = found.interpreted();
    let what = match &found.value {
        Value::Text(text) if text == "quantity" => return Some(Seats::Quantity),
        Value::Whole(number) => match u32::try_from(*number) {
            Ok(seats @ 1..) => return Some(Seats::Fixed(seats)),
            _ => format!("{number} is no number of machines"),
        },
        Value::Text(text) => format!("{text:?} is no number of machines"),
        other => format!("seats are not {}", other.type_name()),
    };
    found.refuse(what, MEND);
    None
}

fn ratio(text: &str) -> Result<Decimal, String> {
    match text.parse::<Decimal>() {
        Ok(ratio) if ratio >= Decimal::ZERO && ratio < Decimal::ONE => Ok(ratio),
        Ok(ratio) => Err(format!("{ratio} is no share of a price: it must be from 0 to below 1")),
        Err(_) => Err(format!("{text:?} is no decimal number")),
    }
}
