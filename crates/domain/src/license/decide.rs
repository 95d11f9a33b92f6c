//! The rules: which events a command adds to a license.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::deployment::Enrolment;
use super::event::{
    Application, Blocked, CodeAnswer, CodeSeen, CodeState, Errand, ErrandAbandoned, ErrandDelayed, Event, FreedBy,
    Frozen, InstanceAdopted, InstanceCreated, LicenseIssued, LicenseRequested, LicenseUploaded, MachineActivated,
    MachineFreed, OrderFactsApplied, PurchaseAdopted, Refreshed, Released, Unblocked, Unfrozen, Upgraded,
};
use super::history::{History, Standing};
use super::state::{Activation, License, Status};
use super::verdict::{Code, standing_code};
use crate::catalog::ProductTerms;
use crate::cause::RequestSignature;
use crate::ids::{Fingerprint, InstanceId, OrderId, OrderLineId};
use crate::order::{OrderFacts, OrderRef};
use crate::stream::LicenseId;

/// What a license may be asked to take up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `newInstance`: the instance was bought.
    Create {
        /// The order.
        order: OrderRef,
    },
    /// `refreshInstance`, `refreshLicenseCode`.
    Refresh(Refreshed),
    /// `upgradeInstance`.
    Upgrade(Upgraded),
    /// Status `FREEZE`.
    Freeze,
    /// Status `UNFREEZE`.
    Unfreeze,
    /// `releaseInstance`, `releaseLicenseCode`.
    Release {
        /// The order named, if one is.
        order_id: Option<OrderId>,
        /// Its line.
        order_line_id: Option<OrderLineId>,
    },
    /// The facts of an order became known.
    ApplyOrderFacts {
        /// The order.
        order: OrderRef,
        /// Its facts.
        facts: OrderFacts,
    },
    /// Take an existing instance over.
    Adopt(InstanceAdopted),
    /// On the id that a purchase derives: the purchase belongs to this adopted instance.
    AdoptPurchase(InstanceId),
    /// An operator stops the license; why, for those who ask later.
    Block(String),
    /// An operator lets it go on.
    Unblock,
    /// A machine takes a seat.
    ActivateMachine(SeatRequest),
    /// A machine gives its seat up.
    FreeMachine {
        /// Which.
        fingerprint: Fingerprint,
        /// Who or what frees it.
        by: FreedBy,
        /// Until when its seat stays taken, UTC.
        taken_until: DateTime<Utc>,
    },
    /// All leases of a freed machine are known to have ended: its seat stays taken no longer than this.
    VacateSeat {
        /// Which.
        fingerprint: Fingerprint,
        /// Until when its seat stays taken at the most, UTC.
        taken_until: DateTime<Utc>,
    },
    /// A deployment is seen for the first time, or without its secret.
    Enrol(Box<Enrolment>),
    /// What the marketplace says of a code.
    ConfirmCode(CodeAnswer),
    /// `getLicenseAsync`: the customer applied for a license.
    RequestLicense(LicenseRequested),
    /// The license applied for is made.
    IssueLicense {
        /// For which application.
        application: Application,
        /// The license: a signed text.
        document: String,
    },
    /// The marketplace took the license.
    ConfirmUpload(Application),
    /// An errand did not succeed at first.
    DelayErrand {
        /// Which.
        errand: Errand,
        /// What went wrong.
        reason: String,
    },
    /// An errand is given up.
    AbandonErrand {
        /// Which.
        errand: Errand,
        /// What went wrong the last time.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
}

/// A machine that asks for a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatRequest {
    /// Which.
    pub fingerprint: Fingerprint,
    /// What people call it.
    pub name: Option<String>,
    /// The terms of the license's product, where that is known.
    pub terms: Option<Arc<ProductTerms>>,
    /// Activations of one license within 24 hours that are taken; twice its seats are, at least.
    pub a_day: u32,
}

/// Why a command adds nothing and may not be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such license.
    #[error("no such license")]
    Unknown,
    /// The license is released; releasing is final.
    #[error("the license is released")]
    Released,
    /// There is already another license where this one is to be adopted.
    #[error("there is already a license under this id or for this purchase")]
    Exists,
    /// The license is not of the kind that this can be asked of.
    #[error("the license is of another kind")]
    OtherKind,
    /// The license may not be used, so no machine and no deployment is added to it.
    #[error("the license cannot be used: {}", .0.as_str())]
    NotUsable(Code),
    /// All seats are taken.
    #[error("every seat is taken, of {limit}; free a machine first")]
    MachineLimit {
        /// Seats of the license.
        limit: u32,
    },
    /// The machine asked for is not there.
    #[error("there is no such machine")]
    UnknownMachine,
    /// More than the license may append in a day.
    #[error("too many in a day; try again tomorrow")]
    TooManyToday,
    /// The ECS id is used elsewhere.
    #[error("the ECS is enrolled from another project or region, or by a clone")]
    DeploymentConflict,
}

/// The request behind a command: when it is, and which signed request it is.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The time, UTC.
    pub now: DateTime<Utc>,
    /// The signature, where a signed request is the cause.
    pub signature: Option<RequestSignature>,
}

/// Which events a command adds to a license. None at all is success: it was taken up before.
///
/// # Errors
/// [`Refusal`], with nothing to append.
pub fn decide(id: &LicenseId, standing: &Standing, command: Command, request: Request) -> Result<Vec<Event>, Refusal> {
    match (standing, command) {
        (Standing::Known(history), command) => decide_known(history, command, request),
        (Standing::Adopted(to), Command::AdoptPurchase(instance)) if *to != instance => Err(Refusal::Exists),
        (Standing::Adopted(_), Command::Create { .. } | Command::AdoptPurchase(_)) => Ok(vec![]),
        (Standing::Adopted(_), Command::Adopt(_)) => Err(Refusal::Exists),
        (Standing::Adopted(_), _) => Err(Refusal::Unknown),
        (Standing::Absent, Command::Create { order }) => Ok(vec![InstanceCreated { order }.into()]),
        (Standing::Absent, Command::Adopt(adopted)) => Ok(vec![adopted.into()]),
        (Standing::Absent, Command::AdoptPurchase(instance_id)) => Ok(vec![PurchaseAdopted { instance_id }.into()]),
        (Standing::Absent, command) => match (id, command) {
            (LicenseId::Deployment(_), Command::Enrol(enrolment)) => {
                Ok(vec![enrolment.into_event(false, request.now).into()])
            }
            (LicenseId::Code(_), Command::ConfirmCode(answer)) => Ok(vec![answer.dated(None, request.now).into()]),
            // The marketplace makes codes and is the authority: what it names, exists.
            (LicenseId::Code(_), command) if command.is_of_the_marketplace() => begin_code(command, request),
            _ => Err(Refusal::Unknown),
        },
    }
}

impl Command {
    /// Whether a callback about a license says this.
    fn is_of_the_marketplace(&self) -> bool {
        matches!(self, Self::Refresh(_) | Self::Upgrade(_) | Self::Freeze | Self::Unfreeze | Self::Release { .. })
    }
}

fn begin_code(command: Command, request: Request) -> Result<Vec<Event>, Refusal> {
    let seen = Event::from(CodeSeen {});
    let history = History::of(&seen).ok_or(Refusal::Unknown)?;
    let more = decide_known(&history, command, request)?;
    Ok(std::iter::once(seen).chain(more).collect())
}

fn decide_known(history: &History, command: Command, request: Request) -> Result<Vec<Event>, Refusal> {
    // The same signed request again gets the same answer, even if the license has moved on since.
    if request.signature.is_some_and(|signature| history.has_answered(signature, request.now)) {
        return Ok(vec![]);
    }
    match command {
        Command::Create { .. } => Ok(vec![]),
        Command::Adopt(adopted) if history.was_adopted_as(&adopted) => Ok(vec![]),
        Command::Adopt(_) | Command::AdoptPurchase(_) => Err(Refusal::Exists),
        Command::ApplyOrderFacts { order, facts } => Ok(apply_facts(history, order, facts)),
        command if command.is_of_the_marketplace() => decide_callback(history, command, request),
        Command::Block(_)
        | Command::Unblock
        | Command::ActivateMachine(_)
        | Command::FreeMachine { .. }
        | Command::VacateSeat { .. } => decide_use(history, command, request.now),
        Command::Enrol(enrolment) => enrol(&history.license, *enrolment, request.now),
        Command::ConfirmCode(answer) => Ok(confirm(history, answer, request.now)),
        command => decide_errand(history, command),
    }
}

/// What the marketplace says of the license.
fn decide_callback(history: &History, command: Command, request: Request) -> Result<Vec<Event>, Refusal> {
    let license = &history.license;
    let released = license.status == Status::Released;
    match command {
        Command::Refresh(refreshed) if history.has_refreshed(&refreshed) => Ok(vec![]),
        Command::Upgrade(upgraded) if history.has_upgraded(&upgraded) => Ok(vec![]),
        Command::Refresh(_) | Command::Upgrade(_) | Command::Unfreeze if released => Err(Refusal::Released),
        Command::Refresh(refreshed) => Ok(vec![refreshed.into()]),
        Command::Upgrade(upgraded) => Ok(vec![upgraded.into()]),
        Command::Freeze if license.status == Status::Active => Ok(vec![Frozen {}.into()]),
        Command::Unfreeze if license.status == Status::Frozen || news_of_life(license, request.now) => {
            Ok(vec![Unfrozen { at: request.now }.into()])
        }
        Command::Release { order_id, order_line_id } if !released => {
            Ok(vec![Released { order_id, order_line_id }.into()])
        }
        _ => Ok(vec![]),
    }
}

/// What operators and machines do with the license.
fn decide_use(history: &History, command: Command, now: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
    let license = &history.license;
    match command {
        Command::Block(_) if license.status == Status::Released => Err(Refusal::Released),
        Command::Block(reason) if !license.blocked => Ok(vec![Blocked { reason }.into()]),
        Command::Unblock if license.blocked => Ok(vec![Unblocked {}.into()]),
        Command::ActivateMachine(request) => activate(history, request, now),
        Command::FreeMachine { fingerprint, by, taken_until } => free(license, fingerprint, by, taken_until),
        Command::VacateSeat { fingerprint, taken_until } => vacate(license, fingerprint, taken_until),
        _ => Ok(vec![]),
    }
}

/// A seat for a machine: one that it has, or one that is free.
fn activate(history: &History, request: SeatRequest, now: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
    let license = &history.license;
    let SeatRequest { fingerprint, name, terms, a_day } = request;
    if license.deployment.is_some() {
        return Err(Refusal::OtherKind);
    }
    let code = standing_code(license, terms.as_deref(), now);
    if !code.is_valid() {
        return Err(Refusal::NotUsable(code));
    }
    if license.has_machine(fingerprint.as_str()) {
        return Ok(vec![]);
    }
    let limit = terms.and_then(|terms| terms.seats).and_then(|seats| seats.limit(license.quantity));
    let machine = license.machines.as_ref().and_then(|machines| machines.get(fingerprint.as_str()));
    let takes_a_seat_already = machine.is_some_and(|machine| machine.takes_seat(now));
    if let Some(limit) = limit.filter(|limit| !takes_a_seat_already && license.seats_used(now) >= *limit) {
        return Err(Refusal::MachineLimit { limit });
    }
    let a_day = limit.map_or(a_day, |limit| a_day.max(limit.saturating_mul(2)));
    if history.activations_before(now) >= usize::try_from(a_day).unwrap_or(usize::MAX) {
        return Err(Refusal::TooManyToday);
    }
    Ok(vec![MachineActivated { fingerprint, name, at: now }.into()])
}

/// A machine gives its seat up. One that did is left as it is, unless an operator gives the seat away sooner.
fn free(
    license: &License,
    fingerprint: Fingerprint,
    by: FreedBy,
    taken_until: DateTime<Utc>,
) -> Result<Vec<Event>, Refusal> {
    let machine = license.machines.as_ref().and_then(|machines| machines.get(fingerprint.as_str()));
    let news = match machine.ok_or(Refusal::UnknownMachine)?.taken_until {
        None => true,
        Some(until) => by == FreedBy::Operator && taken_until < until,
    };
    Ok(if news { vec![MachineFreed { fingerprint, by, taken_until }.into()] } else { vec![] })
}

/// A freed machine's seat is given away sooner than was said. A machine that is active keeps its seat.
fn vacate(license: &License, fingerprint: Fingerprint, taken_until: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
    let machine = license.machines.as_ref().and_then(|machines| machines.get(fingerprint.as_str()));
    let is_sooner = machine.ok_or(Refusal::UnknownMachine)?.taken_until.is_some_and(|until| taken_until < until);
    Ok(if is_sooner { vec![MachineFreed { fingerprint, by: FreedBy::Lapse, taken_until }.into()] } else { vec![] })
}

/// A deployment without its secret: installed again, or a clone.
fn enrol(license: &License, enrolment: Enrolment, now: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
    let deployment = license.deployment.as_ref().ok_or(Refusal::OtherKind)?;
    let code = standing_code(license, None, now);
    if !code.is_valid() {
        return Err(Refusal::NotUsable(code));
    }
    let claim = enrolment.claim();
    if deployment.refuses(&claim, enrolment.policy, now) {
        return Err(Refusal::DeploymentConflict);
    }
    let runs_this = license.sku.as_ref() == Some(&enrolment.product);
    if deployment.is_enrolled(&claim) && runs_this {
        return Ok(vec![]);
    }
    if deployment.enrolments_before(now) >= usize::try_from(enrolment.at_most).unwrap_or(usize::MAX) {
        return Err(Refusal::TooManyToday);
    }
    let alternates = deployment.alternates(enrolment.presented, now);
    Ok(vec![enrolment.into_event(alternates, now).into()])
}

/// What the marketplace answers about a code, where that is news.
///
/// A code that was alive is not taken back by an unclear word: new answers may appear at any time, and a customer who paid
/// does not suffer from one that we do not understand.
fn confirm(history: &History, answer: CodeAnswer, now: DateTime<Utc>) -> Vec<Event> {
    let license = &history.license;
    let takes_back = answer.state == CodeState::Inactive && license.activation == Activation::Done;
    let answer = answer.dated(Some(license), now);
    if license.status == Status::Released || takes_back || history.has_confirmed(&answer) {
        return vec![];
    }
    vec![answer.into()]
}

/// What was done for the license at the marketplace.
fn decide_errand(history: &History, command: Command) -> Result<Vec<Event>, Refusal> {
    let license = &history.license;
    let released = license.status == Status::Released;
    match command {
        Command::RequestLicense(requested) => match history.application(&requested.application) {
            Some(_) => Ok(vec![]),
            None if released => Err(Refusal::Released),
            None => Ok(vec![requested.into()]),
        },
        Command::IssueLicense { application, document } => match history.application(&application) {
            None => Err(Refusal::Unknown),
            Some(progress) if progress.document.is_some() => Ok(vec![]),
            Some(_) => Ok(vec![LicenseIssued { application, document }.into()]),
        },
        Command::ConfirmUpload(application) => match history.application(&application) {
            None => Err(Refusal::Unknown),
            Some(progress) if progress.uploaded || progress.document.is_none() => Ok(vec![]),
            Some(_) => Ok(vec![LicenseUploaded { application }.into()]),
        },
        Command::DelayErrand { errand, .. } if history.is_late(&errand) => Ok(vec![]),
        Command::DelayErrand { errand, reason } => Ok(vec![ErrandDelayed { errand, reason }.into()]),
        Command::AbandonErrand { errand, reason, attempts } => {
            Ok(vec![ErrandAbandoned { errand, reason, attempts }.into()])
        }
        _ => Ok(vec![]),
    }
}

/// An UNFREEZE of an active license says something new when our own clock alone holds it for expired. Once for each
/// expiry: where a provisional term began already, the same word again is a redelivery and prolongs nothing.
fn news_of_life(license: &License, now: DateTime<Utc>) -> bool {
    license.expired(now) && license.provisional_until().is_none()
}

fn apply_facts(history: &History, order: OrderRef, facts: OrderFacts) -> Vec<Event> {
    if !history.mentions(&order) || history.has_applied(&order, &facts) {
        return vec![];
    }
    let terms = history.terms_with(&order, &facts);
    vec![OrderFactsApplied { order_id: order.order_id, facts, terms }.into()]
}
