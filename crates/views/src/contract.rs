//! The promises of [`Store`], as tests that every engine runs, through [`Seen`] as everybody uses it.
//!
//! An engine brings a [`Place`] and calls [`store_contract!`] in its tests; each promise becomes one test.

mod bounds;
mod merging;
mod telling;
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub(crate) use self::bounds::*;
pub(crate) use self::merging::*;
pub(crate) use self::telling::*;
use crate::seen::Bounds;
use crate::store::Store;
use crate::{DeploymentSighting, Seen, Sighting, ViewsMetrics};

/// Where sightings are kept. There are none when it is made.
pub(crate) trait Place: Send + Sync {
    /// Opens the store, beside those that are open.
    fn open(&self) -> Arc<dyn Store>;

    /// The same, as everybody uses it.
    fn seen(&self) -> Seen {
        Seen::over(self.open(), Bounds::default(), ViewsMetrics::unregistered()).unwrap()
    }
}

/// Makes a test of each promise. Takes a function that makes a new [`Place`].
macro_rules! store_contract {
    ($make:expr) => {
        $crate::contract::store_contract! { $make;
            what_was_seen_is_told_at_once_and_stays
            an_hour_tells_each_deployment_once_and_sorted_until_it_is_forgotten
            a_forgotten_holder_is_unknown_wherever_it_was_remembered_until_it_is_seen_again
            sellers_are_walls
            names_of_every_kind_are_kept_and_stay_apart
            the_store_knows_since_when_it_is_kept
            what_one_process_wrote_the_other_tells
            an_older_sighting_moves_no_time_back
            in_whatever_order_and_however_often_it_is_written_it_comes_to_the_same
            several_who_write_at_once_lose_nothing
            memory_and_store_together_tell_what_a_map_would
            a_batch_of_many_is_written_whole
        }
    };
    ($make:expr; $($promise:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let place = tokio::task::spawn_blocking($make).await.unwrap();
            $crate::contract::$promise(&place).await;
        })+
    };
}

pub(crate) use store_contract;

/// Ten seconds past the hour.
pub(crate) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_789_999_210 + second, 123_456_000).unwrap()
}

pub(crate) fn sighting(license: &'static str, holder: &'static str, second: i64) -> Sighting<'static> {
    Sighting { seller: "acme", license, holder, at: at(second), lease_until: None }
}

pub(crate) fn deployment(
    ecs: &'static str,
    charging_mode: Option<&'static str>,
    second: i64,
) -> DeploymentSighting<'static> {
    DeploymentSighting { seller: "acme", product: "sku-1", ecs, charging_mode, at: at(second) }
}

pub(crate) async fn seconds(seen: &Seen, license: &str) -> HashMap<String, i64> {
    let holders = seen.last_seen("acme", license).await.unwrap();
    holders.into_iter().map(|(holder, seen)| (holder, (seen.at - at(0)).num_seconds())).collect()
}

pub(crate) fn pairs<const N: usize>(pairs: [(&str, i64); N]) -> HashMap<String, i64> {
    pairs.into_iter().map(|(holder, second)| (holder.to_owned(), second)).collect()
}
