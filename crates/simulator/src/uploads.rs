//! The marketplace's book of licenses that sellers handed over, by the event that applied for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A license as it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uploaded {
    /// A text.
    Text(String),
    /// A file.
    File {
        /// Its name.
        name: String,
        /// Its content.
        content: Vec<u8>,
    },
}

/// What happened to one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// How often an upload was tried, refused ones included.
    pub attempts: u32,
    /// What was accepted, in the order of arrival.
    pub accepted: Vec<Uploaded>,
}

/// The book of uploads. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Uploads(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    refused_first: u32,
    entries: HashMap<String, Entry>,
}

impl Uploads {
    /// From now on the first so many uploads for each event are refused with the marketplace's own error.
    pub fn refuse_first(&self, attempts: u32) {
        self.book().refused_first = attempts;
    }

    /// What happened to an event so far.
    #[must_use]
    pub fn of(&self, event: &str) -> Entry {
        self.book().entries.get(event).cloned().unwrap_or_default()
    }

    /// Takes an upload, or refuses it while it is one of the first.
    pub(crate) fn take(&self, event: &str, uploaded: Uploaded) -> bool {
        let mut book = self.book();
        let refused_first = book.refused_first;
        let entry = book.entries.entry(event.into()).or_default();
        entry.attempts = entry.attempts.saturating_add(1);
        let accepted = entry.attempts > refused_first;
        if accepted {
            entry.accepted.push(uploaded);
        }
        accepted
    }

    // A panic while the book is held leaves it whole: nothing in between panics.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_uploads_of_each_event_may_be_refused() {
        let uploads = Uploads::default();
        assert_eq!(uploads.of("ev-1"), Entry::default());
        uploads.refuse_first(2);
        let text = || Uploaded::Text("LIC".into());
        let taken: Vec<_> = (0..4).map(|_| uploads.take("ev-1", text())).collect();
        assert_eq!(taken, [false, false, true, true]);
        assert_eq!(uploads.of("ev-1"), Entry { attempts: 4, accepted: vec![text(), text()] });
        assert!(!uploads.take("ev-2", text()));
    }
}
