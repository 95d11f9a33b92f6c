//! The mock orders that the marketplace serves for integration tests (查询订单, topic 0070649350).

use chopmark_domain::order::{ChargingMode, OrderType};
use chrono::{DateTime, TimeDelta, Utc};

use super::{Order, Period, Product};
use crate::message::OrderLine;

/// Their numbers, spelled as published; each has one line, `-000001`.
pub const MOCK_ORDERS: [&str; 9] = [
    "MOCKPERIODYEARNEW",
    "MOCKONETIMENEW",
    "MOCKONDEMAND",
    "MOCKONDEMANDPKG",
    "MOCKPERIODDAYTRIAL",
    "MOCKMONTYTRIALTOFORMAL",
    "MOCKMONTYUNSUBSCRIBE",
    "MOCKMONTYRENEW",
    "MOCKMONTYCHANGE",
];

pub(super) fn orders(product: &Product, now: DateTime<Utc>) -> impl Iterator<Item = Order> {
    MOCK_ORDERS.into_iter().map(move |id| {
        let (order_type, charging_mode, unit) = kind(id);
        let period = (charging_mode == ChargingMode::Period).then_some(Period { unit, number: 1 });
        Order {
            line: OrderLine::first_of(id),
            order_type,
            charging_mode,
            ordered_at: now,
            expires_at: period.map(|period| now + length(period)),
            period,
            product: product.clone(),
            price: None,
        }
    })
}

fn kind(id: &str) -> (OrderType, ChargingMode, &'static str) {
    match id {
        "MOCKONETIMENEW" => (OrderType::New, ChargingMode::OneTime, ""),
        "MOCKONDEMAND" => (OrderType::New, ChargingMode::OnDemand, ""),
        "MOCKONDEMANDPKG" => (OrderType::New, ChargingMode::OnDemandPkg, ""),
        "MOCKPERIODDAYTRIAL" => (OrderType::Trial, ChargingMode::Period, "day"),
        "MOCKMONTYTRIALTOFORMAL" => (OrderType::TrialToFormal, ChargingMode::Period, "month"),
        "MOCKMONTYUNSUBSCRIBE" => (OrderType::Unsubscribe, ChargingMode::Period, "month"),
        "MOCKMONTYRENEW" => (OrderType::Renew, ChargingMode::Period, "month"),
        "MOCKMONTYCHANGE" => (OrderType::Change, ChargingMode::Period, "month"),
        _ => (OrderType::New, ChargingMode::Period, "year"),
    }
}

fn length(period: Period) -> TimeDelta {
    let days = match period.unit {
        "day" => 1,
        "month" => 30,
        _ => 365,
    };
    TimeDelta::days(days * i64::from(period.number))
}
