//! Hours in which deployments were seen.

use chopmark_domain::hours::{Day, Hour, Hours, HoursClosed, SEEN_PER_EVENT, SeenDeployment};
use chopmark_domain::ids::{EcsId, Sku};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::day;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn an_hour_is_closed_once() {
    let closing = HoursClosed { hour: Hour::of(day(0)), seen: vec![] };
    let mut hours = Hours::default();
    for event in hours.close(closing.clone()) {
        hours.evolve(&event);
    }
    assert!(hours.is_closed(closing.hour));
    assert_eq!(hours.close(closing.clone()), []);
    let next = HoursClosed { hour: Hour::of(closing.hour.end()), ..closing };
    assert_eq!(hours.close(next).len(), 1);
}

#[test]
fn a_moment_belongs_to_the_hour_that_began_before_it() {
    let hour = Hour::of(at("2026-11-24T10:59:59.999Z"));
    assert_eq!((hour.start(), hour.end()), (at("2026-11-24T10:00:00Z"), at("2026-11-24T11:00:00Z")));
    assert_eq!(Hour::of(hour.start()), hour);
    assert_eq!(Hour::of(hour.end() - TimeDelta::nanoseconds(1)), hour);
}

#[test]
fn a_day_reads_back_as_written() {
    assert_eq!(Day::of(at("2026-11-24T23:59:59Z")).to_string(), "20261124");
    assert_eq!(Day::parse("20261124"), Some(Day::of(at("2026-11-24T00:00:00Z"))));
    for text in ["", "2026-11-24", "20261332", "020261124", "99999999"] {
        assert_eq!(Day::parse(text), None, "{text}");
    }
}

#[test]
fn an_hour_with_very_many_deployments_is_closed_by_several_events_at_once() {
    let seen = |n: usize| SeenDeployment {
        product: Sku::parse("image").unwrap(),
        ecs: EcsId::parse(&format!("ecs-{n}")).unwrap(),
        charging_mode: None,
    };
    let seen: Vec<_> = (0..=SEEN_PER_EVENT).map(seen).collect();
    let closing = HoursClosed { hour: Hour::of(day(0)), seen: seen.clone() };
    let mut hours = Hours::default();
    let events = hours.close(closing.clone());
    let parts = events.iter().map(|chopmark_domain::hours::Event::HoursClosed(part)| part);
    let told: Vec<_> = parts.flat_map(|part| part.seen.clone()).collect();
    assert_eq!((events.len(), told), (2, seen));
    events.iter().for_each(|event| hours.evolve(event));
    assert_eq!(hours.close(closing), []);
}
