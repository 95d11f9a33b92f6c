//! The reactor: what events call for outside, done.
//!
//! A callback only names an order. What was bought, how much of it and until when the marketplace tells when it is asked
//! (`order/query`). A code that exists is to be activated (`license/activate`), and a license that was applied for is to
//! be made and uploaded (`market-event`). The reactor follows the log, does all of this, and puts on record what came
//! of it.
//!
//! ```text
//! LOG ─▶ OpenWork (pure fold: which jobs are to be done)
//!          └─▶ one task per job
//!                facts    read the order's stream ─▶ ask, unless it has them ─▶ RecordFacts ─▶ ApplyOrderFacts
//!                activate ask to activate ─▶ ask for the code's state ─▶ ConfirmCode
//!                upload   make the license, unless it is made ─▶ IssueLicense ─▶ upload what is on record ─▶ ConfirmUpload
//!                  ▲
//!                  └── wait, longer each time ◀── failure: Delay at the first, Abandon at the last
//! ```
//!
//! What is still to do is a fold of the log, so nothing is lost when a process dies; how often was tried is memory. An
//! effect may happen twice and changes nothing the second time. A job that fails delays no other.
//!
//! Beside the reactor stands the [`CodeDesk`]: where a check names a code that nobody here knows, it asks the marketplace,
//! within bounds. A process that does not lead keeps a [`Lookout`]: it shows what is open, and does none of it.

mod board;
mod codes;
mod folding;
mod look;
mod lookout;
mod maker;
mod marketplace;
mod metrics;
mod office;
mod open_work;
mod patience;
mod reactor;
mod saved;

pub use board::{Board, OpenErrands, OpenOrders};
pub use codes::{CodeDesk, CodeMetrics, Confirmed};
pub use look::{AtRisk, at_risk};
pub use lookout::Lookout;
pub use maker::LicenseMaker;
pub use marketplace::{Marketplace, Marketplaces};
pub use metrics::ReactorMetrics;
pub use open_work::{ErrandKey, Errands, Job, OpenErrand, OpenOrder, OpenWork, OrderKey, Waiting, WantedFacts};
pub use patience::{Backoff, Patience};
pub use reactor::Reactor;
pub use saved::SavedWork;
