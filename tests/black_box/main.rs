//! Black boxes: the built binary, driven from outside as the marketplace, the software, an operator or a stranger does.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod callbacks;
mod cli;
mod crash;
mod hostile;
mod listeners;
mod looking;
mod missing;
mod newer;
mod orders;
mod scenarios;
mod shell;
mod starved;
mod stopping;
mod support;
mod tls;
