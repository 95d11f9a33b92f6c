//! A license as the index stores it.

use std::sync::Arc;

use chopmark_domain::license::{Activation, Deployment, License, Machines, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::compact_id::{CompactId, Family};
use crate::heap;
use crate::saved::as_json;
use crate::sellers::SellerIndex;
use crate::skus::{SkuIndex, Skus};

/// One license. There are a million of these: the domain's [`License`] with its key, in 88 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: CompactId,
    pub(crate) seller: SellerIndex,
    pub(crate) family: Family,
    pub(crate) license: PackedLicense,
}

const _: () = assert!(size_of::<Entry>() == 88, "an entry has grown or shrunk: say so above");

impl Entry {
    /// Bytes held outside of the entry.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.id.heap_bytes() + self.license.used_by.as_deref().map_or(0, UsedBy::heap_bytes)
    }
}

/// A license whose SKU is a number. Holds no rules: it is unpacked to be folded and packed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    activation: Activation,
    pub(crate) blocked: bool,
    /// Elsewhere, since most licenses have neither.
    used_by: Option<Box<UsedBy>>,
    revision: u32,
}

/// What is known of those who use a license. Shared with whoever looked it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct UsedBy {
    #[serde(with = "as_json")]
    machines: Option<Arc<Machines>>,
    #[serde(with = "as_json")]
    deployment: Option<Arc<Deployment>>,
}

impl UsedBy {
    fn of(license: &License) -> Option<Box<Self>> {
        let License { machines, deployment, .. } = license;
        let is_known = machines.is_some() || deployment.is_some();
        is_known.then(|| Box::new(Self { machines: machines.clone(), deployment: deployment.clone() }))
    }

    fn heap_bytes(&self) -> usize {
        heap::block(size_of::<Self>())
            + self.machines.as_deref().map_or(0, heap::machines)
            + self.deployment.as_deref().map_or(0, heap::deployment)
    }
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
            activation: license.activation,
            blocked: license.blocked,
            used_by: UsedBy::of(license),
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
            activation: self.activation,
            blocked: self.blocked,
            machines: self.machines().cloned(),
            deployment: self.deployment().cloned(),
            revision: self.revision,
        }
    }

    /// Changes it by the domain's rules. `None` if there is no room for another SKU.
    pub(crate) fn change(&mut self, skus: &mut Skus, change: impl FnOnce(&mut License)) -> Option<()> {
        let mut license = self.unpack(skus);
        // Let go here, machines are changed where they are, unless somebody who looked them up has them still.
        self.used_by = None;
        change(&mut license);
        *self = Self::pack(&license, skus)?;
        Some(())
    }

    pub(crate) fn machines(&self) -> Option<&Arc<Machines>> {
        self.used_by.as_deref()?.machines.as_ref()
    }

    pub(crate) fn deployment(&self) -> Option<&Arc<Deployment>> {
        self.used_by.as_deref()?.deployment.as_ref()
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
