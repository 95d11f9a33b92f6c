//! What finance is told, from rows that are laid down by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod closing;
mod exports;
mod files;
mod forecasts;
mod lines;
mod periods;
mod reconciliations;
mod shelf;
