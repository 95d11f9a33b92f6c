//! Codes that checks name are asked about, within bounds.

use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{LicenseCode, SellerId};
use chopmark_domain::license::CodeState;
use chopmark_domain::stream::Stream;
use chopmark_huawei::open_api::{CodeOutcome, ErrorKind};
use chopmark_log::EventLog;
use chopmark_reactor::{CodeDesk, CodeMetrics, Confirmed};
use chrono::TimeDelta;

use crate::world::{Does, World, cause_of, code, says, seller};

const CONFIRMED: &str = "license_code_confirmed.v1";
const NOT_EXIST: Does = Does::Say(CodeOutcome::NotExist);

fn desk(world: &World) -> CodeDesk {
    CodeDesk::new(world.commands.clone(), world.marketplaces(), CodeMetrics::unregistered())
}

async fn confirm(desk: &CodeDesk, text: &str) -> Confirmed {
    desk.confirm(&seller(), &LicenseCode::parse(text).unwrap()).await
}

#[tokio::test]
async fn a_code_that_the_marketplace_confirms_is_appended_with_its_answer() {
    let world = World::new();
    world.marketplace.plan("query PL1234", &[says(CodeState::Inactive)]);
    let desk = desk(&world);
    let confirmed = confirm(&desk, "PL1234").await;
    assert_eq!(confirmed, Confirmed::Known { position: Some(world.log.head().await.unwrap()) });
    let events = world.license_events(&code("PL1234")).await;
    let told = Cause::OpenApi { api: "license/heartbeat".into(), answer: Some(r#"{"status":"Inactive"}"#.into()) };
    assert_eq!((events.len(), events[0].kind.as_str(), cause_of(&events[0])), (1, CONFIRMED, told));
    // The index may lag a little: that is no reason to ask again.
    assert_eq!(confirm(&desk, "PL1234").await, confirmed);
    assert_eq!(world.marketplace.asked_in_all(), 1);
}

#[tokio::test]
async fn a_code_that_does_not_exist_is_asked_about_once_a_day_and_never_appended() {
    let world = World::new();
    world.marketplace.plan("query PL1234", &[NOT_EXIST]);
    let desk = desk(&world);
    for _ in 0..3 {
        assert_eq!(confirm(&desk, "PL1234").await, Confirmed::NotExist);
        world.pass(TimeDelta::hours(7));
    }
    assert_eq!(world.marketplace.asked_in_all(), 1);
    world.pass(TimeDelta::hours(3));
    assert_eq!(confirm(&desk, "PL1234").await, Confirmed::NotExist);
    assert_eq!(world.marketplace.asked_in_all(), 2);
    assert_eq!(world.records().await, []);
}

#[tokio::test]
async fn what_cannot_be_a_code_or_has_nobody_to_ask_is_not_asked_about() {
    let world = World::new();
    let desk = desk(&world);
    for text in ["PL1", "PL 1234", "10e758d0-31ad-4c4b-8f1b-81d03469a10e"] {
        assert_eq!(confirm(&desk, text).await, Confirmed::NotExist);
    }
    let other = SellerId::parse("other").unwrap();
    assert_eq!(desk.confirm(&other, &LicenseCode::parse("PL1234").unwrap()).await, Confirmed::NotExist);
    assert_eq!(world.marketplace.asked_in_all(), 0);
}

#[tokio::test]
async fn all_who_ask_about_one_code_share_one_question() {
    let world = World::new();
    world.marketplace.plan("query PL1234", &[says(CodeState::Alive)]);
    let desk = desk(&world);
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let desk = desk.clone();
            tokio::spawn(async move { confirm(&desk, "PL1234").await })
        })
        .collect();
    for asked in asking {
        assert!(matches!(asked.await.unwrap(), Confirmed::Known { .. }));
    }
    assert_eq!(world.marketplace.asked_in_all(), 1);
    assert_eq!(world.license_kinds(&code("PL1234")).await, [CONFIRMED]);
}

#[tokio::test]
async fn a_marketplace_that_is_away_is_left_alone_for_a_while() {
    let world = World::new();
    world.marketplace.plan("query PL1234", &[Does::Fail(ErrorKind::Transient), NOT_EXIST]);
    world.marketplace.plan("query PL5678", &[says(CodeState::Alive)]);
    let desk = desk(&world);
    assert_eq!(confirm(&desk, "PL1234").await, Confirmed::Later);
    assert_eq!(confirm(&desk, "PL1234").await, Confirmed::Later);
    assert_eq!(confirm(&desk, "PL5678").await, Confirmed::Later);
    assert_eq!(world.marketplace.asked_in_all(), 1);
    world.pass(TimeDelta::seconds(30));
    assert_eq!(confirm(&desk, "PL1234").await, Confirmed::NotExist);
    assert!(matches!(confirm(&desk, "PL5678").await, Confirmed::Known { .. }));
}

#[tokio::test]
async fn an_answer_that_says_nothing_of_a_code_is_no_outage_and_not_asked_for_at_once_again() {
    let world = World::new();
    world.marketplace.plan("query PL1234", &[Does::Fail(ErrorKind::Refused), says(CodeState::Alive)]);
    world.marketplace.plan("query PL5678", &[NOT_EXIST]);
    let desk = desk(&world);
    assert_eq!(confirm(&desk, "PL1234").await, Confirmed::Later);
    assert_eq!(confirm(&desk, "PL1234").await, Confirmed::Later);
    assert_eq!(world.marketplace.asked_in_all(), 1);
    assert_eq!(confirm(&desk, "PL5678").await, Confirmed::NotExist, "others are asked about");
    world.pass(TimeDelta::minutes(10));
    assert!(matches!(confirm(&desk, "PL1234").await, Confirmed::Known { .. }));
}

#[tokio::test]
async fn a_marketplace_that_hangs_holds_no_check_up_and_has_a_bounded_number_of_questions() {
    let world = World::new();
    let (desk, of) = (desk(&world), seller());
    let codes: Vec<LicenseCode> =
        (0..33).map(|number| LicenseCode::parse(&format!("HANGS{number}")).unwrap()).collect();
    codes.iter().for_each(|code| world.marketplace.plan(&format!("query {code}"), &[Does::Hang]));
    let (last, first) = codes.split_last().unwrap();
    let mut asking: Vec<_> = first.iter().map(|code| Box::pin(desk.confirm(&of, code))).collect();
    for asked in &mut asking {
        assert_eq!(poll_once(asked.as_mut()).await, None);
    }
    assert_eq!(desk.confirm(&of, last).await, Confirmed::Later, "there is no room for another");
    for asked in asking {
        assert_eq!(asked.await, Confirmed::Later);
    }
    assert_eq!(world.marketplace.asked_in_all(), 32);
}

#[tokio::test]
async fn an_answer_that_comes_after_the_check_gave_up_waiting_is_taken_up() {
    let world = World::new();
    world.marketplace.plan("query PL1234", &[says(CodeState::Alive)]);
    let desk = desk(&world);
    // The check ends before its question has even begun.
    let code_asked = LicenseCode::parse("PL1234").unwrap();
    let of = seller();
    let mut asking = Box::pin(desk.confirm(&of, &code_asked));
    let begun = poll_once(asking.as_mut()).await;
    assert_eq!(begun, None);
    drop(asking);
    world.until(&Stream::License(code("PL1234")), CONFIRMED, 1).await;
}

/// Polls a future once.
async fn poll_once<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn so_many_unknown_codes_are_asked_about_in_an_hour_and_another_seller_is_not_touched_by_it() {
    let world = World::new();
    let other = SellerId::parse("other").unwrap();
    let marketplaces = [seller(), other.clone()].map(|seller| (seller, world.marketplace.clone() as _));
    let desk = CodeDesk::new(world.commands.clone(), marketplaces.into(), CodeMetrics::unregistered());
    for number in 0..700 {
        world.marketplace.plan(&format!("query GUESS{number}"), &[NOT_EXIST]);
        let expected = if number < 600 { Confirmed::NotExist } else { Confirmed::Later };
        assert_eq!(confirm(&desk, &format!("GUESS{number}")).await, expected, "{number}");
    }
    assert_eq!(world.marketplace.asked_in_all(), 600);
    let guess = LicenseCode::parse("GUESS699").unwrap();
    assert_eq!(desk.confirm(&other, &guess).await, Confirmed::NotExist);
}

#[tokio::test]
async fn a_known_code_is_asked_about_once_a_day_and_only_news_are_appended() {
    let world = World::new();
    let key = code("PL1234");
    world.confirm(&key, CodeState::Alive).await;
    let alive = says(CodeState::Alive);
    world.marketplace.plan("query PL1234", &[alive, says(CodeState::Expired)]);
    world.marketplace.plan("query PL5678", &[says(CodeState::Alive)]);
    let desk = desk(&world);
    let [of_key, other] = ["PL1234", "PL5678"].map(|text| LicenseCode::parse(text).unwrap());
    for _ in 0..5 {
        desk.refresh_daily(&seller(), &of_key);
    }
    world.marketplace.until_asked("query PL1234", 1).await;
    desk.refresh_daily(&seller(), &other);
    world.until(&Stream::License(code("PL5678")), CONFIRMED, 1).await;
    assert_eq!(world.license_kinds(&key).await, [CONFIRMED], "the same answer is no news");
    world.pass(TimeDelta::hours(24));
    desk.refresh_daily(&seller(), &of_key);
    world.until(&Stream::License(key), CONFIRMED, 2).await;
    assert_eq!(world.marketplace.asked("query PL1234"), 2);
}

#[tokio::test]
async fn a_daily_question_that_failed_is_asked_again_the_same_day() {
    let world = World::new();
    world.marketplace.plan("query PL1234", &[Does::Fail(ErrorKind::Transient), says(CodeState::Alive)]);
    let desk = desk(&world);
    let code_asked = LicenseCode::parse("PL1234").unwrap();
    desk.refresh_daily(&seller(), &code_asked);
    world.marketplace.until_asked("query PL1234", 1).await;
    // While the marketplace is away nobody asks; afterwards the next check does.
    while world.marketplace.asked("query PL1234") < 2 {
        world.pass(TimeDelta::seconds(10));
        desk.refresh_daily(&seller(), &code_asked);
        tokio::task::yield_now().await;
    }
    world.until(&Stream::License(code("PL1234")), CONFIRMED, 1).await;
}
