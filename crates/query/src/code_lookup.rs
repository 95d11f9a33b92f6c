//! License codes that the log does not know: the marketplace made them and is asked.

use async_trait::async_trait;
use chopmark_domain::ids::{LicenseCode, SellerId};
use chopmark_log::Position;

/// What asking for a code came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeLookedUp {
    /// The marketplace knows it. What it said is in the log; up to this position, if it is new.
    Known(Option<Position>),
    /// The marketplace says that there is no such code.
    NotExist,
    /// Not known yet: the marketplace does not answer, or is asked too often just now. Asking again makes sense.
    Later,
}

/// Asks the marketplace for license codes. Bounds in number and time are its own: what is asked often or in vain must
/// cost neither us nor the marketplace anything.
#[async_trait]
pub trait CodeLookup: Send + Sync {
    /// A code that the log does not know was named. Somebody waits for the answer: it comes within a few seconds.
    async fn confirm(&self, seller: &SellerId, code: &LicenseCode) -> CodeLookedUp;

    /// A code that the log knows was used. Returns at once; the marketplace is asked once a day at most.
    fn refresh_daily(&self, seller: &SellerId, code: &LicenseCode);
}
