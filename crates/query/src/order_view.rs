//! The orders of a license as answers show them. What is not known is absent.

use chopmark_domain::ids::{ProductId, Sku};
use chopmark_domain::license::{NamedOrder, OrderRole, Scene, Standing};
use chopmark_domain::order::{ChargingMode, OrderType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::Time;
use crate::license_view;

/// An order that a callback named.
#[derive(Serialize, ToSchema)]
#[schema(as = NamedOrder)]
pub(crate) struct OrderView<'a> {
    /// The order.
    order_id: &'a str,
    /// Its line.
    order_line_id: &'a str,
    /// What it did.
    #[schema(schema_with = crate::openapi::order_roles)]
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::openapi::scenes, required = false)]
    scene: Option<Scene>,
    /// Whether the marketplace has told what was ordered.
    #[schema(schema_with = crate::openapi::fact_states)]
    facts: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::openapi::order_types, required = false)]
    order_type: Option<OrderType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::openapi::charging_modes, required = false)]
    charging_mode: Option<ChargingMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordered_at: Option<Time>,
}

/// The orders of a license, in the order in which callbacks named them.
pub(crate) fn orders(standing: &Standing) -> Vec<OrderView<'_>> {
    match standing {
        Standing::Known(history) => history.orders().map(OrderView::from).collect(),
        Standing::Absent | Standing::Adopted(_) => vec![],
    }
}

impl<'a> From<NamedOrder<'a>> for OrderView<'a> {
    fn from(named: NamedOrder<'a>) -> Self {
        let NamedOrder { order, role, facts } = named;
        Self {
            order_id: order.order_id.as_str(),
            order_line_id: order.order_line_id.as_str(),
            role: match role {
                OrderRole::Purchase => "purchase",
                OrderRole::Refresh(_) => "refresh",
                OrderRole::Upgrade => "upgrade",
            },
            scene: match role {
                OrderRole::Refresh(scene) => Some(scene),
                OrderRole::Purchase | OrderRole::Upgrade => None,
            },
            facts: license_view::facts(facts.is_some()),
            order_type: facts.map(|facts| facts.order_type),
            charging_mode: facts.map(|facts| facts.charging_mode),
            product: facts.and_then(|facts| facts.sku.as_ref()).map(Sku::as_str),
            product_id: facts.and_then(|facts| facts.product_id.as_ref()).map(ProductId::as_str),
            quantity: facts.and_then(|facts| facts.quantity),
            expires_at: facts.and_then(|facts| facts.expires_at).map(Time),
            ordered_at: facts.and_then(|facts| facts.ordered_at).map(Time),
        }
    }
}
