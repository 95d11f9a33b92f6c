//! Machines and the seats they use.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::{MachineActivated, MachineFreed};
use crate::ids::Fingerprint;

/// A machine that has, or had, a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Which.
    pub fingerprint: Fingerprint,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when it has its seat, UTC.
    pub activated_at: DateTime<Utc>,
    /// It was freed, and its seat stays taken until then, UTC: until the end of the longest lease it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_until: Option<DateTime<Utc>>,
}

impl Machine {
    /// Whether it may be used.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.taken_until.is_none()
    }

    /// Whether nobody else can have its seat.
    #[must_use]
    pub fn takes_seat(&self, now: DateTime<Utc>) -> bool {
        self.taken_until.is_none_or(|until| now < until)
    }
}

/// The machines of a license, in the order in which they were activated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machines(Vec<Machine>);

impl Machines {
    /// Every machine that is active or still takes a seat; and some that no longer do.
    pub fn iter(&self) -> impl Iterator<Item = &Machine> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A machine.
    #[must_use]
    pub fn get(&self, fingerprint: &str) -> Option<&Machine> {
        self.0.iter().find(|machine| machine.fingerprint.as_str() == fingerprint)
    }

    /// Seats that are taken.
    #[must_use]
    pub fn used(&self, now: DateTime<Utc>) -> u32 {
        let used = self.0.iter().filter(|machine| machine.takes_seat(now)).count();
        u32::try_from(used).unwrap_or(u32::MAX)
    }

    /// Seats taken by machines that came before this one.
    pub(super) fn before(&self, fingerprint: &str, now: DateTime<Utc>) -> u32 {
        let earlier = self.0.iter().take_while(|machine| machine.fingerprint.as_str() != fingerprint);
        let taken = earlier.filter(|machine| machine.takes_seat(now)).count();
        u32::try_from(taken).unwrap_or(u32::MAX)
    }

    pub(super) fn activate(&mut self, activated: &MachineActivated) {
        let MachineActivated { fingerprint, name, at } = activated;
        self.0.retain(|machine| machine.takes_seat(*at) && machine.fingerprint != *fingerprint);
        self.0.reserve_exact(1);
        self.0.push(Machine {
            fingerprint: fingerprint.clone(),
            name: name.clone(),
            activated_at: *at,
            taken_until: None,
        });
    }

    pub(super) fn free(&mut self, freed: &MachineFreed) {
        if let Some(machine) = self.0.iter_mut().find(|machine| machine.fingerprint == freed.fingerprint) {
            machine.taken_until = Some(freed.taken_until);
        }
    }
}
