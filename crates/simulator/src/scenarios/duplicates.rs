//! Everything delivered again and again: as the very same request, and signed anew as the marketplace retries.
//! The answers stay, and nothing changes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chopmark_domain::license::Scene;
use chopmark_domain::order::OrderType;
use chopmark_huawei::answer::ResultCode;
use chopmark_huawei::callback::FreezeStatus;
use chrono::{TimeDelta, Utc};
use tokio::task::JoinSet;

use super::Context;
use super::play::{Delivered, Play, millis};
use crate::console::{Expected, Said};
use crate::http::HttpError;
use crate::message::{Message, OrderLine};
use crate::report::{Report, Step};

/// How many buyers' requests arrive at once.
const AT_ONCE: usize = 8;

/// A signed request is good for 60 s; well within it, it may be repeated as it is.
const WINDOW: Duration = Duration::from_secs(40);

/// Plays it.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("duplicates", context);
    let order = play.purchase();
    play.register(&order);
    let purchase = Message::NewInstance { order: order.line };
    let first = play.deliver("a customer buys", &purchase, &Expected::new_instance()).await;
    if let Some(first) = first
        && let Some(instance) = first.instance()
    {
        let mut again =
            Again { events: 1 + u64::from(context.orders.is_some()), play: &mut play, instance, known: vec![] };
        again.repeat("purchase", purchase, &first).await;
        again.live().await;
        again.after_the_end().await;
    }
    at_once(&mut play).await;
    play.finish()
}

struct Again<'p, 'c> {
    play: &'p mut Play<'c>,
    instance: String,
    /// How many events the license has by now, order facts included.
    events: u64,
    /// What was delivered, by name.
    known: Vec<(&'static str, Message)>,
}

impl Again<'_, '_> {
    async fn live(&mut self) {
        let facts = u64::from(self.play.context.orders.is_some());
        let instance = || self.instance.clone();
        let expires_at = Play::now() + TimeDelta::days(730);
        let renewal = Message::RefreshInstance {
            instance: instance(),
            refresh: self.play.refresh(Scene::Renewal, expires_at, 20),
        };
        let upgrade_order = self.play.order(OrderType::Change, expires_at, 50);
        self.play.register(&upgrade_order);
        let upgrade = Message::UpgradeInstance { instance: instance(), order: upgrade_order.line };
        let status = |status| Message::UpdateInstanceStatus { instance: instance(), status };
        let release = Message::ReleaseInstance { instance: instance(), order: None };
        let (freeze, unfreeze) = (status(FreezeStatus::Freeze), status(FreezeStatus::Unfreeze));
        self.twice_more("renewal", renewal, 1 + facts).await;
        self.twice_more("upgrade", upgrade, 1 + facts).await;
        self.twice_more("freeze", freeze, 1).await;
        let unfrozen = self.twice_more("unfreeze", unfreeze, 1).await;
        self.twice_more("release", release, 1).await;
        if let Some(unfrozen) = unfrozen.filter(|_| self.play.elapsed() < WINDOW) {
            let name = "the same unfreeze, after the release";
            self.play.redeliver(name, &unfrozen).await;
        }
    }

    /// Delivers a message that adds so many events, and then twice more.
    async fn twice_more(&mut self, what: &'static str, message: Message, events: u64) -> Option<Delivered> {
        let first = self.play.deliver(what, &message, &Expected::success()).await?;
        self.events += events;
        self.repeat(what, message, &first).await;
        Some(first)
    }

    async fn repeat(&mut self, what: &'static str, message: Message, first: &Delivered) {
        let settled = format!("the {what} has taken effect");
        let revision = self.play.revision(&settled, &self.instance, self.events).await;
        let name = format!("the very same {what} again");
        self.play.redeliver(&name, first).await;
        self.sign_anew(&format!("the {what} signed anew"), &message).await;
        let unchanged = format!("the {what} counted once");
        self.play.unchanged(&unchanged, &self.instance, revision).await;
        self.known.push((what, message));
    }

    async fn sign_anew(&mut self, name: &str, message: &Message) {
        let expected = match message {
            Message::NewInstance { .. } => Expected::same_instance(&self.instance),
            _ => Expected::success(),
        };
        self.play.deliver(name, message, &expected).await;
    }

    /// At the end all of it once more, last things first. Only unfreezing has become wrong: a status callback tells
    /// nothing of its cause, so signed anew it is news.
    async fn after_the_end(&mut self) {
        let revision = self.play.revision("the license is over", &self.instance, self.events).await;
        for (what, message) in std::mem::take(&mut self.known).into_iter().rev() {
            let name = format!("the {what} once more, after the release");
            if what == "unfreeze" {
                let refused = Expected::failure(ResultCode::UnknownInstance);
                self.play.deliver(&name, &message, &refused).await;
            } else {
                self.sign_anew(&name, &message).await;
            }
        }
        self.play.unchanged("none of it changed anything", &self.instance, revision).await;
    }
}

/// The same purchase over several connections at the same moment: one instance.
async fn at_once(play: &mut Play<'_>) {
    let began = Instant::now();
    let order = play.purchase();
    play.register(&order);
    let answers = buy_at_once(play.context, &order.line).await;
    let instances: BTreeSet<_> = answers.iter().filter_map(|said| said.as_ref().ok()?.instance.clone()).collect();
    let failed = answers.iter().find_map(|said| said.as_ref().err());
    let unanswered = answers.iter().filter(|said| said.as_ref().is_ok_and(|said| said.instance.is_none()));
    let detail = match (failed, unanswered.count(), instances.len()) {
        (Some(error), ..) => error.to_string(),
        (None, 0, 1) => format!("{AT_ONCE} answers, one instance"),
        (None, without, different) => format!("{different} different instances, {without} answers without one"),
    };
    let ok = instances.len() == 1 && detail.ends_with("one instance");
    play.note(Step {
        name: format!("a purchase arrives {AT_ONCE} times at once"),
        ok,
        detail,
        millis: millis(began.elapsed()),
        findings: vec![],
    });
    if let Some(instance) = instances.first() {
        let events = 1 + u64::from(play.context.orders.is_some());
        play.revision("it has taken effect", instance, events).await;
        play.unchanged("it counted once", instance, Some(events)).await;
    }
}

async fn buy_at_once(context: &Context<'_>, order: &OrderLine) -> Vec<Result<Said, HttpError>> {
    let message = Message::NewInstance { order: order.clone() };
    let mut buyers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let mut marketplace = context.marketplace();
        let Ok(delivery) = marketplace.sign(&message, context.style, Utc::now()) else {
            continue;
        };
        buyers.spawn(async move { Ok(Said::of(marketplace.exchange(&delivery).await?.body)) });
    }
    buyers.join_all().await
}
