//! Black boxes: the built binary, driven from outside as the marketplace, the software, an operator or a stranger does.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod backup;
mod callbacks;
mod cli;
mod codes;
mod crash;
mod deployments;
mod described;
mod growth;
mod hostile;
mod leases;
mod limits;
mod line;
mod listeners;
mod log_cli;
mod looking;
mod looking_back;
mod machines;
mod missing;
mod newer;
mod nodes;
mod online;
mod orders;
#[path = "../src/python.rs"]
#[expect(unreachable_pub, reason = "the tests of the house have the same file in their library")]
mod python;
mod roles;
mod scenarios;
mod settlement;
mod settlement_cli;
mod settlement_postgres;
mod settlement_till;
mod shell;
mod shop;
mod software;
mod starved;
mod stopping;
mod support;
mod tls;
