//! What a person makes of a difference.

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::{Outcome, Pair};
use crate::settlement::money::Currency;

/// Whether a difference is taken as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Judgement {
    /// The bill is right, or not worth a ticket.
    Accepted,
    /// The bill is wrong; a ticket goes to the marketplace, which corrects it on the next bill (S2, S4).
    Disputed,
}

/// A judgement on a pair, as it was when it was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// On which pair of the bill.
    pub key: Key,
    /// In which currency.
    pub currency: Currency,
    /// The outcome that was judged; the judgement stands as long as it stays the same.
    pub outcome: Outcome,
    /// Accepted or disputed.
    pub judgement: Judgement,
    /// Why, and the ticket's number.
    pub note: String,
}

impl Pair {
    /// A judgement on this pair as it is.
    #[must_use]
    pub fn judge(&self, judgement: Judgement, note: &str) -> Judged {
        Judged { key: self.key.clone(), currency: self.currency, outcome: self.outcome, judgement, note: note.into() }
    }
}
