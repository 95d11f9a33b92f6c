//! The rules of Chopmark: what can happen to a license, an order or a catalog, and what follows from it.
//!
//! Everything here is a plain function over plain data: no I/O, no async, no clock. The time comes in as an argument
//! and randomness as bytes, so every rule can be tested, replayed and explained. A license goes one way:
//!
//! ```text
//! command ─▶ license::decide(history, command, now) ─▶ events ─▶ History::evolve   (to decide the next)
//!                                                          └───▶ License::evolve   (to answer checks: license::judge)
//! ```

pub mod access;
pub mod at_risk;
pub mod catalog;
pub mod cause;
pub mod codec;
mod digest;
pub mod hours;
pub mod ids;
pub mod license;
pub mod order;
pub mod purchase;
pub mod requests;
pub mod rfc3339;
pub mod seal;
pub mod settlement;
pub mod stream;

/// Every kind of event that this version stores and reads, of all streams.
pub fn event_kinds() -> impl Iterator<Item = &'static str> {
    [
        license::Event::KINDS,
        order::Event::KINDS,
        catalog::Event::KINDS,
        access::Event::KINDS,
        hours::Event::KINDS,
        requests::Event::KINDS,
        seal::Event::KINDS,
        settlement::bill::event::Event::KINDS,
        settlement::month::Event::KINDS,
        settlement::transactions::Event::KINDS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
