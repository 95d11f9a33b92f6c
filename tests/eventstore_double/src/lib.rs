//! A double of an EventStoreDB server, for tests: there is no package of a real one.
//!
//! It speaks the part of the protocol that this house uses, over a SQLite log, and goes wrong on demand ([`COMMANDS`]).
//! What it does is read from the server's source and held against clients of other hands; it is no server: it has no
//! deletions, no truncation by metadata, no persistent subscriptions, no cluster, and its `$all` is as fast as SQLite is.

#![expect(clippy::result_large_err, reason = "a call's failure is a `Status`, whatever its size")]

mod append;
mod batch;
mod double;
mod faults;
mod line;
pub mod protocol;
mod read;
mod service;
mod store;
mod wire;

pub use double::{Double, Options};
pub use faults::COMMANDS;
