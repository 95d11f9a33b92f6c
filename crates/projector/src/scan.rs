//! Going through all licenses, page by page.

use std::ops::Deref;

use crate::entry::Entry;
use crate::licenses::Slot;
use crate::state::State;

/// Licenses looked at before the index may go on: a search for something rare looks at all of them.
const SLICE: u32 = 4096;

/// Where the next page of a listing begins. Stays right while licenses are added, and over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Slot);

/// A text that is no cursor of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of a listing; begin again without one")]
pub struct CursorError;

impl Cursor {
    /// Reads what `Display` wrote.
    ///
    /// # Errors
    /// The text is not of that form.
    pub fn parse(text: &str) -> Result<Self, CursorError> {
        let digits = text.strip_prefix('l').ok_or(CursorError)?;
        let slot = u32::from_str_radix(digits, 16).map_err(|_| CursorError)?;
        let cursor = Self(Slot(slot));
        if cursor.to_string() == text { Ok(cursor) } else { Err(CursorError) }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "l{:x}", self.0.0)
    }
}

/// What a page of a listing took, in the order of the licenses' first events, and where to go on.
pub(crate) type Taken<T> = (Vec<T>, Option<Cursor>);

/// Takes at most `limit` of what `pick` picks. Each license is looked at as it is when its turn comes.
pub(crate) fn scan<S: Deref<Target = State>, T>(
    read: &dyn Fn() -> S,
    after: Option<&Cursor>,
    limit: usize,
    pick: impl Fn(&State, &Entry) -> Option<T>,
) -> Taken<T> {
    let mut taken = vec![];
    let mut from = after.map_or(Slot(0), |cursor| cursor.0);
    loop {
        let state = read();
        let mut looked_at = 0;
        for (slot, entry) in state.licenses.iter_from(from).take(SLICE as usize) {
            looked_at += 1;
            let Some(picked) = pick(&state, entry) else {
                continue;
            };
            if taken.len() == limit {
                return (taken, Some(Cursor(slot)));
            }
            taken.push(picked);
        }
        if looked_at < SLICE {
            return (taken, None);
        }
        from = Slot(from.0 + looked_at);
    }
}
