//! The delivery journal: what the marketplace delivered to this node and what it was answered, dial tests and strangers
//! included.
//!
//! ```text
//! Journal::record ─▶ queue (bounded) ─▶ one thread, many deliveries a transaction ─▶ SQLite file ─▶ list, at_risk, last
//! ```
//!
//! It is for people who ask what happened. It is bounded, of this node only and not authoritative: nothing is derived
//! from it, so a full queue drops deliveries and counts them, and a file that is damaged is put aside and begun anew.

mod at_risk;
mod delivery;
mod error;
mod file;
mod journal;
mod list;
mod queue;
mod reader;
mod row;
#[cfg(test)]
mod tests;
mod writer;

pub use at_risk::{AtRisk, RETRY_WINDOW};
pub use delivery::Delivery;
pub use error::JournalError;
pub use journal::{Journal, JournalOptions};
pub use list::{Filter, LastDelivery};
pub use reader::JournalReader;
