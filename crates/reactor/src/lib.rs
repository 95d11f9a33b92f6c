//! The reactor: what events call for outside, done.
//!
//! A callback only names an order. What was bought, how much of it and until when the marketplace tells when it is asked
//! (`order/query`). The reactor follows the log, asks for the facts of every order that an event names, and takes them
//! to the order's stream and to the licenses that wait for them.
//!
//! ```text
//! LOG ─▶ OpenWork (pure fold: which orders' facts are wanted, and by whom)
//!            └─▶ one errand per open order: read the order's stream ─▶ ask, unless it has them ─▶ RecordFacts
//!                     ▲                                                                          └─▶ ApplyOrderFacts
//!                     └── wait, longer each time ◀── failure: Delay at the first, Abandon at the last
//! ```
//!
//! What is still to do is a fold of the log, so nothing is lost when a process dies; how often was asked is memory. An
//! effect may happen twice and changes nothing the second time. An errand that fails delays no other.

mod errand;
mod look;
mod metrics;
mod open_orders;
mod open_work;
mod patience;
mod reactor;
mod saved;
mod source;

pub use look::orders_at_risk;
pub use metrics::ReactorMetrics;
pub use open_orders::{OpenOrders, OrderAtRisk};
pub use open_work::{OpenOrder, OpenWork, OrderKey, Waiting};
pub use patience::{Backoff, Patience};
pub use reactor::Reactor;
pub use saved::SavedWork;
pub use source::{OrderSource, OrderSources};
