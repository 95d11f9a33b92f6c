//! How far what was seen is known.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::{Notes, Told};

/// A process that shares a store and was silent for so long is taken for dead.
pub(crate) const GONE_AFTER: Duration = Duration::from_hours(1);

/// Nobody is missed while there is nobody to see; a shorter time than this is no break.
pub(crate) const BREAK: Duration = Duration::from_mins(2);

/// How far what was seen is known, by whoever saw it. Times are by the clock of whoever asks, UTC.
///
/// Of a store that belongs to one process, that process knows everything since it began. Of one that several share, it
/// knows what the others have written: each writes within [15 seconds](crate::FLUSHED_WITHIN), and says how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// When the store was begun. Who was not seen before then is not missing: nobody was watching, or what remembered it
    /// was lost.
    pub kept_since: DateTime<Utc>,
    /// All that was seen before then is known, but for what was lost.
    pub through: DateTime<Utc>,
    /// The last time at which something may have been seen that will never be known: a process that shares the store died
    /// with it, or this one found no room for it.
    pub lost: Option<DateTime<Utc>>,
    /// When somebody was there to see; `None` where the store is not shared, and that is this process or nobody.
    pub watched: Option<Watched>,
}

/// When there was a process to see anybody. Nobody is missed while there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// Since then without a break.
    pub since: DateTime<Utc>,
    /// Until then at least.
    pub until: DateTime<Utc>,
}

impl Noted {
    /// In the words of a clock that says `now`. `dropped` is what the process that asks found no room for.
    pub(crate) fn of(notes: Notes, is_watching: bool, dropped: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let kept_since = DateTime::from_timestamp_micros(notes.begun).unwrap_or_default();
        let Some(Told { others_behind, watched_ago, watched_for, lost_ago }) = notes.told else {
            return Self { kept_since, through: now, lost: dropped, watched: None };
        };
        let before = |age: Duration| {
            let age = TimeDelta::from_std(age).ok();
            age.and_then(|age| now.checked_sub_signed(age)).unwrap_or(DateTime::<Utc>::MIN_UTC)
        };
        let until = if is_watching { now } else { before(watched_ago) };
        Self {
            kept_since,
            through: others_behind.map_or(now, before),
            lost: lost_ago.map(before).max(dropped),
            watched: Some(Watched { since: before(watched_for), until }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    const MINUTE: Duration = Duration::from_mins(1);

    const TOLD: Told = Told { others_behind: None, watched_ago: MINUTE, watched_for: MINUTE, lost_ago: None };

    fn noted(told: Option<Told>, is_watching: bool, dropped: Option<DateTime<Utc>>) -> Noted {
        Noted::of(Notes { begun: at(-9_000).timestamp_micros(), told }, is_watching, dropped, at(0))
    }

    #[test]
    fn a_process_alone_knows_all_but_what_it_dropped() {
        let alone = Noted { kept_since: at(-9_000), through: at(0), lost: None, watched: None };
        assert_eq!(noted(None, true, None), alone);
        assert_eq!(noted(None, false, Some(at(-5))).lost, Some(at(-5)));
    }

    #[test]
    fn of_a_shared_store_as_much_is_known_as_the_last_one_of_the_others_wrote() {
        let late = Told { others_behind: Some(MINUTE * 3), ..TOLD };
        assert_eq!(noted(Some(late), true, None).through, at(-180));
        assert_eq!(noted(Some(TOLD), true, None).through, at(0), "nobody else is there");
        let watched = |is_watching| noted(Some(TOLD), is_watching, None).watched.unwrap();
        assert_eq!(watched(true), Watched { since: at(-60), until: at(0) });
        assert_eq!(watched(false), Watched { since: at(-60), until: at(-60) }, "who only looks sees nobody");
    }

    #[test]
    fn what_was_lost_last_counts() {
        let lost =
            |minutes: u32, dropped| noted(Some(Told { lost_ago: Some(MINUTE * minutes), ..TOLD }), true, dropped).lost;
        assert_eq!(lost(2, None), Some(at(-120)));
        assert_eq!(lost(2, Some(at(-5))), Some(at(-5)));
        assert_eq!(lost(2, Some(at(-500))), Some(at(-120)));
        let for_ever = noted(Some(Told { lost_ago: Some(Duration::MAX), ..TOLD }), true, None);
        assert!(for_ever.lost.is_some_and(|at| at < for_ever.kept_since), "no age is too great to be told");
    }
}
