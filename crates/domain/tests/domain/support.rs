//! Builders: short words for the things the tests speak about.

use chopmark_domain::catalog::{ClonePolicy, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::cause::{Cause, RequestSignature, SignedForm, SignedRequest};
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::{
    EcsId, EventId, Fingerprint, InstanceId, LicenseCode, OrderId, OrderLineId, ProductId, ProjectId, RegionId, Sku,
};
use chopmark_domain::license::{
    Application, CodeAnswer, CodeState, Command, EcsFacts, Enrolment, EnrolmentHash, Event, FreedBy, InstanceAdopted,
    License, LicenseRequested, Refreshed, Refusal, Request, Scene, SeatRequest, Standing, Status, Terms, Upgraded,
    decide,
};
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::settlement::terms::SettlementTerms;
use chopmark_domain::stream::LicenseId;
use chrono::{DateTime, TimeDelta, Utc};

/// So many days after the day every story begins.
pub(crate) fn day(days: i64) -> DateTime<Utc> {
    "2026-11-24T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(days)
}

pub(crate) fn instance_id(text: &str) -> InstanceId {
    InstanceId::parse(text).unwrap()
}

pub(crate) fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub(crate) fn product_id(text: &str) -> ProductId {
    ProductId::parse(text).unwrap()
}

pub(crate) fn order(name: &str) -> OrderRef {
    OrderRef {
        order_id: OrderId::parse(name).unwrap(),
        order_line_id: OrderLineId::parse(&format!("{name}-000001")).unwrap(),
    }
}

/// Facts of an order that say what was bought.
pub(crate) fn facts(name: &str, bought: &str, quantity: u32, expires_at: Option<DateTime<Utc>>) -> OrderFacts {
    OrderFacts {
        order_line_id: order(name).order_line_id,
        order_type: OrderType::New,
        charging_mode: ChargingMode::Period,
        sku: Some(sku(bought)),
        product_id: Some(product_id(&format!("{bought}-monthly"))),
        quantity: Some(quantity),
        expires_at,
        ordered_at: Some(day(0)),
        amount: None,
        deal_amount: None,
    }
}

pub(crate) fn create(name: &str) -> Command {
    Command::Create { order: order(name) }
}

pub(crate) fn refresh(scene: Scene, name: &str, expires_at: DateTime<Utc>) -> Command {
    Command::Refresh(Refreshed { scene, order: order(name), expires_at, product_id: None })
}

pub(crate) fn renewal(name: &str, expires_at: DateTime<Utc>) -> Command {
    refresh(Scene::Renewal, name, expires_at)
}

pub(crate) fn upgrade(name: &str) -> Command {
    Command::Upgrade(Upgraded { order: order(name) })
}

pub(crate) fn release() -> Command {
    Command::Release { order_id: None, order_line_id: None }
}

pub(crate) fn apply(name: &str, facts: OrderFacts) -> Command {
    Command::ApplyOrderFacts { order: order(name), facts }
}

pub(crate) fn adoption(terms: Terms, status: Status) -> InstanceAdopted {
    InstanceAdopted { purchase: None, terms, status }
}

/// Terms of a product with so many seats.
pub(crate) fn seats(seats: Seats) -> ProductTerms {
    ProductTerms {
        kind: ProductKind::Saas,
        name: "Example".into(),
        entitlements: std::collections::BTreeMap::new(),
        seats: Some(seats),
        grace_days: 15,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 3_600,
        fee_ratio: None,
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    }
}

pub(crate) fn fingerprint(text: &str) -> Fingerprint {
    Fingerprint::parse(text).unwrap()
}

/// A machine asks for one of so many seats.
pub(crate) fn activate(machine: &str, of: Seats) -> Command {
    let terms = Some(std::sync::Arc::new(seats(of)));
    Command::ActivateMachine(SeatRequest { fingerprint: fingerprint(machine), name: None, terms, a_day: 4 })
}

pub(crate) fn free(machine: &str, by: FreedBy, taken_until: DateTime<Utc>) -> Command {
    Command::FreeMachine { fingerprint: fingerprint(machine), by, taken_until }
}

/// A license whose machines were activated in this order.
pub(crate) fn seated(machines: &[&str]) -> Life {
    machines.iter().fold(Life::bought(), |life, machine| life.given(activate(machine, Seats::Fixed(9))))
}

/// An ECS of a project.
pub(crate) fn ecs(project: &str) -> EcsFacts {
    EcsFacts {
        project_id: ProjectId::parse(project).unwrap(),
        region_id: RegionId::parse("cn-east-3").unwrap(),
        image_id: None,
        charging_mode: Some("0".into()),
    }
}

/// A deployment of a project asks with a secret, and would get another.
pub(crate) fn enrolment(project: &str, presented: Option<&str>, secret: &str) -> Command {
    enrolment_under(ClonePolicy::Report, project, presented, secret)
}

pub(crate) fn enrolment_under(policy: ClonePolicy, project: &str, presented: Option<&str>, secret: &str) -> Command {
    Command::Enrol(Box::new(Enrolment {
        product: sku("image"),
        facts: ecs(project),
        presented: presented.map(EnrolmentHash::of),
        secret: EnrolmentHash::of(secret),
        policy,
        at_most: 6,
    }))
}

pub(crate) fn answer(state: CodeState, expires_at: Option<DateTime<Utc>>) -> CodeAnswer {
    CodeAnswer { state, expires_at, product_id: None, quantity: None, order: None }
}

pub(crate) fn application(event: &str, device: Option<&str>) -> Application {
    Application { event_id: EventId::parse(event).unwrap(), fingerprint: device.map(Into::into) }
}

pub(crate) fn request_license(event: &str, device: Option<&str>) -> Command {
    Command::RequestLicense(LicenseRequested {
        application: application(event, device),
        effective_at: day(0),
        expires_at: Some(day(365)),
    })
}

pub(crate) fn signature(number: u32) -> RequestSignature {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    RequestSignature(bytes)
}

/// A callback as the cause of an event.
pub(crate) fn callback(signature: RequestSignature, received_at: DateTime<Utc>) -> Cause {
    Cause::Callback(Box::new(SignedRequest {
        body: "{}".into(),
        signature,
        timestamp: received_at.timestamp_millis().to_string(),
        nonce: "n".into(),
        key_id: "base/00000000".into(),
        signed_form: SignedForm::Raw,
        received_at,
        redacted_from_sha256: None,
    }))
}

/// A license's stream and the time, told step by step.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) id: LicenseId,
    pub(crate) standing: Standing,
    pub(crate) now: DateTime<Utc>,
    /// Folded from the events alone, as the license index does it.
    folded: Option<License>,
    requests: u32,
    told: Vec<Event>,
}

impl Life {
    pub(crate) fn of_instance() -> Self {
        Self::of(LicenseId::Instance(instance_id("10e758d0-31ad-4c4b-8f1b-81d03469a10e")))
    }

    pub(crate) fn of_code() -> Self {
        Self::of(LicenseId::Code(LicenseCode::parse("PL20260000001").unwrap()))
    }

    pub(crate) fn of_deployment() -> Self {
        Self::of(LicenseId::Deployment(EcsId::parse("ca9e8b7c-f2be-4b6d-a639-f10b4d994d04").unwrap()))
    }

    pub(crate) fn of(id: LicenseId) -> Self {
        Self { id, standing: Standing::default(), now: day(0), folded: None, requests: 0, told: vec![] }
    }

    /// An instance that was bought with order `CS1`: `basic`, 5 pieces, until day 30 or so.
    pub(crate) fn bought() -> Self {
        Self::of_instance().given(create("CS1")).given(apply("CS1", facts("CS1", "basic", 5, Some(day(30)))))
    }

    /// Lets time pass up to a moment.
    pub(crate) fn at(mut self, moment: DateTime<Utc>) -> Self {
        self.now = moment;
        self
    }

    /// Takes up a command that must be taken up.
    pub(crate) fn given(mut self, command: Command) -> Self {
        let told = format!("{command:?}");
        if let Err(refusal) = self.deliver(command) {
            panic!("{told} was refused: {refusal}");
        }
        self
    }

    /// Delivers a command in a new request.
    pub(crate) fn deliver(&mut self, command: Command) -> Result<Vec<&'static str>, Refusal> {
        self.requests += 1;
        self.deliver_as(command, signature(1_000_000 + self.requests))
    }

    /// Delivers a command in this request; gives the kinds of what was appended.
    pub(crate) fn deliver_as(
        &mut self,
        command: Command,
        signature: RequestSignature,
    ) -> Result<Vec<&'static str>, Refusal> {
        let cause = match command {
            Command::ApplyOrderFacts { .. } => Cause::OpenApi { api: "order/query".into(), answer: None },
            Command::Adopt(_) | Command::AdoptPurchase(_) => Cause::Operator { actor: "cli".into() },
            _ => callback(signature, self.now),
        };
        let request = Request { now: self.now, signature: cause.signature() };
        let events = decide(&self.id, &self.standing, command, request)?;
        for event in &events {
            self.append(event, &cause);
        }
        Ok(events.iter().map(StoredEvent::kind).collect())
    }

    fn append(&mut self, event: &Event, cause: &Cause) {
        self.standing.evolve(event, cause, self.now);
        match &mut self.folded {
            Some(license) => license.evolve(event),
            None => self.folded = License::begin(event),
        }
        self.told.push(event.clone());
        assert_eq!(
            self.standing.license(),
            self.folded.as_ref(),
            "the index and the command side fold the same license"
        );
    }

    /// The license; the story must have come that far.
    pub(crate) fn license(&self) -> &License {
        self.folded.as_ref().expect("a license")
    }

    /// Kinds of all events so far, version and `license_` left out.
    pub(crate) fn events(&self) -> Vec<&'static str> {
        self.told.iter().map(|event| event.kind().trim_start_matches("license_").trim_end_matches(".v1")).collect()
    }

    /// The product id in the terms that the last facts led to: checks do not need it, finance does.
    pub(crate) fn product_id(&self) -> Option<&str> {
        let applied = self.told.iter().rev().find_map(|event| match event {
            Event::OrderFactsApplied(applied) => Some(applied),
            _ => None,
        });
        Some(applied?.terms.product_id.as_ref()?.as_str())
    }
}
