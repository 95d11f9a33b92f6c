//! Upkeep of one process that sees everybody itself.

use chopmark_domain::hours::{Day, Hour};
use chopmark_domain::ids::{Fingerprint, SellerId};
use chopmark_domain::license::Machine;
use chopmark_log::{EventLog, Expected, NewEvent, StreamName};
use chopmark_upkeep::{Watch, has_lapsed};
use chopmark_views::{DeploymentSighting, LastSeen, Sighting};
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use crate::world::{World, acme, terms};

#[tokio::test]
async fn a_seat_lapses_after_a_term_without_a_check_and_not_while_its_machine_is_heard_of() {
    let mut world = World::new().await;
    world.passes(TimeDelta::hours(2));
    let at = world.commands.now();
    world.seen.saw(Sighting { seller: "acme", license: "i-1", holder: "a", at, lease_until: None });
    world.round().await;
    assert_eq!(world.seated().await, ["a", "b"], "no term is over");
    world.passes(TimeDelta::minutes(63));
    world.round().await;
    assert_eq!(world.seated().await, ["a"]);
    let events = world.events().await;
    world.round().await;
    assert_eq!(world.events().await, events, "once");
    world.passes(TimeDelta::hours(3));
    world.round().await;
    assert!(world.seated().await.is_empty());
    assert!(world.seen.last_seen("acme", "i-1").await.unwrap().is_empty(), "nothing is kept of who is gone");
}

#[tokio::test]
async fn an_hour_is_closed_once_with_all_that_were_seen_in_it() {
    let mut world = World::new().await;
    let at = world.commands.now();
    for ecs in ["ecs-2", "ecs-1", "ecs-2"] {
        let charging_mode = Some("0");
        world.seen.saw_deployment_hour(DeploymentSighting { seller: "acme", product: "image", ecs, charging_mode, at });
    }
    let events = world.events().await;
    world.round().await;
    assert_eq!(world.events().await, events, "the hour is not over");
    world.passes(TimeDelta::minutes(64));
    world.round().await;
    world.round().await;
    assert_eq!(world.events().await, events + 1);
    let hours = world.commands.hours(&acme(), Day::of(at)).await.unwrap();
    assert!(hours.is_closed(Hour::of(at)));
    let told = world.last_event().await;
    assert!(told.find("ecs-1").unwrap() < told.find("ecs-2").unwrap(), "{told}");
    assert_eq!(told.matches("ecs-2").count(), 1, "{told}");
}

#[test]
fn our_own_outage_is_nobodys_absence() {
    let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let machine =
        Machine { fingerprint: Fingerprint::parse("a").unwrap(), name: None, activated_at: start, taken_until: None };
    let term = TimeDelta::hours(3);
    let watch = |watching: TimeDelta, up: TimeDelta| Watch { watching_since: start + watching, up_since: start + up };
    let lapsed = |last_seen, watch, now: TimeDelta| has_lapsed(&machine, last_seen, &terms(), watch, start + now);
    let (none, minute) = (TimeDelta::zero(), TimeDelta::minutes(1));
    assert!(!lapsed(None, watch(none, none), term + minute));
    assert!(lapsed(None, watch(none, none), term + minute * 2));
    let day = TimeDelta::days(1);
    assert!(!lapsed(None, watch(day, none), day + term), "the store that knew was lost");
    assert!(!lapsed(None, watch(none, day), day + minute * 20), "two checks have not passed since the start");
    assert!(lapsed(None, watch(none, day), day + minute * 22));
    let leased = Some(LastSeen { at: start, lease_until: Some(start + day) });
    assert!(!lapsed(leased, watch(none, none), day), "its lease was longer than the terms are now");
    let freed = Machine { taken_until: Some(start + day), ..machine.clone() };
    assert!(!has_lapsed(&freed, None, &terms(), watch(none, none), start + day * 9));
}

#[tokio::test]
async fn one_sellers_trouble_keeps_no_other_from_upkeep_and_no_seat_taken() {
    let mut world = World::new().await;
    let other = SellerId::parse("beta").unwrap();
    world.commands.ensure_secret(&other).await.unwrap();
    let at = world.commands.now();
    for seller in ["acme", "beta"] {
        let (product, ecs, charging_mode) = ("image", "ecs-1", None);
        world.seen.saw_deployment_hour(DeploymentSighting { seller, product, ecs, charging_mode, at });
    }
    // A newer version has written into the first seller's day.
    let name = StreamName::new(&format!("hours-acme/{}", Day::of(at))).unwrap();
    let newer = NewEvent {
        id: Uuid::now_v7(),
        kind: "hours_closed.v9".into(),
        data: b"{}".to_vec(),
        metadata: b"{\"cause\":{\"source\":\"system\"}}".to_vec(),
    };
    world.log.append(&name, Expected::NoStream, vec![newer]).await.unwrap();
    world.passes(TimeDelta::hours(4));
    world.round().await;
    assert!(world.commands.hours(&other, Day::of(at)).await.unwrap().is_closed(Hour::of(at)));
    assert!(world.seated().await.is_empty(), "seats lapse all the same");
    assert!(world.metric("chopmark_upkeep_failed_total") >= 1.0);
}
