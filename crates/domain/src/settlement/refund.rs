//! Refunds (退订): who may have one, how much comes back, and on which bill it is.

pub mod amount;
pub mod pairing;
pub mod prorated;
pub mod rules;
