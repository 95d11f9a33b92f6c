//! What the marketplace says: the bodies of its callbacks, field by field as its tables have them.

use std::collections::BTreeMap;

use chopmark_domain::license::Scene;
use chopmark_huawei::callback::{Activity, FreezeStatus};
use chopmark_huawei::time::format_expire_time;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::sign::Stamp;

/// An order line, as callbacks name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderLine {
    /// The order, e.g. `CS2211181819B4LVS`.
    pub order_id: String,
    /// Its line, e.g. `CS2211181819B4LVS-000001`.
    pub order_line_id: String,
}

impl OrderLine {
    /// The first line of an order, named as the marketplace names it.
    #[must_use]
    pub fn first_of(order_id: &str) -> Self {
        Self { order_id: order_id.into(), order_line_id: format!("{order_id}-000001") }
    }

    /// The first line of an order that nobody has seen before.
    #[must_use]
    pub fn fresh() -> Self {
        Self::first_of(&format!("CS{}", uuid::Uuid::now_v7().simple().to_string().to_uppercase()))
    }
}

/// A callback to be signed and sent. Ids are plain texts: the marketplace may send anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// `newInstance` (创建实例, zh-cn_topic_0070649427).
    NewInstance {
        /// What was bought.
        order: OrderLine,
    },
    /// `queryInstance` (查询实例信息, zh-cn_topic_0070649428).
    QueryInstance {
        /// Which; sent separated by commas.
        instances: Vec<String>,
    },
    /// `refreshInstance` (更新实例, zh-cn_topic_0070649429).
    RefreshInstance {
        /// Which instance.
        instance: String,
        /// Why, by which order, until when.
        refresh: Refresh,
    },
    /// `updateInstanceStatus` (更新实例状态, zh-cn_topic_0070649430).
    UpdateInstanceStatus {
        /// Which instance.
        instance: String,
        /// Which of both.
        status: FreezeStatus,
    },
    /// `releaseInstance` (释放实例, zh-cn_topic_0070649431).
    ReleaseInstance {
        /// Which instance.
        instance: String,
        /// The order, where an unsubscription is the reason.
        order: Option<OrderLine>,
    },
    /// `upgradeInstance` (实例升级, zh-cn_topic_0070649432).
    UpgradeInstance {
        /// Which instance.
        instance: String,
        /// The order of the upgrade.
        order: OrderLine,
    },
    /// `changeInstanceCheck` (续费变更校验, zh-cn_topic_0000002411753620). The fields of its `productInfo` are not
    /// published; these are the order query's.
    ChangeInstanceCheck {
        /// Which instance.
        instance: String,
        /// The specification it would have.
        sku: String,
        /// The product id it would have.
        product_id: String,
        /// The amount it would have.
        quantity: u32,
    },
    /// `orderNotify` (订单通知, zh-cn_topic_0000002091799153).
    OrderNotify {
        /// Which order line.
        order: OrderLine,
    },
    /// `refreshLicenseCode` (topic 0070649167).
    RefreshLicenseCode {
        /// Which code.
        code: String,
        /// Why, by which order, until when.
        refresh: Refresh,
    },
    /// `updateLicenseCodeStatus` (topic 0070649168).
    UpdateLicenseCodeStatus {
        /// Which code.
        code: String,
        /// Which of both.
        status: FreezeStatus,
    },
    /// `releaseLicenseCode` (topic 0070649169).
    ReleaseLicenseCode {
        /// Which code.
        code: String,
        /// The order, where an unsubscription is the reason.
        order: Option<OrderLine>,
    },
    /// `getLicenseAsync` (topic 0070649255).
    GetLicenseAsync {
        /// For which instance.
        instance: String,
        /// What is applied for.
        application: Application,
    },
}

/// An application for a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its serial; a retry has the same.
    pub event_id: String,
    /// The device, where the license is bound to one.
    pub fingerprint: Option<String>,
    /// When the license begins, UTC.
    pub effective_at: DateTime<Utc>,
    /// When it ends, UTC; licenses for a period do.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A new expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// Why.
    pub scene: Scene,
    /// The order of the renewal, conversion or cancellation.
    pub order: OrderLine,
    /// The new expiry, UTC.
    pub expires_at: DateTime<Utc>,
    /// The new product id, where the period type changed.
    pub product_id: Option<String>,
}

/// How bodies are written. The documentation leaves room, and a seller must stand all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wording {
    /// Test traffic: `testFlag` is 1. Real traffic has no such field.
    pub test: bool,
    /// In which order the keys stand.
    pub keys: KeyOrder,
    /// How `expireTime` is written.
    pub expire_time: ExpireTime,
}

/// In which order the keys of a body stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyOrder {
    /// Ascending, as in all published examples: the bytes sent are the bytes signed.
    #[default]
    Ascending,
    /// Descending, while the ascending form is signed: only the canonical form verifies.
    Descending,
}

/// How `expireTime` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExpireTime {
    /// 14 digits, to the second: what the tables say.
    #[default]
    Seconds,
    /// 17 digits, with milliseconds: what the published example has.
    Millis,
}

impl Message {
    /// Its kind.
    #[must_use]
    pub fn activity(&self) -> Activity {
        match self {
            Self::NewInstance { .. } => Activity::NewInstance,
            Self::QueryInstance { .. } => Activity::QueryInstance,
            Self::RefreshInstance { .. } => Activity::RefreshInstance,
            Self::UpdateInstanceStatus { .. } => Activity::UpdateInstanceStatus,
            Self::ReleaseInstance { .. } => Activity::ReleaseInstance,
            Self::UpgradeInstance { .. } => Activity::UpgradeInstance,
            Self::ChangeInstanceCheck { .. } => Activity::ChangeInstanceCheck,
            Self::OrderNotify { .. } => Activity::OrderNotify,
            Self::RefreshLicenseCode { .. } => Activity::RefreshLicenseCode,
            Self::UpdateLicenseCodeStatus { .. } => Activity::UpdateLicenseCodeStatus,
            Self::ReleaseLicenseCode { .. } => Activity::ReleaseLicenseCode,
            Self::GetLicenseAsync { .. } => Activity::GetLicenseAsync,
        }
    }

    /// The bodies of one request: the bytes signed, and the bytes sent where they differ from them.
    #[must_use]
    pub fn bodies(&self, stamp: &Stamp, wording: Wording) -> (String, Option<String>) {
        let fields = self.fields(stamp, wording);
        let descending = match wording.keys {
            KeyOrder::Ascending => None,
            KeyOrder::Descending => Some(to_text(fields.clone().into_iter().rev())),
        };
        (to_text(fields), descending)
    }

    fn fields(&self, stamp: &Stamp, wording: Wording) -> BTreeMap<&'static str, Value> {
        let mut fields = BTreeMap::from([("activity", json!(self.activity().as_str()))]);
        if wording.test {
            fields.insert("testFlag", json!("1"));
        }
        match self {
            Self::NewInstance { order } => {
                // Another one on every delivery, retries included.
                fields.insert("businessId", json!(stamp.business_id));
                name_order(&mut fields, Some(order));
            }
            Self::OrderNotify { order } => name_order(&mut fields, Some(order)),
            Self::QueryInstance { instances } => drop(fields.insert("instanceId", json!(instances.join(",")))),
            Self::RefreshInstance { instance, refresh } => {
                fields.insert("instanceId", json!(instance));
                refresh.write(&mut fields, wording.expire_time);
            }
            Self::UpdateInstanceStatus { instance, status } => {
                fields.insert("instanceId", json!(instance));
                fields.insert("status", json!(status_text(*status)));
            }
            Self::ReleaseInstance { instance, order } => {
                fields.insert("instanceId", json!(instance));
                name_order(&mut fields, order.as_ref());
            }
            Self::UpgradeInstance { instance, order } => {
                fields.insert("instanceId", json!(instance));
                name_order(&mut fields, Some(order));
            }
            Self::ChangeInstanceCheck { instance, sku, product_id, quantity } => {
                fields.insert("instanceId", json!(instance));
                let target = json!({ "linearValue": quantity, "productId": product_id, "skuCode": sku });
                fields.insert("productInfo", target);
            }
            Self::RefreshLicenseCode { code, refresh } => {
                fields.insert("license", json!(code));
                refresh.write(&mut fields, wording.expire_time);
            }
            Self::UpdateLicenseCodeStatus { code, status } => {
                fields.insert("license", json!(code));
                fields.insert("status", json!(status_text(*status)));
            }
            Self::ReleaseLicenseCode { code, order } => {
                fields.insert("license", json!(code));
                name_order(&mut fields, order.as_ref());
            }
            Self::GetLicenseAsync { instance, application } => {
                fields.insert("instanceId", json!(instance));
                application.write(&mut fields);
            }
        }
        fields
    }
}

impl Application {
    fn write(&self, fields: &mut BTreeMap<&'static str, Value>) {
        // As the published example has it.
        let time = |at: DateTime<Utc>| json!(at.format("%Y-%m-%d %H:%M:%S z").to_string());
        fields.insert("eventId", json!(self.event_id));
        fields.insert("effectiveTime", time(self.effective_at));
        if let Some(expires_at) = self.expires_at {
            fields.insert("expireTime", time(expires_at));
        }
        if let Some(fingerprint) = &self.fingerprint {
            fields.insert("deviceFingerprint", json!(fingerprint));
        }
    }
}

impl Refresh {
    fn write(&self, fields: &mut BTreeMap<&'static str, Value>, expire_time: ExpireTime) {
        name_order(fields, Some(&self.order));
        fields.insert("scene", json!(scene_text(self.scene)));
        fields.insert("expireTime", json!(expire_time.of(self.expires_at)));
        if let Some(product_id) = &self.product_id {
            fields.insert("productId", json!(product_id));
        }
    }
}

impl ExpireTime {
    fn of(self, at: DateTime<Utc>) -> String {
        match self {
            Self::Seconds => format_expire_time(at),
            Self::Millis => format!("{}{:03}", format_expire_time(at), at.timestamp_subsec_millis()),
        }
    }
}

fn name_order(fields: &mut BTreeMap<&'static str, Value>, order: Option<&OrderLine>) {
    if let Some(order) = order {
        fields.insert("orderId", json!(order.order_id));
        fields.insert("orderLineId", json!(order.order_line_id));
    }
}

/// A scene as the wire has it.
pub(crate) fn scene_text(scene: Scene) -> &'static str {
    match scene {
        Scene::TrialToFormal => "TRIAL_TO_FORMAL",
        Scene::Renewal => "RENEWAL",
        Scene::RenewalChange => "RENEWAL_CHANGE",
        Scene::UnsubscribeRenewalPeriod => "UNSUBSCRIBE_RENEWAL_PERIOD",
    }
}

/// A status as the wire has it.
pub(crate) fn status_text(status: FreezeStatus) -> &'static str {
    match status {
        FreezeStatus::Freeze => "FREEZE",
        FreezeStatus::Unfreeze => "UNFREEZE",
    }
}

/// Compact JSON, keys in the order given.
fn to_text(fields: impl IntoIterator<Item = (&'static str, Value)>) -> String {
    let object: Map<String, Value> = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
    Value::Object(object).to_string()
}
