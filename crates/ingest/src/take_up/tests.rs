//! Applications for licenses (`getLicenseAsync`), on a real log.

use std::sync::Arc;

use chopmark_commands::{Commands, SystemClock};
use chopmark_domain::ids::{EventId, OrderId, OrderLineId};
use chopmark_domain::license::Application;
use chopmark_domain::order::{OrderFacts, OrderRef, OrderType};
use chopmark_huawei::keys::KeyRing;
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics};
use prometheus::Registry;

use super::*;
use crate::sellers::AppInfos;
use crate::{IngestMetrics, Limits};

/// A callback listener without the listening.
struct House {
    _folder: tempfile::TempDir,
    log: Arc<SqliteLog>,
    ingest: Ingest,
    door: SellerDoor,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let log = SqliteLog::open(&path("log.db"), SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
        let log = Arc::new(log);
        let journal = Journal::open(&path("journal.db"), JournalOptions::default()).unwrap();
        let commands = Commands::new(log.clone(), Arc::new(SystemClock));
        let metrics = IngestMetrics::register(&Registry::new()).unwrap();
        let ingest = Ingest::new([].into(), commands, journal, None, metrics, Limits::default());
        let door = SellerDoor { keys: KeyRing::new(vec![]), app_infos: AppInfos::default() };
        Self { _folder: folder, log, ingest, door }
    }

    async fn buy(&self, order: &str) -> InstanceId {
        self.ingest.commands.purchase(&seller(), order_ref(order), &Cause::System).await.unwrap().0
    }

    async fn command(&self, id: &InstanceId, command: Command) {
        self.ingest.commands.license(&of(id), command, &Cause::System).await.unwrap();
    }

    /// The facts of an order become known.
    async fn tell(&self, id: &InstanceId, order: &str, charging_mode: ChargingMode, expires_at: Option<&str>) {
        let order = order_ref(order);
        let facts = OrderFacts {
            order_line_id: order.order_line_id.clone(),
            order_type: OrderType::New,
            charging_mode,
            sku: None,
            product_id: None,
            quantity: None,
            expires_at: expires_at.map(|text| text.parse().unwrap()),
            ordered_at: None,
            amount: None,
            deal_amount: None,
        };
        self.command(id, Command::ApplyOrderFacts { order, facts }).await;
    }

    async fn apply_for(&self, id: &InstanceId, requested: &LicenseRequested) -> TakenUp {
        let callback = Callback::GetLicenseAsync { instance: id.clone(), requested: requested.clone() };
        self.ingest.take_up(&seller(), &self.door, &callback, &Cause::System).await
    }

    async fn code(&self, id: &InstanceId, requested: &LicenseRequested) -> ResultCode {
        self.apply_for(id, requested).await.answer.result_code
    }
}

fn seller() -> SellerId {
    SellerId::parse("acme").unwrap()
}

fn of(id: &InstanceId) -> LicenseKey {
    key(&seller(), LicenseId::Instance(id.clone()))
}

fn order_ref(order: &str) -> OrderRef {
    OrderRef { order_id: OrderId::parse(order).unwrap(), order_line_id: OrderLineId::parse("1").unwrap() }
}

fn requested(event_id: &str, expires_at: Option<&str>) -> LicenseRequested {
    LicenseRequested {
        application: Application { event_id: EventId::parse(event_id).unwrap(), fingerprint: Some("M1|D1".into()) },
        effective_at: "2026-11-24T00:00:00Z".parse().unwrap(),
        expires_at: expires_at.map(|text| text.parse().unwrap()),
    }
}

#[tokio::test]
async fn an_application_is_processing_until_its_license_is_uploaded_however_often_it_comes() {
    let house = House::new();
    let id = house.buy("CS1").await;
    let (first, other) = (requested("E1", None), requested("E2", None));
    let taken_up = house.apply_for(&id, &first).await;
    assert_eq!(taken_up.answer, Answer::processing());
    assert_eq!(taken_up.position, Some(house.log.head().await.unwrap()), "it is durable before it is answered");
    assert_eq!(house.code(&id, &first).await, ResultCode::Processing);
    assert_eq!(house.log.head().await.unwrap(), taken_up.position.unwrap(), "the same again is no event");

    let issue = Command::IssueLicense { application: first.application.clone(), document: "signed".into() };
    house.command(&id, issue).await;
    assert_eq!(house.code(&id, &first).await, ResultCode::Processing, "made is not yet uploaded");
    house.command(&id, Command::ConfirmUpload(first.application.clone())).await;
    assert_eq!(house.code(&id, &first).await, ResultCode::Success);
    assert_eq!(house.code(&id, &other).await, ResultCode::Processing, "another application");
    let elsewhere = Application { fingerprint: None, ..first.application.clone() };
    assert_eq!(house.code(&id, &LicenseRequested { application: elsewhere, ..first }).await, ResultCode::Processing);
}

#[tokio::test]
async fn an_instance_that_is_not_there_or_over_gets_no_license() {
    let house = House::new();
    let nobody = InstanceId::parse("nobody").unwrap();
    assert_eq!(house.code(&nobody, &requested("E1", None)).await, ResultCode::UnknownInstance);
    let id = house.buy("CS1").await;
    let (done, waiting) = (requested("E1", None), requested("E2", None));
    for requested in [&done, &waiting] {
        assert_eq!(house.code(&id, requested).await, ResultCode::Processing);
    }
    let issue = Command::IssueLicense { application: done.application.clone(), document: "signed".into() };
    house.command(&id, issue).await;
    house.command(&id, Command::ConfirmUpload(done.application.clone())).await;
    house.command(&id, Command::Release { order_id: None, order_line_id: None }).await;
    assert_eq!(house.code(&id, &requested("E3", None)).await, ResultCode::UnknownInstance);
    assert_eq!(house.code(&id, &waiting).await, ResultCode::UnknownInstance, "nobody uploads it any more");
    assert_eq!(house.code(&id, &done).await, ResultCode::Success, "what was uploaded stays so");
}

#[tokio::test]
async fn a_license_for_a_period_needs_an_end_where_none_is_known() {
    let end = Some("2027-11-24T00:00:00Z");
    let (period, once) = (ChargingMode::Period, ChargingMode::OneTime);
    let (processing, required) = (ResultCode::Processing, ResultCode::ExpiryRequired);
    for (facts, asked_until, expected) in [
        (None, None, processing),
        (Some((once, None)), None, processing),
        (Some((period, end)), None, processing),
        (Some((period, None)), end, processing),
        (Some((period, None)), None, required),
    ] {
        let house = House::new();
        let id = house.buy("CS1").await;
        if let Some((mode, expires_at)) = facts {
            house.tell(&id, "CS1", mode, expires_at).await;
        }
        let before = house.log.head().await.unwrap();
        assert_eq!(house.code(&id, &requested("E1", asked_until)).await, expected, "{facts:?} {asked_until:?}");
        assert_eq!(house.log.head().await.unwrap() > before, expected == processing);
    }
}

#[tokio::test]
async fn what_was_taken_on_before_it_was_known_to_be_for_a_period_stays_so() {
    let house = House::new();
    let id = house.buy("CS1").await;
    assert_eq!(house.code(&id, &requested("E1", None)).await, ResultCode::Processing);
    house.tell(&id, "CS1", ChargingMode::Period, None).await;
    assert_eq!(house.code(&id, &requested("E1", None)).await, ResultCode::Processing);
    assert_eq!(house.code(&id, &requested("E2", None)).await, ResultCode::ExpiryRequired);
}

#[tokio::test]
async fn a_test_application_is_answered_without_a_trace() {
    let house = House::new();
    let id = house.buy("CS1").await;
    let before = house.log.head().await.unwrap();
    let callback = Callback::GetLicenseAsync { instance: id, requested: requested("E1", None) };
    assert_eq!(echo(&house.ingest, &seller(), &house.door, &callback).await, Answer::success());
    assert_eq!(house.log.head().await.unwrap(), before);
}

#[test]
fn every_refusal_has_its_result_code() {
    for (refusal, code) in [
        (Refusal::Unknown, ResultCode::UnknownInstance),
        (Refusal::Released, ResultCode::UnknownInstance),
        (Refusal::OtherKind, ResultCode::UnknownInstance),
        (Refusal::TooManyToday, ResultCode::InternalError),
    ] {
        assert_eq!(code_of(refusal), code, "{refusal}");
    }
}
