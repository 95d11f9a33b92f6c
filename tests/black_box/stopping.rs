//! Being told to stop in the middle of a request.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{BASE_KEY, Home, Server, config, signed};

const BODY: &str = r#"{"activity":"newInstance","businessId":"b","orderId":"CS1","orderLineId":"CS1-000001"}"#;

/// A request of which the server has read the head, and waits for the body.
async fn request_under_way(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect((server.callbacks.host(), server.callbacks.port())).await.unwrap();
    let query = signed(BASE_KEY, &chrono::Utc::now().timestamp_millis().to_string(), BODY.as_bytes());
    let head = format!(
        "POST /callbacks/acme?{query} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        BODY.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Until nobody takes connections any more.
async fn closed(server: &Server) {
    while TcpStream::connect((server.callbacks.host(), server.callbacks.port())).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_server_ends() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let mut stream = request_under_way(&server).await;
    server.terminate();
    closed(&server).await;
    stream.write_all(BODY.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"resultCode\":\"000000\""), "{answer}");
    assert_eq!(server.ended(), Some(0));
    assert!(home.ok(&["license", "list"]).contains("acme"), "what was acknowledged is in the log");
}

#[tokio::test]
async fn who_says_stop_twice_waits_for_no_request() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let stream = request_under_way(&server).await;
    server.terminate();
    closed(&server).await;
    server.terminate();
    assert_eq!(server.ended(), Some(1));
    drop(stream);
}
