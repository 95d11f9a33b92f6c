//! Growth: who only asks leaves no trace in the log, however often.

use chopmark_simulator::checks::{Ecs, Question};
use serde_json::json;

use crate::shop::{IMAGE, SAAS, Shop, THREE_SEATS};

#[tokio::test]
async fn five_hundred_checks_of_every_kind_append_nothing() {
    let shop = Shop::open().await;
    let (plain, seated, code) =
        (shop.bought(SAAS, 1).await, shop.bought(THREE_SEATS, 1).await, shop.activated(1).await);
    let mut checks = shop.checks();
    assert_eq!(checks.activate(&seated, "m1", None).await.unwrap().status, 201);
    let ecs = Ecs::fresh();
    let enrolled = checks.question(&Question::deployment(IMAGE, &ecs)).await.unwrap();
    let ecs = ecs.with_secret(enrolled["enrolment_secret"].as_str().unwrap());
    let elsewhere = Ecs { region_id: "ap-southeast-3".into(), ..ecs.clone() };
    let questions = [
        (Question::license(&plain), "VALID"),
        (Question { product: Some(SAAS.into()), ..Question::license(&plain).on("any-machine") }, "VALID"),
        (Question { product: Some(THREE_SEATS.into()), ..Question::license(&plain) }, "WRONG_PRODUCT"),
        (Question::license(&seated).on("m1"), "VALID"),
        (Question::license(&seated).on("m2"), "MACHINE_NOT_ACTIVATED"),
        (Question::license(&seated), "MACHINE_REQUIRED"),
        (Question::deployment(IMAGE, &ecs), "VALID"),
        (Question::deployment(IMAGE, &elsewhere), "DEPLOYMENT_CONFLICT"),
        (Question::license(&code), "VALID"),
    ];
    let before = shop.head(&plain).await;
    let mut asked = 0;
    while asked < 500 {
        for (question, code) in &questions {
            let verdict = checks.question(question).await.unwrap();
            assert_eq!(verdict["code"], *code, "{question:?}");
            assert_eq!(verdict["enrolment_secret"], json!(null));
        }
        asked += questions.len();
    }
    for _ in 0..5 {
        assert_eq!(checks.license("10e758d0-31ad-4c4b-8f1b-81d03469a10e").await.unwrap()["code"], "NOT_FOUND");
        assert_eq!(checks.license("PLNOBODY0001").await.unwrap()["code"], "NOT_FOUND");
        assert_eq!(checks.activate(&seated, "m1", None).await.unwrap().status, 200);
        for id in [&plain, &seated, &code, &ecs.uuid] {
            let explained = shop.admin("POST", &format!("/v1/licenses/{id}/explain"), "").await;
            assert_eq!(explained.status, 200);
            for rest in ["", "/history", "?as_of=2040-01-01T00:00:00Z"] {
                shop.server.look_up(&format!("/v1/licenses/{id}{rest}")).await;
            }
        }
        shop.server.look_up(&format!("/v1/licenses/{seated}/machines")).await;
    }
    assert_eq!(shop.head(&plain).await, before);
}
