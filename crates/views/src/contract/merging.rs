//! Merging: the later of two moments, in whatever order they come.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{Place, at, deployment, seconds, sighting};
use crate::seen::Bounds;
use crate::{LastSeen, Seen, Sighting, ViewsMetrics};

pub(crate) async fn an_older_sighting_moves_no_time_back(place: &dyn Place) {
    let seen = place.seen();
    let with_lease = |second, until| Sighting { lease_until: Some(at(until)), ..sighting("l-1", "m-1", second) };
    for (sighting, expected) in [
        (with_lease(5, 100), (5, Some(100))),
        (with_lease(3, 50), (5, Some(100))),
        (sighting("l-1", "m-1", 6), (6, Some(100))),
        (with_lease(2, 200), (6, Some(200))),
    ] {
        for is_written in [false, true] {
            seen.saw(sighting);
            if is_written {
                seen.flush().await;
            }
            let told = seen.last_seen("acme", "l-1").await.unwrap()["m-1"];
            let expected = LastSeen { at: at(expected.0), lease_until: expected.1.map(at) };
            assert_eq!(told, expected, "{sighting:?}, written: {is_written}");
        }
    }
    for second in [9, 8] {
        seen.saw_token("t", at(second));
        seen.flush().await;
    }
    assert_eq!(seen.token_last_used().await.unwrap()["t"], at(9));
}

/// A holder, when it was seen, and until when its lease lasts; and how a deployment said it is charged.
type Sighted = (usize, i64, Option<i64>, Option<usize>);

const HOLDERS: [&str; 3] = ["m-0", "m-1", "m-2"];
const MODES: [&str; 2] = ["0", "1"];

fn sightings(count: usize) -> Vec<Sighted> {
    let one = (0..HOLDERS.len(), 0..9_i64, proptest::option::of(0..9_i64), proptest::option::of(0..MODES.len()));
    let many = proptest::collection::vec(one, count);
    many.new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

fn tell(seen: &Seen, (holder, second, until, mode): Sighted) {
    let holder = HOLDERS[holder];
    seen.saw(Sighting { lease_until: until.map(at), ..sighting("l-1", holder, second) });
    seen.saw_token(holder, at(second));
    seen.saw_deployment_hour(deployment(holder, mode.map(|mode| MODES[mode]), second));
}

/// All that a store tells, in an order.
async fn everything(seen: &Seen) -> String {
    let holders: BTreeMap<_, _> = seen.last_seen("acme", "l-1").await.unwrap().into_iter().collect();
    let tokens: BTreeMap<_, _> = seen.token_last_used().await.unwrap().into_iter().collect();
    format!("{holders:?} {tokens:?} {:?}", seen.hour("acme", at(0)).await.unwrap())
}

/// What memory alone makes of it; that it merges right has its own tests.
async fn expected(sightings: &[Sighted]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let seen = Seen::open(&folder.path().join("views.db"), ViewsMetrics::unregistered()).unwrap();
    sightings.iter().for_each(|sighted| tell(&seen, *sighted));
    everything(&seen).await
}

pub(crate) async fn in_whatever_order_and_however_often_it_is_written_it_comes_to_the_same(place: &dyn Place) {
    let sightings = sightings(24);
    let expected = expected(&sightings).await;
    let seen = place.seen();
    let backwards = sightings.iter().rev().copied().collect();
    let twice = sightings.iter().chain(&sightings).copied().collect();
    for order in [sightings.clone(), backwards, twice] {
        for holder in HOLDERS {
            seen.forget("acme", "l-1", holder).await.unwrap();
        }
        seen.forget_hours_before(at(3_600)).await.unwrap();
        for sighted in &order {
            tell(&seen, *sighted);
            seen.flush().await;
        }
        assert_eq!(everything(&seen).await, expected, "{order:?}");
    }
}

pub(crate) async fn several_who_write_at_once_lose_nothing(place: &dyn Place) {
    const PROCESSES: usize = 4;
    let sightings = sightings(400);
    let writing: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let metrics = ViewsMetrics::unregistered();
            let seen = Seen::over(place.open(), Bounds::default(), metrics.clone()).unwrap();
            let mine: Vec<_> = sightings.iter().copied().skip(process).step_by(PROCESSES).collect();
            tokio::spawn(async move {
                for chunk in mine.chunks(10) {
                    chunk.iter().for_each(|sighted| tell(&seen, *sighted));
                    seen.flush().await;
                }
                metrics.write_failures.get()
            })
        })
        .collect();
    for process in writing {
        assert_eq!(process.await.unwrap(), 0, "nobody is in another's way");
    }
    assert_eq!(everything(&place.seen()).await, expected(&sightings).await);
}

pub(crate) async fn memory_and_store_together_tell_what_a_map_would(place: &dyn Place) {
    const NAMES: [&str; 4] = ["", "a", "b", "ab"];
    const CASES: usize = 24;
    let steps = (0..NAMES.len(), 0..NAMES.len(), 0..50_i64, any::<bool>(), any::<bool>());
    let steps = proptest::collection::vec(steps, 1..60);
    let mut runner = TestRunner::deterministic();
    for case in 0..CASES {
        // A license of another case is another license.
        let license = |at: usize| format!("{case}-{}", NAMES[at]);
        let mut seen = place.seen();
        let mut model: HashMap<(String, &str), i64> = HashMap::new();
        for (at_license, holder, second, is_flushed, is_restarted) in steps.new_tree(&mut runner).unwrap().current() {
            let (license, holder) = (license(at_license), NAMES[holder]);
            seen.saw(Sighting { license: &license, holder, ..sighting("", "", second) });
            let latest = model.entry((license, holder)).or_insert(second);
            *latest = (*latest).max(second);
            if is_flushed {
                seen.flush().await;
            }
            if is_flushed && is_restarted {
                seen.close().await;
                seen = place.seen();
            }
        }
        for license in (0..NAMES.len()).map(license) {
            let of_license = model.iter().filter(|((other, _), _)| *other == license);
            let expected: HashMap<_, _> =
                of_license.map(|((_, holder), second)| ((*holder).to_owned(), *second)).collect();
            assert_eq!(seconds(&seen, &license).await, expected);
        }
        seen.close().await;
    }
}
