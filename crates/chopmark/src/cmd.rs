//! What each command does. Each says what it has to say itself and returns a [`Failure`](crate::failure::Failure) for
//! what went wrong.

pub(crate) mod apply;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod check_config;
pub(crate) mod demo;
pub(crate) mod doctor;
mod kept;
pub(crate) mod keys;
pub(crate) mod license;
pub(crate) mod log;
mod operator;
pub(crate) mod rebuild;
mod seen;
pub(crate) mod serve;
pub(crate) mod settlement;
pub(crate) mod simulate;
mod text;
pub(crate) mod token;
