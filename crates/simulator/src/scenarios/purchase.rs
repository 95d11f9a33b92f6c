//! A purchase, as it goes every day: order, instance, notification, information, a good license.

use super::Context;
use super::play::Play;
use super::wanted::Wanted;
use crate::console::Expected;
use crate::message::Message;
use crate::report::Report;

/// Plays it.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("purchase", context);
    let order = play.purchase();
    if let Some(instance) = play.buy("a customer buys", &order).await {
        follow(&mut play, order, &instance).await;
    }
    play.finish()
}

async fn follow(play: &mut Play<'_>, order: crate::orders::Order, instance: &str) {
    let again = Message::NewInstance { order: order.line.clone() };
    play.deliver("the purchase is delivered again", &again, &Expected::same_instance(instance)).await;
    let query = Message::QueryInstance { instances: vec![instance.into()] };
    let expected = Expected::instances(&[instance.to_owned()]);
    play.deliver("the marketplace asks for the instance", &query, &expected).await;
    let notify = Message::OrderNotify { order: order.line.clone() };
    play.deliver("the order is notified", &notify, &Expected::success()).await;
    let mut wanted = Wanted::usable();
    if play.sees_facts() {
        wanted = wanted.facts("known").amount(order.product.quantity);
        if let Some(expires_at) = order.expires_at {
            wanted = wanted.expiring(expires_at);
        }
    }
    play.check("the software checks its license", instance, &wanted).await;
}
