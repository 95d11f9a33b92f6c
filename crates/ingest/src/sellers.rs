//! The sellers of this installation, as far as their callbacks need them.

use std::collections::HashMap;

use chopmark_domain::ids::{InstanceId, SellerId, Sku};
use chopmark_huawei::answer::AppInfo;
use chopmark_huawei::keys::{AccessKey, InterfaceType, KeyRing};

/// Where a seller's callbacks enter.
pub struct SellerDoor {
    /// The keys its callbacks may be signed with.
    pub keys: KeyRing,
    /// How its customers reach what they bought.
    pub app_infos: AppInfos,
}

impl SellerDoor {
    /// The key that signs answers where nothing says which.
    pub(crate) fn default_key(&self) -> Option<&AccessKey> {
        self.keys.first(&InterfaceType::ALL)
    }
}

/// How customers reach what they bought: the seller's answer, and those of products that have their own.
#[derive(Debug, Clone, Default)]
pub struct AppInfos {
    /// For products without their own.
    pub default: Option<AppInfo>,
    /// By SKU.
    pub by_sku: HashMap<Sku, AppInfo>,
}

impl AppInfos {
    /// Access data as they would be of any instance: the seller's, else of the first product that has its own.
    pub(crate) fn of_any(&self, instance: &InstanceId) -> Option<AppInfo> {
        self.of(None, instance).or_else(|| self.of(self.by_sku.keys().min(), instance))
    }

    /// The access data of an instance; `None` where the seller gives them another way.
    pub(crate) fn of(&self, sku: Option<&Sku>, instance: &InstanceId) -> Option<AppInfo> {
        let own = sku.and_then(|sku| self.by_sku.get(sku));
        let filled = own.or(self.default.as_ref())?.with_instance(instance);
        filled.inspect_err(|error| tracing::error!(%instance, %error, "access data left out of the answer")).ok()
    }
}

/// All sellers, by id.
pub type Sellers = HashMap<SellerId, SellerDoor>;
