//! Machines that race for seats, and looking back.

use chopmark_commands::{CommandError, Cut};
use chopmark_domain::catalog::{ClonePolicy, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{Fingerprint, Sku};
use chopmark_domain::license::{Command, InstanceAdopted, Refusal, Status, Terms};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::stream::LicenseKey;
use chrono::TimeDelta;
use tokio::task::JoinSet;

use crate::world::{World, acme, key};

fn fingerprint(n: usize) -> Fingerprint {
    Fingerprint::parse(&format!("machine-{n}")).unwrap()
}

/// A license of a product with three seats.
async fn with_three_seats(world: &World) -> LicenseKey {
    let terms = ProductTerms {
        kind: ProductKind::Saas,
        name: "Example".into(),
        entitlements: [].into(),
        seats: Some(Seats::Fixed(3)),
        grace_days: 15,
        lease_seconds: 60,
        offline_grace_seconds: 60,
        check_interval_seconds: 60,
        fee_ratio: None,
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    };
    let sku = Sku::parse("sku").unwrap();
    let now = world.commands.now();
    world
        .commands
        .apply_catalog(&acme(), &SellerTerms::of(Site::Cn), &[(sku.clone(), terms)], now, &Cause::System)
        .await
        .unwrap();
    let id = chopmark_domain::ids::InstanceId::parse("adopted").unwrap();
    let adopted =
        InstanceAdopted { purchase: None, terms: Terms { sku: Some(sku), ..Terms::default() }, status: Status::Active };
    world.commands.adopt(&acme(), &id, adopted, &Cause::System).await.unwrap();
    key(&id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_machines_that_race_for_three_seats_get_three() {
    let world = World::new();
    let license = with_three_seats(&world).await;
    let software = Cause::Software { address: None };
    let mut race = JoinSet::new();
    for n in 0..100 {
        let (commands, license, software) = (world.commands.clone(), license.clone(), software.clone());
        race.spawn(async move { commands.activate_machine(&license, fingerprint(n), None, 50, &software).await });
    }
    let outcomes = race.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    let full = |error: &CommandError| matches!(error, CommandError::Refused(Refusal::MachineLimit { limit: 3 }));
    assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(full));
    let standing = world.commands.read_license(&license).await.unwrap();
    assert_eq!(standing.license().unwrap().seats_used(world.commands.now()), 3);
}

#[tokio::test]
async fn a_license_can_be_seen_as_it_was_at_every_position_and_time() {
    let world = World::new();
    let license = with_three_seats(&world).await;
    let operator = Cause::Operator { actor: "t".into() };
    let mut seen = vec![];
    for command in [Command::Block("one".into()), Command::Unblock, Command::Block("two".into())] {
        world.clock.advance(TimeDelta::seconds(1));
        let done = world.commands.license(&license, command, &operator).await.unwrap();
        seen.push((done.position.unwrap(), done.state.license().unwrap().clone()));
    }
    for (position, then) in &seen {
        assert_eq!(world.commands.license_at(&license, Cut::Position(*position)).await.unwrap().as_ref(), Some(then));
    }
    let told = world.commands.history(&license, Cut::Now).await.unwrap();
    assert_eq!(told.len(), 4);
    for (event, (_, then)) in told.iter().skip(1).zip(&seen) {
        assert_eq!(event.metadata.cause, operator);
        let cut = Cut::Time(event.record.recorded_at);
        assert_eq!(world.commands.license_at(&license, cut).await.unwrap().as_ref(), Some(then));
    }
    let before = told[0].record.recorded_at - TimeDelta::microseconds(1);
    assert_eq!(world.commands.license_at(&license, Cut::Time(before)).await.unwrap(), None);
    let catalog = world.commands.catalog_at(&acme(), Cut::Time(before - TimeDelta::days(1))).await.unwrap();
    assert_eq!(catalog.version, 0, "there was none yet");
}
