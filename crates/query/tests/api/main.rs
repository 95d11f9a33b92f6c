//! The API against a real log and a real index.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod blocking;
mod checks;
mod deliveries;
mod errors;
mod house;
mod licenses;
mod looking_back;
mod tokens;
