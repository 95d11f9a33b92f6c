//! What each command does. Each says what it has to say itself and returns a [`Failure`](crate::failure::Failure) for
//! what went wrong.

pub mod check_config;
