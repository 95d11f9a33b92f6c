//! From the fields of a body to a callback.

use chopmark_domain::ids::{InstanceId, LicenseCode};
use chopmark_domain::license::Upgraded;

use super::Callback;
use super::activity::Activity;
use super::fields::Fields;
use super::rejection::Reason;

/// Reads the message of an activity.
pub(super) fn parse(activity: Activity, fields: Fields<'_>) -> Result<Callback, Reason> {
    let instance = || fields.id("instanceId", InstanceId::parse);
    let code = || fields.id("license", LicenseCode::parse);
    Ok(match activity {
        Activity::NewInstance => Callback::NewInstance { order: fields.order()?, business_id: fields.business_id()? },
        Activity::QueryInstance => Callback::QueryInstance { ids: fields.instances()? },
        Activity::RefreshInstance => {
            Callback::RefreshInstance { instance: instance()?, refreshed: fields.refreshed()? }
        }
        Activity::UpdateInstanceStatus => {
            Callback::UpdateInstanceStatus { instance: instance()?, status: fields.status()? }
        }
        Activity::ReleaseInstance => Callback::ReleaseInstance { instance: instance()?, released: fields.released()? },
        Activity::UpgradeInstance => {
            Callback::UpgradeInstance { instance: instance()?, upgraded: Upgraded { order: fields.order()? } }
        }
        Activity::ChangeInstanceCheck => {
            Callback::ChangeInstanceCheck { instance: instance()?, target: fields.product_target()? }
        }
        Activity::OrderNotify => Callback::OrderNotify { order: fields.order()? },
        Activity::RefreshLicenseCode => Callback::RefreshLicenseCode { code: code()?, refreshed: fields.refreshed()? },
        Activity::UpdateLicenseCodeStatus => {
            Callback::UpdateLicenseCodeStatus { code: code()?, status: fields.status()? }
        }
        Activity::ReleaseLicenseCode => Callback::ReleaseLicenseCode { code: code()?, released: fields.released()? },
        Activity::GetLicenseAsync => {
            Callback::GetLicenseAsync { instance: instance()?, requested: fields.license_requested()? }
        }
    })
}
