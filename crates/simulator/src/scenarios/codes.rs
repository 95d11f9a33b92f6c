//! License codes: the marketplace makes them, the buyer carries them to the software, and the seller activates them.

use chopmark_domain::license::CodeState;
use chopmark_domain::order::OrderType;
use chopmark_huawei::callback::FreezeStatus;
use chrono::TimeDelta;
use uuid::Uuid;

use super::Context;
use super::play::Play;
use super::wanted::Wanted;
use crate::codes::Code;
use crate::console::Expected;
use crate::message::Message;
use crate::open_api_server::{Desk, Interface};
use crate::report::Report;

/// Plays it; freezing needs a key of the interface `license_code`.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("codes", context);
    if play.needs_api()
        && let Some(desk) = play.needs_desk()
    {
        play.check("a code that nobody made", &fresh(), &Wanted::not_found()).await;
        let code = buy(&play, &desk, true);
        activate(&mut play, &desk, &code).await;
        if context.keys.license_code.is_some() {
            freeze(&mut play, &code).await;
        }
        let early = buy(&play, &desk, false);
        play.check("a code that its buyer has not received", &early, &Wanted::pending()).await;
    }
    play.finish()
}

fn fresh() -> String {
    format!("PL{}", Uuid::new_v4().simple()).to_uppercase()
}

/// Enters a purchase and its code in the books.
fn buy(play: &Play<'_>, desk: &Desk, received: bool) -> String {
    let expires_at = Play::now() + TimeDelta::days(365);
    let order = play.order(OrderType::New, expires_at, play.context.product.quantity);
    desk.orders().register(order.clone());
    let code = fresh();
    desk.codes().register(&code, Code { received, ..Code::of(&order) });
    code
}

async fn activate(play: &mut Play<'_>, desk: &Desk, code: &str) {
    // Held back, so that the state before it can be seen.
    let activation = desk.faults_of(Interface::Activate);
    activation.hold();
    play.check("the software asks with a code of its buyer", code, &Wanted::pending()).await;
    activation.release();
    let known = desk.codes().look_up(code);
    let mut wanted = Wanted::usable();
    if let Some(expires_at) = known.and_then(|code| code.expires_at) {
        wanted = wanted.expiring(expires_at);
    }
    play.check("the code is activated", code, &wanted).await;
    play.wait("the marketplace knows of it", || match desk.codes().look_up(code).map(|code| code.state) {
        Some(CodeState::Alive) => Ok("ALIVE".into()),
        state => Err(format!("the code's state is {state:?}")),
    })
    .await;
}

async fn freeze(play: &mut Play<'_>, code: &str) {
    let status = |status| Message::UpdateLicenseCodeStatus { code: code.into(), status };
    play.deliver("the code is frozen", &status(FreezeStatus::Freeze), &Expected::success()).await;
    play.check("it is not usable", code, &Wanted::frozen()).await;
    play.deliver("the code is unfrozen", &status(FreezeStatus::Unfreeze), &Expected::success()).await;
    play.check("it is usable again", code, &Wanted::usable()).await;
}
