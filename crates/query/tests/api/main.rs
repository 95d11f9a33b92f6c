//! The API against a real log and a real index.

mod checks;
mod errors;
mod house;
mod licenses;
