//! The event log: the only source of truth. It stores opaque records and knows no domain.
//!
//! [`EventLog`] is what everybody writes to and reads from, [`Engine`] what an installation keeps it in.
//! [`sqlite::SqliteLog`] is the engine that needs nothing but a file; [`postgres::PostgresLog`] and
//! [`eventstore::EventstoreLog`] are for those who run such a server, and share it among processes.
//!
//! A [`Follower`] walks through a log and waits at its end; what folds it tells others how far it has come through
//! [`progress`], and keeps its state over a restart in a [`snapshot`].

mod anchor;
mod audit;
mod batch;
mod chain;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod engine;
mod event_log;
pub mod eventstore;
pub mod export;
mod files;
mod follower;
mod leadership;
mod limits;
mod metrics;
pub mod postgres;
pub mod progress;
mod record;
pub mod snapshot;
pub mod sqlite;
mod trouble;
mod wake;

pub use anchor::Anchor;
pub use audit::{Audit, RevisionGap};
pub use chain::Chain;
pub use engine::Engine;
pub use event_log::{AppendError, EventLog, ReadError};
pub use follower::Follower;
pub use leadership::Leadership;
pub use metrics::LogMetrics;
pub use record::{
    Appended, Expected, NewEvent, Page, Position, Record, Revision, STREAM_NAME_MAX, StreamName, StreamNameError,
};
