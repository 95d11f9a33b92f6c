//! Upkeep on a real log and a real views store, with a clock that is moved by hand.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chopmark_commands::{Clock, Commands};
use chopmark_domain::catalog::{ClonePolicy, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::cause::Cause;
use chopmark_domain::hours::{Day, Hour};
use chopmark_domain::ids::{Fingerprint, InstanceId, SellerId, Sku};
use chopmark_domain::license::{InstanceAdopted, Machine, Status, Terms};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, Expected, LogMetrics, NewEvent, Position, StreamName};
use chopmark_projector::LicenseIndex;
use chopmark_upkeep::{Upkeep, UpkeepMetrics, Watch, has_lapsed};
use chopmark_views::{DeploymentSighting, LastSeen, Seen, Sighting, ViewsMetrics};
use chrono::{DateTime, TimeDelta, Utc};
use prometheus::Registry;
use tempfile::TempDir;
use uuid::Uuid;

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

fn terms() -> ProductTerms {
    ProductTerms {
        kind: ProductKind::Saas,
        name: "Example".into(),
        entitlements: [].into(),
        seats: Some(Seats::Fixed(2)),
        grace_days: 15,
        lease_seconds: 3_600,
        offline_grace_seconds: 7_200,
        check_interval_seconds: 600,
        fee_ratio: None,
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    }
}

struct World {
    commands: Commands,
    log: Arc<SqliteLog>,
    clock: Arc<HandClock>,
    index: LicenseIndex,
    seen: Seen,
    upkeep: Upkeep,
    registry: Registry,
    _folder: TempDir,
}

fn acme() -> SellerId {
    SellerId::parse("acme").unwrap()
}

fn license() -> LicenseKey {
    LicenseKey { seller: acme(), id: LicenseId::Instance(InstanceId::parse("i-1").unwrap()) }
}

impl World {
    /// A license with two machines, `a` and `b`, activated now.
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log.db");
        let log = Arc::new(SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap());
        let clock = Arc::new(HandClock(AtomicI64::new(1_790_000_000_000)));
        let commands = Commands::new(log.clone(), clock.clone());
        let seen = Seen::open(&folder.path().join("views.db"), ViewsMetrics::unregistered()).unwrap();
        let index = LicenseIndex::new();
        let now = commands.now();
        let registry = Registry::new();
        let metrics = UpkeepMetrics::register(&registry).unwrap();
        let upkeep = Upkeep::new(commands.clone(), index.clone(), seen.clone(), now, metrics);
        let world = Self { commands, log, clock, index, seen, upkeep, registry, _folder: folder };
        world.populate().await;
        world
    }

    async fn populate(&self) {
        let sku = Sku::parse("sku").unwrap();
        let now = self.commands.now();
        self.commands
            .apply_catalog(&acme(), &SellerTerms::of(Site::Cn), &[(sku.clone(), terms())], now, &Cause::System)
            .await
            .unwrap();
        let terms = Terms { sku: Some(sku), ..Terms::default() };
        let adopted = InstanceAdopted { purchase: None, terms, status: Status::Active };
        let id = InstanceId::parse("i-1").unwrap();
        self.commands.adopt(&acme(), &id, adopted, &Cause::System).await.unwrap();
        for machine in ["a", "b"] {
            let fingerprint = Fingerprint::parse(machine).unwrap();
            let software = Cause::Software { address: None };
            self.commands.activate_machine(&license(), fingerprint, None, 50, &software).await.unwrap();
        }
    }

    fn passes(&self, time: TimeDelta) {
        self.clock.0.fetch_add(time.num_milliseconds(), Ordering::Relaxed);
    }

    async fn round(&mut self) {
        self.index.apply(&self.log.read_all(self.index.position(), 1_000).await.unwrap()).unwrap();
        self.upkeep.round().await;
    }

    async fn events(&self) -> usize {
        self.log.read_all(Position::START, 1_000).await.unwrap().records.len()
    }

    fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        family.get_metric().iter().map(|metric| metric.get_counter().get_value()).sum()
    }

    async fn seated(&self) -> Vec<&'static str> {
        let standing = self.commands.read_license(&license()).await.unwrap();
        let license = standing.license().unwrap();
        ["a", "b"].into_iter().filter(|machine| license.has_machine(machine)).collect()
    }
}

#[tokio::test]
async fn a_seat_lapses_after_a_term_without_a_check_and_not_while_its_machine_is_heard_of() {
    let mut world = World::new().await;
    world.passes(TimeDelta::hours(2));
    let at = world.commands.now();
    world.seen.saw(Sighting { seller: "acme", license: "i-1", holder: "a", at, lease_until: None });
    world.round().await;
    assert_eq!(world.seated().await, ["a", "b"], "no term is over");
    world.passes(TimeDelta::minutes(63));
    world.round().await;
    assert_eq!(world.seated().await, ["a"]);
    let events = world.events().await;
    world.round().await;
    assert_eq!(world.events().await, events, "once");
    world.passes(TimeDelta::hours(3));
    world.round().await;
    assert!(world.seated().await.is_empty());
    assert!(world.seen.last_seen("acme", "i-1").await.unwrap().is_empty(), "nothing is kept of who is gone");
}

#[tokio::test]
async fn an_hour_is_closed_once_with_all_that_were_seen_in_it() {
    let mut world = World::new().await;
    let at = world.commands.now();
    for ecs in ["ecs-2", "ecs-1", "ecs-2"] {
        let charging_mode = Some("0");
        world.seen.saw_deployment_hour(DeploymentSighting { seller: "acme", product: "image", ecs, charging_mode, at });
    }
    let events = world.events().await;
    world.round().await;
    assert_eq!(world.events().await, events, "the hour is not over");
    world.passes(TimeDelta::minutes(64));
    world.round().await;
    world.round().await;
    assert_eq!(world.events().await, events + 1);
    let hours = world.commands.hours(&acme(), Day::of(at)).await.unwrap();
    assert!(hours.is_closed(Hour::of(at)));
    let last = world.log.read_all(Position::START, 1_000).await.unwrap().records.pop().unwrap();
    let told: String = String::from_utf8(last.data).unwrap();
    assert!(told.find("ecs-1").unwrap() < told.find("ecs-2").unwrap(), "{told}");
    assert_eq!(told.matches("ecs-2").count(), 1, "{told}");
}

#[test]
fn our_own_outage_is_nobodys_absence() {
    let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let machine =
        Machine { fingerprint: Fingerprint::parse("a").unwrap(), name: None, activated_at: start, taken_until: None };
    let term = TimeDelta::hours(3);
    let watch = |watching: TimeDelta, up: TimeDelta| Watch { watching_since: start + watching, up_since: start + up };
    let lapsed = |last_seen, watch, now: TimeDelta| has_lapsed(&machine, last_seen, &terms(), watch, start + now);
    let (none, minute) = (TimeDelta::zero(), TimeDelta::minutes(1));
    assert!(!lapsed(None, watch(none, none), term + minute));
    assert!(lapsed(None, watch(none, none), term + minute * 2));
    let day = TimeDelta::days(1);
    assert!(!lapsed(None, watch(day, none), day + term), "the store that knew was lost");
    assert!(!lapsed(None, watch(none, day), day + minute * 20), "two checks have not passed since the start");
    assert!(lapsed(None, watch(none, day), day + minute * 22));
    let leased = Some(LastSeen { at: start, lease_until: Some(start + day) });
    assert!(!lapsed(leased, watch(none, none), day), "its lease was longer than the terms are now");
    let freed = Machine { taken_until: Some(start + day), ..machine.clone() };
    assert!(!has_lapsed(&freed, None, &terms(), watch(none, none), start + day * 9));
}

#[tokio::test]
async fn one_sellers_trouble_keeps_no_other_from_upkeep_and_no_seat_taken() {
    let mut world = World::new().await;
    let other = SellerId::parse("beta").unwrap();
    world.commands.ensure_secret(&other).await.unwrap();
    let at = world.commands.now();
    for seller in ["acme", "beta"] {
        let (product, ecs, charging_mode) = ("image", "ecs-1", None);
        world.seen.saw_deployment_hour(DeploymentSighting { seller, product, ecs, charging_mode, at });
    }
    // A newer version has written into the first seller's day.
    let name = StreamName::new(&format!("hours-acme/{}", Day::of(at))).unwrap();
    let newer = NewEvent {
        id: Uuid::now_v7(),
        kind: "hours_closed.v9".into(),
        data: b"{}".to_vec(),
        metadata: b"{\"cause\":{\"source\":\"system\"}}".to_vec(),
    };
    world.log.append(&name, Expected::NoStream, vec![newer]).await.unwrap();
    world.passes(TimeDelta::hours(4));
    world.round().await;
    assert!(world.commands.hours(&other, Day::of(at)).await.unwrap().is_closed(Hour::of(at)));
    assert!(world.seated().await.is_empty(), "seats lapse all the same");
    assert!(world.metric("chopmark_upkeep_failed_total") >= 1.0);
}
