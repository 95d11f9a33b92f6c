//! Text that a spreadsheet would take for a formula when it opens a CSV file.

use std::borrow::Cow;

/// The text with an apostrophe before it if a spreadsheet would calculate it: `=`, `+`, `-`, `@`, a tab or a carriage
/// return first, also after white space or quotation marks (OWASP, "CSV Injection"). [`bare`] undoes it.
pub(crate) fn neutralised(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that was neutralised; others as they are.
pub(crate) fn bare(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

/// Whether a spreadsheet might calculate it. An apostrophe before it changes nothing here, so that each text that is
/// neutralised is undone to itself.
pub(crate) fn is_formula(text: &str) -> bool {
    let skipped = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '\u{feff}' | '\u{200b}' | '“' | '”');
    text.trim_start_matches('\'').starts_with(['\t', '\r', '\n'])
        || text.trim_start_matches(skipped).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}
