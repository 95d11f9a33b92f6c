//! A log full of licenses, as purchases and their order facts leave it.

use std::sync::Arc;

use chopmark_domain::catalog::{
    self, ClonePolicy, Entitlement, LicenseForm, ProductDefined, ProductKind, ProductTerms,
};
use chopmark_domain::cause::{Cause, Metadata, RequestSignature, SignedForm, SignedRequest};
use chopmark_domain::codec::{StoredEvent, to_json};
use chopmark_domain::ids::{OrderId, OrderLineId, ProductId, SellerId, Sku};
use chopmark_domain::license::{self, InstanceCreated, OrderFactsApplied, Terms};
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::settlement::terms::SettlementTerms;
use chopmark_domain::stream::Stream;
use chopmark_log::sqlite::SqliteLog;
use chopmark_log::{EventLog, Expected, NewEvent, StreamName};
use chrono::{TimeDelta, Utc};
use tokio::task::JoinSet;
use uuid::Uuid;

const SELLER: &str = "bench";
/// Appends under way at once while filling.
const AT_ONCE: usize = 512;

/// The licenses that a log was filled with.
pub(crate) struct Population {
    ids: Vec<String>,
}

impl Population {
    /// Appends a catalog and so many licenses with two events each.
    pub(crate) async fn create(log: &Arc<SqliteLog>, licenses: usize) -> anyhow::Result<Self> {
        let seller = Stream::Seller(SellerId::parse(SELLER)?);
        log.append(
            &StreamName::new(&seller.to_string())?,
            Expected::NoStream,
            vec![event(&product()?, &Cause::System)],
        )
        .await?;
        let ids: Vec<String> = (0..licenses).map(|_| Uuid::new_v8(rand::random()).to_string()).collect();
        let mut tasks = JoinSet::new();
        for (n, id) in ids.iter().enumerate() {
            if tasks.len() >= AT_ONCE {
                tasks.join_next().await.transpose()?.transpose()?;
            }
            let stream = StreamName::new(&format!("instance-{SELLER}/{id}"))?;
            let events = license_events(n)?;
            let log = log.clone();
            tasks.spawn(async move { log.append(&stream, Expected::NoStream, events).await.map(|_| ()) });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(Self { ids })
    }

    /// Ids spread over all licenses, in an order that no cache foresees.
    pub(crate) fn ids(&self, count: usize) -> impl Iterator<Item = &str> {
        // A step that shares no factor with common sizes visits every part of the index.
        (0..count).map(|n| self.ids[n.wrapping_mul(7_919) % self.ids.len()].as_str())
    }
}

fn product() -> anyhow::Result<catalog::Event> {
    let effective_at = Utc::now() - TimeDelta::days(1);
    let terms = product_terms("Bench");
    Ok(ProductDefined { catalog_version: 1, sku: Sku::parse("bench-sku")?, effective_at, terms }.into())
}

/// Terms of a product of some name.
pub(super) fn product_terms(name: &str) -> ProductTerms {
    ProductTerms {
        kind: ProductKind::Saas,
        name: name.into(),
        entitlements: [
            ("reports".to_owned(), Entitlement::Flag(true)),
            ("users".to_owned(), Entitlement::Text("quantity".into())),
        ]
        .into(),
        seats: None,
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

fn license_events(n: usize) -> anyhow::Result<Vec<NewEvent>> {
    let order_id = OrderId::parse(&format!("CS22111818{n:08}"))?;
    let order = OrderRef { order_id, order_line_id: OrderLineId::parse(&format!("CS22111818{n:08}-000001"))? };
    let sku = Some(Sku::parse("bench-sku")?);
    let product_id = Some(ProductId::parse("OFFI461867333479178240")?);
    let expires_at = Some(Utc::now() + TimeDelta::days(365));
    let facts = OrderFacts {
        order_line_id: order.order_line_id.clone(),
        order_type: OrderType::New,
        charging_mode: ChargingMode::Period,
        sku: sku.clone(),
        product_id: product_id.clone(),
        quantity: Some(20),
        expires_at,
        ordered_at: Some(Utc::now()),
        amount: None,
        deal_amount: None,
    };
    let terms = Terms { sku, product_id, quantity: Some(20), expires_at, expiry_approximate: true };
    let created = license::Event::from(InstanceCreated { order: order.clone() });
    let applied = license::Event::from(OrderFactsApplied { order_id: order.order_id.clone(), facts, terms });
    let answer = Cause::OpenApi { api: "order/query".into(), answer: None };
    Ok(vec![event(&created, &callback(&order)), event(&applied, &answer)])
}

/// The signed request that named an order.
pub(super) fn callback(order: &OrderRef) -> Cause {
    let body = format!(
        r#"{{"activity":"newInstance","businessId":"87b94795-0603-4e24-8ae5-69420d60e3c8","orderId":"{}","orderLineId":"{}"}}"#,
        order.order_id, order.order_line_id
    );
    Cause::Callback(Box::new(SignedRequest {
        body,
        signature: RequestSignature([0x5a; 32]),
        timestamp: "1680508066618".into(),
        nonce: "Of4lsV7H1qrzVDI52O5CFk2ofPcZRaA6".into(),
        key_id: "base/5a5a5a5a".into(),
        signed_form: SignedForm::Raw,
        received_at: Utc::now(),
        redacted_from_sha256: None,
    }))
}

/// An event with its cause, to be appended.
pub(super) fn event<E: StoredEvent>(event: &E, cause: &Cause) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        kind: event.kind().into(),
        data: event.encode(),
        metadata: to_json(&Metadata::from(cause.clone())),
    }
}
