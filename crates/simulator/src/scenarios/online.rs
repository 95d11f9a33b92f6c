//! A license made on request: an instance is bought, its customer applies, the license is uploaded. However often the
//! marketplace asks, there is one license.

use std::time::Instant;

use chopmark_huawei::answer::ResultCode;
use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use super::Context;
use super::play::Play;
use super::wanted::{Wanted, in_words};
use crate::checks::Question;
use crate::console::Expected;
use crate::message::{Application, Message};
use crate::open_api_server::Desk;
use crate::report::Report;
use crate::uploads::Uploaded;

/// Plays it.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("online", context);
    if play.needs_api()
        && let Some(desk) = play.needs_desk()
    {
        let order = play.purchase();
        desk.orders().register(order.clone());
        if let Some(instance) = play.buy("a customer buys", &order).await
            && pending(&mut play, &instance).await
        {
            apply(&mut play, &desk, &instance).await;
        }
        let nobody = Message::GetLicenseAsync { instance: Uuid::new_v4().to_string(), application: application() };
        let refused = Expected::failure(ResultCode::UnknownInstance);
        play.deliver("an application for an unknown instance", &nobody, &refused).await;
    }
    play.finish()
}

fn application() -> Application {
    Application {
        event_id: Uuid::new_v4().to_string(),
        fingerprint: Some("fa:16:3e:f7:c1:47|WD-001|MB-77|CPU-9".into()),
        effective_at: Play::now(),
        expires_at: Some(Play::now() + TimeDelta::days(365)),
    }
}

async fn pending(play: &mut Play<'_>, instance: &str) -> bool {
    let sku = play.context.product.sku.clone();
    let judge = |verdict: &Value| match Wanted::pending().contradiction(verdict) {
        None => Ok(in_words(verdict)),
        Some(found) => Err(format!("{found}; product {sku} must be of kind `online_license` in the catalog")),
    };
    play.ask("nobody has applied for its license yet", &Question::license(instance), judge).await.is_some()
}

async fn apply(play: &mut Play<'_>, desk: &Desk, instance: &str) {
    let application = application();
    let event = application.event_id.clone();
    let message = Message::GetLicenseAsync { instance: instance.into(), application };
    play.deliver("the customer applies", &message, &Expected::taken_on()).await;
    play.deliver("the application comes again at once", &message, &Expected::taken_on()).await;
    let uploaded = || match desk.uploads().of(&event).accepted.first() {
        Some(Uploaded::Text(text)) => Ok(format!("a text of {} characters", text.chars().count())),
        Some(Uploaded::File { name, content }) => Ok(format!("{name}, {} bytes", content.len())),
        None => Err(format!("nothing accepted after {} attempts", desk.uploads().of(&event).attempts)),
    };
    if !play.wait("its license is uploaded", uploaded).await {
        return;
    }
    play.check("the license is good", instance, &Wanted::usable()).await;
    play.deliver("the application comes once more", &message, &Expected::success()).await;
    let accepted = desk.uploads().of(&event).accepted;
    let same = accepted.iter().all(|upload| Some(upload) == accepted.first());
    let outcome = if same { Ok("one".into()) } else { Err("several licenses for one application".into()) };
    play.conclude("there is one license", outcome, Instant::now());
}
