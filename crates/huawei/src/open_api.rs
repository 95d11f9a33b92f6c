//! The open API that a seller calls: what the marketplace knows of an order, license codes, and where licenses go.
//!
//! A callback names an order; [`OpenApi::query_order`] asks what was bought with it. [`OpenApi::activate_code`] and
//! [`OpenApi::query_code`] are about license codes, [`OpenApi::upload_license`] hands over a license that was applied for.
//! Requests are signed with the seller's AK and SK ([`signing`]).

mod answer;
mod client;
mod code;
pub mod signing;
mod upload;

pub use answer::{ErrorKind, OpenApiError, OrderAnswer, parse_order_answer};
pub use client::{LicenseApi, OpenApi, SetupError, UploadSigning, is_loopback};
pub use code::{CodeOutcome, parse_activation, parse_code_query};
pub use upload::{LONGEST_CHARACTERS, Upload, parse_upload_answer, upload_path};

/// Path of the order query, a GET (查询订单, topic 0070649350).
pub const ORDER_QUERY_PATH: &str = "/api/mkp-openapi-public/global/v1/order/query";

/// Path of the activation of one license code, a POST (topic 0070649244).
pub const ACTIVATE_PATH: &str = "/api/mkp-openapi-public/global/v1/license/activate";

/// Path of the activation of a list of license codes, a POST (topic 0070649244).
pub const ACTIVATE_LIST_PATH: &str = "/api/mkp-openapi-public/global/v2/license/activate";

/// Path of the query of one license code, a POST (topic 0070649245).
pub const HEARTBEAT_PATH: &str = "/api/mkp-openapi-public/global/v1/license/heartbeat";

/// Path of the query of a list of license codes, a POST (topic 0070649245).
pub const HEARTBEAT_LIST_PATH: &str = "/api/mkp-openapi-public/global/v2/license/heartbeat";
