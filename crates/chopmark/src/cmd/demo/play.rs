//! The steps of the demo, each with what must come of it.

use std::time::{Duration, Instant};

use chopmark_domain::license::Scene;
use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_huawei::answer::ResultCode;
use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::checks::Question;
use chopmark_simulator::console::{Expected, examine};
use chopmark_simulator::marketplace::{Delivery, Marketplace, Style};
use chopmark_simulator::message::Refresh;
use chopmark_simulator::orders::{Cents, Order, Period, Price, Product};
use chopmark_simulator::{Checks, Message, OrderLine};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Value, json};

use super::money::{PRICE, SEATS_PRICE};
use super::software::Program;
use super::stage::{SEATS_SKU, Stage};
use crate::failure::{Failure, OrFail, Reason};

/// How long the order's facts may take to arrive.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A step that was played.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    what: String,
    /// Whether everything was as it must be.
    pub(super) ok: bool,
    result: String,
    millis: f64,
}

/// The demo while it is played.
pub(super) struct Play {
    pub(super) stage: Stage,
    marketplace: Marketplace,
    checks: Checks,
    /// A machine that has a seat, once one has.
    pub(super) seated: Option<Seated>,
    steps: Vec<Step>,
    quiet: bool,
}

/// A machine with a seat of a license, which is good to the end.
#[derive(Debug, Clone)]
pub(super) struct Seated {
    pub(super) license: String,
    pub(super) machine: String,
}

/// What has become of a play.
pub(super) struct Played {
    pub(super) steps: Vec<Step>,
    pub(super) seated: Option<Seated>,
    pub(super) stage: Stage,
}

impl Play {
    pub(super) fn begin(stage: Stage, quiet: bool) -> Result<Self, Failure> {
        let marketplace = stage.marketplace()?;
        let checks = stage.checks()?;
        Ok(Self { stage, marketplace, checks, seated: None, steps: vec![], quiet })
    }

    pub(super) fn end(self) -> Played {
        Played { steps: self.steps, seated: self.seated, stage: self.stage }
    }

    /// Plays it through. What cannot be played is a step that went wrong, and the last one.
    pub(super) async fn perform(&mut self) -> Result<(), Failure> {
        match self.story().await {
            Ok(()) => Ok(()),
            Err(failure) => self.note("the demo cannot go on", false, failure.to_string(), Duration::ZERO),
        }
    }

    /// A purchase and what becomes of it.
    async fn story(&mut self) -> Result<(), Failure> {
        self.headline("A customer buys. The marketplace calls, signed; the license it creates answers a check.")?;
        let expires_at = Utc::now() + TimeDelta::days(365);
        let order = self.placed(OrderType::New, expires_at, Product::default(), Some(PRICE));
        let purchase = self.sign(&Message::NewInstance { order: order.clone() })?;
        self.stage.hold_facts();
        let instance = self.buy("newInstance", &purchase, Expected::new_instance()).await?;
        let is_pending = |license: &Value| license["facts"] == "pending";
        self.check("check, before anything is known of the order", &instance, "VALID", is_pending).await?;
        self.stage.let_facts_go();
        self.facts("check, once the order's facts have been asked for", &instance).await?;

        self.headline("The same again changes nothing: not delivered twice, not signed anew, not by a stranger.")?;
        self.buy("newInstance, the identical delivery", &purchase, Expected::same_instance(&instance)).await?;
        let retry = self.sign(&Message::NewInstance { order })?;
        self.buy("newInstance, retried with a new signature", &retry, Expected::same_instance(&instance)).await?;
        self.forge(&instance).await?;
        self.check("check: no event was added", &instance, "VALID", |license| license["revision"] == 2).await?;

        let program = self.install(&instance)?;
        self.outage(&program).await?;
        let frozen = self.freeze_and_renew(&instance, &program).await?;
        let seated = self.bought(SEATS_SKU).await?;
        self.seats(&seated).await?;
        self.image().await?;
        self.look_back(&instance, &frozen).await?;

        self.headline("The customer unsubscribes. The log remembers everything.")?;
        self.unsubscribe(&instance).await?;
        self.check("check", &instance, "RELEASED", |_| true).await?;
        self.query(&instance).await?;
        self.settle(&seated).await
    }

    /// A freeze and a renewal; gives the verdict in between.
    async fn freeze_and_renew(&mut self, instance: &str, program: &Program) -> Result<Value, Failure> {
        self.headline("The marketplace freezes, the customer renews, the freeze is lifted.")?;
        self.status(instance, FreezeStatus::Freeze).await?;
        let frozen = self.ask("check", instance).await?;
        self.phone_home("the program sees the freeze at its next check", program, "denied").await?;
        let expires_at = Utc::now() + TimeDelta::days(730);
        self.renew(instance, expires_at).await?;
        self.check("check: a refresh never unfreezes", instance, "FROZEN", |_| true).await?;
        self.status(instance, FreezeStatus::Unfreeze).await?;
        let renewed = expires_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.check("check", instance, "VALID", move |license| license["expires_at"] == renewed.as_str()).await?;
        Ok(frozen)
    }

    /// Another license, of another product, with its facts.
    async fn bought(&mut self, sku: &str) -> Result<String, Failure> {
        let product = Product { sku: sku.into(), ..Product::default() };
        let expires_at = Utc::now() + TimeDelta::days(365);
        let order = self.placed(OrderType::New, expires_at, product, Some(SEATS_PRICE));
        let purchase = self.sign(&Message::NewInstance { order })?;
        let answer = self.marketplace.send(&purchase).await;
        let answer = answer.or_fail(Reason::CheckFailed, "newInstance", "run the demo again")?;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let instance = answer["instanceId"].as_str().unwrap_or_default().to_owned();
        let begun = Instant::now();
        while self.ask("check", &instance).await?["license"]["facts"] != "known" && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(instance)
    }

    /// A new order in the marketplace's book.
    pub(super) fn placed(
        &self,
        order_type: OrderType,
        expires_at: DateTime<Utc>,
        product: Product,
        deal: Option<Cents>,
    ) -> OrderLine {
        let line = OrderLine::fresh();
        self.stage.orders.register(Order {
            line: line.clone(),
            order_type,
            charging_mode: ChargingMode::Period,
            ordered_at: Utc::now(),
            expires_at: Some(expires_at),
            period: Some(Period { unit: "year", number: 1 }),
            product,
            price: deal.map(Price::of),
        });
        line
    }

    async fn status(&mut self, instance: &str, status: FreezeStatus) -> Result<(), Failure> {
        let name = match status {
            FreezeStatus::Freeze => "updateInstanceStatus FREEZE",
            FreezeStatus::Unfreeze => "updateInstanceStatus UNFREEZE",
        };
        let message = Message::UpdateInstanceStatus { instance: instance.into(), status };
        self.send(name, &message, Expected::success()).await
    }

    async fn renew(&mut self, instance: &str, expires_at: DateTime<Utc>) -> Result<(), Failure> {
        let order = self.placed(OrderType::Renew, expires_at, Product::default(), Some(PRICE));
        let refresh = Refresh { scene: Scene::Renewal, order, expires_at, product_id: None };
        let message = Message::RefreshInstance { instance: instance.into(), refresh };
        self.send("refreshInstance RENEWAL", &message, Expected::success()).await
    }

    async fn query(&mut self, instance: &str) -> Result<(), Failure> {
        let message = Message::QueryInstance { instances: vec![instance.into()] };
        let expected = Expected::instances(&[instance.to_owned()]);
        self.send("queryInstance: still known, for the books", &message, expected).await
    }

    async fn forge(&mut self, instance: &str) -> Result<(), Failure> {
        let release = Message::ReleaseInstance { instance: instance.into(), order: None };
        let forged = sign(&self.stage.impostor()?, &release)?;
        let expected = Expected::failure(ResultCode::AuthenticationFailed);
        self.deliver("releaseInstance, signed with a guessed key", &forged, expected).await.map(|_| ())
    }

    /// The server comes back on what it kept.
    pub(super) async fn restart(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        self.stage.start_again().await?;
        self.marketplace = self.stage.marketplace()?;
        self.checks = self.stage.checks()?;
        self.note("the server is back, on the same data folder", true, "ready".into(), begun.elapsed())
    }

    fn sign(&self, message: &Message) -> Result<Delivery, Failure> {
        sign(&self.marketplace, message)
    }

    async fn buy(&mut self, what: &str, delivery: &Delivery, expected: Expected) -> Result<String, Failure> {
        let answer = self.deliver(what, delivery, expected).await?;
        Ok(answer["instanceId"].as_str().unwrap_or_default().to_owned())
    }

    pub(super) async fn send(&mut self, what: &str, message: &Message, expected: Expected) -> Result<(), Failure> {
        let delivery = self.sign(message)?;
        self.deliver(what, &delivery, expected).await.map(|_| ())
    }

    /// Sends a callback and judges the answer as the marketplace's console does.
    async fn deliver(&mut self, what: &str, delivery: &Delivery, expected: Expected) -> Result<Value, Failure> {
        let begun = Instant::now();
        let response = self.marketplace.send(delivery).await;
        let response =
            response.or_fail(Reason::CheckFailed, what, "run the demo again; if it fails again, report it")?;
        // An answer to a forged request is signed all the same: with the seller's key.
        let findings = examine(&response, &expected, self.stage.base_key().expose_secret().as_bytes());
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let mut result = answer["resultCode"].as_str().unwrap_or("no resultCode").to_owned();
        if let Some(instance) = answer["instanceId"].as_str() {
            result += &format!("  instance {instance}");
        }
        findings.iter().for_each(|finding| result += &format!("\n      {finding}"));
        self.note(what, findings.is_empty(), result, begun.elapsed())?;
        Ok(answer)
    }

    pub(super) async fn check(
        &mut self,
        what: &str,
        instance: &str,
        code: &str,
        good: impl Fn(&Value) -> bool,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        let verdict = self.ask(what, instance).await?;
        let ok = verdict["code"] == code && good(&verdict["license"]);
        self.note(what, ok, sentence(&verdict), begun.elapsed())
    }

    /// Checks until the order's facts have arrived.
    async fn facts(&mut self, what: &str, instance: &str) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut verdict = self.ask(what, instance).await?;
        while verdict["license"]["facts"] != "known" && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(10)).await;
            verdict = self.ask(what, instance).await?;
        }
        let license = &verdict["license"];
        let ok = license["quantity"] == 20 && license["entitlements"] == json!({ "reports": true, "users": 20 });
        let more = format!("{}, {} users, revision {}", sentence(&verdict), license["quantity"], license["revision"]);
        self.note(what, ok, more, begun.elapsed())
    }

    async fn ask(&mut self, what: &str, instance: &str) -> Result<Value, Failure> {
        self.question(what, &Question::license(instance)).await
    }

    pub(super) async fn question(&mut self, what: &str, question: &Question) -> Result<Value, Failure> {
        let verdict = self.checks.question(question).await;
        verdict.or_fail(Reason::CheckFailed, what, "run the demo again; if it fails again, report it")
    }

    pub(super) fn headline(&self, text: &str) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { crate::print(&format!("\n{text}\n")) }
    }

    pub(super) fn note(&mut self, what: &str, ok: bool, result: String, elapsed: Duration) -> Result<(), Failure> {
        let millis = elapsed.as_secs_f64() * 1_000.0;
        if !self.quiet {
            let mark = if ok { '✓' } else { '✗' };
            crate::print(&format!("  {mark} {what:<52} {millis:>7.1} ms  {result}\n"))?;
        }
        self.steps.push(Step { what: what.into(), ok, result, millis });
        Ok(())
    }
}

fn sign(marketplace: &Marketplace, message: &Message) -> Result<Delivery, Failure> {
    let signed = marketplace.sign(message, Style::default(), Utc::now());
    signed.or_fail(Reason::CheckFailed, "signing", "report this")
}

pub(super) fn sentence(verdict: &Value) -> String {
    format!("{}  {}", verdict["code"].as_str().unwrap_or("?"), verdict["reason"].as_str().unwrap_or_default())
}
