//! The target may be down: the marketplace calls until it gets through, as its retry engine does, each time signed anew.

use std::time::{Duration, Instant};

use chopmark_domain::license::Scene;
use chopmark_huawei::answer::ResultCode;
use chrono::TimeDelta;
use secrecy::ExposeSecret;

use super::Context;
use super::play::{Play, judged, millis};
use super::wanted::Wanted;
use crate::console::{Expected, Said};
use crate::http::{HttpError, Response};
use crate::message::Message;
use crate::report::{Acknowledged, Report, Step};

/// How long an outage is borne.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many customers buy.
    pub purchases: usize,
    /// How often each callback is tried. The marketplace stops after 60 attempts or some hours.
    pub attempts: u32,
    /// Between two attempts. The marketplace takes minutes.
    pub pause: Duration,
}

impl Default for Options {
    /// Ten purchases; each callback 300 times, every 100 ms: half a minute of outage.
    fn default() -> Self {
        Self { purchases: 10, attempts: 300, pause: Duration::from_millis(100) }
    }
}

/// Plays it: purchases and their renewals, each called until it succeeds, and then everything must be there.
pub async fn play(context: &Context<'_>, options: Options) -> Report {
    let mut play = Play::begin("outage", context);
    let mut acknowledged = vec![];
    for number in 1..=options.purchases {
        let order = play.purchase();
        play.register(&order);
        let purchase = Message::NewInstance { order: order.line.clone() };
        let name = format!("purchase {number}");
        let expected = Expected::new_instance();
        let Some(response) = call_until_success(&mut play, &name, &purchase, &expected, options).await else {
            continue;
        };
        let Some(instance) = Said::of(&response.body).instance else {
            continue;
        };
        acknowledged.push(Acknowledged { order_id: order.line.order_id.clone(), instance: instance.clone() });
        let expected = Expected::same_instance(&instance);
        let name = format!("purchase {number} again");
        call_until_success(&mut play, &name, &purchase, &expected, options).await;
        renew(&mut play, number, &instance, options).await;
    }
    Report { acknowledged, ..play.finish() }
}

async fn renew(play: &mut Play<'_>, number: usize, instance: &str, options: Options) {
    let expires_at = Play::now() + TimeDelta::days(730);
    let quantity = play.context.product.quantity;
    let renewal = Message::RefreshInstance {
        instance: instance.into(),
        refresh: play.refresh(Scene::Renewal, expires_at, quantity),
    };
    let name = format!("renewal {number}");
    call_until_success(play, &name, &renewal, &Expected::success(), options).await;
    let wanted = Wanted::usable().expiring(expires_at);
    play.check(&format!("license {number}"), instance, &wanted).await;
}

/// Gives the answer that was success; `None` if attempts ran out or the answer was wrong in another way.
async fn call_until_success(
    play: &mut Play<'_>,
    name: &str,
    message: &Message,
    expected: &Expected,
    options: Options,
) -> Option<Response> {
    let began = Instant::now();
    let mut last = String::new();
    for attempt in 1..=options.attempts {
        // Base-interface messages always find their key.
        let (delivery, response) = play.attempt(message).await.ok()?;
        if let Some(problem) = try_again(&response) {
            last = problem;
            tokio::time::sleep(options.pause).await;
            continue;
        }
        let key = delivery.key.expose_secret().as_bytes();
        let mut step = judged(name, &response, expected, key, began.elapsed());
        step.detail = format!("{} at attempt {attempt}", step.detail);
        let ok = step.ok;
        play.note(step);
        return response.ok().filter(|_| ok);
    }
    play.note(Step {
        name: name.into(),
        ok: false,
        detail: format!("given up after {} attempts; the last: {last}", options.attempts),
        millis: millis(began.elapsed()),
        findings: vec![],
    });
    None
}

/// What the marketplace takes for an outage: no answer, no status 200, or `000005`.
fn try_again(response: &Result<Response, HttpError>) -> Option<String> {
    match response {
        Err(error) => Some(error.to_string()),
        Ok(response) if response.status != 200 => Some(format!("HTTP status {}", response.status)),
        Ok(response) => Said::of(&response.body).code.filter(|code| code == ResultCode::InternalError.as_str()),
    }
}
