use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;

/// Serves one connection after the other: reads a request, then writes an answer in the given pieces.
/// A connection ends where the inner list ends.
async fn serve(connections: Vec<Vec<Vec<&'static str>>>) -> (Url, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::from(listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        for answers in connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            for pieces in answers {
                read_request(&mut stream).await;
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        }
    });
    (url, served)
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) {
    let mut bytes = vec![];
    while !bytes.ends_with(b"\r\n\r\nhello") {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "the request ended early");
    }
}

fn hello(url: &Url) -> Vec<u8> {
    Request {
        method: "POST",
        host: &url.authority(),
        target: "/x?y=1",
        headers: &[("Accept", "application/json")],
        body: b"hello",
    }
    .to_bytes()
}

#[test]
fn a_request_is_written_as_given() {
    let request = hello(&"http://isv.example.com".parse().unwrap());
    assert_eq!(
        String::from_utf8(request).unwrap(),
        "POST /x?y=1 HTTP/1.1\r\nHost: isv.example.com\r\nAccept: application/json\r\nContent-Length: 5\r\n\r\nhello"
    );
}

#[tokio::test]
async fn one_connection_carries_many_exchanges_and_header_names_keep_their_letters() {
    let (url, served) = serve(vec![vec![
        vec!["HTTP/1.1 200 OK\r\nBody-Sign: a\r\ncontent-LENGTH: 2\r\n\r\nok"],
        vec!["HTTP/1.1 40", "0 Bad\r\nbody-sign: ", "b\r\nContent-Length: 4\r\n", "\r\nno", "pe"],
        vec!["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n"],
    ]])
    .await;
    let mut connection = Connection::to(&url);
    let first = connection.send(&hello(&url)).await.unwrap().to_response();
    assert_eq!((first.status, first.body.as_slice()), (200, &b"ok"[..]));
    assert_eq!(first.headers[0], ("Body-Sign".into(), "a".into()));
    assert_eq!(first.header("Content-Length"), Some("2"));
    let second = connection.send(&hello(&url)).await.unwrap().to_response();
    assert_eq!((second.status, second.body.as_slice()), (400, &b"nope"[..]));
    assert_eq!(second.headers[0].0, "body-sign");
    let third = connection.send(&hello(&url)).await.unwrap();
    assert_eq!((third.status, third.body), (204, &b""[..]));
    served.await.unwrap();
}

#[tokio::test]
async fn chunks_are_put_together_wherever_they_are_cut() {
    let (url, served) = serve(vec![vec![
        vec![
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3",
            ";ext=1\r\nab",
            "c\r",
            "\nA\r\n0123456789\r\n0\r\nTrailer: x\r",
            "\n\r\n",
        ],
        vec!["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"],
    ]])
    .await;
    let mut connection = Connection::to(&url);
    assert_eq!(connection.send(&hello(&url)).await.unwrap().body, b"abc0123456789");
    assert_eq!(connection.send(&hello(&url)).await.unwrap().body, b"z");
    served.await.unwrap();
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_opened_again() {
    let (url, served) = serve(vec![
        vec![vec!["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"]],
        vec![vec!["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n2"]],
        vec![vec!["HTTP/1.0 200 OK\r\n\r\nuntil the end"]],
    ])
    .await;
    let mut connection = Connection::to(&url);
    for expected in ["1", "2", "until the end"] {
        let exchange = connection.send(&hello(&url)).await.unwrap();
        assert_eq!(exchange.body, expected.as_bytes());
    }
    served.await.unwrap();
}

#[tokio::test]
async fn what_is_not_a_whole_answer_is_an_error() {
    let answers = [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        "ICY 200 OK\r\n\r\n",
    ];
    let (url, served) = serve(answers.iter().map(|answer| vec![vec![*answer]]).collect()).await;
    let limits = Limits { body: 1000, ..Limits::default() };
    let mut errors = vec![];
    for _ in answers {
        let mut connection = Connection::to(&url).with_limits(limits);
        errors.push(connection.send(&hello(&url)).await.unwrap_err());
    }
    assert!(matches!(errors[0], HttpError::Closed));
    assert!(matches!(errors[1], HttpError::Truncated));
    assert!(matches!(errors[2], HttpError::Truncated));
    assert!(matches!(errors[3], HttpError::TooLarge { limit: 1000 }));
    assert!(matches!(errors[4], HttpError::Malformed { .. }));
    assert!(matches!(errors[5], HttpError::TooLarge { limit: 1000 }));
    assert!(matches!(errors[6], HttpError::Malformed { .. }));
    assert!(matches!(errors[7], HttpError::Malformed { .. }));
    served.await.unwrap();
    assert!(matches!(Connection::to(&url).send(&hello(&url)).await.unwrap_err(), HttpError::Connect { .. }));
}

#[tokio::test]
async fn an_answer_that_never_comes_ends_at_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::from(listener.local_addr().unwrap());
    let limits = Limits { exchange: Duration::from_millis(20), ..Limits::default() };
    let mut connection = Connection::to(&url).with_limits(limits);
    let error = connection.send(&hello(&url)).await.unwrap_err();
    assert!(matches!(error, HttpError::Timeout { .. }));
}

#[tokio::test]
async fn https_is_spoken_with_the_given_trust_and_with_no_other() {
    let provider = || Arc::new(rustls::crypto::ring::default_provider());
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let server = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    let trusting = |roots| {
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        Some(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.cert.der().clone()).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url: Url = format!("https://localhost:{port}").parse().unwrap();
    let served = tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsafe").await.unwrap();
        stream.flush().await.unwrap();
        assert!(acceptor.accept(listener.accept().await.unwrap().0).await.is_err());
    });
    let mut connection = Connection::to(&url).with_tls(trusting(roots));
    assert_eq!(connection.send(&hello(&url)).await.unwrap().body, b"safe");
    let mut distrusting = Connection::to(&url).with_tls(trusting(rustls::RootCertStore::empty()));
    assert!(matches!(distrusting.send(&hello(&url)).await, Err(HttpError::Connect { .. })));
    assert!(matches!(Connection::to(&url).send(&hello(&url)).await, Err(HttpError::NoTls { .. })));
    served.await.unwrap();
}
