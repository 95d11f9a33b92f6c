//! One connection of a storm.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use rand::Rng;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::Options;
use crate::console::{self, Expected};
use crate::http::{Exchange, HttpError};
use crate::latency::Latency;
use crate::marketplace::{Delivery, Marketplace, Style};
use crate::message::{Message, OrderLine};
use crate::report::Acknowledged;

/// Every so many answers one is judged in full; of the others only result and instance are.
const FULL_EVERY: u64 = 100;

/// So many purchases of a connection may be delivered again.
const RECENT: usize = 64;

/// Where nobody listens, more attempts at once would only use the count up.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// What all connections share.
pub(super) struct Work {
    pub(super) options: Options,
    pub(super) done: AtomicU64,
    prefix: String,
    next: AtomicU64,
    began: Instant,
}

impl Work {
    pub(super) fn new(prefix: String, options: Options) -> Self {
        Self { options, done: AtomicU64::new(0), prefix, next: AtomicU64::new(0), began: Instant::now() }
    }

    /// The next delivery's number and when it is due; `None` when all are given out.
    fn next(&self) -> Option<(u64, Option<Instant>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = (self.options.rate > 0.0).then(|| {
            #[expect(clippy::cast_precision_loss, reason = "counts of deliveries are far below 2^52")]
            let seconds = number as f64 / self.options.rate;
            Duration::try_from_secs_f64(seconds).map_or(self.began, |after| self.began + after)
        });
        (number < self.options.count).then_some((number, due))
    }
}

/// What came of a connection's deliveries.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) latency: Latency,
    pub(super) acknowledged: u64,
    pub(super) duplicates: u64,
    /// How often what went wrong.
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) kept: Vec<Acknowledged>,
    pub(super) last: Option<Acknowledged>,
}

impl Tally {
    pub(super) fn merge(&mut self, other: Self) {
        self.latency.merge(&other.latency);
        self.acknowledged += other.acknowledged;
        self.duplicates += other.duplicates;
        for (error, times) in other.errors {
            *self.errors.entry(error).or_default() += times;
        }
        self.kept.extend(other.kept);
        self.last = other.last.or(self.last.take());
    }

    fn fail(&mut self, error: String) {
        *self.errors.entry(error).or_default() += 1;
    }
}

pub(super) struct Worker {
    marketplace: Marketplace,
    style: Style,
    work: Arc<Work>,
    recent: Vec<Acknowledged>,
    answers: u64,
    tally: Tally,
}

/// The part of an answer that every delivery looks at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Brief<'a> {
    #[serde(borrow)]
    result_code: Cow<'a, str>,
    #[serde(borrow)]
    instance_id: Option<Cow<'a, str>>,
}

impl Worker {
    pub(super) fn new(marketplace: Marketplace, style: Style, work: Arc<Work>) -> Self {
        Self { marketplace, style, work, recent: vec![], answers: 0, tally: Tally::default() }
    }

    pub(super) async fn work(mut self) -> Tally {
        while let Some((number, due)) = self.work.next() {
            if let Some(due) = due {
                tokio::time::sleep_until(due.into()).await;
            }
            self.deliver(number, due).await;
            self.work.done.fetch_add(1, Ordering::Relaxed);
        }
        self.tally
    }

    async fn deliver(&mut self, number: u64, due: Option<Instant>) {
        let earlier = self.earlier();
        let order_id = match &earlier {
            Some(earlier) => earlier.order_id.clone(),
            None => format!("{}{number:08}", self.work.prefix),
        };
        let message = Message::NewInstance { order: OrderLine::first_of(&order_id) };
        let delivery = match self.marketplace.sign(&message, self.style, Utc::now()) {
            Ok(delivery) => delivery,
            Err(missing) => return self.tally.fail(missing.to_string()),
        };
        let full = self.answers.is_multiple_of(FULL_EVERY);
        self.answers += 1;
        let known = earlier.as_ref().map(|earlier| earlier.instance.as_str());
        let outcome = match self.marketplace.exchange(&delivery).await {
            Ok(exchange) => {
                let time = due.map_or(exchange.elapsed, |due| due.elapsed());
                self.tally.latency.note(time);
                judge(&exchange, &delivery, known, full)
            }
            Err(error) => {
                if matches!(error, HttpError::Connect { .. }) {
                    tokio::time::sleep(AFTER_REFUSAL).await;
                }
                Err(error.to_string())
            }
        };
        match outcome {
            Ok(instance) => self.acknowledge(Acknowledged { order_id, instance }, known.is_some()),
            Err(error) => self.tally.fail(error),
        }
    }

    /// An earlier purchase of this connection, as often as the options ask for duplicates.
    fn earlier(&self) -> Option<Acknowledged> {
        let mut random = rand::rng();
        let repeat = !self.recent.is_empty() && random.random::<f64>() < self.work.options.duplicates;
        repeat.then(|| self.recent[random.random_range(..self.recent.len())].clone())
    }

    fn acknowledge(&mut self, purchase: Acknowledged, duplicate: bool) {
        self.tally.acknowledged += 1;
        if duplicate {
            self.tally.duplicates += 1;
            return;
        }
        if self.work.options.keep_acknowledged {
            self.tally.kept.push(purchase.clone());
        }
        self.tally.last = Some(purchase.clone());
        if self.recent.len() < RECENT {
            self.recent.push(purchase);
        } else {
            let oldest = usize::try_from(self.tally.acknowledged).unwrap_or(0) % RECENT;
            self.recent[oldest] = purchase;
        }
    }
}

/// The instance of a good answer, or what is wrong with it.
fn judge(exchange: &Exchange<'_>, delivery: &Delivery, known: Option<&str>, full: bool) -> Result<String, String> {
    if full {
        let expected = known.map_or_else(Expected::new_instance, Expected::same_instance);
        let key = delivery.key.expose_secret().as_bytes();
        if let Some(finding) = console::examine(&exchange.to_response(), &expected, key).first() {
            return Err(finding.to_string());
        }
    }
    if exchange.status != 200 {
        return Err(format!("HTTP status {}", exchange.status));
    }
    let brief: Brief<'_> = serde_json::from_slice(exchange.body).map_err(|_| "the body is not an answer".to_owned())?;
    match (brief.result_code.as_ref(), brief.instance_id) {
        ("000000", Some(instance)) if known.is_none_or(|known| known == instance) => Ok(instance.into_owned()),
        ("000000", Some(_)) => Err("a duplicate was answered with another instance".into()),
        ("000000", None) => Err("instanceId is missing".into()),
        (code, _) => Err(format!("resultCode {code}")),
    }
}
