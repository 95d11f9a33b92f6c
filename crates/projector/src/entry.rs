//! A license as the index stores it.

use chopmark_domain::license::{License, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::compact_id::{CompactId, Family};
use crate::sellers::SellerIndex;
use crate::skus::{SkuIndex, Skus};

/// One license. There are a million of these: the domain's [`License`] with its key, in 72 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: CompactId,
    pub(crate) seller: SellerIndex,
    pub(crate) family: Family,
    pub(crate) license: PackedLicense,
}

const _: () = assert!(size_of::<Entry>() == 72, "an entry has grown or shrunk: say so above");

/// A license whose SKU is a number. Holds no rules: it is unpacked to be folded and packed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackedLicense {
    pub(crate) status: Status,
    pub(crate) sku: Option<SkuIndex>,
    quantity: Option<u32>,
    #[serde(with = "instant")]
    expires_at: Option<DateTime<Utc>>,
    expiry_approximate: bool,
    facts_applied: bool,
    #[serde(with = "instant")]
    unfrozen_at: Option<DateTime<Utc>>,
    revision: u32,
}

impl PackedLicense {
    /// `None` if there is no room for another SKU.
    pub(crate) fn pack(license: &License, skus: &mut Skus) -> Option<Self> {
        let sku = match &license.sku {
            Some(sku) => Some(skus.intern(sku)?),
            None => None,
        };
        Some(Self {
            status: license.status,
            sku,
            quantity: license.quantity,
            expires_at: license.expires_at,
            expiry_approximate: license.expiry_approximate,
            facts_applied: license.facts_applied,
            unfrozen_at: license.unfrozen_at,
            revision: license.revision,
        })
    }

    pub(crate) fn unpack(&self, skus: &Skus) -> License {
        License {
            status: self.status,
            sku: self.sku.and_then(|sku| skus.get(sku)).cloned(),
            quantity: self.quantity,
            expires_at: self.expires_at,
            expiry_approximate: self.expiry_approximate,
            facts_applied: self.facts_applied,
            unfrozen_at: self.unfrozen_at,
            revision: self.revision,
        }
    }
}

/// Times in snapshots: seconds and nanoseconds, a few bytes and nothing to parse.
mod instant {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(|time| (time.timestamp(), time.timestamp_subsec_nanos())).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        let Some((seconds, nanos)) = Option::<(i64, u32)>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let time = DateTime::from_timestamp(seconds, nanos);
        time.map(Some).ok_or_else(|| serde::de::Error::custom("not a time"))
    }
}
