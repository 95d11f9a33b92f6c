//! The console in a real browser: the built binary serves, headless Chromium looks and clicks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod clicking;
mod driver;
#[path = "../black_box/support.rs"]
#[expect(dead_code, reason = "the black boxes use more of it")]
mod support;
