//! The index from outside, against hand-made pages and against a real log.

mod fold;
mod laws;
mod listing;
mod looking_up;
mod tape;
mod with_log;
