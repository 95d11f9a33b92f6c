//! Upkeep on a real log and a real views store, with a clock that is moved by hand.

#![cfg(test)]

mod alone;
mod nodes;
mod world;
