//! A shop of many sales: what was bought, renewed, upgraded and given back in the year 2024.

use std::collections::BTreeSet;

use chopmark_domain::catalog::{self, Catalog};
use chopmark_domain::ids::{InstanceId, OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::settlement::books::{Books, Case, Drawn, Named, News, Part, Said, Source, draw_up};
use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::product::{Category, Site};
use chopmark_domain::settlement::statement::{StatedFacts, Subject, When};
use chopmark_domain::settlement::terms::SellerTerms;
use chopmark_domain::stream::LicenseId;
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::cmd::bench::population::product_terms;

/// Products of the shop.
const PRODUCTS: usize = 40;

/// From the first purchase to the last.
const OPEN: TimeDelta = TimeDelta::days(334);

/// The seller, with terms.
pub(super) struct Shop {
    pub(super) seller: SellerId,
    pub(super) catalog: Catalog,
    pub(super) catalog_events: Vec<catalog::Event>,
    /// When finance asks: the last month of the year is still open.
    pub(super) now: DateTime<Utc>,
    opened: DateTime<Utc>,
    skus: Vec<Sku>,
}

/// An order of a license.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) part: Part,
    pub(super) reference: OrderRef,
    pub(super) at: DateTime<Utc>,
    pub(super) facts: OrderFacts,
    /// What the console's transaction details say of it, where they were imported.
    pub(super) stated: Option<StatedFacts>,
}

/// A license with its orders.
pub(super) struct License {
    pub(super) id: InstanceId,
    pub(super) orders: Vec<Order>,
}

impl Shop {
    pub(super) fn open() -> anyhow::Result<Self> {
        let skus = (0..PRODUCTS).map(|n| Sku::parse(&format!("bench-{n:02}"))).collect::<Result<Vec<_>, _>>()?;
        let opened = "2024-01-01T00:00:00Z".parse()?;
        let products: Vec<_> = (0..).zip(&skus).map(|(n, sku)| (sku.clone(), terms(n))).collect();
        let mut catalog = Catalog::default();
        let catalog_events = catalog.apply(&SellerTerms::of(Site::Cn), &products, opened - TimeDelta::days(365));
        catalog_events.iter().for_each(|event| catalog.evolve(event));
        let (seller, now) = (SellerId::parse("bench")?, opened + TimeDelta::days(354));
        Ok(Self { seller, catalog, catalog_events, now, opened, skus })
    }

    /// One of so many licenses. One in four is renewed, one in eight upgraded, one in sixteen given back.
    pub(super) fn license(&self, n: usize, of: usize) -> anyhow::Result<License> {
        let since_opening = OPEN.num_seconds() * i64::try_from(n)? / i64::try_from(of)?;
        let bought = self.opened + TimeDelta::seconds(since_opening);
        let later = match n % 16 {
            0 | 4 | 8 | 12 => Some((Part::Renewal, OrderType::Renew, 20)),
            1 | 9 => Some((Part::Change, OrderType::Change, 10)),
            2 => Some((Part::Release, OrderType::Unsubscribe, 2)),
            _ => None,
        };
        let later = later.map(|(part, kind, days)| (part, kind, bought + TimeDelta::days(days)));
        let orders = [(Part::Purchase, OrderType::New, bought)].into_iter().chain(later);
        let orders = orders.map(|(part, kind, at)| self.order(n, part, kind, at)).collect::<anyhow::Result<_>>()?;
        let id = Uuid::new_v8(u128::try_from(n)?.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes());
        Ok(License { id: InstanceId::parse(&id.to_string())?, orders })
    }

    fn order(&self, n: usize, part: Part, order_type: OrderType, at: DateTime<Utc>) -> anyhow::Result<Order> {
        let order_id = OrderId::parse(&format!("CS{}{n:08}", at.format("%y%m%d%H%M%S")))?;
        let order_line_id = OrderLineId::parse(&format!("{order_id}-000001"))?;
        let cents = 10_000 + i64::try_from(n % 9_973)?;
        let amount = Decimal::new(if part == Part::Release { -cents } else { cents }, 2);
        let facts = OrderFacts {
            order_line_id: order_line_id.clone(),
            order_type,
            charging_mode: ChargingMode::Period,
            sku: self.skus.get(n % PRODUCTS).cloned(),
            product_id: None,
            quantity: Some(20),
            expires_at: Some(at + TimeDelta::days(30)),
            ordered_at: Some(at),
            amount: (part != Part::Release).then_some(amount),
            deal_amount: Some(amount),
        };
        let then = Some(When::At(at + TimeDelta::minutes(5)));
        let customer_id = Some(format!("customer-{}", n % 10_000));
        let stated = StatedFacts { customer_id, effective: then, paid_in_full: then, ..StatedFacts::default() };
        // A renewed term begins when the one before ends.
        let stated = (part == Part::Purchase).then_some(stated);
        Ok(Order { part, reference: OrderRef { order_id, order_line_id }, at, facts, stated })
    }

    /// The lines of a license as the books draw them up.
    pub(super) fn lines(&self, n: usize, license: &License) -> Vec<Drawn> {
        let mut case = Case::default();
        let id = LicenseId::Instance(license.id.clone());
        let mut position = u64::try_from(n).unwrap_or_default() * 8;
        let mut take_up = |order: &Order, stream: String, kind: &str, said| {
            let OrderRef { order_id, order_line_id } = order.reference.clone();
            position += 1;
            let event_id = Uuid::new_v8(u128::from(position).to_be_bytes()).to_string();
            case.take_up(News {
                subject: Subject::OrderLine { order_id, order_line_id },
                said,
                recorded_at: order.at,
                source: Source { position, event_id, kind: kind.into(), stream, row: None },
            });
        };
        let bought = license.orders.first().map(|order| order.at);
        for order in &license.orders {
            let stream = format!("order-{}/{}", self.seller, order.reference.order_id);
            let expiry_before = bought.filter(|_| order.part == Part::Renewal).map(|at| at + TimeDelta::days(30));
            let named = Named { license: id.clone(), part: order.part, acknowledged_at: order.at, expiry_before };
            let instance = format!("instance-{}/{}", self.seller, license.id);
            take_up(order, instance, "instance_created.v1", Said::Named(named));
            take_up(order, stream.clone(), "order_facts_recorded.v1", Said::Order(order.facts.clone()));
            if let Some(stated) = order.stated.clone() {
                take_up(order, stream, "order_stated.v1", Said::Stated(stated));
            }
        }
        let books = Books {
            catalog: &self.catalog,
            working_days: WorkingDays::china(),
            month_of: &|_, _| None,
            closed: &BTreeSet::new(),
            closed_in: &|_| None,
        };
        draw_up(&case, &books)
    }
}

fn terms(n: usize) -> catalog::ProductTerms {
    let mut terms = product_terms(&format!("Product {n}"));
    terms.fee_ratio = Some(Decimal::new(if n.is_multiple_of(2) { 5 } else { 20 }, 2));
    if n.is_multiple_of(4) {
        terms.settlement.category = Category::Selected;
    }
    terms
}
