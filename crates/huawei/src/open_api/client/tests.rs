use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
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
