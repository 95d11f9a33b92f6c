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
//! a line is on no bill yet, is said when it is asked.

pub mod rows;
pub mod store;
