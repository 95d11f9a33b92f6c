//! What the tests of the house look at it with.

pub mod python;
pub mod repository;
