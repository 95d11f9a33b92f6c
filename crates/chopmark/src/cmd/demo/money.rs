//! The month in money: what was sold, what will be paid and when, and what still waits.

use std::time::Instant;

use chopmark_domain::license::Scene;
use chopmark_domain::order::OrderType;
use chopmark_domain::settlement::money::round_to_cents;
use chopmark_simulator::console::Expected;
use chopmark_simulator::message::Refresh;
use chopmark_simulator::orders::{Cents, Product};
use chopmark_simulator::{Message, OrderLine};
use chrono::{TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::play::{PATIENCE, Play};
use super::stage::{SEATS_SKU, SELLER};
use crate::failure::Failure;

/// What a year of the first product costs.
pub(super) const PRICE: Cents = Cents::whole(100);
/// What a year of the product with seats costs.
pub(super) const SEATS_PRICE: Cents = Cents::whole(200);

impl Play {
    /// The customer unsubscribes; the purchase and the renewal that has not begun are given back.
    pub(super) async fn unsubscribe(&mut self, instance: &str) -> Result<(), Failure> {
        let refund = -(PRICE + PRICE);
        let order = self.placed(OrderType::Unsubscribe, Utc::now(), Product::default(), Some(refund));
        let release = Message::ReleaseInstance { instance: instance.into(), order: Some(order) };
        self.send("releaseInstance", &release, Expected::success()).await
    }

    /// The views of finance over all that was played.
    pub(super) async fn settle(&mut self, seated: &str) -> Result<(), Failure> {
        self.headline("What is it worth? Estimates, until the console's transaction details are imported.")?;
        self.renew_ahead(seated).await?;
        let view = |view: &str| format!("/v1/settlement/{view}?seller={SELLER}");
        self.figures("GET …/settlement/periods", &view("periods"), |answer| {
            let month = answer["periods"].as_array()?.first()?;
            let (tab, columns) = (&month["tabs"][0], &month["tabs"][0]["columns"]);
            let said = format!(
                "{}: {} sold, {} fee, {} refund, {} net",
                text(&month["period"]),
                cents(&columns["sales"]),
                cents(&columns["fee"]),
                cents(&columns["refund"]),
                cents(&tab["shown"])
            );
            let good = is(&columns["sales"], 400) && is(&columns["refund"], -190) && is(&tab["shown"], 190);
            Some((good, said))
        })
        .await?;
        self.figures("GET …/settlement/forecast", &view("forecast"), |answer| {
            let month = answer["periods"].as_array()?.first()?;
            let payable = &month["balance"]["payable"];
            let said = format!("{} to be paid by the bill of {}", cents(payable), text(&month["run"]["date"]));
            Some((is(payable, 190), said))
        })
        .await?;
        let waiting = format!("{}&blocked=NOT_EFFECTIVE", view("lines"));
        self.figures("GET …/settlement/lines?blocked=NOT_EFFECTIVE", &waiting, |answer| {
            let [line] = answer["lines"].as_array()?.as_slice() else { return Some((false, "not one line".into())) };
            let said = format!(
                "{} {} waits: {} until {}",
                text(&line["line_type"]),
                cents(&line["settle_amount"]["value"]),
                text(&line["blocked"][0]),
                text(&line["effective_at"]["value"])
            );
            Some((is(&line["settle_amount"]["value"], 190) && line["blocked"][0] == "NOT_EFFECTIVE", said))
        })
        .await
    }

    /// The other customer renews a year ahead.
    async fn renew_ahead(&mut self, seated: &str) -> Result<(), Failure> {
        let product = Product { sku: SEATS_SKU.into(), ..Product::default() };
        let expires_at = Utc::now() + TimeDelta::days(730);
        let order: OrderLine = self.placed(OrderType::Renew, expires_at, product, Some(SEATS_PRICE));
        let refresh = Refresh { scene: Scene::Renewal, order, expires_at, product_id: None };
        let message = Message::RefreshInstance { instance: seated.into(), refresh };
        self.send("refreshInstance RENEWAL, a year ahead", &message, Expected::success()).await
    }

    /// Asks for a view until it is as it must be.
    async fn figures(
        &mut self,
        what: &str,
        target: &str,
        judge: impl Fn(&Value) -> Option<(bool, String)>,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let answer = self.stage.ask("GET", target, None).await?;
            let (good, said) = judge(&answer).unwrap_or_else(|| (false, answer.to_string()));
            if good || begun.elapsed() >= PATIENCE {
                return self.note(what, good, said, begun.elapsed());
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_str()?.parse().ok()
}

/// An amount as a bill would show it.
fn cents(value: &Value) -> String {
    decimal(value).map_or_else(|| "?".into(), |amount| round_to_cents(amount).to_string())
}

fn is(value: &Value, amount: i64) -> bool {
    decimal(value) == Some(Decimal::from(amount))
}
