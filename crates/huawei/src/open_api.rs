//! The open API that a seller calls: what the marketplace knows of an order.
//!
//! A callback names an order; [`OpenApi::query_order`] asks what was bought with it. Requests are signed with the
//! seller's AK and SK ([`signing`]).

mod answer;
mod client;
pub mod signing;

pub use answer::{ErrorKind, OpenApiError, OrderAnswer, parse_order_answer};
pub use client::{OpenApi, SetupError};

/// Path of the order query, a GET (查询订单, topic 0070649350).
pub const ORDER_QUERY_PATH: &str = "/api/mkp-openapi-public/global/v1/order/query";
