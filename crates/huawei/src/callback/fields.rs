//! Fields of a body, read as the marketplace's tables describe them.

use chopmark_domain::ids::{EventId, IdError, InstanceId, OrderId, OrderLineId, ProductId, Sku};
use chopmark_domain::license::{Application, LicenseRequested, Refreshed, Released, Scene};
use chopmark_domain::order::OrderRef;
use chrono::{DateTime, Utc};

use super::rejection::Reason;
use super::{FreezeStatus, ProductTarget};
use crate::json::{Json, Object};
use crate::time::{parse_expire_time, parse_time};

/// Every identifier on the wire has at most this many characters.
const LONGEST_ID: usize = 64;

/// A device fingerprint has at most this many characters (topic 0070649255).
const LONGEST_FINGERPRINT: usize = 1024;

/// The times of an application have at most this many characters (topic 0070649255).
const LONGEST_TIME: usize = 32;

/// So many instances one `queryInstance` may name (查询实例信息, zh-cn_topic_0070649428).
const MOST_IDS: usize = 100;

/// The fields of a body. Those that no table knows are ignored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Object);

impl<'a> Fields<'a> {
    /// An optional text, sent as text or number. `null` and blanks count as absent.
    pub(super) fn optional(self, name: &'static str) -> Result<Option<&'a str>, Reason> {
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => {
                let text = value.as_scalar().ok_or(Reason::FieldMalformed { name })?;
                Ok(Some(text).filter(|text| !text.trim().is_empty()))
            }
        }
    }

    /// A mandatory text.
    pub(super) fn mandatory(self, name: &'static str) -> Result<&'a str, Reason> {
        self.optional(name)?.ok_or(Reason::FieldMissing { name })
    }

    /// A mandatory identifier.
    pub(super) fn id<T>(self, name: &'static str, parse: Parse<T>) -> Result<T, Reason> {
        self.optional_id(name, parse)?.ok_or(Reason::FieldMissing { name })
    }

    /// An optional identifier.
    pub(super) fn optional_id<T>(self, name: &'static str, parse: Parse<T>) -> Result<Option<T>, Reason> {
        self.optional(name)?.map(|text| read_id(name, text, parse)).transpose()
    }

    /// `businessId`.
    pub(super) fn business_id(self) -> Result<String, Reason> {
        let name = "businessId";
        let text = self.mandatory(name)?;
        check_length(name, text, LONGEST_ID)?;
        Ok(text.into())
    }

    /// `orderId` and `orderLineId`.
    pub(super) fn order(self) -> Result<OrderRef, Reason> {
        Ok(OrderRef {
            order_id: self.id("orderId", OrderId::parse)?,
            order_line_id: self.id("orderLineId", OrderLineId::parse)?,
        })
    }

    /// The fields of a refresh.
    pub(super) fn refreshed(self) -> Result<Refreshed, Reason> {
        let scene = match self.mandatory("scene")? {
            "TRIAL_TO_FORMAL" => Scene::TrialToFormal,
            "RENEWAL" => Scene::Renewal,
            "RENEWAL_CHANGE" => Scene::RenewalChange,
            "UNSUBSCRIBE_RENEWAL_PERIOD" => Scene::UnsubscribeRenewalPeriod,
            _ => return Err(Reason::FieldMalformed { name: "scene" }),
        };
        Ok(Refreshed {
            scene,
            order: self.order()?,
            product_id: self.optional_id("productId", ProductId::parse)?,
            expires_at: parse_expire_time(self.mandatory("expireTime")?)
                .ok_or(Reason::FieldMalformed { name: "expireTime" })?,
        })
    }

    /// The fields of a release: an order, where an unsubscription is the reason.
    pub(super) fn released(self) -> Result<Released, Reason> {
        Ok(Released {
            order_id: self.optional_id("orderId", OrderId::parse)?,
            order_line_id: self.optional_id("orderLineId", OrderLineId::parse)?,
        })
    }

    /// The fields of an application for a license (topic 0070649255). The fingerprint is kept exactly as sent: with the
    /// event id it tells one application from another.
    pub(super) fn license_requested(self) -> Result<LicenseRequested, Reason> {
        let name = "deviceFingerprint";
        let fingerprint = self.optional(name)?;
        fingerprint.map_or(Ok(()), |text| check_length(name, text, LONGEST_FINGERPRINT))?;
        let effective_at = self.time("effectiveTime")?.ok_or(Reason::FieldMissing { name: "effectiveTime" })?;
        Ok(LicenseRequested {
            application: Application {
                event_id: self.id("eventId", EventId::parse)?,
                fingerprint: fingerprint.map(ToOwned::to_owned),
            },
            effective_at,
            expires_at: self.time("expireTime")?,
        })
    }

    /// An optional moment, in any of the spellings that are met.
    fn time(self, name: &'static str) -> Result<Option<DateTime<Utc>>, Reason> {
        let Some(text) = self.optional(name)? else { return Ok(None) };
        check_length(name, text, LONGEST_TIME)?;
        parse_time(text).map(Some).ok_or(Reason::FieldMalformed { name })
    }

    /// `status`.
    pub(super) fn status(self) -> Result<FreezeStatus, Reason> {
        match self.mandatory("status")? {
            "FREEZE" => Ok(FreezeStatus::Freeze),
            "UNFREEZE" => Ok(FreezeStatus::Unfreeze),
            _ => Err(Reason::FieldMalformed { name: "status" }),
        }
    }

    /// `instanceId` of a query: a list with commas, each id taken once.
    pub(super) fn instances(self) -> Result<Vec<InstanceId>, Reason> {
        let name = "instanceId";
        let mut ids = vec![];
        let parts = self.mandatory(name)?.split(',').map(str::trim).filter(|part| !part.is_empty());
        for (index, part) in parts.enumerate() {
            if index == MOST_IDS {
                return Err(Reason::TooManyIds { max: MOST_IDS });
            }
            let id = read_id(name, part, InstanceId::parse)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.is_empty() { Err(Reason::FieldMissing { name }) } else { Ok(ids) }
    }

    /// `productInfo`: an object, or an array that begins with one, or either as JSON in a text. Its page shows no
    /// table (续费变更校验, zh-cn_topic_0000002411753620); the names are those of the order query.
    pub(super) fn product_target(self) -> Result<ProductTarget, Reason> {
        let name = "productInfo";
        let malformed = Reason::FieldMalformed { name };
        let value = self.0.get(name).filter(|value| !is_blank(value)).ok_or(Reason::FieldMissing { name })?;
        let unpacked = match value {
            Json::Text(text) => Json::parse(text.as_bytes()).map_err(|_| malformed)?,
            value => value.clone(),
        };
        let object = match &unpacked {
            Json::Object(object) => object,
            Json::Array(items) => match items.first() {
                Some(Json::Object(object)) => object,
                Some(_) => return Err(malformed),
                None => return Err(Reason::FieldMissing { name }),
            },
            _ => return Err(malformed),
        };
        Fields(object).target()
    }

    fn target(self) -> Result<ProductTarget, Reason> {
        let name = "linearValue";
        let quantity = self.optional(name)?.map(|text| text.parse().map_err(|_| Reason::FieldMalformed { name }));
        Ok(ProductTarget {
            product_id: self.optional_id("productId", ProductId::parse)?,
            sku: self.optional_id("skuCode", Sku::parse)?,
            quantity: quantity.transpose()?,
        })
    }

    /// Whether `testFlag` marks test traffic: 1, as text or number. Anything else, absence included, is the real thing.
    pub(super) fn is_test(self) -> bool {
        self.0.get("testFlag").and_then(Json::as_scalar) == Some("1")
    }
}

type Parse<T> = fn(&str) -> Result<T, IdError>;

fn read_id<T>(name: &'static str, text: &str, parse: Parse<T>) -> Result<T, Reason> {
    check_length(name, text, LONGEST_ID)?;
    parse(text).map_err(|error| match error {
        IdError::Empty { .. } => Reason::FieldMissing { name },
        IdError::TooLong { max, .. } => Reason::FieldTooLong { name, max },
        IdError::Character { .. } => Reason::FieldMalformed { name },
    })
}

fn check_length(name: &'static str, text: &str, max: usize) -> Result<(), Reason> {
    let fits = text.chars().count() <= max;
    if fits { Ok(()) } else { Err(Reason::FieldTooLong { name, max }) }
}

fn is_blank(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Text(text) => text.trim().is_empty(),
        _ => false,
    }
}
