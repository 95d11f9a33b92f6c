//! Seats that lapse.

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::cause::Cause;
use chopmark_domain::license::{Command, FreedBy, HEARD_WITHIN, Machine};
use chopmark_domain::stream::LicenseKey;
use chopmark_projector::WithMachines;
use chopmark_views::{LastSeen, Noted};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{MARGIN, Upkeep, UpkeepError};

/// For how long we have been looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// When the views store began to be kept, UTC. Who was not seen before then is not missed.
    pub watching_since: DateTime<Utc>,
    /// Since when there is somebody to see, UTC. While nothing ran, nobody could be seen.
    pub up_since: DateTime<Utc>,
}

/// Whether a machine was not heard of for longer than any of its leases lasts, at a moment before which all that was seen is
/// known.
///
/// Our own outage is nobody's absence: after a start everybody first gets the time of two checks to be heard of again.
#[must_use]
pub fn has_lapsed(
    machine: &Machine,
    last_seen: Option<LastSeen>,
    terms: &ProductTerms,
    watch: Watch,
    at: DateTime<Utc>,
) -> bool {
    let term = longest_lease(terms);
    let heard_of = last_seen.map(|seen| seen.at).max(Some(machine.activated_at)).max(Some(watch.watching_since));
    let lease_until = last_seen.and_then(|seen| seen.lease_until);
    let lapses_at = heard_of.map(|heard_of| heard_of + term).max(lease_until);
    let heard_again_by = watch.up_since + TimeDelta::seconds(terms.check_interval_seconds.into()) * 2;
    machine.is_active() && lapses_at.is_some_and(|lapses_at| lapses_at + MARGIN <= at) && heard_again_by + MARGIN <= at
}

/// How long a lease lasts at the most.
pub(crate) fn longest_lease(terms: &ProductTerms) -> TimeDelta {
    TimeDelta::seconds(i64::from(terms.lease_seconds) + i64::from(terms.offline_grace_seconds))
}

impl Upkeep {
    /// Frees the machines of a license that have lapsed.
    pub(crate) async fn free_lapsed_of(&self, license: &WithMachines, noted: &Noted) -> Result<(), UpkeepError> {
        let WithMachines { key, machines, terms } = license;
        // Where nobody counts machines, none needs to go.
        let Some(terms) = terms.as_ref().map(|dated| &dated.terms).filter(|terms| terms.seats.is_some()) else {
            return Ok(());
        };
        let (watch, known_at) = self.watch(noted);
        // Nearly all are heard of again and again; the store is asked only about those that were not even activated lately.
        if !machines.iter().any(|machine| has_lapsed(machine, None, terms, watch, known_at)) {
            return Ok(());
        }
        let seen = self.seen.last_seen(key.seller.as_str(), key.id.as_str()).await?;
        for machine in machines.iter() {
            let last_seen = seen.get(machine.fingerprint.as_str()).copied();
            if has_lapsed(machine, last_seen, terms, watch, known_at) {
                self.free(key, machine, terms).await?;
            }
        }
        Ok(())
    }

    /// For how long somebody has been looking, and until when all that was seen is known.
    fn watch(&self, noted: &Noted) -> (Watch, DateTime<Utc>) {
        let began = noted.watched.map_or(self.began, |watched| watched.since);
        let watch =
            Watch { watching_since: noted.kept_since, up_since: noted.lost.map_or(began, |lost| lost.max(began)) };
        let known_at = noted.watched.map_or(noted.through, |watched| watched.until.min(noted.through));
        (watch, known_at)
    }

    /// Frees a machine. All of its leases that are known have ended, so nobody needs to know any more when it was last
    /// seen; unless somebody else may have heard of it just now. Then its seat waits until that is known as well.
    async fn free(&self, key: &LicenseKey, machine: &Machine, terms: &ProductTerms) -> Result<(), UpkeepError> {
        let now = self.commands.now();
        let fingerprint = machine.fingerprint.clone();
        let is_shared = self.seen.is_shared();
        let taken_until = if is_shared { now + HEARD_WITHIN + longest_lease(terms) } else { now };
        let lapse = Command::FreeMachine { fingerprint, by: FreedBy::Lapse, taken_until };
        let done = self.commands.license(key, lapse, &Cause::System).await?;
        if done.appended > 0 {
            self.metrics.lapsed.inc();
            tracing::info!(seller = %key.seller, license = %key.id, machine = %machine.fingerprint, "a seat has lapsed");
        }
        if is_shared {
            return Ok(());
        }
        Ok(self.seen.forget(key.seller.as_str(), key.id.as_str(), machine.fingerprint.as_str()).await?)
    }
}
