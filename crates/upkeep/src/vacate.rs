//! Seats of machines that were freed.
//!
//! Whoever frees a machine does not know every lease that it may have: others may have given one out just now. So its seat
//! is said to be taken for as long as any lease can last. A little later all who give out leases have heard of it and have
//! written what they gave out before; when the last of those leases has ended, the seat need not wait for more.

use std::collections::HashMap;

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::Fingerprint;
use chopmark_domain::license::{Command, Machine};
use chopmark_domain::stream::LicenseKey;
use chopmark_projector::WithMachines;
use chopmark_views::{LastSeen, Noted};
use chrono::{DateTime, Utc};

use crate::lapse::longest_lease;
use crate::{MARGIN, Upkeep, UpkeepError};

/// Since when each freed machine whose seat is taken is known to be freed, UTC. Those of one round; as many as the index
/// holds.
pub(crate) type Freed = HashMap<(LicenseKey, Fingerprint), DateTime<Utc>>;

/// When all leases of a machine have ended, if what the notes lack is taken for as long as it can be. What was seen before
/// `unknown_before` may not be noted.
fn leases_end(
    machine: &Machine,
    last_seen: Option<LastSeen>,
    terms: &ProductTerms,
    unknown_before: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let unknown = (machine.activated_at < unknown_before).then(|| unknown_before + longest_lease(terms));
    unknown.max(last_seen.and_then(|seen| seen.lease_until))
}

impl Upkeep {
    /// Gives away the seats of freed machines whose leases have ended. `freed` gathers those that are still waited for.
    pub(crate) async fn vacate_seats_of(
        &self,
        license: &WithMachines,
        noted: &Noted,
        freed: &mut Freed,
    ) -> Result<(), UpkeepError> {
        let WithMachines { key, machines, terms } = license;
        let Some(terms) = terms.as_ref().map(|dated| &dated.terms).filter(|terms| terms.seats.is_some()) else {
            return Ok(());
        };
        let now = self.commands.now();
        let waits = |machine: &&Machine| !machine.is_active() && machine.takes_seat(now);
        let mut known = vec![];
        for machine in machines.iter().filter(waits) {
            let which = (key.clone(), machine.fingerprint.clone());
            let since = self.freed.get(&which).copied().unwrap_or(now);
            freed.insert(which, since);
            if since + MARGIN <= noted.through {
                known.push(machine);
            }
        }
        if known.is_empty() {
            return Ok(());
        }
        let seen = self.seen.last_seen(key.seller.as_str(), key.id.as_str()).await?;
        // Of a store of its own, this process knows what was seen since it began.
        let lost = if self.seen.is_shared() { noted.lost } else { noted.lost.max(Some(self.began)) };
        let unknown_before = lost.max(Some(noted.kept_since)).unwrap_or(noted.kept_since);
        for machine in known {
            let last_seen = seen.get(machine.fingerprint.as_str()).copied();
            if leases_end(machine, last_seen, terms, unknown_before).is_none_or(|end| end <= now) {
                self.vacate(key, machine, now).await?;
            }
        }
        Ok(())
    }

    async fn vacate(&self, key: &LicenseKey, machine: &Machine, now: DateTime<Utc>) -> Result<(), UpkeepError> {
        let vacate = Command::VacateSeat { fingerprint: machine.fingerprint.clone(), taken_until: now };
        let done = self.commands.license(key, vacate, &Cause::System).await?;
        if done.appended > 0 {
            tracing::info!(seller = %key.seller, license = %key.id, machine = %machine.fingerprint, "a seat is free again");
        }
        Ok(self.seen.forget(key.seller.as_str(), key.id.as_str(), machine.fingerprint.as_str()).await?)
    }
}
