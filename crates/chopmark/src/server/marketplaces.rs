//! What the reactor works with: each seller's access to the marketplace, and the licenses that it hands over.

use std::sync::Arc;

use async_trait::async_trait;
use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::ids::{LicenseCode, SellerId};
use chopmark_domain::license::{License, LicenseRequested, Question, judge};
use chopmark_domain::stream::LicenseId;
use chopmark_huawei::open_api::OpenApi;
use chopmark_query::{CodeLookedUp, CodeLookup};
use chopmark_reactor::{CodeDesk, Confirmed, LicenseMaker, Marketplace, Marketplaces};
use chopmark_signing::{DocumentClaims, LeaseIssuer, license_document};

use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};

/// The open API of each seller that has access to it.
///
/// # Errors
/// An address that it must not be called at.
pub(crate) fn of(config: &Config) -> Result<Marketplaces, Failure> {
    let mut marketplaces = Marketplaces::new();
    for seller in &config.sellers {
        let Some(access) = &seller.open_api else { continue };
        let (access_key, secret_key) = (access.access_key.clone(), access.secret_key.clone());
        let open_api = OpenApi::new(seller.site, access.base_url.clone(), access_key, secret_key);
        let help = "base_url is https://, or http:// on this machine";
        let open_api = open_api.or_fail(Reason::Usage, format!("open_api of seller {}", seller.id), help)?;
        let open_api = open_api.with_license_api(access.license_api).with_upload_signing(access.upload_signing);
        marketplaces.insert(seller.id.clone(), Arc::new(open_api) as Arc<dyn Marketplace>);
    }
    Ok(marketplaces)
}

/// Makes licenses that are signed as leases are.
pub(crate) struct SignedLicenses(pub(crate) Arc<LeaseIssuer>);

impl LicenseMaker for SignedLicenses {
    fn make(
        &self,
        seller: &SellerId,
        instance: &LicenseId,
        license: &License,
        terms: &ProductTerms,
        requested: &LicenseRequested,
    ) -> String {
        let LicenseRequested { application, effective_at, expires_at } = requested;
        let entitlements = judge(license, Some(terms), Question::default(), *effective_at).entitlements;
        let claims = DocumentClaims {
            issuer: self.0.name(),
            license: instance.as_str(),
            product: license.sku.as_ref().map(chopmark_domain::ids::Sku::as_str),
            seller: seller.as_str(),
            event_id: application.event_id.as_str(),
            fingerprint: application.fingerprint.as_deref(),
            not_before: *effective_at,
            // One that names no end ends with the license.
            expires_at: expires_at.or(license.expires_at),
            entitlements: entitlements.as_ref(),
        };
        #[expect(clippy::expect_used, reason = "entitlements are flags, numbers and texts by name: they serialise")]
        license_document(&self.0.keys(), &claims).expect("plain data serialises")
    }
}

/// The reactor's desk for codes, as checks ask it: neither crate knows the other.
pub(crate) struct Desk(pub(crate) CodeDesk);

#[async_trait]
impl CodeLookup for Desk {
    async fn confirm(&self, seller: &SellerId, code: &LicenseCode) -> CodeLookedUp {
        match self.0.confirm(seller, code).await {
            Confirmed::Known { position } => CodeLookedUp::Known(position),
            Confirmed::NotExist => CodeLookedUp::NotExist,
            Confirmed::Later => CodeLookedUp::Later,
        }
    }

    fn refresh_daily(&self, seller: &SellerId, code: &LicenseCode) {
        self.0.refresh_daily(seller, code);
    }
}
