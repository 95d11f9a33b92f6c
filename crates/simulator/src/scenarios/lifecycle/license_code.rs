//! The life of a license code: the marketplace makes it, so whatever it names exists.

use chopmark_domain::license::Scene;
use chopmark_huawei::answer::ResultCode;
use chopmark_huawei::callback::FreezeStatus;
use uuid::Uuid;

use super::in_days;
use crate::console::Expected;
use crate::message::Message;
use crate::scenarios::play::Play;
use crate::scenarios::wanted::Wanted;

pub(super) async fn play(play: &mut Play<'_>) {
    let code = format!("PL{}", Uuid::new_v4().simple());
    let (renewed, earlier) = (in_days(730), in_days(365));
    let renewal = refresh(play, &code, Scene::Renewal, renewed);
    let cancelled = refresh(play, &code, Scene::UnsubscribeRenewalPeriod, earlier);
    let freeze = status(&code, FreezeStatus::Freeze);
    let unfreeze = status(&code, FreezeStatus::Unfreeze);

    succeed(play, "a license code never seen is renewed", &renewal).await;
    let usable = Wanted::usable();
    play.check("the code is usable", &code, &usable.clone().expiring(renewed)).await;
    succeed(play, "the code's renewal is cancelled", &cancelled).await;
    succeed(play, "the first renewal arrives again", &renewal).await;
    play.check("the expiry has moved back", &code, &usable.expiring(earlier)).await;
    succeed(play, "the code is frozen", &freeze).await;
    play.check("the code is not usable", &code, &Wanted::frozen()).await;
    succeed(play, "the code is unfrozen", &unfreeze).await;
    play.check("the code is usable again", &code, &Wanted::usable()).await;
    end(play, &code).await;
}

async fn end(play: &mut Play<'_>, code: &str) {
    let release = Message::ReleaseLicenseCode { code: code.into(), order: None };
    succeed(play, "the code is released", &release).await;
    succeed(play, "the code is released again", &release).await;
    let renewal = refresh(play, code, Scene::Renewal, in_days(1095));
    let refused = Expected::failure(ResultCode::UnknownInstance);
    play.deliver("a new renewal of the code", &renewal, &refused).await;
    let unfreeze = status(code, FreezeStatus::Unfreeze);
    play.deliver("unfreezing the code", &unfreeze, &refused).await;
    play.check("the code is over", code, &Wanted::released()).await;
}

async fn succeed(play: &mut Play<'_>, name: &str, message: &Message) {
    play.deliver(name, message, &Expected::success()).await;
}

fn refresh(play: &Play<'_>, code: &str, scene: Scene, expires_at: chrono::DateTime<chrono::Utc>) -> Message {
    Message::RefreshLicenseCode { code: code.into(), refresh: play.refresh(scene, expires_at, 1) }
}

fn status(code: &str, status: FreezeStatus) -> Message {
    Message::UpdateLicenseCodeStatus { code: code.into(), status }
}
