//! Hours that are closed.

use chopmark_domain::cause::Cause;
use chopmark_domain::hours::{Hour, HoursClosed, SeenDeployment};
use chopmark_domain::ids::{EcsId, SellerId, Sku};
use chopmark_views::Noted;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Upkeep, UpkeepError};

/// After an hour's end: what was seen within it is written by then.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(3);

/// How far back hours are looked for that nobody closed, since nothing ran.
const LOOKS_BACK: TimeDelta = TimeDelta::hours(72);

/// How long hours that are closed stay in the store, for people who look.
const KEPT: TimeDelta = TimeDelta::days(14);

impl Upkeep {
    /// Closes every hour that is over and of which all is known, of every seller; one within which nobody was seen is left
    /// alone.
    pub(crate) async fn close_hours(&mut self, noted: &Noted) {
        let now = self.commands.now();
        for seller in self.index.sellers() {
            let mut all_went_well = true;
            for hour in due(self.looked_at.get(&seller).copied(), noted.through) {
                if let Err(error) = self.close_hour(&seller, hour).await {
                    self.failed(&seller, &error);
                    all_went_well = false;
                }
                // From the first hour that failed on, all are looked at again.
                if all_went_well {
                    self.looked_at.insert(seller.clone(), hour);
                }
            }
        }
        if let Err(error) = self.seen.forget_hours_before(now - KEPT).await {
            self.metrics.failed.inc();
            tracing::warn!(%error, "hours long closed stay in the views");
        }
    }

    async fn close_hour(&self, seller: &SellerId, hour: Hour) -> Result<(), UpkeepError> {
        let seen = self.seen.hour(seller.as_str(), hour.start()).await?;
        let mut seen: Vec<_> = seen.into_iter().filter_map(in_our_words).collect();
        if seen.is_empty() {
            return Ok(());
        }
        seen.sort();
        let (count, closing) = (seen.len(), HoursClosed { hour, seen });
        let day = chopmark_domain::hours::Day::of(hour.start());
        if !self.commands.hours(seller, day).await?.is_closed(hour) {
            self.commands.close_hour(seller, closing, &Cause::System).await?;
            self.metrics.closed.inc();
            tracing::info!(%seller, hour = %hour.start(), deployments = count, "an hour is closed");
        }
        Ok(())
    }
}

/// Hours that are over at a moment before which all is known, and were not looked at; the oldest first.
fn due(looked_at: Option<Hour>, known_at: DateTime<Utc>) -> impl Iterator<Item = Hour> {
    let first = looked_at.map_or_else(|| Hour::of(known_at - LOOKS_BACK), |hour| Hour::of(hour.end()));
    std::iter::successors(Some(first), |hour| Some(Hour::of(hour.end())))
        .take_while(move |hour| hour.end() + SETTLED_AFTER <= known_at)
}

/// What is in the store was parsed before it came there; anything else is left out.
fn in_our_words(seen: chopmark_views::SeenDeployment) -> Option<SeenDeployment> {
    let chopmark_views::SeenDeployment { product, ecs, charging_mode } = seen;
    Some(SeenDeployment { product: Sku::parse(&product).ok()?, ecs: EcsId::parse(&ecs).ok()?, charging_mode })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_is_due_a_little_after_its_end_and_once() {
        let last = Some(Hour::of(at("2026-11-24T08:00:00Z")));
        let due = |now| due(last, at(now)).map(|hour| hour.start()).collect::<Vec<_>>();
        assert!(due("2026-11-24T10:02:59Z").is_empty());
        assert_eq!(due("2026-11-24T10:03:00Z"), [at("2026-11-24T09:00:00Z")]);
        assert_eq!(due("2026-11-24T11:03:00Z"), [at("2026-11-24T09:00:00Z"), at("2026-11-24T10:00:00Z")]);
    }

    #[test]
    fn after_a_long_silence_three_days_are_looked_at() {
        assert_eq!(due(None, at("2026-11-24T10:30:00Z")).count(), 72);
    }
}
