//! Whether the log can be reached.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Since when the log has not answered, as a projector found. Clones know the same. While it does not, the index answers
/// from what it knew last.
#[derive(Debug, Clone, Default)]
pub struct Contact(Arc<Mutex<Option<Instant>>>);

impl Contact {
    /// For how long the log has not answered; `None` while it does.
    #[must_use]
    pub fn lost_for(&self) -> Option<Duration> {
        self.lost_since().map(|since| since.elapsed())
    }

    /// The log answers.
    pub(crate) fn found(&self) {
        *self.state() = None;
    }

    /// The log does not answer.
    pub(crate) fn lost(&self) {
        self.state().get_or_insert_with(Instant::now);
    }

    fn lost_since(&self) -> Option<Instant> {
        *self.state()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // Whole whatever happens while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_lost_from_the_first_failure_until_the_log_answers() {
        let contact = Contact::default();
        assert_eq!(contact.lost_for(), None);
        contact.lost();
        let first = contact.lost_since();
        contact.lost();
        assert_eq!(contact.lost_since(), first);
        assert!(contact.lost_for().is_some());
        contact.found();
        assert_eq!(contact.lost_for(), None);
    }
}
