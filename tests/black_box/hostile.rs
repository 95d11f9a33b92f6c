//! What the internet sends: nothing of it reaches the log, and the server keeps answering.

use std::time::Duration;

use rand::{Rng, RngCore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{BASE_KEY, Home, Server, config, post, signed};

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect((server.callbacks.host(), server.callbacks.port())).await.unwrap()
}

/// Kilobytes of the server in memory.
fn resident_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn noise_changes_nothing() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let instance = server.buy().await;
    let position = server.position().await;
    let mut rng = rand::rng();
    for n in 0..2_000 {
        let mut body = vec![0; rng.random_range(0..2_000)];
        rng.fill_bytes(&mut body);
        if n % 3 == 0 {
            body = format!("{{\"activity\":\"newInstance\",\"x\":\"{}\"}}", hex::encode(&body)).into_bytes();
        }
        let now = chrono::Utc::now().timestamp_millis();
        let query = match n % 6 {
            // Rightly signed, and nonsense all the same.
            0 | 5 => signed(BASE_KEY, &now.to_string(), &body),
            1 => format!("signature={}&timestamp=1&nonce=", hex::encode(&body[..body.len().min(32)])),
            2 => "signature=%ff%fe&timestamp=%00&nonce=%zz".into(),
            3 => format!("timestamp={now}&timestamp={now}"),
            _ => format!("signature=00&timestamp={now}&nonce=n"),
        };
        let content_type = ["text/html", "application/json", "multipart/form-data", ""][n % 4];
        let target = format!("/callbacks/acme?{query}");
        let response = post(&server.callbacks, &target, &[("Content-Type", content_type)], &body).await;
        assert_eq!(response.status, 200);
        let code = if matches!(n % 6, 0 | 5) { "000002" } else { "00000" };
        assert!(response.body.starts_with(format!("{{\"resultCode\":\"{code}").as_bytes()), "{n}");
        assert!(!response.body.starts_with(b"{\"resultCode\":\"000000"), "{n}");
    }
    assert_eq!(server.position().await, position);
    assert_eq!(server.check(&instance).await["code"], "VALID");
}

#[tokio::test]
async fn an_enormous_body_is_refused_and_the_sender_hung_up_on() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let before = resident_kib(&server);
    for head in ["Content-Length: 104857600000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let mut stream = connect(&server).await;
        let head = format!("POST /callbacks/acme?signature=00&timestamp=1&nonce=n HTTP/1.1\r\nHost: x\r\n{head}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = stream.into_split();
        let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 65_536], b"\r\n"].concat();
        let sending = async move { while writing.write_all(&chunk).await.is_ok() {} };
        let mut answer = String::new();
        // The server may reset rather than close: the sender never stops.
        let receiving = async { drop(reading.read_to_string(&mut answer).await) };
        let both = async { tokio::join!(sending, receiving) };
        let ended = tokio::time::timeout(Duration::from_secs(30), both).await;
        assert!(ended.is_ok(), "the server hangs up on {head}");
        assert!(answer.contains("\"resultCode\":\"000002\""), "{answer}");
    }
    assert!(resident_kib(&server) < before + 65_536, "memory stays bounded");
    server.buy().await;
}

#[tokio::test]
async fn slow_senders_are_cut_off_and_hinder_nobody() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let mut slow = vec![];
    for n in 0..200 {
        let mut stream = connect(&server).await;
        let start = match n % 3 {
            0 => "POST /call",
            1 => {
                "POST /callbacks/acme?signature=00&timestamp=1&nonce=n HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"
            }
            _ => "",
        };
        stream.write_all(start.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    server.buy().await;
    let position = server.position().await;
    for mut stream in slow {
        let ended = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut vec![])).await;
        assert!(ended.is_ok(), "a slow sender is cut off");
    }
    assert_eq!(server.position().await, position);
    server.buy().await;
}

#[tokio::test]
async fn what_is_not_http_is_hung_up_on() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let mut rng = rand::rng();
    for _ in 0..200 {
        let mut bytes = vec![0; 512];
        rng.fill_bytes(&mut bytes);
        let mut stream = connect(&server).await;
        // It may hang up while we still write.
        let _ = stream.write_all(&bytes).await;
    }
    server.buy().await;
}
