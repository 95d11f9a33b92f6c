use std::time::Duration;

use chopmark_domain::ids::{EventId, LicenseCode, OrderId, OrderLineId};
use chopmark_domain::license::{CodeAnswer, CodeState};
use chopmark_huawei::open_api::{
    CodeOutcome, ErrorKind, LicenseApi, ORDER_QUERY_PATH, OpenApi, OpenApiError, Upload, UploadSigning, signing,
};
use chopmark_huawei::site::Site;

use chrono::Utc;

use super::*;
use crate::codes::Code;
use crate::http::{Connection, Request, Response};
use crate::orders::{MOCK_ORDERS, Product};
use crate::uploads::Uploaded;

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
        let Entry::Known(known) = server.desk.orders().look_up(id, None) else {
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
    server.desk.orders().withhold("MOCKONDEMAND");
    let withheld = client.query_order(&OrderId::parse("MOCKONDEMAND").unwrap(), None, Utc::now()).await;
    assert_eq!(withheld.unwrap_err().kind, ErrorKind::Transient);
}

fn client(server: &OpenApiServer) -> OpenApi {
    let base = reqwest::Url::parse(&server.url().to_string()).unwrap();
    OpenApi::new(Site::Cn, Some(base), "test".into(), "123".into()).unwrap()
}

/// Enters a code of the yearly mock order in the book.
fn register(server: &OpenApiServer, received: bool) -> LicenseCode {
    let Entry::Known(order) = server.desk().orders().look_up("MOCKPERIODYEARNEW", None) else {
        panic!("the order is missing")
    };
    let code = LicenseCode::parse("PL0001TEST").unwrap();
    server.codes().register(code.as_str(), Code { received, ..Code::of(&order) });
    code
}

fn known(outcome: Result<CodeOutcome, OpenApiError>) -> CodeAnswer {
    match outcome {
        Ok(CodeOutcome::Known { answer, .. }) => answer,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_codes_life_is_told_alike_by_both_versions() {
    for api in [LicenseApi::V1, LicenseApi::V2] {
        let server = start();
        let client = client(&server).with_license_api(api);
        let now = Utc::now();
        let nobodys = LicenseCode::parse("PL404").unwrap();
        assert_eq!(client.activate_code(&nobodys, now).await, Ok(CodeOutcome::NotExist));
        assert_eq!(client.query_code(&nobodys, now).await, Ok(CodeOutcome::NotExist));
        let code = register(&server, false);
        assert_eq!(client.activate_code(&code, now).await, Ok(CodeOutcome::NotReceivedYet));
        assert_eq!(client.query_code(&code, now).await, Ok(CodeOutcome::NotReceivedYet));
        server.codes().receive(code.as_str());
        assert_eq!(known(client.query_code(&code, now).await).state, CodeState::Inactive);

        let activated = known(client.activate_code(&code, now).await);
        assert_eq!(activated.state, CodeState::Alive);
        let order = activated.order.map(|order| order.order_line_id.to_string());
        let told = (api == LicenseApi::V1).then(|| "MOCKPERIODYEARNEW-000001".to_owned());
        assert_eq!(order, told, "a batch is answered success and nothing more");
        assert_eq!(client.activate_code(&code, now).await, Ok(CodeOutcome::AlreadyActive));

        let queried = known(client.query_code(&code, now).await);
        let entry = server.codes().look_up(code.as_str()).unwrap();
        assert_eq!(queried.expires_at.map(|at| at.timestamp()), entry.expires_at.map(|at| at.timestamp()));
        assert_eq!(queried.product_id.unwrap().as_str(), entry.product_id);
        server.codes().set_expiry(code.as_str(), Some(now));
        assert_eq!(known(client.query_code(&code, now).await).state, CodeState::Expired);
        server.codes().set_state(code.as_str(), CodeState::Released);
        assert_eq!(known(client.query_code(&code, now).await).state, CodeState::Released);
        assert_eq!((server.calls_of(Interface::Activate), server.calls_of(Interface::Heartbeat)), (4, 6));
        assert_eq!((server.calls_of(Interface::OrderQuery), server.calls()), (0, 10));
    }
}

#[tokio::test]
async fn uploads_are_entered_in_the_book_however_they_are_signed() {
    let server = start();
    let event = EventId::parse("ev 0001/界").unwrap();
    let file = Upload::File { name: "license.lic", content: b"\r\n--abc\r\n\0" };
    for signing in [UploadSigning::ExactBody, UploadSigning::UnsignedPayload] {
        let client = client(&server).with_upload_signing(signing);
        assert_eq!(client.upload_license(&event, file, Utc::now()).await, Ok(()));
        assert_eq!(client.upload_license(&event, Upload::Text("许可证"), Utc::now()).await, Ok(()));
    }
    let entry = server.uploads().of(event.as_str());
    assert_eq!((entry.attempts, entry.accepted.len()), (4, 4));
    let expected = Uploaded::File { name: "license.lic".into(), content: b"\r\n--abc\r\n\0".to_vec() };
    assert_eq!(entry.accepted[..2], [expected, Uploaded::Text("许可证".into())]);
    assert_eq!(server.calls_of(Interface::Upload), 4);
}

#[tokio::test]
async fn the_license_interfaces_take_the_sellers_signature_alone() {
    let server = start();
    let base = reqwest::Url::parse(&server.url().to_string()).unwrap();
    let stranger = OpenApi::new(Site::Cn, Some(base), "test".into(), "124".into()).unwrap();
    let (code, event, now) = (register(&server, true), EventId::parse("ev").unwrap(), Utc::now());
    let refused = [
        stranger.activate_code(&code, now).await.unwrap_err(),
        stranger.query_code(&code, now).await.unwrap_err(),
        stranger.upload_license(&event, Upload::Text("LIC"), now).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.starts_with("APIGW.0301: the signature is wrong"), "{error}");
    }
    assert_eq!(server.codes().look_up(code.as_str()).unwrap().state, CodeState::Inactive);
    assert_eq!(server.uploads().of("ev").attempts, 0);
}

#[tokio::test]
async fn one_interface_fails_while_the_others_go_on() {
    let server = start();
    let client = client(&server);
    let (code, event, now) = (register(&server, true), EventId::parse("ev").unwrap(), Utc::now());
    let faults = server.faults_of(Interface::Upload);
    faults.inject(Fault::Internal, 1);
    faults.inject(Fault::TooManyRequests, 1);
    faults.inject(Fault::NotJson, 1);
    faults.inject(Fault::Status(502), 1);
    assert!(client.activate_code(&code, now).await.is_ok());
    for expected in [ErrorKind::Transient, ErrorKind::Transient, ErrorKind::Malformed, ErrorKind::Transient] {
        let failed = client.upload_license(&event, Upload::Text("LIC"), now).await.unwrap_err();
        assert_eq!(failed.kind, expected, "{failed}");
    }
    server.uploads().refuse_first(1);
    let refused = client.upload_license(&event, Upload::Text("LIC"), now).await.unwrap_err();
    assert_eq!(refused.message, "92020001: internal error (HTTP 500)");
    assert_eq!(client.upload_license(&event, Upload::Text("LIC"), now).await, Ok(()));
    server.faults().inject(Fault::Internal, 1);
    assert!(client.query_code(&code, now).await.is_err(), "what is ordered for all comes to whoever calls next");
}
