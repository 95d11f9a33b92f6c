//! The API as software uses it, against a real log and an index that follows it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod codes;
mod deployments;
mod machines;
mod nodes;
mod steady;
mod verdicts;
mod world;
