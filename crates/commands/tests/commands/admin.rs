//! The catalog and access.

use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::catalog::{ClonePolicy, LicenseForm, ProductKind, ProductTerms};
use chopmark_domain::cause::Cause;
use chopmark_domain::hours::{Day, Hour, HoursClosed};
use chopmark_domain::ids::Sku;
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};

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
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    };
    let mut wanted = vec![(Sku::parse("sku").unwrap(), terms)];
    let now = world.commands.now();
    let first =
        world.commands.apply_catalog(&acme(), &SellerTerms::of(Site::Cn), &wanted, now, &Cause::System).await.unwrap();
    assert_eq!(first.events.len(), 2, "the product, and how the seller is settled");
    let again =
        world.commands.apply_catalog(&acme(), &SellerTerms::of(Site::Cn), &wanted, now, &Cause::System).await.unwrap();
    assert_eq!(again.events, []);
    wanted[0].1.grace_days = 3;
    world.commands.apply_catalog(&acme(), &SellerTerms::of(Site::Cn), &wanted, now, &Cause::System).await.unwrap();
    assert_eq!(world.commands.catalog(&acme()).await.unwrap().version, 3);
}

#[tokio::test]
async fn a_token_is_known_once() {
    let world = World::new();
    let grant =
        Grant { id: "t".into(), hash: TokenHash::of("secret"), role: Role::Admin, sellers: vec![], expires_at: None };
    world.commands.create_token(grant.clone(), &Cause::System).await.unwrap();
    world.commands.create_token(grant.clone(), &Cause::System).await.unwrap();
    let access = world.commands.access().await.unwrap();
    assert_eq!(access.grant("secret", world.commands.now()), Some(&grant));
    assert_eq!(access.grant("Secret", world.commands.now()), None);
    assert_eq!(world.events().await, 1);
}

#[tokio::test]
async fn a_token_is_taken_back_once_and_its_name_is_not_given_again() {
    let world = World::new();
    let grant = |hash| Grant {
        id: "t".into(),
        hash: TokenHash::of(hash),
        role: Role::Support,
        sellers: vec![],
        expires_at: None,
    };
    world.commands.create_token(grant("secret"), &Cause::System).await.unwrap();
    world.commands.revoke_token("t", &Cause::System).await.unwrap();
    world.commands.revoke_token("t", &Cause::System).await.unwrap();
    let error = world.commands.create_token(grant("other"), &Cause::System).await.unwrap_err();
    assert!(error.to_string().contains("another name"), "{error}");
    assert!(world.commands.revoke_token("none", &Cause::System).await.is_err());
    assert!(world.commands.access().await.unwrap().grant("secret", world.commands.now()).is_none());
    assert_eq!(world.events().await, 2);
}

#[tokio::test]
async fn an_hour_is_closed_once() {
    let world = World::new();
    let closing = HoursClosed { hour: Hour::of(world.commands.now()), seen: vec![] };
    let first = world.commands.close_hour(&acme(), closing.clone(), &Cause::System).await.unwrap();
    let again = world.commands.close_hour(&acme(), closing.clone(), &Cause::System).await.unwrap();
    assert_eq!((first, world.events().await), (again, 1));
    let day = Day::of(closing.hour.start());
    assert!(world.commands.hours(&acme(), day).await.unwrap().is_closed(closing.hour));
}
