//! The rules: which events a command adds to a license.

use chrono::{DateTime, Utc};

use super::event::{
    CodeSeen, Event, Frozen, InstanceAdopted, InstanceCreated, OrderFactsApplied, PurchaseAdopted, Refreshed, Released,
    Unfrozen, Upgraded,
};
use super::history::{History, Standing};
use super::state::{License, Status};
use crate::cause::RequestSignature;
use crate::ids::{InstanceId, OrderId, OrderLineId};
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
        (Standing::Absent, Command::ApplyOrderFacts { .. }) => Err(Refusal::Unknown),
        (Standing::Absent, command) => match id {
            LicenseId::Instance(_) => Err(Refusal::Unknown),
            // The marketplace makes codes and is the authority: what it names, exists.
            LicenseId::Code(_) => begin_code(command, request),
        },
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
    let license = &history.license;
    let released = license.status == Status::Released;
    match command {
        Command::Create { .. } => Ok(vec![]),
        Command::Refresh(refreshed) if history.has_refreshed(&refreshed) => Ok(vec![]),
        Command::Upgrade(upgraded) if history.has_upgraded(&upgraded) => Ok(vec![]),
        Command::Refresh(_) | Command::Upgrade(_) | Command::Unfreeze if released => Err(Refusal::Released),
        Command::Refresh(refreshed) => Ok(vec![refreshed.into()]),
        Command::Upgrade(upgraded) => Ok(vec![upgraded.into()]),
        Command::Freeze if license.status == Status::Active => Ok(vec![Frozen {}.into()]),
        Command::Freeze => Ok(vec![]),
        Command::Unfreeze if license.status == Status::Frozen || news_of_life(license, request.now) => {
            Ok(vec![Unfrozen { at: request.now }.into()])
        }
        Command::Unfreeze => Ok(vec![]),
        Command::Release { .. } if released => Ok(vec![]),
        Command::Release { order_id, order_line_id } => Ok(vec![Released { order_id, order_line_id }.into()]),
        Command::ApplyOrderFacts { order, facts } => Ok(apply_facts(history, order, facts)),
        Command::Adopt(adopted) if history.was_adopted_as(&adopted) => Ok(vec![]),
        Command::Adopt(_) | Command::AdoptPurchase(_) => Err(Refusal::Exists),
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
