use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::open_api::ORDER_QUERY_PATH;
use crate::open_api::signing::{Request, verify};

const ORDER: &str = "CS2207261447AUY4H";

fn now() -> DateTime<Utc> {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn client(base: &str) -> Result<OpenApi, SetupError> {
    OpenApi::new(Site::Cn, Some(Url::parse(base).unwrap()), "test-ak".into(), "test-sk".into())
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn success() -> String {
    let body = format!(
        r#"{{"resultCode":"MKT.0000","orderInfo":{{"orderId":"{ORDER}","orderLine":[{{"orderLineId":"{ORDER}-000001"}}]}}}}"#
    );
    answer("200 OK", &body)
}

/// A host on this machine that answers one request, and tells what it was asked.
async fn host(answer: String) -> (Url, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![];
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(request.clone()).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).await.unwrap();
        request.extend(body);
        // A client that has read enough may hang up.
        let _ = stream.write_all(answer.as_bytes()).await;
        String::from_utf8(request).unwrap()
    });
    (url, asked)
}

/// A port on which nobody listens.
async fn nobody() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap()
}

async fn ask(open_api: &OpenApi) -> Result<OrderAnswer, OpenApiError> {
    open_api.query_order(&OrderId::parse(ORDER).unwrap(), None, now()).await
}

#[tokio::test]
async fn what_is_sent_verifies_as_the_marketplace_would_verify_it() {
    let (mut url, asked) = host(success()).await;
    url.set_path("/under/here/");
    let open_api = client(url.as_str()).unwrap();
    let line = OrderLineId::parse("odd line/1").unwrap();
    let answer = open_api.query_order(&OrderId::parse(ORDER).unwrap(), Some(&line), now()).await.unwrap();
    assert_eq!(answer.lines.len(), 1);

    let asked = asked.await.unwrap();
    let (request_line, rest) = asked.split_once("\r\n").unwrap();
    let path = format!("/under/here{ORDER_QUERY_PATH}");
    assert_eq!(request_line, format!("GET {path}?orderId={ORDER}&orderLineId=odd%20line%2F1 HTTP/1.1"));
    let headers: Vec<_> = rest.lines().filter_map(|line| line.split_once(':')).collect();
    let query = [("orderId".into(), ORDER.into()), ("orderLineId".into(), "odd line/1".into())];
    let received = Request { method: "GET", path: &path, query: &query, headers: &headers, body: b"" };
    assert_eq!(verify(&received, "test-ak", "test-sk"), Ok(now()));
}

#[tokio::test]
async fn the_second_host_is_asked_when_the_first_cannot_be_reached() {
    let mut open_api = client(nobody().await.as_str()).unwrap();
    assert_eq!(ask(&open_api).await.unwrap_err().kind, ErrorKind::Transient);
    let (fallback, _) = host(success()).await;
    open_api.fallback = Some(fallback);
    assert!(ask(&open_api).await.is_ok());
}

#[tokio::test]
async fn the_second_host_is_asked_when_a_gateway_answers_for_the_first() {
    let (base, _) = host(answer("503 Service Unavailable", "<html></html>")).await;
    let (fallback, _) = host(success()).await;
    let mut open_api = client(base.as_str()).unwrap();
    open_api.fallback = Some(fallback);
    assert!(ask(&open_api).await.is_ok());
}

#[tokio::test]
async fn an_answer_of_the_first_host_is_final() {
    let body = r#"{"resultCode":"MKT.0999","resultMsg":"internal error"}"#;
    let (base, _) = host(answer("500 Internal Server Error", body)).await;
    let mut open_api = client(base.as_str()).unwrap();
    open_api.fallback = Some(nobody().await);
    assert_eq!(ask(&open_api).await.unwrap_err().message, "MKT.0999: internal error (HTTP 500)");
}

#[tokio::test]
async fn redirects_are_not_followed_and_answers_are_bounded() {
    let (base, _) = host("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n".into()).await;
    let refused = ask(&client(base.as_str()).unwrap()).await.unwrap_err();
    assert_eq!(refused, OpenApiError::new(ErrorKind::Refused, "HTTP 302 without a JSON object"));

    let (base, _) = host(answer("200 OK", &" ".repeat(LONGEST_ANSWER + 1))).await;
    let endless = ask(&client(base.as_str()).unwrap()).await.unwrap_err();
    assert_eq!(endless.kind, ErrorKind::Malformed);
}

#[test]
fn every_site_has_a_client_and_china_a_second_host() {
    for site in [Site::Cn, Site::Intl, Site::Eu] {
        let open_api = OpenApi::new(site, None, "test-ak".into(), "test-sk".into()).unwrap();
        assert_eq!(open_api.base.host_str(), Some(site.hosts()[0]));
        assert_eq!(open_api.fallback.is_some(), site == Site::Cn);
        assert!(!format!("{open_api:?}").contains("test-sk"));
    }
}

#[test]
fn plain_http_is_for_loopback_only() {
    for base in ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000/mock", "https://api.example.com"] {
        assert!(client(base).is_ok(), "{base}");
    }
    let plain = client("http://user:password@api.example.com:81/x").unwrap_err();
    assert!(matches!(&plain, SetupError::PlainHttp { url } if url == "http://api.example.com:81"), "{plain}");
    assert!(matches!(client("http://127.0.0.1.example.com"), Err(SetupError::PlainHttp { .. })));
    assert!(matches!(client("ftp://127.0.0.1"), Err(SetupError::Scheme { .. })));
}

fn code() -> LicenseCode {
    LicenseCode::parse("PL0001TEST").unwrap()
}

fn done() -> String {
    answer("200 OK", r#"{"error_code":"92020000","error_msg":"success"}"#)
}

/// The path, the headers and the body of a request that was signed by the seller.
fn authentic_post(asked: &str) -> (String, Vec<(String, String)>, String) {
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    let (request_line, head) = head.split_once("\r\n").unwrap();
    let path = request_line.strip_prefix("POST ").and_then(|rest| rest.strip_suffix(" HTTP/1.1")).unwrap();
    let headers: Vec<_> = head.lines().filter_map(|line| line.split_once(':')).collect();
    let received = Request { method: "POST", path, query: &[], headers: &headers, body: body.as_bytes() };
    assert_eq!(verify(&received, "test-ak", "test-sk"), Ok(now()), "{asked}");
    let owned = |(name, value): &(&str, &str)| (name.to_lowercase(), value.trim().to_owned());
    (path.into(), headers.iter().map(owned).collect(), body.into())
}

#[tokio::test]
async fn codes_are_activated_and_asked_for_by_the_version_in_use() {
    let alive = r#"{"error_code":"92020000","data":{"status":"ALIVE"}}"#;
    for (api, path, body) in [
        (LicenseApi::V1, "v1", r#"{"license":"PL0001TEST"}"#),
        (LicenseApi::V2, "v2", r#"{"license_list":["PL0001TEST"]}"#),
    ] {
        let (url, asked) = host(answer("500 Internal Server Error", alive)).await;
        let open_api = client(url.as_str()).unwrap().with_license_api(api);
        let outcome = open_api.activate_code(&code(), now()).await.unwrap();
        assert!(matches!(outcome, CodeOutcome::Known { .. }), "{outcome:?}");
        let asked = authentic_post(&asked.await.unwrap());
        assert_eq!(asked.0, format!("/api/mkp-openapi-public/global/{path}/license/activate"));
        assert_eq!(asked.2, body);

        let (url, asked) = host(answer("200 OK", alive)).await;
        let open_api = client(url.as_str()).unwrap().with_license_api(api);
        assert!(open_api.query_code(&code(), now()).await.is_ok());
        let asked = authentic_post(&asked.await.unwrap());
        assert_eq!(asked.0, format!("/api/mkp-openapi-public/global/{path}/license/heartbeat"));
        assert_eq!(asked.2, body);
    }
}

#[tokio::test]
async fn an_upload_is_signed_over_its_exact_bytes_or_without_them() {
    let event = EventId::parse("ev/0001").unwrap();
    let upload = Upload::File { name: "license.lic", content: b"abc" };
    for signing in [UploadSigning::ExactBody, UploadSigning::UnsignedPayload] {
        let (mut url, asked) = host(done()).await;
        url.set_path("/under");
        let open_api = client(url.as_str()).unwrap().with_upload_signing(signing);
        open_api.upload_license(&event, upload, now()).await.unwrap();
        let (path, headers, body) = authentic_post(&asked.await.unwrap());
        assert_eq!(path, "/under/api/mkp-openapi-public/global/v1/market-event/ev%2F0001/file");
        assert_eq!(body.into_bytes(), upload.form().unwrap().body);
        let header = |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        assert!(header("content-type").unwrap().starts_with("multipart/form-data; boundary=chopmark-"));
        let unsigned = (signing == UploadSigning::UnsignedPayload).then_some("UNSIGNED-PAYLOAD");
        assert_eq!(header("x-sdk-content-sha256"), unsigned);
    }
}

#[tokio::test]
async fn an_answer_about_a_code_is_bounded() {
    let (url, _) = host(answer("200 OK", &" ".repeat(LONGEST_CODE_ANSWER + 1))).await;
    let endless = client(url.as_str()).unwrap().query_code(&code(), now()).await.unwrap_err();
    assert_eq!(endless.kind, ErrorKind::Malformed);
}

#[tokio::test]
async fn a_license_too_long_for_a_text_is_refused_before_anybody_is_asked() {
    let open_api = client(nobody().await.as_str()).unwrap();
    let text = "x".repeat(1025);
    let refused = open_api.upload_license(&EventId::parse("ev").unwrap(), Upload::Text(&text), now()).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Refused);
}
