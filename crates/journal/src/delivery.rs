//! What is kept of a delivery.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// One delivery and its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivery {
    /// When it had been read, UTC; kept to the microsecond.
    pub at: DateTime<Utc>,
    /// The seller that the path named.
    pub seller: String,
    /// The activity, spelled as on the wire, where the body told.
    pub activity: Option<String>,
    /// A dial test of the seller's console.
    pub test: bool,
    /// Its signature was right.
    pub authenticated: bool,
    /// The instance or license code that it named.
    pub subject: Option<String>,
    /// The order that it named.
    pub order: Option<String>,
    /// The line of that order.
    pub order_line: Option<String>,
    /// The `resultCode` of the answer.
    pub result_code: String,
    /// Why it was rejected, as the metrics spell it.
    pub reason: Option<String>,
    /// Milliseconds until it was answered.
    pub millis: f64,
    /// The address that it came from.
    pub remote: Option<String>,
    /// The body, as far as it is kept: without personal data, and [`BODY_MAX`](Self::BODY_MAX) bytes of it.
    pub body: String,
    /// The answer's body, as far as it is kept.
    pub answer: String,
}

impl Delivery {
    /// Bytes kept of a body and of an answer.
    pub const BODY_MAX: usize = 4 * 1024;

    /// Bytes kept of every other text: strangers choose some of them.
    pub(crate) const TEXT_MAX: usize = 256;

    /// Nobody fills memory or disk through this. Cutting gives the room back, too.
    pub(crate) fn cut(&mut self) {
        for long in [&mut self.body, &mut self.answer] {
            cut(long, Self::BODY_MAX);
        }
        for short in [&mut self.seller, &mut self.result_code] {
            cut(short, Self::TEXT_MAX);
        }
        let optional = [
            &mut self.activity,
            &mut self.subject,
            &mut self.order,
            &mut self.order_line,
            &mut self.reason,
            &mut self.remote,
        ];
        for short in optional.into_iter().flatten() {
            cut(short, Self::TEXT_MAX);
        }
    }
}

fn cut(text: &mut String, max: usize) {
    if text.capacity() > 2 * max || text.len() > max {
        text.truncate(text.floor_char_boundary(max));
        text.shrink_to_fit();
    }
}
