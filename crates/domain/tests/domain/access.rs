//! Access: tokens are known by their hash.

use chopmark_domain::access::{Access, Event, Grant, Role, TokenHash, TokenRefusal, TokenStatus};
use chopmark_domain::ids::SellerId;

use crate::support::day;

fn seller(id: &str) -> SellerId {
    SellerId::parse(id).unwrap()
}

fn grant(id: &str, token: &str, sellers: Vec<SellerId>) -> Grant {
    Grant { id: id.into(), hash: TokenHash::of(token), role: Role::Support, sellers, expires_at: None }
}

/// The tokens after events.
fn with(mut access: Access, events: Result<Vec<Event>, TokenRefusal>) -> Access {
    events.unwrap().iter().for_each(|event| access.evolve(event));
    access
}

#[test]
fn a_token_opens_what_it_was_made_for() {
    let acme_only = grant("a", "secret-a", vec![seller("acme")]);
    let access = Access::default();
    let access = with(access.clone(), access.create(acme_only.clone()));
    assert_eq!(access.create(acme_only.clone()), Ok(vec![]), "known already");
    assert_eq!(access.create(grant("a", "secret-c", vec![])), Err(TokenRefusal::Exists("a".into())));
    assert_eq!(access.grant("secret-a", day(0)), Some(&acme_only));
    assert_eq!(access.grant("secret-b", day(0)), None);
    assert_eq!(access.grant("", day(0)), None);
    assert!(acme_only.covers(&seller("acme")));
    assert!(!acme_only.covers(&seller("other")), "sellers are walls");
    assert!(grant("b", "secret-b", vec![]).covers(&seller("other")), "no list means all");
}

#[test]
fn a_token_ends_by_itself_or_is_taken_back_and_its_name_stays_taken() {
    let short = Grant { expires_at: Some(day(1)), ..grant("short", "secret-s", vec![]) };
    let access = Access::default();
    let access = with(access.clone(), access.create(short.clone()));
    let access = with(access.clone(), access.create(grant("long", "secret-l", vec![])));
    assert!(access.grant("secret-s", day(1) - chrono::TimeDelta::seconds(1)).is_some());
    assert!(access.grant("secret-s", day(1)).is_none());
    assert_eq!(access.status(&short, day(1)), TokenStatus::Expired);
    let access = with(access.clone(), access.revoke("long"));
    assert!(access.grant("secret-l", day(0)).is_none());
    assert_eq!(access.revoke("long"), Ok(vec![]), "taken back already");
    assert_eq!(access.revoke("none"), Err(TokenRefusal::Unknown("none".into())));
    assert!(access.create(grant("long", "secret-x", vec![])).is_err(), "events carry the name");
    let shown: Vec<_> = access.grants().iter().map(|grant| access.status(grant, day(0))).collect();
    assert_eq!(shown, [TokenStatus::Active, TokenStatus::Revoked]);
}

#[test]
fn each_role_may_do_what_the_ones_before_it_may() {
    assert!(Role::Support < Role::Finance && Role::Finance < Role::Admin);
}

#[test]
fn the_token_itself_is_kept_nowhere() {
    let event = Event::TokenCreated(grant("a", "secret-a", vec![]));
    assert!(!format!("{event:?}").contains("secret-a"));
}
