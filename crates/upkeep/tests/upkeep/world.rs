//! A seller with one license, and the worker that looks after it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chopmark_commands::{Clock, Commands};
use chopmark_domain::catalog::{ClonePolicy, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{Fingerprint, InstanceId, SellerId, Sku};
use chopmark_domain::license::{InstanceAdopted, Status, Terms};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics, Position};
use chopmark_projector::LicenseIndex;
use chopmark_upkeep::{Upkeep, UpkeepMetrics};
use chopmark_views::{Seen, ViewsMetrics};
use chrono::{DateTime, TimeDelta, Utc};
use prometheus::Registry;
use tempfile::TempDir;

pub(crate) struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

pub(crate) fn terms() -> ProductTerms {
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

pub(crate) struct World {
    pub(crate) commands: Commands,
    pub(crate) log: Arc<SqliteLog>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) index: LicenseIndex,
    pub(crate) seen: Seen,
    pub(crate) upkeep: Upkeep,
    pub(crate) registry: Registry,
    _folder: TempDir,
}

pub(crate) fn acme() -> SellerId {
    SellerId::parse("acme").unwrap()
}

pub(crate) fn license() -> LicenseKey {
    LicenseKey { seller: acme(), id: LicenseId::Instance(InstanceId::parse("i-1").unwrap()) }
}

impl World {
    /// A license with two machines, `a` and `b`, activated now; this process alone sees them.
    pub(crate) async fn new() -> Self {
        let in_a_file = |folder: &Path, now| Seen::open_at(&folder.join("views.db"), now, ViewsMetrics::unregistered());
        Self::of(DateTime::from_timestamp(1_790_000_000, 0).unwrap(), |folder, now| in_a_file(folder, now).unwrap())
            .await
    }

    /// The same at a time, with what is seen kept somewhere.
    pub(crate) async fn of(now: DateTime<Utc>, seen: impl FnOnce(&Path, DateTime<Utc>) -> Seen) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log.db");
        let log = Arc::new(SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap());
        let clock = Arc::new(HandClock(AtomicI64::new(now.timestamp_millis())));
        let commands = Commands::new(log.clone(), clock.clone());
        let seen = seen(folder.path(), commands.now());
        let (index, registry) = (LicenseIndex::new(), Registry::new());
        let metrics = UpkeepMetrics::register(&registry).unwrap();
        let upkeep = Upkeep::new(commands.clone(), index.clone(), seen.clone(), metrics);
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

    pub(crate) fn passes(&self, time: TimeDelta) {
        self.clock.0.fetch_add(time.num_milliseconds(), Ordering::Relaxed);
    }

    pub(crate) async fn round(&mut self) {
        self.index.apply(&self.log.read_all(self.index.position(), 1_000).await.unwrap()).unwrap();
        self.upkeep.round().await;
    }

    pub(crate) async fn events(&self) -> usize {
        self.log.read_all(Position::START, 1_000).await.unwrap().records.len()
    }

    pub(crate) async fn last_event(&self) -> String {
        let last = self.log.read_all(Position::START, 1_000).await.unwrap().records.pop().unwrap();
        String::from_utf8(last.data).unwrap()
    }

    pub(crate) fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        family.get_metric().iter().map(|metric| metric.get_counter().get_value()).sum()
    }

    pub(crate) async fn seated(&self) -> Vec<&'static str> {
        let standing = self.commands.read_license(&license()).await.unwrap();
        let license = standing.license().unwrap();
        ["a", "b"].into_iter().filter(|machine| license.has_machine(machine)).collect()
    }
}
