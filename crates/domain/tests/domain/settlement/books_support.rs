//! A small shop: its catalog, and what becomes known of its sales.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::catalog::{Catalog, Event, ProductDefined, ProductKind, ProductTerms, SellerTermsDefined};
use chopmark_domain::ids::{InstanceId, OrderId, OrderLineId, Sku};
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderType};
use chopmark_domain::settlement::books::{Books, Case, Drawn, Named, News, Part, Said, Source, draw_up};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::money::Money;
use chopmark_domain::settlement::policy::Policy;
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::readiness::Readiness;
use chopmark_domain::settlement::statement::{Billed, StatedFacts, Subject, When};
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::stream::LicenseId;
use chrono::{DateTime, Utc};

use super::support::*;

/// The product that most orders are of.
pub(super) const SKU: &str = "sku-1";

/// A seller of China or elsewhere with one product, and everything that draws up its lines.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) seller: SellerTerms,
    pub(super) product: ProductTerms,
    pub(super) months: BTreeMap<Period, Money>,
    pub(super) closed: BTreeSet<Period>,
    pub(super) closed_in: BTreeMap<String, Period>,
    news: Vec<News>,
}

/// A service of the China site, generic goods at 5 %.
pub(super) fn shop() -> Shop {
    Shop {
        seller: SellerTerms::of(Site::Cn),
        product: ProductTerms {
            kind: ProductKind::Saas,
            name: "Service".into(),
            entitlements: BTreeMap::new(),
            seats: None,
            grace_days: 0,
            lease_seconds: 86_400,
            offline_grace_seconds: 604_800,
            check_interval_seconds: 3_600,
            fee_ratio: Some(dec("0.05")),
            clones: Default::default(),
            license_form: Default::default(),
            settlement: SettlementTerms { tiers: false, ..SettlementTerms::default() },
        },
        months: BTreeMap::new(),
        closed: BTreeSet::new(),
        closed_in: BTreeMap::new(),
        news: vec![],
    }
}

/// The line `{order}-000001`.
pub(super) fn order_line(order: &str) -> Subject {
    Subject::OrderLine { order_id: OrderId::parse(order).unwrap(), order_line_id: line_id(order) }
}

pub(super) fn line_id(order: &str) -> OrderLineId {
    OrderLineId::parse(&format!("{order}-000001")).unwrap()
}

pub(super) fn usage(month: &str) -> Subject {
    Subject::Usage { sku: Sku::parse(SKU).unwrap(), period: period(month) }
}

/// What the open API answers of an order for a period.
pub(super) fn answered(order: &str, order_type: OrderType, amount: Option<&str>) -> OrderFacts {
    let is_refund = order_type == OrderType::Unsubscribe;
    OrderFacts {
        order_line_id: line_id(order),
        order_type,
        charging_mode: ChargingMode::Period,
        sku: Some(Sku::parse(SKU).unwrap()),
        product_id: None,
        quantity: None,
        expires_at: None,
        ordered_at: None,
        amount: if is_refund { None } else { amount.map(dec) },
        deal_amount: amount.map(dec),
    }
}

/// Something stated.
pub(super) fn stated(text: &str) -> Option<When> {
    Some(When::At(beijing(text)))
}

impl Shop {
    pub(super) fn with_policy(mut self, policy: Policy) -> Self {
        self.seller.policy = policy;
        self
    }

    /// Something becomes known, after all that is known so far.
    pub(super) fn hears(&mut self, subject: Subject, said: Said, at: &str) -> &mut Self {
        let position = u64::try_from(self.news.len()).unwrap() + 1;
        let source = Source {
            position,
            event_id: format!("event-{position}"),
            kind: "test.v1".into(),
            stream: "stream".into(),
            row: None,
        };
        self.news.push(News { subject, said, recorded_at: beijing(at), source });
        self
    }

    /// A callback names an order of the license `instance-1`, and the open API answers what it is.
    pub(super) fn sells(
        &mut self,
        order: &str,
        part: Part,
        order_type: OrderType,
        amount: Option<&str>,
        at: &str,
    ) -> &mut Self {
        self.is_named(order, part, at, None);
        self.hears(order_line(order), Said::Order(answered(order, order_type, amount)), at)
    }

    pub(super) fn buys(&mut self, order: &str, amount: &str, at: &str) -> &mut Self {
        self.sells(order, Part::Purchase, OrderType::New, Some(amount), at)
    }

    /// The license is given back, for an amount that the open API tells as negative, or does not tell.
    pub(super) fn gives_back(&mut self, order: &str, amount: Option<&str>, at: &str) -> &mut Self {
        self.sells(order, Part::Release, OrderType::Unsubscribe, amount, at)
    }

    pub(super) fn is_named(&mut self, order: &str, part: Part, at: &str, expiry: Option<DateTime<Utc>>) -> &mut Self {
        let named = Named {
            license: LicenseId::Instance(InstanceId::parse("instance-1").unwrap()),
            part,
            acknowledged_at: beijing(at),
            expiry_before: expiry,
        };
        self.hears(order_line(order), Said::Named(named), at)
    }

    pub(super) fn renews(&mut self, order: &str, amount: &str, at: &str, expiry: &str) -> &mut Self {
        self.is_named(order, Part::Renewal, at, Some(beijing(expiry)));
        self.hears(order_line(order), Said::Order(answered(order, OrderType::Renew, Some(amount))), at)
    }

    pub(super) fn states(&mut self, order: &str, facts: StatedFacts) -> &mut Self {
        self.hears(order_line(order), Said::Stated(facts), "2030-01-01")
    }

    pub(super) fn bills(&mut self, order: &str, month: &str) -> &mut Self {
        self.states(order, StatedFacts { billed: Some(Billed::On(period(month))), ..StatedFacts::default() })
    }

    pub(super) fn news(&self) -> Vec<News> {
        self.news.clone()
    }

    fn catalog(&self) -> Catalog {
        let mut catalog = Catalog::default();
        let effective_at = beijing("2019-01-01");
        let seller = SellerTermsDefined { catalog_version: 1, effective_at, terms: self.seller.clone() };
        let sku = Sku::parse(SKU).unwrap();
        let product = ProductDefined { catalog_version: 2, sku, effective_at, terms: self.product.clone() };
        catalog.evolve(&Event::SellerTermsDefined(seller));
        catalog.evolve(&Event::ProductDefined(product));
        catalog
    }

    pub(super) fn case(&self) -> Case {
        case_of(self.news())
    }

    pub(super) fn draws(&self) -> Vec<Drawn> {
        self.draws_up(&self.case())
    }

    pub(super) fn draws_up(&self, case: &Case) -> Vec<Drawn> {
        draw_up(
            case,
            &Books {
                catalog: &self.catalog(),
                working_days: WorkingDays::china(),
                month_of: &|_, month| self.months.get(&month).copied(),
                closed: &self.closed,
                closed_in: &|line| self.closed_in.get(line).copied(),
            },
        )
    }

    /// Each line as its id, type, period and shown amount.
    pub(super) fn lines(&self) -> Vec<String> {
        self.draws().iter().map(told).collect()
    }

    /// The line of an order.
    pub(super) fn line(&self, order: &str) -> Drawn {
        let id = line_id(order);
        self.draws().into_iter().find(|drawn| drawn.line.line_id == id.as_str()).unwrap()
    }

    pub(super) fn waits(&self, order: &str, now: &str) -> Readiness {
        self.line(order).waits(&self.seller, WorkingDays::china(), beijing(now))
    }
}

pub(super) fn case_of(news: impl IntoIterator<Item = News>) -> Case {
    let mut case = Case::default();
    news.into_iter().for_each(|news| case.take_up(news));
    case
}

fn told(drawn: &Drawn) -> String {
    let line = &drawn.line;
    let line_type = serde_json::to_value(line.line_type).unwrap();
    let period = line.period.map_or("?".into(), |period| period.to_string());
    let amount = line.settled().unwrap().map_or("?".into(), shown);
    format!("{} {} {period} {amount}", line.line_id.replace("-000001", ""), line_type.as_str().unwrap())
}

/// The exact sum of lines.
pub(super) fn total(drawn: &[Drawn]) -> Money {
    drawn.iter().fold(rmb("0"), |total, drawn| total.plus(drawn.line.settled().unwrap().unwrap()).unwrap())
}

/// Nothing stated yet.
pub(super) fn said() -> StatedFacts {
    StatedFacts::default()
}

/// A product that takes part in the tiers, whose month comes to an amount.
pub(super) fn tiered(month: &str, amount: &str) -> Shop {
    let mut shop = shop();
    shop.product.settlement.tiers = true;
    shop.months.insert(period(month), rmb(amount));
    shop
}

/// A supervised service.
pub(super) fn supervised() -> Shop {
    let mut shop = shop();
    shop.product.settlement.supervised = true;
    shop
}
