//! Order facts: all mock orders of the marketplace, failures of its API, and facts that come late.

use std::time::Duration;

use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::orders::{MOCK_ORDERS, Product};
use chopmark_simulator::{Credentials, Fault, Message, OpenApiServer, OrderLine, Orders};
use chrono::Utc;
use serde_json::{Value, json};

use crate::support::{Home, Server, config};

async fn marketplace() -> (OpenApiServer, Home) {
    let credentials = Credentials { access_key: "AK".into(), secret_key: "SK".into() };
    let orders = Orders::with_mocks(&Product::default(), Utc::now());
    let open_api = OpenApiServer::start(0, credentials, orders).unwrap();
    let home = Home::new(&config(&format!(
        "open_api = {{ access_key = {{ value = \"AK\" }}, secret_key = {{ value = \"SK\" }}, base_url = \"{}\" }}",
        open_api.url()
    )));
    (open_api, home)
}

/// Checks until the facts are known.
async fn known(server: &Server, instance: &str) -> Value {
    for _ in 0..400 {
        let checked = server.check(instance).await;
        if checked["license"]["facts"] == "known" {
            return checked;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the facts never came: {}", server.look_up("/v1/deliveries").await);
}

async fn buy(server: &Server, order: &str) -> String {
    let answer = server.call(&Message::NewInstance { order: OrderLine::first_of(order) }).await;
    answer["instanceId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_mock_order_is_understood() {
    let (_open_api, home) = marketplace().await;
    let server = home.serve().await;
    for order in MOCK_ORDERS {
        let instance = buy(&server, order).await;
        let checked = known(&server, &instance).await;
        assert_eq!(checked["license"]["product"], "a63ee5c9-0000", "{order}: {checked}");
        assert_eq!(checked["license"]["entitlements"], json!({ "reports": true, "users": 20 }), "{order}");
    }
}

#[tokio::test]
async fn facts_that_come_late_come_all_the_same_and_a_license_is_valid_meanwhile() {
    let (open_api, home) = marketplace().await;
    let server = home.serve().await;
    open_api.faults().inject(Fault::Internal, 2);
    let instance = buy(&server, "MOCKPERIODYEARNEW").await;
    let before = server.check(&instance).await;
    assert_eq!((&before["code"], &before["license"]["facts"]), (&json!("VALID"), &json!("pending")));
    assert!(before["license"].get("product").is_none());
    let asked = server.ask(&json!({ "license": instance, "product": "another" })).await;
    assert_eq!(asked["code"], "VALID", "ignorance is no reason for WRONG_PRODUCT");
    let after = known(&server, &instance).await;
    assert_eq!(after["license"]["expiry_approximate"], true);
    let asked = server.ask(&json!({ "license": instance, "product": "another" })).await;
    assert_eq!(asked["code"], "WRONG_PRODUCT");
}

#[tokio::test]
async fn open_work_survives_a_kill() {
    let (open_api, home) = marketplace().await;
    let server = home.serve().await;
    open_api.faults().inject(Fault::Internal, 1_000);
    let instance = buy(&server, "MOCKPERIODYEARNEW").await;
    server.call(&Message::UpdateInstanceStatus { instance: instance.clone(), status: FreezeStatus::Freeze }).await;
    server.kill();
    open_api.faults().clear();
    let server = home.serve().await;
    let checked = known(&server, &instance).await;
    assert_eq!(checked["code"], "FROZEN");
    assert_eq!(checked["license"]["quantity"], 20);
}

#[tokio::test]
async fn an_order_whose_facts_do_not_come_is_at_risk() {
    let (_open_api, home) = marketplace().await;
    let server = home.serve().await;
    let order = OrderLine::fresh();
    server.call(&Message::NewInstance { order: order.clone() }).await;
    for _ in 0..200 {
        let deliveries = server.look_up("/v1/deliveries?seller=acme").await;
        if deliveries["at_risk"].to_string().contains(&order.order_id) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the order is not shown as at risk");
}
