//! The marketplace, for demos, tests and load.
//!
//! It does what Huawei Cloud's side does and judges what comes back as the seller console's debugger would:
//!
//! ```text
//! Message  ─▶ Marketplace::sign ─▶ Delivery ─▶ http::Connection ─▶ Response ─▶ console::examine ─▶ findings
//! Orders, Codes, Uploads ─▶ OpenApiServer: answers what sellers ask and tell, and fails when told to
//! Sold ─▶ finance::Books ─▶ transaction details and bills, right or with planted differences
//! ```
//!
//! [`scenarios`] put these together into plays with a [`Report`]. Nothing in here knows the server it calls but by its
//! addresses, so it judges any seller's production interface.

pub mod checks;
pub mod codes;
pub mod console;
pub mod finance;
pub mod http;
pub mod latency;
pub mod marketplace;
pub mod message;
pub mod open_api_server;
pub mod orders;
pub mod report;
pub mod scenarios;
pub mod sign;
pub mod uploads;
pub mod url;

pub use checks::Checks;
pub use codes::{Code, Codes};
pub use console::{Expected, Finding};
pub use marketplace::{Delivery, Keys, Marketplace};
pub use message::{Application, Message, OrderLine};
pub use open_api_server::{Credentials, Desk, Fault, Interface, OpenApiServer};
pub use orders::{Order, Orders};
pub use report::{Progress, Quiet, Report, Step};
pub use scenarios::{Context, Scenario};
pub use uploads::{Uploaded, Uploads};
pub use url::Url;
