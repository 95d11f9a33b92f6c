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

mod error;
mod memory;
mod metrics;
mod names;
mod seen;
mod sighting;
mod signals;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use error::ViewsError;
pub use metrics::ViewsMetrics;
pub use seen::Seen;
pub use sighting::{DeploymentSighting, LastSeen, SeenDeployment, Sighting};
pub use writer::FLUSHED_WITHIN;
