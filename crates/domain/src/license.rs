//! Licenses: the life of an instance or license code, from the marketplace's callbacks and the orders they name.
//!
//! [`decide()`] turns a command into events against a license's [`History`]; [`History::evolve`] and
//! [`License::evolve`] take events up; [`judge`] answers a check. All are plain functions over plain data.

mod decide;
mod event;
mod history;
mod state;
mod verdict;

pub use decide::{Command, Refusal, Request, decide};
pub use event::{
    CodeSeen, Event, Frozen, InstanceAdopted, InstanceCreated, OrderFactsApplied, PurchaseAdopted, Refreshed, Released,
    Scene, Unfrozen, Upgraded,
};
pub use history::{History, NamedOrder, OrderRole, Standing, Terms};
pub use state::{License, PROVISIONAL_TERM, Status};
pub use verdict::{Code, Entitlements, Question, Reason, SeatUse, Verdict, judge};
