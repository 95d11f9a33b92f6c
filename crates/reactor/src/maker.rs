//! Who makes licenses.

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{License, LicenseRequested};
use chopmark_domain::stream::LicenseId;

/// Makes the license that a customer of an online product applied for.
pub trait LicenseMaker: Send + Sync + 'static {
    /// The license as text. `license` is the instance as it is known now, `terms` are those of its product in force,
    /// `requested` is what was applied for. Of two made for one application the first that is on record counts.
    fn make(
        &self,
        seller: &SellerId,
        instance: &LicenseId,
        license: &License,
        terms: &ProductTerms,
        requested: &LicenseRequested,
    ) -> String;
}
