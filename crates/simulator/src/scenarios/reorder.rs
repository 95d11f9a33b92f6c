//! Things that may come in either order, and must come to the same.

use chopmark_domain::license::Scene;
use chopmark_domain::order::OrderType;
use chopmark_huawei::callback::FreezeStatus;
use chrono::{DateTime, TimeDelta, Utc};

use super::Context;
use super::play::Play;
use super::wanted::Wanted;
use crate::console::Expected;
use crate::message::Message;
use crate::orders::Order;
use crate::report::Report;

/// Plays it. What needs order facts is left out where there is no order book or no API.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("reorder", context);
    renewed_then_unfrozen(&mut play).await;
    unfrozen_then_renewed(&mut play).await;
    notified_before_bought(&mut play).await;
    frozen_twice(&mut play).await;
    if play.sees_facts() {
        facts_come_late(&mut play).await;
    }
    play.finish()
}

async fn renewed_then_unfrozen(play: &mut Play<'_>) {
    let Some(instance) = expired_and_frozen(play).await else {
        return;
    };
    let renewed = in_days(365);
    refresh(play, "renewed first", &instance, Scene::Renewal, renewed).await;
    let still = Wanted::frozen().expiring(renewed);
    play.check("still frozen", &instance, &still).await;
    status(play, "then unfrozen", &instance, FreezeStatus::Unfreeze).await;
    let usable = Wanted::usable().expiring(renewed);
    play.check("usable until its new expiry", &instance, &usable).await;
}

/// The marketplace lifts the freeze of what we hold for expired: it knows more, and will tell.
async fn unfrozen_then_renewed(play: &mut Play<'_>) {
    let Some(instance) = expired_and_frozen(play).await else {
        return;
    };
    status(play, "unfrozen first", &instance, FreezeStatus::Unfreeze).await;
    play.check("usable for the time being", &instance, &Wanted::graced()).await;
    let renewed = in_days(365);
    refresh(play, "then renewed", &instance, Scene::Renewal, renewed).await;
    let usable = Wanted::usable().expiring(renewed);
    play.check("usable until its new expiry", &instance, &usable).await;
}

/// A license whose expiry passed long ago, beyond every grace.
async fn expired_and_frozen(play: &mut Play<'_>) -> Option<String> {
    let order = play.purchase();
    let instance = play.buy("a customer buys", &order).await?;
    let past = in_days(-400);
    let scene = Scene::UnsubscribeRenewalPeriod;
    refresh(play, "its expiry moves into the past", &instance, scene, past).await;
    status(play, "frozen", &instance, FreezeStatus::Freeze).await;
    Some(instance)
}

async fn notified_before_bought(play: &mut Play<'_>) {
    let order = play.purchase();
    play.register(&order);
    let notify = Message::OrderNotify { order: order.line.clone() };
    play.deliver("an order is notified first", &notify, &Expected::success()).await;
    if let Some(instance) = play.buy("then bought", &order).await {
        let mut wanted = Wanted::usable();
        if play.sees_facts() {
            wanted = wanted.facts("known").amount(order.product.quantity);
        }
        play.check("usable as ordered", &instance, &wanted).await;
    }
}

/// Freeze, unfreeze, freeze are three things, not one of them a duplicate.
async fn frozen_twice(play: &mut Play<'_>) {
    let order = play.purchase();
    let Some(instance) = play.buy("a customer buys", &order).await else {
        return;
    };
    status(play, "frozen", &instance, FreezeStatus::Freeze).await;
    status(play, "unfrozen", &instance, FreezeStatus::Unfreeze).await;
    status(play, "frozen again", &instance, FreezeStatus::Freeze).await;
    play.check("the last word counts", &instance, &Wanted::frozen()).await;
}

/// Nobody can read the purchases' orders, and life goes on; what is newer than they are stays when they become known.
async fn facts_come_late(play: &mut Play<'_>) {
    let purchases = [play.purchase(), play.purchase(), play.purchase()];
    for order in &purchases {
        withhold(play, order);
    }
    let mut instances = vec![];
    for order in &purchases {
        instances.extend(play.buy("bought, its order unreadable", order).await);
    }
    if let [renewed, upgraded, frozen] = instances.as_slice() {
        let pending = Wanted::usable().facts("pending");
        play.check("usable with what is known", renewed, &pending).await;
        let expiry = in_days(730);
        refresh(play, "renewed meanwhile", renewed, Scene::Renewal, expiry).await;
        upgrade(play, "upgraded meanwhile", upgraded, 100).await;
        status(play, "frozen meanwhile", frozen, FreezeStatus::Freeze).await;
        reveal(play, &purchases);

        let bought = play.context.product.quantity;
        play.revision("the renewed one's facts arrive", renewed, 4).await;
        let wanted = Wanted::usable().expiring(expiry).amount(bought);
        play.check("the renewal's expiry stays", renewed, &wanted).await;
        play.revision("the upgraded one's facts arrive", upgraded, 4).await;
        play.check("the upgrade's amount stays", upgraded, &Wanted::usable().amount(100)).await;
        play.revision("the frozen one's facts arrive", frozen, 3).await;
        let wanted = Wanted::frozen().facts("known");
        play.check("the freeze stays", frozen, &wanted).await;
    }
    reveal(play, &purchases);
}

fn withhold(play: &Play<'_>, order: &Order) {
    play.register(order);
    if let Some(orders) = &play.context.orders {
        orders.withhold(&order.line.order_id);
    }
}

fn reveal(play: &Play<'_>, purchases: &[Order]) {
    if let Some(orders) = &play.context.orders {
        for order in purchases {
            orders.reveal(&order.line.order_id);
        }
    }
}

async fn refresh(play: &mut Play<'_>, name: &str, instance: &str, scene: Scene, expires_at: DateTime<Utc>) {
    let quantity = play.context.product.quantity;
    let message =
        Message::RefreshInstance { instance: instance.into(), refresh: play.refresh(scene, expires_at, quantity) };
    play.deliver(name, &message, &Expected::success()).await;
}

async fn upgrade(play: &mut Play<'_>, name: &str, instance: &str, quantity: u32) {
    let order = play.order(OrderType::Change, in_days(365), quantity);
    play.register(&order);
    let message = Message::UpgradeInstance { instance: instance.into(), order: order.line };
    play.deliver(name, &message, &Expected::success()).await;
}

async fn status(play: &mut Play<'_>, name: &str, instance: &str, status: FreezeStatus) {
    let message = Message::UpdateInstanceStatus { instance: instance.into(), status };
    play.deliver(name, &message, &Expected::success()).await;
}

fn in_days(days: i64) -> DateTime<Utc> {
    Play::now() + TimeDelta::days(days)
}
