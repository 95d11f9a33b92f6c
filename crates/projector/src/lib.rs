//! Views of the log. The one so far is the license index: every license, catalog and token, in memory, ready to answer.
//!
//! ```text
//! event log ─▶ Projector ─▶ LicenseIndex ─▶ checks, lists, tokens
//!                  └──▶ snapshot file ─▶ resume after a restart
//! ```
//!
//! The index is a pure function of the log: [`rebuild()`] makes it from nothing, and [`verify()`] compares that with the
//! snapshot of a running server, line by line of [`dump()`]. The rules of licenses are those of `chopmark_domain`; here
//! they are only stored small.

mod change;
mod compact_id;
mod contact;
mod dump;
mod entry;
mod heap;
mod index;
mod latest;
mod licenses;
mod list;
mod look_up;
mod machines;
mod metrics;
mod projector;
mod rebuild;
mod saved;
mod scan;
mod sellers;
mod skus;
mod state;
mod stream_name;
#[cfg(test)]
mod tests;
mod verify;

pub use change::FoldError;
pub use contact::Contact;
pub use dump::dump;
pub use index::LicenseIndex;
pub use latest::{Latest, LatestError, latest};
pub use list::{Filter, Listing};
pub use look_up::{Found, LookUp};
pub use machines::{MachineListing, WithMachines};
pub use metrics::ProjectorMetrics;
pub use projector::Projector;
pub use rebuild::{RebuildError, rebuild};
pub use saved::{FOLD, FOLD_VERSION, SNAPSHOT_FILE};
pub use scan::{Cursor, CursorError};
pub use verify::{Difference, VerifyError, VerifyReport, verify};
