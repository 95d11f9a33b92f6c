//! Commands on a real log: races, lost answers, redelivery.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chopmark_commands::{Clock, CommandError, Commands};
use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::catalog::{ProductKind, ProductTerms};
use chopmark_domain::cause::{Cause, RequestSignature, SignedForm, SignedRequest};
use chopmark_domain::ids::{InstanceId, OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::license::{Command, InstanceAdopted, Refreshed, Refusal, Scene, Status, Terms};
use chopmark_domain::order::OrderRef;
use chopmark_domain::purchase::PurchaseIdentity;
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::contract::LosesAnswers;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics, Position};
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// A clock that stands until it is told to move.
struct HandClock(AtomicI64);

impl HandClock {
    fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

struct World {
    commands: Commands,
    log: Arc<dyn EventLog>,
    clock: Arc<HandClock>,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        Self::with(|log| log)
    }

    fn with(wrap: impl FnOnce(Arc<dyn EventLog>) -> Arc<dyn EventLog>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log = SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
        let log = wrap(Arc::new(log));
        let clock = Arc::new(HandClock(AtomicI64::new(1_790_000_000_000)));
        Self { commands: Commands::new(log.clone(), clock.clone()), log, clock, _folder: folder }
    }

    async fn events(&self) -> usize {
        self.log.read_all(Position::START, 10_000).await.unwrap().records.len()
    }

    async fn purchase(&self, order: &str) -> InstanceId {
        self.commands.purchase(&acme(), line(order), &Cause::System).await.unwrap().0
    }

    async fn status(&self, id: &InstanceId) -> Status {
        self.commands.read_license(&key(id)).await.unwrap().license().unwrap().status
    }
}

fn acme() -> SellerId {
    SellerId::parse("acme").unwrap()
}

fn line(order: &str) -> OrderRef {
    OrderRef {
        order_id: OrderId::parse(order).unwrap(),
        order_line_id: OrderLineId::parse(&format!("{order}-000001")).unwrap(),
    }
}

fn key(id: &InstanceId) -> LicenseKey {
    LicenseKey { seller: acme(), id: LicenseId::Instance(id.clone()) }
}

fn signed(n: u8) -> Cause {
    Cause::Callback(Box::new(SignedRequest {
        body: "{}".into(),
        signature: RequestSignature([n; 32]),
        timestamp: "1790000000000".into(),
        nonce: "nonce".into(),
        key_id: "base/00000000".into(),
        signed_form: SignedForm::Raw,
        received_at: DateTime::UNIX_EPOCH,
        redacted_from_sha256: None,
    }))
}

fn adopted(order: &str) -> InstanceAdopted {
    let purchase = Some(PurchaseIdentity::OrderLine(line(order)));
    InstanceAdopted { purchase, terms: Terms::default(), status: Status::Active }
}

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
        tasks.spawn(async move { commands.purchase_id(&acme(), line("CS1")).await.unwrap() });
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
async fn a_purchase_that_came_first_cannot_be_adopted_under_another_id() {
    let world = World::new();
    world.purchase("CS1").await;
    let old = InstanceId::parse("old-instance-17").unwrap();
    let refused = world.commands.adopt(&acme(), &old, adopted("CS1"), &Cause::System).await;
    assert!(matches!(refused, Err(CommandError::Refused(Refusal::Exists))));
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
            // Who loses every race gives up with nothing stored, and the marketplace calls again.
            loop {
                match commands.license(&key, Command::Refresh(refreshed.clone()), &Cause::System).await {
                    Err(CommandError::Contended { .. }) => {}
                    settled => break settled.unwrap().appended,
                }
            }
        });
    }
    let appended: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(appended, 20);
    assert_eq!(world.events().await, 2 + 20);
}

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
