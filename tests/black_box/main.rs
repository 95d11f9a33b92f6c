//! Black boxes: the built binary, driven from outside as the marketplace, the software, an operator or a stranger does.

mod callbacks;
mod cli;
mod crash;
mod hostile;
mod orders;
mod scenarios;
mod starved;
mod support;
mod tls;
