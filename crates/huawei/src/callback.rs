//! Callbacks: what the marketplace tells and asks, with its sender and content checked.

mod activity;
mod claim;
mod fields;
mod named;
mod parse;
mod rejection;
mod verify;

#[cfg(test)]
mod tests;

use chopmark_domain::cause::SignedRequest;
use chopmark_domain::ids::{InstanceId, LicenseCode, ProductId, Sku};
use chopmark_domain::license::{LicenseRequested, Refreshed, Released, Upgraded};
use chopmark_domain::order::OrderRef;

pub use activity::Activity;
pub use named::Named;
pub use rejection::{Reason, Rejection};
pub use verify::verify;

use crate::keys::AccessKey;

/// A request as it arrived, nothing decoded.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The query string, without the question mark.
    pub query: &'a str,
    /// The header `Content-Encoding`, where there is one.
    pub content_encoding: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// A request that comes from the marketplace and means something.
#[derive(Debug)]
pub struct Verified<'k> {
    /// What it means.
    pub callback: Callback,
    /// Test traffic (`testFlag` is 1): to be answered like the real, and to change nothing.
    pub test: bool,
    /// What it is about.
    pub named: Named,
    /// The request itself, to be kept with what it causes.
    pub request: SignedRequest,
    /// The key that verified it; the answer is signed with the same.
    pub key: &'k AccessKey,
}

/// What a callback says (接口说明, zh-cn_topic_0070649414; 商家接入接口说明 of License 2.0; 订单通知,
/// zh-cn_topic_0000002091799153).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callback {
    /// Bought: make an instance (创建实例, zh-cn_topic_0070649427).
    NewInstance {
        /// What was bought. The same order line again is the same purchase.
        order: OrderRef,
        /// The marketplace's name for this attempt; another one on each delivery.
        business_id: String,
    },
    /// Describe these instances (查询实例信息, zh-cn_topic_0070649428).
    QueryInstance {
        /// Which: 1 to 100, each once.
        ids: Vec<InstanceId>,
    },
    /// The instance has a new expiry (更新实例, zh-cn_topic_0070649429).
    RefreshInstance {
        /// Which instance.
        instance: InstanceId,
        /// Why, by which order, until when.
        refreshed: Refreshed,
    },
    /// Freeze or unfreeze the instance (更新实例状态, zh-cn_topic_0070649430).
    UpdateInstanceStatus {
        /// Which instance.
        instance: InstanceId,
        /// Which of both.
        status: FreezeStatus,
    },
    /// The instance is over (释放实例, zh-cn_topic_0070649431).
    ReleaseInstance {
        /// Which instance.
        instance: InstanceId,
        /// By which order, where an unsubscription is the reason.
        released: Released,
    },
    /// The customer bought more (实例升级, zh-cn_topic_0070649432).
    UpgradeInstance {
        /// Which instance.
        instance: InstanceId,
        /// By which order.
        upgraded: Upgraded,
    },
    /// May the instance become this at its renewal? (续费变更校验, zh-cn_topic_0000002411753620).
    ChangeInstanceCheck {
        /// Which instance.
        instance: InstanceId,
        /// What it would become.
        target: ProductTarget,
    },
    /// There is news about an order (订单通知, zh-cn_topic_0000002091799153).
    OrderNotify {
        /// Which order line.
        order: OrderRef,
    },
    /// The license code has a new expiry (topic 0070649167).
    RefreshLicenseCode {
        /// Which code.
        code: LicenseCode,
        /// Why, by which order, until when.
        refreshed: Refreshed,
    },
    /// Freeze or unfreeze the license code (topic 0070649168).
    UpdateLicenseCodeStatus {
        /// Which code.
        code: LicenseCode,
        /// Which of both.
        status: FreezeStatus,
    },
    /// The license code is over (topic 0070649169).
    ReleaseLicenseCode {
        /// Which code.
        code: LicenseCode,
        /// By which order, where an unsubscription is the reason.
        released: Released,
    },
    /// The customer applies for a license of an online-provisioned product (topic 0070649255). The license is not in
    /// the answer: it is uploaded afterwards.
    GetLicenseAsync {
        /// For which instance.
        instance: InstanceId,
        /// Which application, and from when to when the license is to be good.
        requested: LicenseRequested,
    },
}

impl Callback {
    /// The activity that this is a message of.
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
}

/// What a status callback orders. It gives no reason: expiry, arrears and violation look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FreezeStatus {
    /// `FREEZE`: not usable, data kept.
    Freeze,
    /// `UNFREEZE`: usable again.
    Unfreeze,
}

/// What an instance would become. Which of the fields the marketplace sends is not published, so each may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductTarget {
    /// The product id.
    pub product_id: Option<ProductId>,
    /// The specification.
    pub sku: Option<Sku>,
    /// The amount (`linearValue`).
    pub quantity: Option<u32>,
}
