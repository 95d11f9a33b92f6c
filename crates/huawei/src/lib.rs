//! The marketplace's dialect: how Huawei Cloud Marketplace (云商店, KooGallery) signs, asks and wants to be answered.
//!
//! What comes in is a [`callback::Delivery`]: a query string and a body. [`callback::verify`] turns it into a
//! [`callback::Callback`] whose sender and content are checked, or into a [`callback::Rejection`] that knows its own
//! answer. What goes out is an [`answer::Answer`], signed with [`signature::body_sign_header`].
//!
//! ```text
//! Delivery ─▶ verify(keys, now) ─▶ Callback ─▶ (commands) ─▶ Answer ─▶ bytes + Body-Sign
//!                               └▶ Rejection ───────────────▶┘
//! ```
//!
//! Nothing here keeps state or reads a clock. Facts of the protocol are cited by page title and topic number of the
//! marketplace's access guide.

pub mod answer;
pub mod callback;
pub mod keys;
pub mod open_api;
pub mod signature;
pub mod site;
pub mod time;

mod canonical;
mod json;
mod redact;
mod uri;
