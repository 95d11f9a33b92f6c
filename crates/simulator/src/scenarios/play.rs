//! What the scenarios share: deliver and judge, check and judge, note each step.

mod asking;

use std::time::{Duration, Instant};

use chopmark_domain::license::Scene;
use chopmark_domain::order::{ChargingMode, OrderType};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use secrecy::ExposeSecret;

use super::Context;
use crate::checks::Checks;
use crate::console::{self, Expected, Finding, Said};
use crate::http::{HttpError, Response};
use crate::marketplace::{Delivery, Marketplace, MissingKey};
use crate::message::{Message, OrderLine, Refresh};
use crate::orders::{Order, Period, Product};
use crate::report::{Report, Step, result};

/// Between two looks at a license that is not yet what it must be.
const PAUSE: Duration = Duration::from_millis(25);

/// A scenario under way.
pub(super) struct Play<'a> {
    pub(super) context: &'a Context<'a>,
    marketplace: Marketplace,
    checks: Option<Checks>,
    /// The API did not answer for as long as patience lasts: nobody waits for it a second time.
    api_lost: bool,
    scenario: &'static str,
    steps: Vec<Step>,
    began: Instant,
}

/// A delivery with its answer.
pub(super) struct Delivered {
    pub(super) delivery: Delivery,
    pub(super) response: Response,
}

impl Delivered {
    /// The instance that the answer names.
    pub(super) fn instance(&self) -> Option<String> {
        Said::of(&self.response.body).instance
    }
}

impl<'a> Play<'a> {
    pub(super) fn begin(scenario: &'static str, context: &'a Context<'a>) -> Self {
        context.progress.began(scenario);
        let checks = context.api.as_ref();
        Self {
            context,
            marketplace: context.marketplace(),
            checks: checks.map(|api| Checks::new(api, &context.seller, context.tls.clone())),
            api_lost: false,
            scenario,
            steps: vec![],
            began: Instant::now(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn finish(self) -> Report {
        Report {
            scenario: self.scenario,
            ok: self.steps.iter().all(|step| step.ok),
            millis: millis(self.began.elapsed()),
            steps: self.steps,
            storm: None,
            acknowledged: vec![],
        }
    }

    /// This second: times that callbacks and verdicts name have no fraction.
    pub(super) fn now() -> DateTime<Utc> {
        Utc::now().trunc_subsecs(0)
    }

    /// Signs a message now, sends it, judges the answer. `None` where there was none.
    pub(super) async fn deliver(&mut self, name: &str, message: &Message, expected: &Expected) -> Option<Delivered> {
        let began = Instant::now();
        match self.attempt(message).await {
            Ok((delivery, response)) => {
                let key = delivery.key.expose_secret().as_bytes();
                self.note(judged(name, &response, expected, key, began.elapsed()));
                let response = response.ok()?;
                Some(Delivered { delivery, response })
            }
            Err(missing) => {
                self.note(Step {
                    name: name.into(),
                    ok: false,
                    detail: missing.to_string(),
                    millis: 0.0,
                    findings: vec![],
                });
                None
            }
        }
    }

    /// Signs a message now and sends it; nothing is judged or noted.
    pub(super) async fn attempt(
        &mut self,
        message: &Message,
    ) -> Result<(Delivery, Result<Response, HttpError>), MissingKey> {
        let delivery = self.marketplace.sign(message, self.context.style, Utc::now())?;
        let response = self.marketplace.send(&delivery).await;
        Ok((delivery, response))
    }

    /// Sends the very same request again: the answer must be the same to the byte.
    pub(super) async fn redeliver(&mut self, name: &str, first: &Delivered) {
        let began = Instant::now();
        let outcome = self.marketplace.send(&first.delivery).await;
        let expected = expected_again(&first.response);
        let key = first.delivery.key.expose_secret().as_bytes();
        let mut step = judged(name, &outcome, &expected, key, began.elapsed());
        if let Ok(response) = &outcome
            && response.body != first.response.body
        {
            step.ok = false;
            step.findings.push(Finding::OtherAnswer { found: String::from_utf8_lossy(&response.body).into_owned() });
        }
        self.note(step);
    }

    /// Enters an order in the book, where there is one, and buys it. `None` where no instance came of it.
    pub(super) async fn buy(&mut self, name: &str, order: &Order) -> Option<String> {
        self.register(order);
        let message = Message::NewInstance { order: order.line.clone() };
        let delivered = self.deliver(name, &message, &Expected::new_instance()).await?;
        delivered.instance()
    }

    /// A refresh by a new order, entered in the book.
    pub(super) fn refresh(&self, scene: Scene, expires_at: DateTime<Utc>, quantity: u32) -> Refresh {
        let order_type = match scene {
            Scene::TrialToFormal => OrderType::TrialToFormal,
            Scene::Renewal | Scene::RenewalChange => OrderType::Renew,
            Scene::UnsubscribeRenewalPeriod => OrderType::Unsubscribe,
        };
        let order = self.order(order_type, expires_at, quantity);
        self.register(&order);
        Refresh { scene, order: order.line, expires_at, product_id: None }
    }

    /// A new order of the context's product by the year.
    pub(super) fn order(&self, order_type: OrderType, expires_at: DateTime<Utc>, quantity: u32) -> Order {
        Order {
            line: OrderLine::fresh(),
            order_type,
            charging_mode: ChargingMode::Period,
            ordered_at: Self::now(),
            expires_at: Some(expires_at),
            period: Some(Period { unit: "year", number: 1 }),
            product: Product { quantity, ..self.context.product.clone() },
            price: None,
        }
    }

    /// A purchase for a year of the context's amount.
    pub(super) fn purchase(&self) -> Order {
        let quantity = self.context.product.quantity;
        self.order(OrderType::New, Self::now() + TimeDelta::days(365), quantity)
    }

    pub(super) fn register(&self, order: &Order) {
        if let Some(orders) = &self.context.orders {
            orders.register(order.clone());
        }
    }

    /// Whether order facts can become known, and a check can show them.
    pub(super) fn sees_facts(&self) -> bool {
        self.context.orders.is_some() && self.checks.is_some()
    }

    pub(super) fn conclude(&mut self, name: &str, outcome: Result<String, String>, began: Instant) {
        let (ok, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(problem) => (false, problem),
        };
        self.note(Step { name: name.into(), ok, detail, millis: millis(began.elapsed()), findings: vec![] });
    }

    pub(super) fn note(&mut self, step: Step) {
        self.context.progress.stepped(&step);
        self.steps.push(step);
    }
}

/// The step that an answer makes.
pub(super) fn judged(
    name: &str,
    response: &Result<Response, HttpError>,
    expected: &Expected,
    key: &[u8],
    elapsed: Duration,
) -> Step {
    let (findings, detail) = match response {
        Ok(response) => {
            let said = Said::of(&response.body);
            let mut detail = result(said.code.as_deref(), said.message.as_deref());
            if let Some(instance) = said.instance {
                detail = format!("{detail} instance {instance}");
            }
            (console::examine(response, expected, key), detail)
        }
        Err(error) => {
            let problem = error.to_string();
            (vec![Finding::NoAnswer { problem }], "no answer".into())
        }
    };
    Step { name: name.into(), ok: findings.is_empty(), detail, millis: millis(elapsed), findings }
}

/// What an identical request must be answered with, beyond being the same bytes: nothing that the first was not.
fn expected_again(first: &Response) -> Expected {
    let said = Said::of(&first.body);
    match said.instance {
        Some(instance) => Expected::same_instance(&instance),
        None => Expected::success(),
    }
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
