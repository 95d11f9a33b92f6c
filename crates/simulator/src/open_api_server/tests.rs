use std::time::Duration;

use chopmark_domain::ids::{OrderId, OrderLineId};
use chopmark_huawei::open_api::{ErrorKind, ORDER_QUERY_PATH, OpenApi, signing};
use chopmark_huawei::site::Site;

use super::*;
use crate::http::{Connection, Request, Response};
use crate::orders::{MOCK_ORDERS, Product};

fn start() -> OpenApiServer {
    let credentials = Credentials { access_key: "test".into(), secret_key: "123".into() };
    OpenApiServer::start(0, credentials, Orders::with_mocks(&Product::default(), Utc::now())).unwrap()
}

/// Asks for an order with a signature under a secret key.
async fn ask(server: &OpenApiServer, query: &[(&str, &str)], secret_key: &str) -> Response {
    let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (host, date) = (server.url().authority(), signing::format_date(Utc::now()));
    let signed = signing::Request {
        method: "GET",
        path: ORDER_QUERY_PATH,
        query: &query,
        headers: &[("host", &host), ("x-sdk-date", &date)],
        body: b"",
    };
    let authorization = signing::sign(&signed, "test", secret_key, &date);
    let request = Request {
        method: "GET",
        host: &host,
        target: &format!("{ORDER_QUERY_PATH}?{}", signing::query_string(&query)),
        headers: &[("X-Sdk-Date", &date), ("Authorization", &authorization)],
        body: b"",
    };
    Connection::to(&server.url()).send(&request.to_bytes()).await.unwrap().to_response()
}

fn code(response: &Response) -> (u16, String) {
    let json: Value = serde_json::from_slice(&response.body).unwrap();
    (response.status, json["resultCode"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn signed_questions_are_answered_and_no_others() {
    let server = start();
    let line = ("orderLineId", "MOCKONDEMAND-000001");
    let response = ask(&server, &[("orderId", "MOCKONDEMAND"), line], "123").await;
    assert_eq!(code(&response), (200, "MKT.0000".into()));
    let json: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(json["orderInfo"]["orderLine"][0]["chargingMode"], "ON_DEMAND");
    assert_eq!(json["orderInfo"]["buyerInfo"]["customerName"], "zhangsan");

    let unknown = ask(&server, &[("orderId", "CS404")], "123").await;
    assert_eq!(code(&unknown), (400, "MKT.0101".into()));
    let other_line = ask(&server, &[("orderId", "MOCKONDEMAND"), ("orderLineId", "x")], "123").await;
    assert_eq!(code(&other_line), (400, "MKT.0101".into()));
    assert_eq!(code(&ask(&server, &[], "123").await), (400, "MKT.0101".into()));
    let forged = ask(&server, &[("orderId", "MOCKONDEMAND")], "124").await;
    assert_eq!(code(&forged), (401, "MKT.0154".into()));
    assert_eq!(server.calls(), 5);
    server.stop().await;
}

#[tokio::test]
async fn faults_come_in_the_order_given_and_then_pass() {
    let server = start();
    let faults = server.faults();
    faults.inject(Fault::Internal, 2);
    faults.inject(Fault::TooManyRequests, 1);
    faults.inject(Fault::Status(502), 1);
    faults.inject(Fault::NotJson, 1);
    faults.inject(Fault::Delay(Duration::from_millis(30)), 1);
    let query = [("orderId", "MOCKONETIMENEW")];
    for _ in 0..2 {
        assert_eq!(code(&ask(&server, &query, "123").await), (500, "MKT.0999".into()));
    }
    assert_eq!(code(&ask(&server, &query, "123").await), (406, "MKT.0250".into()));
    assert_eq!(ask(&server, &query, "123").await.status, 502);
    let broken = ask(&server, &query, "123").await;
    assert_eq!(broken.status, 200);
    assert!(serde_json::from_slice::<Value>(&broken.body).is_err());
    let delayed = ask(&server, &query, "123").await;
    assert!(delayed.elapsed >= Duration::from_millis(30));
    assert_eq!(code(&delayed).0, 200);
    faults.inject(Fault::Internal, 5);
    faults.clear();
    assert_eq!(code(&ask(&server, &query, "123").await).0, 200);
}

#[tokio::test]
async fn the_sellers_client_reads_every_mock_order() {
    let server = start();
    let base = reqwest::Url::parse(&server.url().to_string()).unwrap();
    let client = OpenApi::new(Site::Cn, Some(base), "test".into(), "123".into()).unwrap();
    for id in MOCK_ORDERS {
        let order = OrderId::parse(id).unwrap();
        let line = OrderLineId::parse(&format!("{id}-000001")).unwrap();
        let answer = client.query_order(&order, Some(&line), Utc::now()).await.unwrap();
        let Entry::Known(known) = server.state.orders.look_up(id, None) else {
            panic!("{id} is missing");
        };
        let [facts] = answer.lines.as_slice() else {
            panic!("{id} has one line, not {:?}", answer.lines);
        };
        assert_eq!((facts.order_type, facts.charging_mode), (known.order_type, known.charging_mode));
        assert_eq!(facts.sku.as_ref().map(|sku| sku.as_str()), Some(known.product.sku.as_str()));
        assert_eq!(facts.expires_at.map(|at| at.timestamp()), known.expires_at.map(|at| at.timestamp()));
        assert!(!answer.kept_json.contains("zhangsan"), "the buyer is cut out");
    }
    let unknown = client.query_order(&OrderId::parse("CS404").unwrap(), None, Utc::now()).await;
    assert_eq!(unknown.unwrap_err().kind, ErrorKind::Refused);
    server.state.orders.withhold("MOCKONDEMAND");
    let withheld = client.query_order(&OrderId::parse("MOCKONDEMAND").unwrap(), None, Utc::now()).await;
    assert_eq!(withheld.unwrap_err().kind, ErrorKind::Transient);
}
