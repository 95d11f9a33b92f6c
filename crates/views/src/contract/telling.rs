//! What was seen is told.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{Place, at, deployment, pairs, seconds, sighting};
use crate::{DeploymentSighting, LastSeen, SeenDeployment, Sighting};

/// Names together may be so long.
const LONGEST: usize = 2_048 - "acme".len() - "sku-1".len();

pub(crate) async fn what_was_seen_is_told_at_once_and_stays(place: &dyn Place) {
    let seen = place.seen();
    let until = Some(at(90_000));
    seen.saw(Sighting { lease_until: until, ..sighting("l-1", "m-1", 1) });
    seen.saw(sighting("l-1", "m-2", 2));
    seen.saw(sighting("l-2", "", 3));
    seen.saw_token("t-1", at(5));
    let expected = HashMap::from([
        ("m-1".to_owned(), LastSeen { at: at(1), lease_until: until }),
        ("m-2".to_owned(), LastSeen { at: at(2), lease_until: None }),
    ]);
    let tokens = HashMap::from([("t-1".to_owned(), at(5))]);
    assert_eq!(seen.last_seen("acme", "l-1").await.unwrap(), expected, "from memory");
    assert_eq!(seen.token_last_used().await.unwrap(), tokens, "from memory");
    seen.flush().await;
    assert_eq!(seen.last_seen("acme", "l-1").await.unwrap(), expected, "from the store");
    seen.close().await;
    let seen = place.seen();
    assert_eq!(seen.last_seen("acme", "l-1").await.unwrap(), expected, "opened again");
    assert_eq!(seconds(&seen, "l-2").await, pairs([("", 3)]));
    assert_eq!(seconds(&seen, "l-3").await, pairs([]));
    assert_eq!(seen.token_last_used().await.unwrap(), tokens);
}

pub(crate) async fn an_hour_tells_each_deployment_once_and_sorted_until_it_is_forgotten(place: &dyn Place) {
    let seen = place.seen();
    let told = |ecs: &str, mode: Option<&str>| SeenDeployment {
        product: "sku-1".into(),
        ecs: ecs.into(),
        charging_mode: mode.map(Into::into),
    };
    seen.saw_deployment_hour(deployment("e-2", Some("0"), 1));
    seen.saw_deployment_hour(deployment("e-1", None, 2));
    seen.flush().await;
    seen.saw_deployment_hour(deployment("e-2", None, 3));
    seen.saw_deployment_hour(deployment("e-1", Some("1"), 4));
    seen.saw_deployment_hour(deployment("e-3", Some("1"), 3_700));
    seen.saw_deployment_hour(DeploymentSighting { seller: "other", ..deployment("e-9", None, 5) });
    let first = vec![told("e-1", Some("1")), told("e-2", Some("0"))];
    for is_written in [false, true] {
        if is_written {
            seen.flush().await;
        }
        assert_eq!(seen.hour("acme", at(0)).await.unwrap(), first, "written: {is_written}");
        assert_eq!(seen.hour("acme", at(3_600)).await.unwrap(), [told("e-3", Some("1"))]);
    }
    let end_of_first = at(3_590) - TimeDelta::microseconds(123_456);
    seen.forget_hours_before(end_of_first - TimeDelta::microseconds(1)).await.unwrap();
    assert_eq!(seen.hour("acme", at(0)).await.unwrap(), first, "the hour has not ended");
    seen.forget_hours_before(end_of_first).await.unwrap();
    assert_eq!(seen.hour("acme", at(0)).await.unwrap(), []);
    assert_eq!(seen.hour("acme", at(3_600)).await.unwrap(), [told("e-3", Some("1"))]);
}

pub(crate) async fn a_forgotten_holder_is_unknown_wherever_it_was_remembered_until_it_is_seen_again(place: &dyn Place) {
    let seen = place.seen();
    for is_written in [false, true] {
        seen.saw(sighting("l-1", "m-1", 1));
        seen.saw(sighting("l-1", "m-2", 1));
        if is_written {
            seen.flush().await;
        }
        seen.forget("acme", "l-1", "m-1").await.unwrap();
        assert_eq!(seconds(&seen, "l-1").await, pairs([("m-2", 1)]), "written: {is_written}");
    }
    seen.saw(sighting("l-1", "m-1", 0));
    assert_eq!(seconds(&seen, "l-1").await, pairs([("m-1", 0), ("m-2", 1)]));
}

pub(crate) async fn sellers_are_walls(place: &dyn Place) {
    let seen = place.seen();
    seen.saw(sighting("l-1", "m-1", 1));
    seen.saw(Sighting { seller: "other", ..sighting("l-1", "m-9", 4) });
    seen.saw_deployment_hour(DeploymentSighting { seller: "other", ..deployment("e-9", None, 5) });
    for is_written in [false, true] {
        if is_written {
            seen.flush().await;
        }
        assert_eq!(seconds(&seen, "l-1").await, pairs([("m-1", 1)]));
        assert_eq!(seen.hour("acme", at(0)).await.unwrap(), []);
    }
    seen.forget("other", "l-1", "m-1").await.unwrap();
    assert_eq!(seconds(&seen, "l-1").await, pairs([("m-1", 1)]), "another seller's license of this name");
}

pub(crate) async fn names_of_every_kind_are_kept_and_stay_apart(place: &dyn Place) {
    let seen = place.seen();
    let longest = "ｌ".repeat(LONGEST / 3);
    let names = ["", " ", "a", "A", "á", "a\u{301}", "'\"; --", "{a,\"b\"}", "NULL", "\\", "😀", &longest];
    for (second, name) in (0..).zip(names) {
        seen.saw(Sighting { holder: name, ..sighting("l-1", "", second) });
        seen.saw(Sighting { license: name, ..sighting("", "m", second) });
        seen.saw_deployment_hour(DeploymentSighting {
            ecs: name,
            charging_mode: Some(name),
            ..deployment("", None, 1)
        });
    }
    seen.flush().await;
    let expected: HashMap<String, i64> = names.iter().map(|name| (*name).to_owned()).zip(0..).collect();
    assert_eq!(seconds(&seen, "l-1").await, expected);
    for (second, name) in (0..).zip(names) {
        assert_eq!(seconds(&seen, name).await["m"], second, "{name:?}");
    }
    let hour = seen.hour("acme", at(0)).await.unwrap();
    assert_eq!(hour.len(), names.len());
    assert!(hour.iter().all(|deployment| deployment.charging_mode.as_deref() == Some(&*deployment.ecs)), "{hour:?}");
    // No engine keeps this as it is for sure, and none may stumble over it with all that waits beside it.
    for name in ["nu\0l", "nu\u{fffd}l"] {
        seen.saw(Sighting { holder: name, ..sighting("l-2", "", 7) });
        seen.saw_deployment_hour(DeploymentSighting { charging_mode: Some(name), ..deployment("e-0", None, 9) });
    }
    seen.saw(sighting("l-2", "m-1", 8));
    seen.flush().await;
    assert_eq!(seconds(&place.seen(), "l-2").await["m-1"], 8);
}

pub(crate) async fn the_store_knows_since_when_it_is_kept(place: &dyn Place) {
    let kept_since = async || place.seen().noted(at(0)).await.unwrap().kept_since;
    let first = kept_since().await;
    assert_eq!(kept_since().await, first, "opening again begins nothing anew");
}

pub(crate) async fn what_one_process_wrote_the_other_tells(place: &dyn Place) {
    let (one, other) = (place.seen(), place.seen());
    one.saw(Sighting { lease_until: Some(at(100)), ..sighting("l-1", "m-1", 1) });
    one.flush().await;
    other.saw(Sighting { lease_until: Some(at(50)), ..sighting("l-1", "m-1", 2) });
    let told = other.last_seen("acme", "l-1").await.unwrap()["m-1"];
    assert_eq!(told, LastSeen { at: at(2), lease_until: Some(at(100)) }, "the later of each");
    other.flush().await;
    assert_eq!(one.last_seen("acme", "l-1").await.unwrap()["m-1"], told);
}
