//! Codes that a check names and nobody here knows, asked about at the marketplace within bounds; and known codes, asked
//! about again once a day.

mod bounds;
mod counter;
mod desk;
mod memory;
mod metrics;

use chopmark_log::Position;

pub use desk::CodeDesk;
pub use metrics::CodeMetrics;

/// What came of asking about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// The marketplace knows the code, and so does the log.
    Known {
        /// The last event of the code. An answer that shows the code waits for the index to reach it.
        position: Option<Position>,
    },
    /// There is no such code: the marketplace says so, or it could not be one, or its seller cannot ask.
    NotExist,
    /// It is not known now; ask again later.
    Later,
}
