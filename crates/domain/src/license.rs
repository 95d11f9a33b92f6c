//! Licenses: the life of an instance, license code or deployment, from the marketplace's callbacks and the orders they
//! name, and from the machines that use them.
//!
//! [`decide()`] turns a command into events against a license's [`History`]; [`History::evolve`] and
//! [`License::evolve`] take events up; [`judge`] answers a check. All are plain functions over plain data.

mod applications;
mod decide;
mod deployment;
mod event;
mod history;
mod leaving;
mod machine;
mod reason;
mod state;
mod verdict;

pub use applications::Progress;
pub use decide::{Command, Refusal, Request, SeatRequest, decide};
pub use deployment::{CLONE_WINDOW, Deployment, DeploymentClaim, EcsFacts, Enrolment, EnrolmentHash};
pub use event::{
    Application, Blocked, CodeAnswer, CodeSeen, CodeState, DeploymentEnrolled, Errand, ErrandAbandoned, ErrandDelayed,
    Event, FreedBy, Frozen, InstanceAdopted, InstanceCreated, LicenseIssued, LicenseRequested, LicenseUploaded,
    MachineActivated, MachineFreed, OrderFactsApplied, PurchaseAdopted, Refreshed, Released, Scene, Unblocked,
    Unfrozen, Upgraded,
};
pub use history::{History, NamedOrder, OrderRole, Standing, Terms};
pub use leaving::{HEARD_WITHIN, KnownLeases, seat_taken_until};
pub use machine::{Machine, Machines};
pub use reason::{Language, Reason, Worded};
pub use state::{Activation, License, PROVISIONAL_TERM, Shown, Status};
pub use verdict::{Code, Entitlements, Question, SeatUse, Verdict, judge, judge_itself};
