//! TLS done by Chopmark itself: HTTP/1.1 whatever the client offers, so that `Body-Sign` keeps its case.

use std::sync::Arc;

use chopmark_huawei::signature::request_signature;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::{BASE_KEY, Home, config};

#[tokio::test]
async fn a_client_that_offers_h2_gets_http_1_1_and_body_sign_in_its_case() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let home = Home::new(&format!("tls.cert = \"cert.pem\"\ntls.key = \"key.pem\"\n{}", config("")));
    std::fs::write(home.folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(home.folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let server = home.serve().await;
    assert!(server.callbacks.to_string().starts_with("https://"));

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tcp = TcpStream::connect((server.callbacks.host(), server.callbacks.port())).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(client)).connect(name, tcp).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));

    let body = r#"{"activity":"newInstance","businessId":"b","orderId":"CS1","orderLineId":"CS1-000001"}"#;
    let timestamp = chrono::Utc::now().timestamp_millis().to_string();
    let signature = hex::encode(request_signature(BASE_KEY.as_bytes(), "n", &timestamp, body.as_bytes()));
    let request = format!(
        "POST /callbacks/acme?signature={signature}&timestamp={timestamp}&nonce=n HTTP/1.1\r\nHost: localhost\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // The server may end without a TLS goodbye.
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nBody-Sign: sign_type=\"HMAC-SHA256\", signature=\""), "{answer}");
    assert!(answer.contains("\r\nContent-Type: application/json"), "{answer}");

    let target = format!("https://localhost:{}", server.callbacks.port());
    let play = ["simulate", "--target", &target, "--seller", "acme", "--key", BASE_KEY, "--scenario", "dialtest"];
    let distrusted = home.run(&play);
    assert_eq!(distrusted.status.code(), Some(1), "a certificate of nobody known is not trusted");
    home.ok(&[&play[..], &["--ca", "cert.pem"]].concat());
    let no_certificate = home.run(&[&play[..], &["--ca", "chopmark.toml"]].concat());
    assert_eq!(no_certificate.status.code(), Some(2), "{}", String::from_utf8_lossy(&no_certificate.stderr));
}
