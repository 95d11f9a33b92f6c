//! Licenses that are applied for are made once and handed over.

use std::sync::atomic::Ordering;

use chopmark_domain::catalog::LicenseForm;
use chopmark_domain::cause::Cause;
use chopmark_domain::license::{Activation, Command, Standing};
use chopmark_domain::stream::{LicenseKey, Stream};
use chopmark_huawei::open_api::ErrorKind;
use chrono::TimeDelta;

use crate::world::{Does, HandedOver, World, application, facts};

const FAIL: Does = Does::Fail(ErrorKind::Transient);
const REQUESTED: &str = "license_requested.v1";
const ISSUED: &str = "license_issued.v1";
const UPLOADED: &str = "license_uploaded.v1";
const DELAYED: &str = "license_errand_delayed.v1";
const ABANDONED: &str = "license_errand_abandoned.v1";

/// An instance whose order's facts the marketplace tells.
async fn bought(world: &World) -> LicenseKey {
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    world.buy("CS1", "1").await
}

async fn until(world: &World, license: &LicenseKey, kind: &str, times: usize) {
    world.until(&Stream::License(license.clone()), kind, times).await;
}

/// The license on record.
async fn document(world: &World, license: &LicenseKey, event_id: &str) -> String {
    let Standing::Known(history) = world.commands.read_license(license).await.unwrap() else { panic!("it is known") };
    history.application(&application(event_id)).unwrap().document.unwrap().to_owned()
}

async fn kinds_of_upload(world: &World, license: &LicenseKey) -> Vec<String> {
    let of_upload = |kind: &String| [REQUESTED, ISSUED, UPLOADED, DELAYED, ABANDONED].contains(&kind.as_str());
    world.license_kinds(license).await.into_iter().filter(of_upload).collect()
}

#[tokio::test]
async fn a_license_applied_for_is_made_from_the_products_terms_and_uploaded() {
    let world = World::new();
    world.define(LicenseForm::Text).await;
    world.marketplace.plan("upload E1", &[Does::Take]);
    let running = world.start();
    let license = bought(&world).await;
    world.until_applied(&license, 1).await;
    world.apply_for(&license, "E1").await;
    until(&world, &license, UPLOADED, 1).await;

    let document = document(&world, &license, "E1").await;
    assert_eq!(document, format!("0: 20 Example CAD of acme on {} for E1", license.id));
    assert_eq!(world.marketplace.handed_over(), [HandedOver { event_id: "E1".into(), file: None, document }]);
    assert_eq!(kinds_of_upload(&world, &license).await, [REQUESTED, ISSUED, UPLOADED]);
    assert_eq!(world.license(&license).await.activation, Activation::Done);
    running.until_nothing_is_open().await;
    running.stop().await;
}

#[tokio::test]
async fn a_long_license_and_one_whose_product_wants_a_file_are_uploaded_as_files() {
    for (form, length, is_file) in
        [(LicenseForm::Text, 1_024, false), (LicenseForm::Text, 1_025, true), (LicenseForm::File, 100, true)]
    {
        let world = World::new();
        world.define(form).await;
        world.maker.length.store(length, Ordering::SeqCst);
        world.marketplace.plan("upload E1", &[Does::Take]);
        let license = bought(&world).await;
        world.apply_for(&license, "E1").await;
        let running = world.start();
        until(&world, &license, UPLOADED, 1).await;
        let [handed_over] = &world.marketplace.handed_over()[..] else { panic!("one was handed over") };
        assert_eq!(handed_over.file, is_file.then(|| format!("{}.lic", license.id)), "{form:?} {length}");
        assert_eq!(handed_over.document, document(&world, &license, "E1").await);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_license_that_is_refused_is_uploaded_until_it_is_taken_and_is_the_same_every_time() {
    let world = World::new();
    world.define(LicenseForm::Text).await;
    let refused = Does::Fail(ErrorKind::Refused);
    world
        .marketplace
        .plan("upload E1", &[FAIL, refused.clone(), Does::Fail(ErrorKind::Malformed), refused, Does::Take]);
    let license = bought(&world).await;
    world.apply_for(&license, "E1").await;
    let running = world.start();
    until(&world, &license, UPLOADED, 1).await;
    let document = document(&world, &license, "E1").await;
    let handed_over = world.marketplace.handed_over();
    assert_eq!((handed_over.len(), world.maker.made()), (5, 1));
    assert!(handed_over.iter().all(|attempt| attempt.document == document));
    assert_eq!(kinds_of_upload(&world, &license).await, [REQUESTED, ISSUED, DELAYED, UPLOADED]);
    running.stop().await;
}

#[tokio::test]
async fn a_process_that_dies_between_making_and_uploading_leaves_the_license_to_the_next() {
    let world = World::new();
    world.define(LicenseForm::Text).await;
    world.marketplace.plan("upload E1", &[Does::Hang, Does::Take]);
    let license = bought(&world).await;
    world.apply_for(&license, "E1").await;
    let running = world.start();
    world.marketplace.until_asked("upload E1", 1).await;
    running.stop().await;
    std::fs::remove_file(world.snapshot()).unwrap();

    let running = world.start();
    until(&world, &license, UPLOADED, 1).await;
    let document = document(&world, &license, "E1").await;
    assert_eq!(world.marketplace.handed_over().iter().filter(|attempt| attempt.document == document).count(), 2);
    assert_eq!(world.maker.made(), 1);
    running.stop().await;
}

#[tokio::test]
async fn of_two_who_make_a_license_at_once_both_hand_over_the_one_on_record() {
    let world = World::new();
    world.define(LicenseForm::Text).await;
    world.marketplace.plan("upload E1", &[FAIL, FAIL, Does::Take]);
    let license = bought(&world).await;
    let running = [world.snapshot(), world.folder.path().join("other.snapshot")]
        .map(|snapshot| world.start_at(snapshot, world.marketplaces()));
    world.until_applied(&license, 1).await;
    world.apply_for(&license, "E1").await;
    until(&world, &license, UPLOADED, 1).await;
    for running in running {
        running.until_nothing_is_open().await;
        running.stop().await;
    }
    let document = document(&world, &license, "E1").await;
    assert!(world.marketplace.handed_over().iter().all(|attempt| attempt.document == document));
    let issued = world.license_kinds(&license).await.into_iter().filter(|kind| kind == ISSUED).count();
    assert_eq!(issued, 1);
}

#[tokio::test]
async fn a_license_waits_for_the_facts_of_the_order_without_that_being_a_failure() {
    let world = World::new();
    world.define(LicenseForm::Text).await;
    world.marketplace.plan("upload E1", &[Does::Take]);
    world.marketplace.plan("CS1", &[Does::Hang]);
    let license = world.buy("CS1", "1").await;
    world.apply_for(&license, "E1").await;
    let running = world.start();
    running.until_reason("what was bought is not known yet").await;
    let [waiting] = &running.errands.list()[..] else { panic!("one errand is open") };
    assert_eq!((waiting.attempts, waiting.abandoned), (0, false));
    running.stop().await;
    assert_eq!(kinds_of_upload(&world, &license).await, [REQUESTED]);

    let running = world.start();
    running.until_reason("what was bought is not known yet").await;
    let order = crate::world::order_ref("CS1", "1");
    let apply = Command::ApplyOrderFacts { order, facts: facts("1") };
    world.commands.license(&license, apply, &Cause::System).await.unwrap();
    until(&world, &license, UPLOADED, 1).await;
    assert_eq!(kinds_of_upload(&world, &license).await, [REQUESTED, ISSUED, UPLOADED]);
    running.stop().await;
}

#[tokio::test]
async fn a_license_waits_while_an_operator_has_stopped_it() {
    let world = World::new();
    world.define(LicenseForm::Text).await;
    world.marketplace.plan("upload E1", &[Does::Take]);
    let license = bought(&world).await;
    world.commands.license(&license, Command::Block("unpaid".into()), &Cause::System).await.unwrap();
    world.apply_for(&license, "E1").await;
    let running = world.start();
    // It waits for what was bought first, and for this then.
    running.until_reason("an operator stopped the license").await;
    assert_eq!(world.maker.made(), 0);
    world.commands.license(&license, Command::Unblock, &Cause::System).await.unwrap();
    until(&world, &license, UPLOADED, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn a_product_that_the_catalog_lacks_is_waited_for_and_nothing_is_given_up() {
    let world = World::new();
    world.marketplace.plan("upload E1", &[Does::Take]);
    world.pass(TimeDelta::hours(73));
    let license = bought(&world).await;
    world.apply_for(&license, "E1").await;
    let running = world.start();
    let lacks = "the catalog has no product a63ee5c9-0000: add it to chopmark.toml and run `chopmark apply`";
    running.until_reason(lacks).await;
    world.define(LicenseForm::Text).await;
    until(&world, &license, UPLOADED, 1).await;
    assert_eq!(kinds_of_upload(&world, &license).await, [REQUESTED, ISSUED, UPLOADED]);
    running.stop().await;
}

#[tokio::test]
async fn an_upload_is_given_up_after_its_time_and_tried_once_more_at_each_start() {
    let world = World::new();
    world.define(LicenseForm::Text).await;
    world.marketplace.plan("upload E1", &[FAIL]);
    world.pass(TimeDelta::hours(73));
    let license = bought(&world).await;
    world.apply_for(&license, "E1").await;
    let running = world.start();
    until(&world, &license, ABANDONED, 1).await;
    running.stop().await;
    assert_eq!(kinds_of_upload(&world, &license).await, [REQUESTED, ISSUED, DELAYED, ABANDONED]);

    world.marketplace.plan("upload E1", &[Does::Take]);
    let running = world.start();
    until(&world, &license, UPLOADED, 1).await;
    assert_eq!(world.maker.made(), 1);
    running.until_nothing_is_open().await;
    running.stop().await;
}

#[tokio::test]
async fn a_released_instance_gets_no_license() {
    let world = World::new();
    world.define(LicenseForm::Text).await;
    world.marketplace.plan("upload E1", &[FAIL]);
    let license = bought(&world).await;
    world.apply_for(&license, "E1").await;
    let running = world.start();
    world.marketplace.until_asked("upload E1", 2).await;
    let release = Command::Release { order_id: None, order_line_id: None };
    world.commands.license(&license, release, &Cause::System).await.unwrap();
    running.until_nothing_is_open().await;
    running.stop().await;
}
