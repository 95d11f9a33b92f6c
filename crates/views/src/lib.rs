//! What is neither in the log nor derivable from it: when machines, deployments and tokens were last seen, and which
//! deployments were seen in which hour.
//!
//! ```text
//! Seen::saw ─▶ memory (sharded, merged, bounded) ─▶ one thread, one transaction every 10 s ─▶ store ─▶ last_seen, hour
//!                  └───────────────────────────── memory over store ──────────────────────────────────▲
//! ```
//!
//! A check must not wait for a disk nor grow the log, so what it tells about the machine that asked is merged in memory
//! and written in the background. Merging is taking the later of two moments, in memory and in the store alike: order
//! does not matter, nothing counts twice, and several processes may write one store.
//!
//! What a process has not written yet is lost if it is killed, [at most the last 15 seconds](FLUSHED_WITHIN). That makes
//! a machine look idle for so much longer, and no more.
//!
//! A file belongs to one process. In a PostgreSQL several share what they saw, and each says how far it has written:
//! [`Noted`] is what follows from it. Before a seat is given away for good, nobody may be left who knows of a lease and has
//! not told.

#[cfg(test)]
mod contract;
mod error;
mod memory;
mod metrics;
mod names;
mod noted;
mod postgres;
mod seen;
mod sighting;
mod signals;
mod sqlite;
mod store;
#[cfg(any(test, feature = "testing"))]
#[expect(clippy::expect_used, reason = "a test that cannot run fails and says why")]
pub mod testing;
#[cfg(test)]
mod tests;
mod writer;

pub use error::ViewsError;
pub use metrics::ViewsMetrics;
pub use noted::{Noted, Watched};
pub use seen::Seen;
pub use sighting::{DeploymentSighting, LastSeen, SeenDeployment, Sighting};
pub use writer::FLUSHED_WITHIN;
