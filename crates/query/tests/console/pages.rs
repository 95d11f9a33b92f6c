//! What the pages of licenses and deliveries say.

use chopmark_domain::at_risk::OrderAtRisk;
use chopmark_domain::license::Command;
use chopmark_journal::Delivery;

use crate::browser::Browser;
use crate::house::{House, order, seller, time};

fn delivery(order: &str, result: &str) -> Delivery {
    Delivery {
        at: time("2026-11-24T11:00:00Z"),
        seller: "acme".into(),
        activity: Some("newInstance".into()),
        test: false,
        authenticated: true,
        subject: None,
        order: Some(order.into()),
        order_line: Some(format!("{order}-1")),
        result_code: result.into(),
        reason: None,
        millis: 1.5,
        remote: None,
        body: "{\"activity\":\"newInstance\"}".into(),
        answer: "{}".into(),
    }
}

#[actix_web::test]
async fn an_empty_console_says_what_to_do() {
    let house = House::new().await;
    let mut browser = Browser::of(&house, "admin-token").await;
    browser.get("/console/licenses").await.has("No licenses").has("dial test");
    browser.get("/console/licenses?id=nobody").await.has("Nothing matches");
    browser.get("/console/deliveries").await.has("Nothing is at risk").has("Nothing came yet");
    browser.get("/console/deliveries?tab=rejected").await.has("Every request was signed");
}

#[actix_web::test]
async fn a_license_is_found_by_the_beginning_of_its_id_and_shown_with_its_time_line() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "seated", "2027-11-24T00:00:00Z").await;
    let other = house.buy_known("CS2", "saas", "2027-11-24T00:00:00Z").await;
    let mut browser = Browser::of(&house, "acme-token").await;
    let id = key.id.as_str();
    let list = browser.get(&format!("/console/licenses?id={}", &id[..8])).await;
    list.has(id).has_not(other.id.as_str()).has("2027-11-24 08:00:00").has("0 / 3");
    let page = browser.get(&format!("/console/licenses/{id}?seller=acme")).await;
    page.has("Bought").has("facts became known").has("CS1-000001").has("Valid").has("instance_created.v1");
}

#[actix_web::test]
async fn a_license_is_shown_as_it_was_with_what_had_happened_by_then() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", "2027-11-24T00:00:00Z").await;
    house.run(&key, Command::Block("charged back".into())).await;
    let mut browser = Browser::of(&house, "acme-token").await;
    let id = key.id.as_str();
    browser.get(&format!("/console/licenses/{id}")).await.has("charged back").has("license_blocked.v1");
    let form = browser.get(&format!("/console/licenses/{id}?seller=acme&then=2026-11-24T20:30")).await;
    let then = format!("/console/licenses/{id}?seller=acme&as_of=2026-11-24T12%3A30%3A00Z");
    assert_eq!((form.status, form.header("location")), (303, then.as_str()));
    // Events carry the log's own time: the page links to the license as it was with each.
    let page = browser.get(&format!("/console/licenses/{id}")).await;
    let link = page.text.split("href=\"").find(|part| part.contains("as_of=")).unwrap().split('"').next().unwrap();
    let page = browser.get(&link.replace("&#38;", "&").replace("&amp;", "&")).await;
    page.has("Shown as it was at").has("Bought").has_not("license_blocked.v1").has_not("charged back");
    assert_eq!(browser.get(&format!("/console/licenses/{id}?then=yesterday")).await.status, 400);
}

#[actix_web::test]
async fn what_is_at_risk_comes_first_with_the_time_that_is_left() {
    let house = House::new().await;
    house.journal.record(delivery("CS1", "000005"));
    house.journal.record(delivery("CS2", "000000"));
    house.at_risk.lock().unwrap().push(OrderAtRisk {
        seller: seller("acme"),
        order_id: order("CS9").order_id,
        since: time("2026-11-24T10:00:00Z"),
        attempts: 7,
        reason: Some("the open API does not answer".into()),
        abandoned: true,
    });
    let mut browser = Browser::of(&house, "acme-token").await;
    let page = browser.get("/console/deliveries").await;
    page.has("CS1-1").has("2 h 00 min").has("CS9").has("given up").has("the open API does not answer");
    assert!(page.text.find("id=\"risk\"").unwrap() < page.text.find("id=\"list\"").unwrap());
    browser.get("/console/deliveries?order=CS2").await.has("CS2-1");
}

#[actix_web::test]
async fn dial_tests_and_strangers_have_lists_of_their_own() {
    let house = House::new().await;
    house.journal.record(Delivery { test: true, ..delivery("TEST1", "000000") });
    let stranger =
        Delivery { authenticated: false, reason: Some("signature_wrong".into()), ..delivery("STRANGE1", "000001") };
    house.journal.record(stranger);
    let mut browser = Browser::of(&house, "acme-token").await;
    browser.get("/console/deliveries?tab=tests").await.has("TEST1").has_not("STRANGE1");
    browser.get("/console/deliveries?tab=rejected").await.has("STRANGE1").has("wrong signature").has_not("TEST1");
}

#[actix_web::test]
async fn pages_speak_chinese() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", "2027-11-24T00:00:00Z").await;
    let mut browser = Browser::of(&house, "acme-token").await;
    browser.post("/console/language", &[("to", "zh"), ("back", "/console")]).await;
    browser.get("/console/licenses").await.has("许可证").has("有效").has_not("Licenses");
    browser.get(&format!("/console/licenses/{}", key.id.as_str())).await.has("时间线").has("获知订单内容");
    browser.get("/console/deliveries").await.has("没有风险");
    browser.get("/console/nowhere").await.has("页面不存在");
}

#[actix_web::test]
async fn a_question_that_cannot_be_read_is_explained_in_a_page() {
    let house = House::new().await;
    let mut browser = Browser::of(&house, "acme-token").await;
    for uri in ["/console/licenses?sttus=active", "/console/deliveries?tab=mine", "/console/licenses?cursor=zzz"] {
        let page = browser.get(uri).await;
        assert_eq!((page.status, page.header("content-type")), (400, "text/html; charset=utf-8"), "{uri}");
        page.has("That cannot be read");
    }
}
