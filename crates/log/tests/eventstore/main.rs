//! The EventStoreDB engine: its promises, what the client and the server may do to it, and its lease.
//!
//! All of it runs against a double of the server; the promises of a log run against the real one instead that
//! `CHOPMARK_TEST_ESDB_URL` names.

#![cfg(test)]

mod contract;
mod hazards;
mod lease;
mod places;
mod subscription;
mod trouble;
