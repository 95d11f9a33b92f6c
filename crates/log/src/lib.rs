//! The event log: the only source of truth. It stores opaque records and knows no domain.
//!
//! [`EventLog`] is what everybody writes to and reads from, [`Engine`] what an installation keeps it in.
//! [`sqlite::SqliteLog`] is the engine that needs nothing but a
//! file. A [`Follower`] walks through a log and waits at its end; what folds it tells others how far it has come through
//! [`progress`], and keeps its state over a restart in a [`snapshot`].

mod anchor;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod engine;
mod event_log;
mod files;
mod follower;
mod leadership;
mod metrics;
pub mod progress;
mod record;
pub mod snapshot;
pub mod sqlite;

pub use anchor::Anchor;
pub use engine::Engine;
pub use event_log::{AppendError, EventLog, ReadError};
pub use follower::Follower;
pub use leadership::Leadership;
pub use metrics::LogMetrics;
pub use record::{
    Appended, Expected, NewEvent, Page, Position, Record, Revision, STREAM_NAME_MAX, StreamName, StreamNameError,
};
