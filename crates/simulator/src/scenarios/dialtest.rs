//! Dial tests (拨测): twice a day the marketplace replays the cases that were saved in the console, for ever, with
//! whatever ids were typed in there (接口说明, zh-cn_topic_0070649414). They succeed, and change nothing.

use chopmark_domain::license::Scene;
use chopmark_huawei::callback::FreezeStatus;
use chrono::TimeDelta;

use super::Context;
use super::play::Play;
use super::wanted::Wanted;
use crate::console::Expected;
use crate::marketplace::Style;
use crate::message::{Application, Message, OrderLine, Refresh, Wording, scene_text, status_text};
use crate::report::Report;

const MADE_UP: [&str; 2] = ["dial-test-instance-1", "huaiweitest123456"];
const MADE_UP_CODE: &str = "PL0001TEST";

/// Plays it: every activity with `testFlag` 1 and made-up ids, twice.
pub async fn play(context: &Context<'_>) -> Report {
    let wording = Wording { test: true, ..context.style.wording };
    let style = Style { wording, ..context.style };
    let context = Context { style, ..context.clone() };
    let mut play = Play::begin("dialtest", &context);
    let purchase = Message::NewInstance { order: OrderLine::first_of("DIALTEST") };
    for round in ["the first time", "the second time"] {
        let name = format!("newInstance {round}");
        let bought = play.deliver(&name, &purchase, &Expected::new_instance()).await;
        let query = Message::QueryInstance { instances: MADE_UP.map(Into::into).into() };
        let expected = Expected::instances(&MADE_UP.map(Into::into));
        play.deliver(&format!("queryInstance {round}"), &query, &expected).await;
        for message in messages(context.keys.license_code.is_some()) {
            let name = format!("{} {round}", in_words(&message));
            let expected = match message {
                Message::GetLicenseAsync { .. } => Expected::taken_on(),
                _ => Expected::success(),
            };
            play.deliver(&name, &message, &expected).await;
        }
        if let Some(instance) = bought.and_then(|delivered| delivered.instance()) {
            play.check("no license came of it", &instance, &Wanted::not_found()).await;
        }
    }
    for id in MADE_UP.into_iter().chain([MADE_UP_CODE]) {
        play.check(&format!("no license {id}"), id, &Wanted::not_found()).await;
    }
    play.finish()
}

fn messages(license_codes: bool) -> Vec<Message> {
    let scenes = [Scene::TrialToFormal, Scene::Renewal, Scene::RenewalChange, Scene::UnsubscribeRenewalPeriod];
    let mut messages: Vec<_> =
        scenes.map(|scene| Message::RefreshInstance { instance: instance(), refresh: refresh(scene) }).into();
    messages.extend(statuses().map(|status| Message::UpdateInstanceStatus { instance: instance(), status }));
    messages.extend([
        Message::UpgradeInstance { instance: instance(), order: order() },
        Message::ChangeInstanceCheck {
            instance: instance(),
            sku: "da9b4d34-ee8a-4355-a823-13e034e49986".into(),
            product_id: "OFFI461867333479178240".into(),
            quantity: 5,
        },
        Message::OrderNotify { order: order() },
        Message::GetLicenseAsync { instance: instance(), application: application() },
        Message::ReleaseInstance { instance: instance(), order: Some(order()) },
        Message::ReleaseInstance { instance: instance(), order: None },
    ]);
    if license_codes {
        messages.extend(of_license_codes());
    }
    messages
}

fn of_license_codes() -> Vec<Message> {
    let code = || MADE_UP_CODE.to_owned();
    let mut messages = vec![Message::RefreshLicenseCode { code: code(), refresh: refresh(Scene::Renewal) }];
    messages.extend(statuses().map(|status| Message::UpdateLicenseCodeStatus { code: code(), status }));
    messages.push(Message::ReleaseLicenseCode { code: code(), order: None });
    messages
}

fn statuses() -> [FreezeStatus; 2] {
    [FreezeStatus::Freeze, FreezeStatus::Unfreeze]
}

fn instance() -> String {
    MADE_UP[0].into()
}

fn order() -> OrderLine {
    OrderLine::first_of("CS2211181819B4LVS")
}

fn application() -> Application {
    Application {
        event_id: "dial-test-event-1".into(),
        fingerprint: Some("fa:16:3e:f7:c1:47".into()),
        effective_at: Play::now(),
        expires_at: Some(Play::now() + TimeDelta::days(365)),
    }
}

fn refresh(scene: Scene) -> Refresh {
    Refresh { scene, order: order(), expires_at: Play::now() + TimeDelta::days(365), product_id: None }
}

/// A message by its activity, and its scene or status where it has several.
fn in_words(message: &Message) -> String {
    let activity = message.activity();
    match message {
        Message::RefreshInstance { refresh, .. } => format!("{activity} {}", scene_text(refresh.scene)),
        Message::UpdateInstanceStatus { status, .. } | Message::UpdateLicenseCodeStatus { status, .. } => {
            format!("{activity} {}", status_text(*status))
        }
        Message::ReleaseInstance { order: Some(_), .. } => format!("{activity} by an order"),
        _ => activity.to_string(),
    }
}
