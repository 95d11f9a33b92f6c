//! Access: tokens are known by their hash.

use chopmark_domain::access::{Access, Event, Grant, Role, TokenHash};
use chopmark_domain::ids::SellerId;

fn seller(id: &str) -> SellerId {
    SellerId::parse(id).unwrap()
}

fn grant(id: &str, token: &str, sellers: Vec<SellerId>) -> Grant {
    Grant { id: id.into(), hash: TokenHash::of(token), role: Role::Support, sellers }
}

#[test]
fn a_token_opens_what_it_was_made_for() {
    let mut access = Access::default();
    let acme_only = grant("a", "secret-a", vec![seller("acme")]);
    for event in access.create(acme_only.clone()) {
        access.evolve(&event);
    }
    assert_eq!(access.create(acme_only.clone()), [], "known already");
    assert_eq!(access.grant("secret-a"), Some(&acme_only));
    assert_eq!(access.grant("secret-b"), None);
    assert_eq!(access.grant(""), None);
    assert!(acme_only.covers(&seller("acme")));
    assert!(!acme_only.covers(&seller("other")), "sellers are walls");
    assert!(grant("b", "secret-b", vec![]).covers(&seller("other")), "no list means all");
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
