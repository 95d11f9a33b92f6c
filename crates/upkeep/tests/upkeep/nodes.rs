//! Upkeep where others see: query nodes that share a store with the worker, and write what they saw a little later.

use chopmark_domain::cause::Cause;
use chopmark_domain::hours::{Day, Hour};
use chopmark_domain::ids::Fingerprint;
use chopmark_domain::license::{Command, FreedBy};
use chopmark_views::testing::SharedStore;
use chopmark_views::{DeploymentSighting, Seen, Sighting};
use chrono::{DateTime, TimeDelta, Utc};

use crate::world::{World, acme, license};

/// A little less than what counts as a break.
const STEP_SECONDS: u32 = 110;

/// A worker, and where all keep what they see.
struct Site {
    world: World,
    store: SharedStore,
}

impl Site {
    /// The license has two machines, `a` and `b`, activated now.
    async fn new() -> Self {
        let store = tokio::task::spawn_blocking(SharedStore::new).await.unwrap();
        store.open().noted(Utc::now()).await.unwrap();
        // The store is older than the machines, and keeps the time of its server.
        let world = World::of(Utc::now() + TimeDelta::seconds(1), |_, _| store.open()).await;
        Self { world, store }
    }

    /// A query node.
    async fn node(&self) -> Seen {
        let node = self.store.open();
        node.keep_watch();
        node.flush().await;
        node
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.commands.now()
    }

    /// Time passes, in which these nodes write.
    async fn passes(&self, minutes: u32, writing: &[&Seen]) {
        for _ in 0..(minutes * 60).div_ceil(STEP_SECONDS) {
            self.world.passes(TimeDelta::seconds(STEP_SECONDS.into()));
            self.store.lets_pass(STEP_SECONDS).await;
            for node in writing {
                node.flush().await;
            }
        }
    }

    /// A node gives a lease for so many minutes.
    fn leased(&self, node: &Seen, holder: &str, minutes: i64) {
        let (at, lease_until) = (self.now(), Some(self.now() + TimeDelta::minutes(minutes)));
        node.saw(Sighting { seller: "acme", license: "i-1", holder, at, lease_until });
    }

    async fn used_seats(&self) -> u32 {
        let standing = self.world.commands.read_license(&license()).await.unwrap();
        standing.license().unwrap().seats_used(self.now())
    }
}

#[tokio::test]
async fn a_seat_lapses_when_all_who_may_have_seen_its_machine_have_told() {
    let mut site = Site::new().await;
    let (one, other) = (site.node().await, site.node().await);
    site.passes(155, &[&one, &other]).await;
    site.leased(&other, "a", 180);
    site.passes(30, &[&one]).await;
    site.world.round().await;
    assert_eq!(site.world.seated().await, ["a", "b"], "the other may have seen either since");
    other.flush().await;
    site.world.round().await;
    assert_eq!(site.world.seated().await, ["a"]);
    assert_eq!(site.used_seats().await, 2, "b may have been given a lease just now");
    site.world.round().await;
    site.passes(4, &[&one, &other]).await;
    site.world.round().await;
    assert_eq!(site.used_seats().await, 1, "it was not");
}

#[tokio::test]
async fn a_freed_seat_is_given_away_when_the_last_lease_that_anybody_gave_has_ended() {
    let mut site = Site::new().await;
    let node = site.node().await;
    site.passes(10, &[&node]).await;
    site.leased(&node, "a", 30);
    let (fingerprint, taken_until) = (Fingerprint::parse("a").unwrap(), site.now() + TimeDelta::minutes(181));
    let free = Command::FreeMachine { fingerprint, by: FreedBy::Operator, taken_until };
    site.world.commands.license(&license(), free, &Cause::System).await.unwrap();
    site.world.round().await;
    site.passes(6, &[]).await;
    site.world.round().await;
    assert_eq!(site.used_seats().await, 2, "nobody has told how long its lease lasts");
    node.flush().await;
    site.world.round().await;
    assert_eq!(site.used_seats().await, 2, "it lasts");
    site.passes(25, &[&node]).await;
    site.world.round().await;
    assert_eq!(site.used_seats().await, 1);
    assert!(node.last_seen("acme", "i-1").await.unwrap().is_empty(), "nothing is kept of who is gone");
    let events = site.world.events().await;
    site.world.round().await;
    assert_eq!(site.world.events().await, events, "once");
}

#[tokio::test]
async fn what_a_node_died_with_keeps_a_seat_taken_as_long_as_any_lease_can_last() {
    let mut site = Site::new().await;
    let (dying, node) = (site.node().await, site.node().await);
    site.passes(10, &[&dying, &node]).await;
    site.leased(&dying, "a", 180);
    site.leased(&node, "b", 600);
    // Killed, it writes nothing and says no farewell.
    std::mem::forget(dying);
    let (fingerprint, taken_until) = (Fingerprint::parse("a").unwrap(), site.now() + TimeDelta::minutes(600));
    let free = Command::FreeMachine { fingerprint, by: FreedBy::Operator, taken_until };
    site.world.commands.license(&license(), free, &Cause::System).await.unwrap();
    site.world.round().await;
    site.passes(100, &[&node]).await;
    site.world.round().await;
    assert_eq!(site.used_seats().await, 2, "its lease is good, though nobody knows of it");
    site.passes(145, &[&node]).await;
    site.world.round().await;
    assert_eq!(site.used_seats().await, 1, "even the longest has ended");
}

#[tokio::test]
async fn nobody_is_missed_while_nobody_was_there_to_see() {
    let mut site = Site::new().await;
    let node = site.node().await;
    site.passes(10, &[&node]).await;
    node.close().await;
    site.passes(240, &[]).await;
    site.world.round().await;
    assert_eq!(site.world.seated().await, ["a", "b"], "no node runs");
    let back = site.node().await;
    site.world.round().await;
    assert_eq!(site.world.seated().await, ["a", "b"], "two checks have not passed since one runs again");
    site.passes(24, &[&back]).await;
    site.world.round().await;
    assert!(site.world.seated().await.is_empty());
}

#[tokio::test]
async fn an_hour_is_closed_when_all_who_may_have_seen_somebody_have_told() {
    let mut site = Site::new().await;
    let (one, other) = (site.node().await, site.node().await);
    let at = site.now();
    let seen = |node: &Seen, ecs| {
        let (product, charging_mode) = ("image", None);
        node.saw_deployment_hour(DeploymentSighting { seller: "acme", product, ecs, charging_mode, at });
    };
    seen(&one, "ecs-1");
    // To the end of the hour and a little more, within which the other writes nothing new.
    let left = u32::try_from((Hour::of(at).end() - at).num_minutes()).unwrap();
    site.passes(left, &[&one, &other]).await;
    seen(&other, "ecs-2");
    site.passes(6, &[&one]).await;
    let is_closed =
        async |world: &World| world.commands.hours(&acme(), Day::of(at)).await.unwrap().is_closed(Hour::of(at));
    site.world.round().await;
    assert!(!is_closed(&site.world).await, "the other may have seen more");
    other.flush().await;
    site.world.round().await;
    assert!(is_closed(&site.world).await);
    assert!(site.world.last_event().await.contains("ecs-2"));
}
