//! All that can happen to a license, to its end and after.

mod after_release;
mod license_code;

use chopmark_domain::license::Scene;
use chopmark_domain::order::OrderType;
use chopmark_huawei::answer::ResultCode;
use chopmark_huawei::callback::FreezeStatus;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::Context;
use super::play::Play;
use super::wanted::Wanted;
use crate::console::Expected;
use crate::message::{Message, OrderLine, Refresh};
use crate::report::Report;

/// Plays it: an instance from trial to release, the answers after that and for unknown instances and, where there is a
/// key for it, a license code.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("lifecycle", context);
    let trial = play.order(OrderType::Trial, in_days(7), 1);
    if let Some(instance) = play.buy("a customer takes a trial", &trial).await {
        let mut life = Life { play: &mut play, instance };
        life.grow(&trial.line).await;
        life.freeze_and_thaw().await;
        let renewal = life.renew_while_frozen().await;
        life.release(&trial.line, &renewal).await;
    }
    unknown_instance(&mut play).await;
    if context.keys.license_code.is_some() {
        license_code::play(&mut play).await;
    }
    play.finish()
}

fn in_days(days: i64) -> DateTime<Utc> {
    Play::now() + TimeDelta::days(days)
}

/// The life of one instance.
struct Life<'p, 'c> {
    play: &'p mut Play<'c>,
    instance: String,
}

impl Life<'_, '_> {
    async fn grow(&mut self, trial: &OrderLine) {
        self.ask_for_it().await;
        let notify = Message::OrderNotify { order: trial.clone() };
        self.succeed("the order is notified", &notify).await;
        self.check("the trial is usable", &Wanted::usable(), None, Some(1)).await;

        let formal = in_days(365);
        self.refresh("the trial becomes a purchase", Scene::TrialToFormal, formal, 20).await;
        self.check("usable for a year", &Wanted::usable(), Some(formal), Some(20)).await;
        let renewed = in_days(730);
        self.refresh("renewed", Scene::Renewal, renewed, 20).await;
        self.check("usable for two years", &Wanted::usable(), Some(renewed), Some(20)).await;
        let change = Message::ChangeInstanceCheck {
            instance: self.instance.clone(),
            sku: self.play.context.product.sku.clone(),
            product_id: self.play.context.product.product_id.clone(),
            quantity: 50,
        };
        self.succeed("may it change at renewal?", &change).await;
        let changed = in_days(1095);
        self.refresh("renewed with a change", Scene::RenewalChange, changed, 50).await;
        self.check("more, for three years", &Wanted::usable(), Some(changed), Some(50)).await;
        self.refresh("the last renewal is cancelled", Scene::UnsubscribeRenewalPeriod, renewed, 50).await;
        self.check("the expiry moves back", &Wanted::usable(), Some(renewed), Some(50)).await;
        self.upgrade("upgraded", 100).await;
        self.check("more again, no longer", &Wanted::usable(), Some(renewed), Some(100)).await;
    }

    async fn freeze_and_thaw(&mut self) {
        self.status("frozen", FreezeStatus::Freeze).await;
        self.check("not usable", &Wanted::frozen(), None, None).await;
        self.status("frozen once more", FreezeStatus::Freeze).await;
        self.ask_for_it().await;
        self.status("unfrozen", FreezeStatus::Unfreeze).await;
        self.status("unfrozen once more", FreezeStatus::Unfreeze).await;
        self.check("usable again", &Wanted::usable(), None, None).await;
    }

    /// The order of refresh and unfreeze is not documented, so both must do. Gives the last renewal.
    async fn renew_while_frozen(&mut self) -> Refresh {
        self.status("frozen at its expiry", FreezeStatus::Freeze).await;
        let first = in_days(1460);
        self.refresh("renewed while frozen", Scene::Renewal, first, 100).await;
        self.check("a renewal alone does not unfreeze", &Wanted::frozen(), Some(first), None).await;
        self.status("then unfrozen", FreezeStatus::Unfreeze).await;
        self.check("usable", &Wanted::usable(), Some(first), None).await;

        self.status("frozen at its next expiry", FreezeStatus::Freeze).await;
        self.status("unfrozen first", FreezeStatus::Unfreeze).await;
        let second = in_days(1825);
        let renewal = self.refresh("then renewed", Scene::Renewal, second, 100).await;
        self.check("usable", &Wanted::usable(), Some(second), None).await;
        renewal
    }

    async fn ask_for_it(&mut self) {
        let query = Message::QueryInstance { instances: vec![self.instance.clone()] };
        let expected = Expected::instances(std::slice::from_ref(&self.instance));
        self.play.deliver("the marketplace asks for the instance", &query, &expected).await;
    }

    async fn succeed(&mut self, name: &str, message: &Message) {
        self.play.deliver(name, message, &Expected::success()).await;
    }

    async fn refresh(&mut self, name: &str, scene: Scene, expires_at: DateTime<Utc>, quantity: u32) -> Refresh {
        let refresh = self.play.refresh(scene, expires_at, quantity);
        self.succeed(name, &self.refreshing(&refresh)).await;
        refresh
    }

    fn refreshing(&self, refresh: &Refresh) -> Message {
        Message::RefreshInstance { instance: self.instance.clone(), refresh: refresh.clone() }
    }

    async fn upgrade(&mut self, name: &str, quantity: u32) {
        let order = self.play.order(OrderType::Change, in_days(730), quantity);
        self.play.register(&order);
        let message = Message::UpgradeInstance { instance: self.instance.clone(), order: order.line };
        self.succeed(name, &message).await;
    }

    async fn status(&mut self, name: &str, status: FreezeStatus) {
        self.succeed(name, &self.changing(status)).await;
    }

    fn changing(&self, status: FreezeStatus) -> Message {
        Message::UpdateInstanceStatus { instance: self.instance.clone(), status }
    }

    /// Expiry is judged where a refresh has stated it, the amount where order facts can be known.
    async fn check(&mut self, name: &str, wanted: &Wanted, expiry: Option<DateTime<Utc>>, amount: Option<u32>) {
        let mut wanted = wanted.clone();
        if let Some(expiry) = expiry {
            wanted = wanted.expiring(expiry);
        }
        if let Some(amount) = amount.filter(|_| self.play.sees_facts()) {
            wanted = wanted.facts("known").amount(amount);
        }
        self.play.check(name, &self.instance, &wanted).await;
    }
}

async fn unknown_instance(play: &mut Play<'_>) {
    let instance = Uuid::new_v4().to_string();
    let refresh = play.refresh(Scene::Renewal, in_days(365), 20);
    let order = OrderLine::fresh();
    let messages = [
        Message::QueryInstance { instances: vec![instance.clone()] },
        Message::RefreshInstance { instance: instance.clone(), refresh },
        Message::UpdateInstanceStatus { instance: instance.clone(), status: FreezeStatus::Freeze },
        Message::UpgradeInstance { instance: instance.clone(), order },
        Message::ReleaseInstance { instance: instance.clone(), order: None },
    ];
    for message in messages {
        let name = format!("{} for an unknown instance", message.activity());
        play.deliver(&name, &message, &Expected::failure(ResultCode::UnknownInstance)).await;
    }
    play.check("there is still no such license", &instance, &Wanted::not_found()).await;
}
