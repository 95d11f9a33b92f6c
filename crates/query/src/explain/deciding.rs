//! The events that decided a verdict: for each part of the license that the code depends on, the last that changed it.

use chopmark_commands::Told;
use chopmark_domain::license::{Code, License};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::{ExactTime, PositionText};

/// An event that decided.
#[derive(Serialize, ToSchema)]
#[schema(as = DecisiveEvent)]
pub(crate) struct Decisive<'a> {
    /// Its place among the events of the license, from 0.
    revision: u64,
    /// Its place in the log.
    position: PositionText,
    /// What happened.
    #[schema(example = "license_frozen.v1")]
    kind: &'a str,
    /// When the log took it.
    recorded_at: ExactTime,
}

/// A part of a license that verdicts depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Status,
    Block,
    Activation,
    Product,
    Quantity,
    End,
    Deployment,
    Machines,
}

/// The parts that a code depends on.
fn parts(code: Code) -> &'static [Part] {
    match code {
        Code::NotFound => &[],
        Code::Released | Code::Frozen => &[Part::Status],
        Code::Blocked => &[Part::Block],
        Code::Pending => &[Part::Activation],
        Code::WrongProduct | Code::MachineRequired => &[Part::Product],
        Code::DeploymentConflict => &[Part::Deployment],
        Code::MachineNotActivated => &[Part::Product, Part::Machines],
        Code::MachineLimit => &[Part::Product, Part::Quantity, Part::Machines],
        Code::Expired | Code::Grace => &[Part::End],
        Code::Valid => &[Part::Status, Part::End],
    }
}

impl Part {
    /// Whether a license begins with something in this part.
    fn is_there(self, begun: &License) -> bool {
        match self {
            Self::Status | Self::Activation => true,
            Self::Block => begun.blocked,
            Self::Product => begun.sku.is_some(),
            Self::Quantity => begun.quantity.is_some(),
            Self::End => begun.expires_at.is_some(),
            Self::Deployment => begun.deployment.is_some(),
            Self::Machines => begun.machines.is_some(),
        }
    }

    fn changes(self, before: &License, after: &License) -> bool {
        match self {
            Self::Status => before.status != after.status,
            Self::Block => before.blocked != after.blocked,
            Self::Activation => before.activation != after.activation,
            Self::Product => before.sku != after.sku,
            Self::Quantity => before.quantity != after.quantity,
            Self::End => (before.expires_at, before.unfrozen_at) != (after.expires_at, after.unfrozen_at),
            Self::Deployment => before.deployment != after.deployment,
            Self::Machines => before.machines != after.machines,
        }
    }
}

/// The events that decided on a code, in the order of the log.
pub(super) fn decisive(told: &[Told], code: Code) -> Vec<Decisive<'_>> {
    let parts = parts(code);
    let mut last: Vec<Option<&Told>> = vec![None; parts.len()];
    let mut license: Option<License> = None;
    for event in told {
        let after = match &license {
            None => License::begin(&event.event),
            Some(before) => {
                let mut after = before.clone();
                after.evolve(&event.event);
                Some(after)
            }
        };
        for (part, last) in parts.iter().zip(&mut last) {
            let changes = match (&license, &after) {
                (Some(before), Some(after)) => part.changes(before, after),
                (None, Some(begun)) => part.is_there(begun),
                (_, None) => false,
            };
            if changes {
                *last = Some(event);
            }
        }
        license = after;
    }
    let mut decisive: Vec<&Told> = last.into_iter().flatten().collect();
    decisive.sort_by_key(|told| told.record.revision);
    decisive.dedup_by_key(|told| told.record.revision);
    decisive.into_iter().map(Decisive::from).collect()
}

impl<'a> From<&'a Told> for Decisive<'a> {
    fn from(told: &'a Told) -> Self {
        Self {
            revision: told.record.revision.0,
            position: PositionText(told.record.position),
            kind: &told.record.kind,
            recorded_at: ExactTime(told.record.recorded_at),
        }
    }
}
