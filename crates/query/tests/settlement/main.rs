//! The settlement's API against a real log, a real index and real billing views.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod asking;
mod bills;
mod closing;
mod quotes;
mod shop;
