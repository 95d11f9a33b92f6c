//! What a customer may have paid for and not got, counted.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::at_risk::{ErrandAtRisk, OrderAtRisk};
use chopmark_domain::ids::SellerId;
use chopmark_journal::AtRisk;
pub(crate) use chopmark_journal::RETRY_WINDOW;

/// How many orders of each seller are at risk: those whose delivery failed the last time, those whose facts are wanted and
/// not known, and licenses with errands that are not done. An order that is both counts once; a failed delivery that names
/// no order counts as one.
pub(crate) fn count(
    deliveries: &[AtRisk],
    orders: &[OrderAtRisk],
    errands: &[ErrandAtRisk],
) -> BTreeMap<String, usize> {
    let mut named: BTreeMap<&str, BTreeSet<Named<'_>>> = BTreeMap::new();
    for risk in deliveries {
        let order = risk.order.as_deref().map(Named::Order);
        let other = Named::Delivery(risk.activity.as_deref(), risk.subject.as_deref());
        named.entry(&risk.seller).or_default().insert(order.unwrap_or(other));
    }
    for risk in orders {
        named.entry(risk.seller.as_str()).or_default().insert(Named::Order(risk.order_id.as_str()));
    }
    for risk in errands {
        named.entry(risk.seller.as_str()).or_default().insert(Named::License(risk.license.as_str()));
    }
    named.into_iter().map(|(seller, names)| (seller.to_owned(), names.len())).collect()
}

/// Orders whose facts can be late: a seller without `open_api` asks for none, which the configuration's warnings say.
#[must_use]
pub(crate) fn asked_for(mut orders: Vec<OrderAtRisk>, asking: &BTreeSet<SellerId>) -> Vec<OrderAtRisk> {
    orders.retain(|order| asking.contains(&order.seller));
    orders
}

/// Errands that can be late, as for orders.
#[must_use]
pub(crate) fn errands_asked_for(mut errands: Vec<ErrandAtRisk>, asking: &BTreeSet<SellerId>) -> Vec<ErrandAtRisk> {
    errands.retain(|errand| asking.contains(&errand.seller));
    errands
}

/// By what one thing at risk is told from another.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Named<'a> {
    Order(&'a str),
    Delivery(Option<&'a str>, Option<&'a str>),
    License(&'a str),
}

#[cfg(test)]
mod tests {
    use chopmark_domain::ids::{LicenseCode, OrderId};
    use chopmark_domain::license::Errand;
    use chopmark_domain::stream::LicenseId;
    use chrono::{DateTime, Utc};

    use super::*;

    fn delivery(seller: &str, order: Option<&str>, subject: Option<&str>) -> AtRisk {
        AtRisk {
            seller: seller.into(),
            activity: Some("refreshInstance".into()),
            subject: subject.map(Into::into),
            order: order.map(Into::into),
            order_line: order.map(|order| format!("{order}-1")),
            result_code: "000005".into(),
            since: DateTime::<Utc>::UNIX_EPOCH,
            latest: DateTime::<Utc>::UNIX_EPOCH,
            attempts: 1,
        }
    }

    fn order(seller: &str, order_id: &str) -> OrderAtRisk {
        OrderAtRisk {
            seller: SellerId::parse(seller).unwrap(),
            order_id: OrderId::parse(order_id).unwrap(),
            since: DateTime::<Utc>::UNIX_EPOCH,
            attempts: 3,
            reason: None,
            abandoned: false,
        }
    }

    #[test]
    fn facts_that_nobody_asks_for_are_not_late() {
        let asking = [SellerId::parse("acme").unwrap()].into();
        let orders = vec![order("acme", "CS1"), order("beta", "CS2")];
        assert_eq!(asked_for(orders, &asking), [order("acme", "CS1")]);
    }

    #[test]
    fn an_order_counts_once_however_many_things_went_wrong_with_it() {
        let deliveries = [
            delivery("acme", Some("CS1"), None),
            delivery("acme", Some("CS1"), Some("i-1")),
            delivery("acme", None, Some("i-2")),
            delivery("beta", Some("CS1"), None),
        ];
        let orders = [order("acme", "CS1"), order("acme", "CS2")];
        let expected = [("acme".to_owned(), 3), ("beta".to_owned(), 1)];
        assert_eq!(count(&deliveries, &orders, &[]), expected.into());
        let errand = ErrandAtRisk {
            seller: SellerId::parse("beta").unwrap(),
            license: LicenseId::Code(LicenseCode::parse("PL1").unwrap()),
            errand: Errand::Activate,
            since: DateTime::<Utc>::UNIX_EPOCH,
            attempts: 1,
            reason: None,
            abandoned: false,
        };
        assert_eq!(count(&deliveries, &orders, &[errand])["beta"], 2);
        assert!(count(&[], &[], &[]).is_empty());
    }
}
