//! A log in a temporary folder and a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chopmark_commands::{Clock, Commands};
use chopmark_domain::cause::{Cause, RequestSignature, SignedForm, SignedRequest};
use chopmark_domain::ids::{InstanceId, OrderId, OrderLineId, SellerId};
use chopmark_domain::license::{InstanceAdopted, Status, Terms};
use chopmark_domain::order::OrderRef;
use chopmark_domain::purchase::PurchaseIdentity;
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics, Position};
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

/// A clock that stands until it is told to move.
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

pub(crate) struct World {
    pub(crate) commands: Commands,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) clock: Arc<HandClock>,
    _folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|log| log)
    }

    pub(crate) fn with(wrap: impl FnOnce(Arc<dyn EventLog>) -> Arc<dyn EventLog>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log = SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
        let log = wrap(Arc::new(log));
        let clock = Arc::new(HandClock(AtomicI64::new(1_790_000_000_000)));
        Self { commands: Commands::new(log.clone(), clock.clone()), log, clock, _folder: folder }
    }

    pub(crate) async fn events(&self) -> usize {
        self.log.read_all(Position::START, 10_000).await.unwrap().records.len()
    }

    pub(crate) async fn purchase(&self, order: &str) -> InstanceId {
        self.commands.purchase(&acme(), line(order), &Cause::System).await.unwrap().0
    }

    pub(crate) async fn status(&self, id: &InstanceId) -> Status {
        self.commands.read_license(&key(id)).await.unwrap().license().unwrap().status
    }
}

pub(crate) fn acme() -> SellerId {
    SellerId::parse("acme").unwrap()
}

pub(crate) fn line(order: &str) -> OrderRef {
    OrderRef {
        order_id: OrderId::parse(order).unwrap(),
        order_line_id: OrderLineId::parse(&format!("{order}-000001")).unwrap(),
    }
}

pub(crate) fn key(id: &InstanceId) -> LicenseKey {
    LicenseKey { seller: acme(), id: LicenseId::Instance(id.clone()) }
}

pub(crate) fn signed(n: u8) -> Cause {
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

pub(crate) fn adopted(order: &str) -> InstanceAdopted {
    let purchase = Some(PurchaseIdentity::OrderLine(line(order)));
    InstanceAdopted { purchase, terms: Terms::default(), status: Status::Active }
}
