//! The billing views: every settlement line, what each period comes to, and the bills that were imported, folded from the
//! log into a store that finance asks.
//!
//! ```text
//! event log ─▶ Bookkeeper ─▶ store (SQLite | PostgreSQL) ─▶ reports (periods, lines, forecast, reconciliation)
//!               cases, drawn up by chopmark_domain::settlement::books
//! ```
//!
//! What is stored is a function of the log and of nothing else. A page of events, the lines that follow from it and the
//! checkpoint are written in one transaction, so that each event counts exactly once. What depends on the time, like why
//! a line is on no bill yet, is said when it is asked. So is how far its bill is: that stands with the bill, once, and not
//! with each of its lines.

mod bookkeeper;
mod cell;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod dump;
mod engine;
mod metrics;
mod onlooker;
pub mod postgres;
mod rebuild;
pub mod report;
pub mod rows;
mod schema;
mod sql;
pub mod sqlite;
pub mod store;
mod verify;
mod writes;

pub use bookkeeper::{BookError, Bookkeeper, FoldError};
pub use dump::{Dump, DumpLine, dump};
pub use metrics::BillingMetrics;
pub use onlooker::Onlooker;
pub use rebuild::{Rebuilding, Rebuilt, rebuild};
pub use verify::{Difference, VerifyError, VerifyReport, verify};
