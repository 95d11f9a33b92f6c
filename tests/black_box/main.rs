//! Black boxes: the built binary, driven from outside as the marketplace, the software, an operator or a stranger does.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod callbacks;
mod cli;
mod crash;
mod described;
mod hostile;
mod listeners;
mod looking;
mod missing;
mod newer;
mod orders;
#[path = "../src/python.rs"]
mod python;
mod scenarios;
mod shell;
mod starved;
mod stopping;
mod support;
mod tls;
