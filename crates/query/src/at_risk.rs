//! What the reactor has not done yet. It knows; who wires the two together tells it here, since neither crate knows the
//! other. A process without a reactor tells of none.

use std::sync::Arc;

use chopmark_domain::at_risk::{ErrandAtRisk, OrderAtRisk};

/// Tells which orders' facts are still asked for, or were given up.
pub type OrdersAtRisk = Arc<dyn Fn() -> Vec<OrderAtRisk> + Send + Sync>;

/// Tells which errands for licenses are not done, or were given up.
pub type ErrandsAtRisk = Arc<dyn Fn() -> Vec<ErrandAtRisk> + Send + Sync>;
