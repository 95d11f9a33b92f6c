//! From what is known of a case to its settlement lines.

use super::{Books, Case, Drawn};

/// The lines of a case, in the order of their ids. Trials and orders that were withdrawn make none.
#[must_use]
pub fn draw_up(case: &Case, books: &Books<'_>) -> Vec<Drawn> {
    let _ = (case, books);
    vec![]
}
