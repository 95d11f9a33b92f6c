//! What a delivery is about, for those who ask what happened to it.

use super::activity::Activity;
use super::fields::Fields;

/// The license and the order that a body names, be it good for anything else or not. The line belongs to the order:
/// two lines are two purchases, and one may fail while the other succeeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The instance, of a query the first, or the license code.
    pub subject: Option<String>,
    /// The order.
    pub order: Option<String>,
    /// The order line.
    pub order_line: Option<String>,
}

impl Named {
    pub(super) fn read(activity: Option<Activity>, fields: Fields<'_>) -> Self {
        let text = |name| fields.optional(name).ok().flatten().map(|text| text.trim().to_owned());
        let subject = match activity {
            Some(activity) if activity.is_about_code() => text("license"),
            Some(Activity::QueryInstance) => text("instanceId")
                .and_then(|ids| ids.split(',').map(|id| id.trim().to_owned()).find(|id| !id.is_empty())),
            _ => text("instanceId"),
        };
        Self { subject, order: text("orderId"), order_line: text("orderLineId") }
    }
}
