//! The console against a real log and a real index, as a browser sees it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod books;
mod browser;
mod files;
#[path = "../api/house.rs"]
#[expect(dead_code, reason = "the tests of the API use more of it")]
mod house;
mod keeping;
mod login;
mod pages;
mod settlement;
#[path = "../../../billing/tests/report/shelf.rs"]
#[expect(dead_code, reason = "the tests of reports use more of it")]
mod shelf;
mod walls;
