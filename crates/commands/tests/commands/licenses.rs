//! Purchases, adoption, status: at once, again, and after a lost answer.

use std::sync::Arc;

use chopmark_commands::{CommandError, Commands};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{InstanceId, SellerId};
use chopmark_domain::license::{Command, Refreshed, Refusal, Scene, Standing, Status};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::contract::LosesAnswers;
use chrono::{DateTime, TimeDelta};
use tokio::task::JoinSet;

use crate::world::{World, acme, adopted, key, line, signed};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_purchase_delivered_a_hundred_times_at_once_makes_one_instance() {
    let world = World::new();
    let mut tasks = JoinSet::new();
    for n in 0..100 {
        let commands = world.commands.clone();
        tasks.spawn(async move { commands.purchase(&acme(), line("CS1"), &signed(n)).await.unwrap().0 });
    }
    let ids: Vec<InstanceId> = tasks.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(world.events().await, 2, "the seller's secret and one purchase");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sellers_that_make_their_secret_at_once_agree_on_one() {
    let world = World::new();
    // Each has a memory of its own, as processes do.
    let all: Vec<_> = (0..20).map(|_| Commands::new(world.log.clone(), world.clock.clone())).collect();
    let mut tasks = JoinSet::new();
    for commands in all {
        tasks.spawn(async move { commands.purchase(&acme(), line("CS1"), &signed(1)).await.unwrap().0 });
    }
    let ids = tasks.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[tokio::test]
async fn an_answer_lost_after_the_commit_is_found_again() {
    let world = World::with(|log| Arc::new(LosesAnswers::new(log)));
    let id = world.purchase("CS1").await;
    assert_eq!(world.purchase("CS1").await, id);
    world.commands.license(&key(&id), Command::Freeze, &Cause::System).await.unwrap();
    assert_eq!(world.events().await, 3, "secret, purchase, freeze, each once");
}

#[tokio::test]
async fn the_same_signed_request_changes_nothing_even_after_the_license_has_moved_on() {
    let world = World::new();
    let id = world.purchase("CS1").await;
    world.commands.license(&key(&id), Command::Freeze, &signed(1)).await.unwrap();
    world.commands.license(&key(&id), Command::Unfreeze, &signed(2)).await.unwrap();
    let again = world.commands.license(&key(&id), Command::Freeze, &signed(1)).await.unwrap();
    assert_eq!(again.appended, 0);
    assert_eq!(world.status(&id).await, Status::Active);
    let anew = world.commands.license(&key(&id), Command::Freeze, &signed(3)).await.unwrap();
    assert_eq!(anew.appended, 1, "a new request is a new cause");
}

#[tokio::test]
async fn a_request_that_changed_nothing_changes_nothing_later_nor_in_another_process() {
    let world = World::new();
    let id = world.purchase("CS1").await;
    world.commands.license(&key(&id), Command::Freeze, &signed(1)).await.unwrap();
    let nothing = world.commands.license(&key(&id), Command::Freeze, &signed(2)).await.unwrap();
    assert_eq!(nothing.appended, 0);
    let unfrozen = world.commands.license(&key(&id), Command::Unfreeze, &signed(3)).await.unwrap();
    let restarted = Commands::new(world.log.clone(), world.clock.clone());
    for commands in [&world.commands, &restarted] {
        let again = commands.license(&key(&id), Command::Freeze, &signed(2)).await.unwrap();
        assert_eq!((again.appended, again.position), (0, unfrozen.position));
    }
    assert_eq!(world.status(&id).await, Status::Active);
}

#[tokio::test]
async fn the_id_of_a_purchase_can_be_asked_for_without_making_anything() {
    let world = World::new();
    assert_eq!(world.commands.purchase_id(&acme(), line("CS1")).await.unwrap(), None);
    assert_eq!(world.events().await, 0);
    let id = world.purchase("CS1").await;
    assert_eq!(world.commands.purchase_id(&acme(), line("CS1")).await.unwrap(), Some(id));
    let mine = InstanceId::parse("mine").unwrap();
    world.commands.adopt(&acme(), &mine, adopted("CS2"), &Cause::System).await.unwrap();
    assert_eq!(world.commands.purchase_id(&acme(), line("CS2")).await.unwrap(), Some(mine));
}

#[tokio::test]
async fn the_memory_of_a_request_ends_with_its_window() {
    let world = World::new();
    let id = world.purchase("CS1").await;
    world.commands.license(&key(&id), Command::Freeze, &signed(1)).await.unwrap();
    world.commands.license(&key(&id), Command::Unfreeze, &signed(2)).await.unwrap();
    world.clock.advance(TimeDelta::days(400));
    // `recorded_at` is the log's clock, so look from far beyond it.
    let later = world.commands.license(&key(&id), Command::Freeze, &signed(1)).await.unwrap();
    assert_eq!(later.appended, 1);
}

#[tokio::test]
async fn what_does_not_exist_is_refused_and_leaves_nothing() {
    let world = World::new();
    let nobody = InstanceId::parse("nobody").unwrap();
    let refused = world.commands.license(&key(&nobody), Command::Freeze, &signed(1)).await;
    assert!(matches!(refused, Err(CommandError::Refused(Refusal::Unknown))));
    assert_eq!(world.events().await, 0);
}

#[tokio::test]
async fn another_sellers_license_does_not_exist() {
    let world = World::new();
    let id = world.purchase("CS1").await;
    let other = LicenseKey { seller: SellerId::parse("other").unwrap(), id: LicenseId::Instance(id) };
    let refused = world.commands.license(&other, Command::Freeze, &signed(1)).await;
    assert!(matches!(refused, Err(CommandError::Refused(Refusal::Unknown))));
}

#[tokio::test]
async fn an_adopted_instance_answers_its_purchase() {
    let world = World::new();
    let old = InstanceId::parse("old-instance-17").unwrap();
    world.commands.adopt(&acme(), &old, adopted("CS1"), &Cause::System).await.unwrap();
    assert_eq!(world.purchase("CS1").await, old);
    assert_ne!(world.purchase("CS2").await, old);
    let events = world.events().await;
    world.commands.adopt(&acme(), &old, adopted("CS1"), &Cause::System).await.unwrap();
    assert_eq!(world.events().await, events, "adopting the same again changes nothing");
    let second = InstanceId::parse("old-instance-18").unwrap();
    let refused = world.commands.adopt(&acme(), &second, adopted("CS1"), &Cause::System).await;
    assert!(matches!(refused, Err(CommandError::Refused(Refusal::Exists))), "one purchase, one instance");
}

#[tokio::test]
async fn an_adoption_that_is_refused_leaves_the_purchase_as_it_was() {
    let world = World::new();
    let old = InstanceId::parse("old-instance-17").unwrap();
    world.commands.adopt(&acme(), &old, adopted("CS1"), &Cause::System).await.unwrap();
    let events = world.events().await;
    let refused = world.commands.adopt(&acme(), &old, adopted("CS2"), &Cause::System).await;
    assert!(matches!(refused, Err(CommandError::Refused(Refusal::Exists))), "one instance, one purchase");
    assert_eq!(world.events().await, events);
    assert_ne!(world.purchase("CS2").await, old, "the other purchase gets an instance of its own");
}

#[tokio::test]
async fn an_adoption_cut_short_is_completed_by_adopting_again() {
    let world = World::new();
    let old = InstanceId::parse("old-instance-17").unwrap();
    world.commands.license(&key(&old), Command::Adopt(adopted("CS1")), &Cause::System).await.unwrap();
    world.commands.adopt(&acme(), &old, adopted("CS1"), &Cause::System).await.unwrap();
    assert_eq!(world.purchase("CS1").await, old);
}

#[tokio::test]
async fn a_purchase_that_came_first_cannot_be_adopted_under_another_id() {
    let world = World::new();
    world.purchase("CS1").await;
    let old = InstanceId::parse("old-instance-17").unwrap();
    let refused = world.commands.adopt(&acme(), &old, adopted("CS1"), &Cause::System).await;
    assert!(matches!(refused, Err(CommandError::Refused(Refusal::Exists))));
    assert_eq!(world.commands.read_license(&key(&old)).await.unwrap(), Standing::Absent, "nothing was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_renewals_at_once_are_each_applied_once() {
    let world = World::new();
    let id = world.purchase("CS1").await;
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let (commands, key) = (world.commands.clone(), key(&id));
        // Every renewal comes twice.
        let refreshed = Refreshed {
            scene: Scene::Renewal,
            order: line(&format!("CSR{}", n / 2)),
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + n / 2),
            product_id: None,
        };
        tasks.spawn(async move {
            commands.license(&key, Command::Refresh(refreshed), &Cause::System).await.unwrap().appended
        });
    }
    let appended: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(appended, 20);
    assert_eq!(world.events().await, 2 + 20);
}

#[tokio::test]
async fn what_one_process_answered_without_an_event_the_others_know() {
    let world = World::new();
    let processes = [(); 2].map(|()| Commands::new(world.log.clone(), world.clock.clone()).among_others());
    let [one, other] = &processes;
    let id = world.purchase("CS1").await;
    one.license(&key(&id), Command::Freeze, &signed(1)).await.unwrap();
    let nothing = one.license(&key(&id), Command::Freeze, &signed(2)).await.unwrap();
    assert_eq!(nothing.appended, 0);
    other.license(&key(&id), Command::Unfreeze, &signed(3)).await.unwrap();
    let events = world.events().await;
    for process in &processes {
        for known in [1, 2, 3] {
            let command = if known == 3 { Command::Unfreeze } else { Command::Freeze };
            let again = process.license(&key(&id), command, &signed(known)).await.unwrap();
            assert_eq!((again.appended, again.state.license().unwrap().status), (0, Status::Active), "{known}");
        }
    }
    assert_eq!(world.events().await, events, "what is known is not put on record again");
    assert_eq!(other.license(&key(&id), Command::Freeze, &signed(4)).await.unwrap().appended, 1);
}
