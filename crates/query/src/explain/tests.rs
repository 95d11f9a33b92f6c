//! Whatever a check was answered, explaining it from the position and the time of the answer comes to the same.

use std::sync::{Arc, Mutex};

use chopmark_commands::{Clock, Commands};
use chopmark_domain::catalog::{ClonePolicy, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{
    EcsId, EventId, Fingerprint, InstanceId, LicenseCode, OrderId, OrderLineId, ProductId, ProjectId, RegionId,
    SellerId, Sku,
};
use chopmark_domain::license::{
    Application, Code, CodeAnswer, CodeState, Command, EcsFacts, Enrolment, EnrolmentHash, FreedBy, Language,
    LicenseRequested, Refreshed, Scene, Upgraded, judge,
};
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{LogMetrics, Position};
use chopmark_projector::{Found, LicenseIndex, LookUp};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::asked::{Body, When};
use super::{Remembered, moment};
use crate::checks::sight::{as_enrolled, is_own_enrolment, judge_deployment};
use crate::license_view::LicenseView;
use crate::looking_back::Moment;
use crate::question::{Question, Subject};

/// Both sellers sell all kinds; each product is of one of them.
const SELLERS: [&str; 2] = ["acme", "beta"];
const PRODUCTS: [(&str, &str, ProductKind, Option<Seats>); 6] = [
    ("acme", "saas", ProductKind::Saas, None),
    ("acme", "seated", ProductKind::Saas, Some(Seats::Quantity)),
    ("acme", "online", ProductKind::OnlineLicense, None),
    ("acme", "image", ProductKind::Image, None),
    ("beta", "other", ProductKind::Saas, Some(Seats::Fixed(1))),
    ("beta", "other-image", ProductKind::Image, None),
];
const MACHINES: [&str; 3] = ["m1", "m2", "m3"];
const SECRETS: [&str; 3] = ["s1", "s2", "s3"];
/// Later than the log's own clock, so that this one alone tells which enrolment is whose.
const START: &str = "2126-11-24T12:00:00Z";

/// A clock that the test moves.
struct HeldClock(Mutex<DateTime<Utc>>);

impl Clock for HeldClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// What can happen.
#[derive(Debug, Clone)]
enum Act {
    Wait(i64),
    Buy {
        seller: usize,
        order: usize,
    },
    TellFacts {
        which: usize,
        product: usize,
        quantity: u32,
        days: i64,
    },
    Refresh {
        which: usize,
        days: i64,
    },
    Upgrade {
        which: usize,
    },
    Freeze {
        which: usize,
    },
    Unfreeze {
        which: usize,
    },
    Release {
        which: usize,
    },
    Block {
        which: usize,
    },
    Unblock {
        which: usize,
    },
    Activate {
        which: usize,
        machine: usize,
    },
    Free {
        which: usize,
        machine: usize,
        hours: i64,
    },
    Request {
        which: usize,
    },
    Deliver {
        which: usize,
    },
    Confirm {
        which: usize,
        state: CodeState,
    },
    Enrol {
        which: usize,
        product: usize,
        region: usize,
        presented: usize,
    },
    ChangeTerms {
        product: usize,
        grace_days: u32,
        seats: u32,
        clones: ClonePolicy,
        in_hours: i64,
    },
    Check {
        which: usize,
        product: usize,
        seller: usize,
        machine: usize,
        as_deployment: bool,
        secret: usize,
        region: usize,
    },
}

fn acts() -> impl Strategy<Value = Act> {
    let which = || 0..6_usize;
    let state = prop_oneof![
        Just(CodeState::Inactive),
        Just(CodeState::Alive),
        Just(CodeState::Alive),
        Just(CodeState::Expired),
        Just(CodeState::Released),
    ];
    let clones = prop_oneof![Just(ClonePolicy::Report), Just(ClonePolicy::Refuse)];
    prop_oneof![
        1 => (0..600_000_i64).prop_map(Act::Wait),
        2 => (0..2_usize, 0..2_usize).prop_map(|(seller, order)| Act::Buy { seller, order }),
        3 => (which(), 0..6_usize, 1..3_u32, -20..20_i64)
            .prop_map(|(which, product, quantity, days)| Act::TellFacts { which, product, quantity, days }),
        1 => (which(), -20..20_i64).prop_map(|(which, days)| Act::Refresh { which, days }),
        1 => which().prop_map(|which| Act::Upgrade { which }),
        1 => which().prop_map(|which| Act::Freeze { which }),
        2 => which().prop_map(|which| Act::Unfreeze { which }),
        1 => which().prop_map(|which| Act::Release { which }),
        1 => which().prop_map(|which| Act::Block { which }),
        1 => which().prop_map(|which| Act::Unblock { which }),
        3 => (which(), 0..3_usize).prop_map(|(which, machine)| Act::Activate { which, machine }),
        1 => (which(), 0..3_usize, 0..48_i64).prop_map(|(which, machine, hours)| Act::Free { which, machine, hours }),
        1 => which().prop_map(|which| Act::Request { which }),
        1 => which().prop_map(|which| Act::Deliver { which }),
        2 => (which(), state).prop_map(|(which, state)| Act::Confirm { which, state }),
        4 => (which(), 0..6_usize, 0..2_usize, 0..4_usize)
            .prop_map(|(which, product, region, presented)| Act::Enrol { which, product, region, presented }),
        1 => (0..6_usize, 0..30_u32, 0..3_u32, clones, 0..100_i64).prop_map(
            |(product, grace_days, seats, clones, in_hours)| Act::ChangeTerms { product, grace_days, seats, clones, in_hours }
        ),
        20 => (which(), 0..12_usize, 0..8_usize, 0..4_usize, any::<bool>(), 0..4_usize, 0..2_usize).prop_map(
            |(which, product, seller, machine, as_deployment, secret, region)| {
                Act::Check { which, product, seller, machine, as_deployment, secret, region }
            }
        ),
    ]
}

/// A verdict that was given.
#[derive(Debug)]
struct Given {
    key: LicenseKey,
    question: Value,
    position: Position,
    now: DateTime<Utc>,
    code: Code,
    reason: String,
    license: Option<Value>,
}

struct World {
    commands: Commands,
    index: LicenseIndex,
    clock: Arc<HeldClock>,
    given: Vec<Given>,
    _folder: TempDir,
}

fn id<T>(parse: impl Fn(&str) -> Result<T, chopmark_domain::ids::IdError>, text: &str) -> T {
    parse(text).unwrap()
}

fn order(number: usize) -> OrderRef {
    OrderRef {
        order_id: id(OrderId::parse, &format!("CS{number}")),
        order_line_id: id(OrderLineId::parse, &format!("CS{number}-1")),
    }
}

fn terms(kind: ProductKind, seats: Option<Seats>, grace_days: u32, clones: ClonePolicy) -> ProductTerms {
    ProductTerms {
        kind,
        name: "Example".into(),
        entitlements: [].into(),
        seats,
        grace_days,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 3_600,
        fee_ratio: None,
        clones,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    }
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log = Arc::new(SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap());
        let clock = Arc::new(HeldClock(Mutex::new(START.parse().unwrap())));
        let commands = Commands::new(log, clock.clone());
        let world = Self { commands, index: LicenseIndex::new(), clock, given: vec![], _folder: folder };
        for (seller, sku, kind, seats) in PRODUCTS {
            let wanted = [(id(Sku::parse, sku), terms(kind, seats, 15, ClonePolicy::Report))];
            let seller = id(SellerId::parse, seller);
            world
                .commands
                .apply_catalog(&seller, &SellerTerms::of(Site::Cn), &wanted, world.now(), &Cause::System)
                .await
                .unwrap();
        }
        // Something to go by; what is told of the orders later changes it.
        for (which, product) in [(0, 1), (1, 4)] {
            let seller = id(SellerId::parse, SELLERS[which]);
            world.commands.purchase(&seller, order(0), &Cause::System).await.unwrap();
            world.tell_facts(which, product, 1, 10).await;
        }
        world.project().await;
        world
    }

    async fn tell_facts(&self, which: usize, product: usize, quantity: u32, days: i64) {
        let facts = OrderFacts {
            order_line_id: order(0).order_line_id,
            order_type: OrderType::New,
            charging_mode: ChargingMode::Period,
            sku: Some(id(Sku::parse, PRODUCTS[product].1)),
            product_id: Some(id(ProductId::parse, "P-1")),
            quantity: Some(quantity),
            expires_at: Some(self.now() + TimeDelta::days(days)),
            ordered_at: None,
            amount: None,
            deal_amount: None,
        };
        self.run(which, Command::ApplyOrderFacts { order: order(0), facts }).await;
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn project(&self) {
        loop {
            let page = self.commands.log().read_all(self.index.position(), 1_000).await.unwrap();
            self.index.apply(&page).unwrap();
            if page.at_head {
                return;
            }
        }
    }

    /// One of six licenses that may or may not be there: two instances, the same code at both sellers, two deployments
    /// of one id.
    async fn key(&self, which: usize) -> LicenseKey {
        let seller = id(SellerId::parse, SELLERS[which % 2]);
        let id = match which / 2 {
            0 => LicenseId::Instance(match self.commands.purchase_id(&seller, order(0)).await.unwrap() {
                Some(instance) => instance,
                None => id(InstanceId::parse, "none"),
            }),
            1 => LicenseId::Code(id(LicenseCode::parse, "PL0001")),
            _ => LicenseId::Deployment(id(EcsId::parse, "ecs-1")),
        };
        LicenseKey { seller, id }
    }

    async fn run(&self, which: usize, command: Command) {
        // What the rules refuse is no part of the history.
        let _ = self.commands.license(&self.key(which).await, command, &Cause::System).await;
    }

    async fn act(&mut self, act: Act) {
        // Events of one moment are told apart by their positions alone.
        *self.clock.0.lock().unwrap() += TimeDelta::microseconds(333);
        let now = self.now();
        match act {
            Act::Wait(seconds) => *self.clock.0.lock().unwrap() += TimeDelta::seconds(seconds),
            Act::Buy { seller, order: number } => {
                let seller = id(SellerId::parse, SELLERS[seller]);
                self.commands.purchase(&seller, order(number), &Cause::System).await.unwrap();
            }
            Act::TellFacts { which, product, quantity, days } => {
                // Each seller sells what is its own.
                let product = if which % 2 == 0 { product % 4 } else { 4 };
                self.tell_facts(which, product, quantity, days).await;
            }
            Act::Refresh { which, days } => {
                let expires_at = now + TimeDelta::days(days);
                let refreshed = Refreshed { scene: Scene::Renewal, order: order(2), expires_at, product_id: None };
                self.run(which, Command::Refresh(refreshed)).await;
            }
            Act::Upgrade { which } => self.run(which, Command::Upgrade(Upgraded { order: order(3) })).await,
            Act::Freeze { which } => self.run(which, Command::Freeze).await,
            Act::Unfreeze { which } => self.run(which, Command::Unfreeze).await,
            Act::Release { which } => {
                self.run(which, Command::Release { order_id: None, order_line_id: None }).await;
            }
            Act::Block { which } => self.run(which, Command::Block("ticket".into())).await,
            Act::Unblock { which } => self.run(which, Command::Unblock).await,
            Act::Activate { which, machine } => {
                let fingerprint = id(Fingerprint::parse, MACHINES[machine]);
                let key = self.key(which).await;
                let _ = self.commands.activate_machine(&key, fingerprint, None, 50, &Cause::System).await;
            }
            Act::Free { which, machine, hours } => {
                let fingerprint = id(Fingerprint::parse, MACHINES[machine]);
                let taken_until = now + TimeDelta::hours(hours);
                self.run(which, Command::FreeMachine { fingerprint, by: FreedBy::Operator, taken_until }).await;
            }
            Act::Request { which } => {
                let requested = LicenseRequested { application: application(), effective_at: now, expires_at: None };
                self.run(which, Command::RequestLicense(requested)).await;
            }
            Act::Deliver { which } => {
                let issue = Command::IssueLicense { application: application(), document: "license".into() };
                self.run(which, issue).await;
                self.run(which, Command::ConfirmUpload(application())).await;
            }
            Act::Confirm { which, state } => {
                let expires_at = Some(now + TimeDelta::days(3));
                let answer =
                    CodeAnswer { state, expires_at, product_id: None, quantity: Some(1), order: Some(order(0)) };
                self.run(which, Command::ConfirmCode(answer)).await;
            }
            Act::Enrol { which, product, region, presented } => {
                let enrolment = Enrolment {
                    product: id(Sku::parse, PRODUCTS[product].1),
                    facts: facts(region),
                    presented: SECRETS.get(presented).map(|secret| EnrolmentHash::of(secret)),
                    secret: EnrolmentHash::of(SECRETS[(presented + 1) % 3]),
                    policy: ClonePolicy::Report,
                    at_most: 10,
                };
                self.run(which, Command::Enrol(Box::new(enrolment))).await;
            }
            Act::ChangeTerms { product, grace_days, seats, clones, in_hours } => {
                let (seller, sku, kind, seated) = PRODUCTS[product];
                let seats = seated.map(|_| Seats::Fixed(seats));
                let wanted = [(id(Sku::parse, sku), terms(kind, seats, grace_days, clones))];
                let effective_at = now + TimeDelta::hours(in_hours);
                let seller = id(SellerId::parse, seller);
                self.commands
                    .apply_catalog(&seller, &SellerTerms::of(Site::Cn), &wanted, effective_at, &Cause::System)
                    .await
                    .unwrap();
            }
            Act::Check { which, product, seller, machine, as_deployment, secret, region } => {
                let key = self.key(which).await;
                let mut question = json!({});
                if as_deployment && matches!(key.id, LicenseId::Deployment(_)) {
                    question["deployment"] = json!({
                        "uuid": key.id.as_str(), "project_id": "p", "region_id": facts(region).region_id.as_str(),
                    });
                    if let Some(secret) = SECRETS.get(secret) {
                        question["deployment"]["secret"] = (*secret).into();
                    }
                    question["product"] = PRODUCTS[product % 6].1.into();
                } else {
                    question["license"] = key.id.as_str().into();
                }
                if let Some((_, sku, ..)) = PRODUCTS.get(product) {
                    question["product"] = (*sku).into();
                }
                if let Some(seller) = SELLERS.get(seller) {
                    question["seller"] = (*seller).into();
                }
                if let Some(machine) = MACHINES.get(machine) {
                    question["machine"] = json!({ "fingerprint": machine });
                }
                self.check(key, question);
            }
        }
        self.project().await;
    }

    /// Answers a question from the index, as the server does, and keeps what was answered.
    fn check(&mut self, key: LicenseKey, question: Value) {
        let body = question.to_string();
        let asked = Question::parse(body.as_bytes()).unwrap();
        let now = self.now().trunc_subsecs(3);
        let (position, found) = self.look_up(&asked, &key.seller, now);
        let (code, reason, license) = match &found {
            None => (Code::NotFound, None, None),
            Some(found) => {
                let terms = found.terms.as_deref().map(|dated| &dated.terms);
                let verdict = match (&asked.subject, terms) {
                    (Subject::Deployment(_), Some(terms)) => {
                        let enrolled_at = found.license.deployment.as_ref().map(|known| known.enrolled_at);
                        let is_own = enrolled_at.is_some_and(|at| is_own_enrolment(at, at, now));
                        judge_deployment(&found.license, terms, &asked, is_own, now)
                    }
                    _ => judge(&found.license, terms, asked.asked(), now),
                };
                let view = LicenseView::new(&found.key.id, &found.license, terms, &verdict);
                (verdict.code, Some(verdict.reason.to_string()), Some(serde_json::to_value(view).unwrap()))
            }
        };
        // A check is explained at the license that it found; where it found none, at the one that was meant.
        let key = found.map_or(key, |found| found.key);
        let reason = reason.unwrap_or_default();
        self.given.push(Given { key, question, position, now, code, reason, license });
    }

    /// Finds what is asked about; where several sellers have it, the one that is meant.
    fn look_up(&self, asked: &Question<'_>, meant: &SellerId, now: DateTime<Utc>) -> (Position, Option<Found>) {
        let seller = asked.seller.as_deref().map(|seller| id(SellerId::parse, seller));
        let deployment = match &asked.subject {
            Subject::License(license) => {
                let look_up = |seller| self.index.look_up(seller, license, asked.product.as_ref(), now);
                let looked = look_up(seller.as_ref());
                let LookUp { position, found, .. } = if looked.ambiguous { look_up(Some(meant)) } else { looked };
                return (position, found);
            }
            Subject::Deployment(deployment) => deployment,
        };
        let product = self.index.product(&deployment.product, now).filter(|(owner, dated)| {
            seller.as_ref().is_none_or(|seller| seller == owner) && dated.terms.kind == ProductKind::Image
        });
        let Some((owner, terms)) = product else { return (self.index.position(), None) };
        let LookUp { position, found, .. } = self.index.deployment(&owner, &deployment.ecs, now);
        let license = as_enrolled(found.map(|found| found.license), deployment);
        let key = LicenseKey { seller: owner, id: LicenseId::Deployment(deployment.ecs.clone()) };
        (position, Some(Found { key, license, terms: Some(terms) }))
    }

    /// Explains every verdict given, and finds what was given.
    async fn explain_all(&self) {
        for given in &self.given {
            let Given { key, position, now, .. } = given;
            let mut sent = json!({ "question": given.question, "position": position.to_string() });
            sent["checked_at"] = now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into();
            let body = Body::read(sent.to_string().as_bytes(), key.id.as_str()).unwrap();
            assert_eq!(body.when(), When { position: Some(*position), at: Some(*now) });
            let asked = body.asked().unwrap();
            let moment = moment(&self.commands, body.when()).await.unwrap();
            let remembered = Remembered::read(&self.commands, &self.index, key, &asked, moment).await.unwrap();
            let explanation = remembered.explain(&asked.question, Language::English);
            assert_eq!(explanation.code, given.code, "{given:?}");
            assert_eq!(explanation.valid, given.code.is_valid());
            if given.code != Code::NotFound {
                assert_eq!(explanation.reason, given.reason, "{given:?}");
            }
            let shown = explanation.license.as_ref().map(|license| serde_json::to_value(license).unwrap());
            assert_eq!(shown, given.license, "{given:?}");
            let looked_at = &explanation.because.looked_at;
            let json = serde_json::to_value(looked_at).unwrap();
            let steps = json.as_array().unwrap();
            assert_eq!(steps.iter().filter(|step| step["applies"] == true).count(), 1, "{json}");
            assert_eq!(steps.last().unwrap()["code"], given.code.as_str(), "the one that applies is the last");
        }
    }
}

fn application() -> Application {
    Application { event_id: id(EventId::parse, "E1"), fingerprint: None }
}

fn facts(region: usize) -> EcsFacts {
    EcsFacts {
        project_id: id(ProjectId::parse, "p"),
        region_id: id(RegionId::parse, if region == 0 { "here" } else { "there" }),
        image_id: None,
        charging_mode: None,
    }
}

#[test]
fn every_verdict_of_a_history_is_explained_by_its_position_and_time() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let seen = Mutex::new(std::collections::BTreeMap::<&str, usize>::new());
    let config =
        ProptestConfig { cases: 16, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(acts(), 60..120), |acts| {
            runtime.block_on(async {
                let mut world = World::new().await;
                for act in acts {
                    world.act(act).await;
                }
                world.explain_all().await;
                for given in &world.given {
                    *seen.lock().unwrap().entry(given.code.as_str()).or_default() += 1;
                }
            });
            Ok(())
        })
        .unwrap();
    let seen = seen.into_inner().unwrap();
    // The likely ones at least: a property of nothing but licenses not found would say little.
    for code in ["NOT_FOUND", "RELEASED", "BLOCKED", "FROZEN", "PENDING", "MACHINE_REQUIRED", "GRACE", "VALID"] {
        assert!(seen.contains_key(code), "{code} was never given: {seen:?}");
    }
}

#[tokio::test]
async fn a_moment_is_found_by_time_and_by_position() {
    let world = World::new().await;
    let head = world.commands.log().head().await.unwrap();
    let page = world.commands.log().read_all(Position::START, 1_000).await.unwrap();
    for record in &page.records {
        let at = Moment::at(&world.commands, record.recorded_at).await.unwrap();
        let last = page.records.iter().rfind(|other| other.recorded_at <= record.recorded_at).unwrap();
        assert_eq!(at.position, last.position);
        let of = Moment::of_position(&world.commands, record.position).await.unwrap().unwrap();
        assert_eq!((of.position, of.at), (record.position, record.recorded_at));
    }
    let before = Moment::at(&world.commands, DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(before.position, Position::START);
    let later = Moment::at(&world.commands, DateTime::<Utc>::MAX_UTC).await.unwrap();
    assert_eq!(later.position, head);
    assert_eq!(Moment::of_position(&world.commands, Position::START).await.unwrap(), None);
}
