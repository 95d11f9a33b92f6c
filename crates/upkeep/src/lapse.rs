//! Seats that lapse.

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::cause::Cause;
use chopmark_domain::license::{Command, FreedBy, Machine};
use chopmark_domain::stream::LicenseKey;
use chopmark_projector::{Cursor, WithMachines};
use chopmark_views::LastSeen;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Upkeep, UpkeepError};

/// Licenses looked at in one go.
const PAGE: usize = 1_000;

/// What a process that was killed may not have written of those it saw, and some time for clocks that differ.
const MARGIN: TimeDelta = TimeDelta::minutes(2);

/// For how long we have been looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// When the views store began to be kept, UTC. Who was not seen before then is not missed.
    pub watching_since: DateTime<Utc>,
    /// When this process started, UTC. While nothing ran, nobody could be seen.
    pub up_since: DateTime<Utc>,
}

/// Whether a machine was not heard of for longer than any of its leases lasts.
///
/// Our own outage is nobody's absence: after a start everybody first gets the time of two checks to be heard of again.
#[must_use]
pub fn has_lapsed(
    machine: &Machine,
    last_seen: Option<LastSeen>,
    terms: &ProductTerms,
    watch: Watch,
    now: DateTime<Utc>,
) -> bool {
    let seconds = |seconds: u32| TimeDelta::seconds(seconds.into());
    let term = seconds(terms.lease_seconds) + seconds(terms.offline_grace_seconds);
    let heard_of = last_seen.map(|seen| seen.at).max(Some(machine.activated_at)).max(Some(watch.watching_since));
    let lease_until = last_seen.and_then(|seen| seen.lease_until);
    let lapses_at = heard_of.map(|at| at + term).max(lease_until);
    let heard_again_by = watch.up_since + seconds(terms.check_interval_seconds) * 2;
    machine.is_active() && lapses_at.is_some_and(|at| at + MARGIN <= now) && heard_again_by + MARGIN <= now
}

impl Upkeep {
    /// Frees every machine that has lapsed. Its seat is free at once: all of its leases have ended.
    pub(crate) async fn free_lapsed(&self) {
        let mut after: Option<Cursor> = None;
        loop {
            let listing = self.index.machines(after.as_ref(), PAGE, self.commands.now());
            for license in &listing.licenses {
                if let Err(error) = self.free_lapsed_of(license).await {
                    self.failed(&license.key.seller, &error);
                }
            }
            match listing.next {
                Some(next) => after = Some(next),
                None => return,
            }
        }
    }

    async fn free_lapsed_of(&self, license: &WithMachines) -> Result<(), UpkeepError> {
        let WithMachines { key, machines, terms } = license;
        // Where nobody counts machines, none needs to go.
        let Some(terms) = terms.as_ref().map(|dated| &dated.terms).filter(|terms| terms.seats.is_some()) else {
            return Ok(());
        };
        let now = self.commands.now();
        // Nearly all are heard of again and again; the store is asked only about those that were not even activated lately.
        if !machines.iter().any(|machine| has_lapsed(machine, None, terms, self.watch, now)) {
            return Ok(());
        }
        let seen = self.seen.last_seen(key.seller.as_str(), key.id.as_str()).await?;
        for machine in machines.iter() {
            let last_seen = seen.get(machine.fingerprint.as_str()).copied();
            if has_lapsed(machine, last_seen, terms, self.watch, now) {
                self.free(key, machine, now).await?;
            }
        }
        Ok(())
    }

    async fn free(&self, key: &LicenseKey, machine: &Machine, now: DateTime<Utc>) -> Result<(), UpkeepError> {
        let fingerprint = machine.fingerprint.clone();
        let lapse = Command::FreeMachine { fingerprint, by: FreedBy::Lapse, taken_until: now };
        let done = self.commands.license(key, lapse, &Cause::System).await?;
        if done.appended > 0 {
            self.metrics.lapsed.inc();
            tracing::info!(seller = %key.seller, license = %key.id, machine = %machine.fingerprint, "a seat has lapsed");
        }
        // All of its leases have ended, so nobody needs to know when it was last seen.
        Ok(self.seen.forget(key.seller.as_str(), key.id.as_str(), machine.fingerprint.as_str()).await?)
    }
}
