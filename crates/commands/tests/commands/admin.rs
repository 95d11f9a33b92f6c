//! The catalog and access.

use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::catalog::{ProductKind, ProductTerms};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::Sku;

use crate::world::{World, acme};

#[tokio::test]
async fn a_catalog_is_applied_once() {
    let world = World::new();
    let terms = ProductTerms {
        kind: ProductKind::Saas,
        name: "Example".into(),
        entitlements: [].into(),
        seats: None,
        grace_days: 15,
        lease_seconds: 1,
        offline_grace_seconds: 1,
        check_interval_seconds: 1,
        fee_ratio: None,
    };
    let mut wanted = vec![(Sku::parse("sku").unwrap(), terms)];
    let now = world.commands.now();
    let first = world.commands.apply_catalog(&acme(), &wanted, now, &Cause::System).await.unwrap();
    assert_eq!(first.events.len(), 1);
    let again = world.commands.apply_catalog(&acme(), &wanted, now, &Cause::System).await.unwrap();
    assert_eq!(again.events, []);
    wanted[0].1.grace_days = 3;
    world.commands.apply_catalog(&acme(), &wanted, now, &Cause::System).await.unwrap();
    assert_eq!(world.commands.catalog(&acme()).await.unwrap().version, 2);
}

#[tokio::test]
async fn a_token_is_known_once() {
    let world = World::new();
    let grant = Grant { id: "t".into(), hash: TokenHash::of("secret"), role: Role::Admin, sellers: vec![] };
    world.commands.create_token(grant.clone(), &Cause::System).await.unwrap();
    world.commands.create_token(grant.clone(), &Cause::System).await.unwrap();
    let access = world.commands.access().await.unwrap();
    assert_eq!(access.grant("secret"), Some(&grant));
    assert_eq!(access.grant("Secret"), None);
    assert_eq!(world.events().await, 1);
}
