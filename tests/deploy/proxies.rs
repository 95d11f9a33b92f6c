//! The proxies in front: the very programs, with the very configuration, between the marketplace and Chopmark.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{BASE_KEY, Home, Server, config};
use crate::{MISSING, of_repository, run};

/// A proxy that runs. Killed when dropped.
struct Proxy {
    child: Child,
    port: u16,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node that takes connections, reads what it is asked, and hangs up without an answer. It is alive when asked for that.
struct Dying {
    address: String,
    /// Callbacks it died over.
    deaths: Arc<AtomicUsize>,
}

impl Dying {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let deaths = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&deaths);
        // Ends with the test.
        std::thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                let mut asked = [0; 4096];
                let read = connection.read(&mut asked).unwrap_or_default();
                if asked[..read].starts_with(b"GET /livez") {
                    // Whoever has hung up meanwhile needs no answer.
                    let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                } else if asked[..read].starts_with(b"POST /callbacks/") {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { address, deaths }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A certificate for the hosts of the configurations, its own authority: `fullchain.pem`, `key.pem`, and both in
/// `bundle.pem`.
fn certificate(folder: &Path) {
    let hosts = ["checks.example.com", "localhost"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(hosts).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    fs::write(folder.join("fullchain.pem"), &cert).unwrap();
    fs::write(folder.join("key.pem"), &key).unwrap();
    fs::write(folder.join("bundle.pem"), cert + &key).unwrap();
}

/// Everything in a configuration that is of a container becomes of this machine.
fn of_this_machine(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the configuration has no {from}");
        text.replace(from, to)
    })
}

/// nginx, with one node that lives, and one that dies over each callback and answers no checks at all. What plays the
/// marketplace calls `localhost`.
fn nginx(folder: &Path, server: &Server, dying: &Dying) -> Proxy {
    let port = free_port();
    let path = folder.display().to_string();
    let text = fs::read_to_string(of_repository("deploy/proxy/nginx.conf")).unwrap();
    let text = of_this_machine(
        &text,
        &[
            // First, since the folder is there too.
            ("/tmp/", &format!("{path}/")),
            ("/etc/nginx/tls", &path),
            ("/etc/nginx", &path),
            ("8443", &format!("127.0.0.1:{port}")),
        ],
    );
    let nodes = fs::read_to_string(of_repository("deploy/proxy/cluster.conf")).unwrap();
    let (callbacks, api) = (server.callbacks.authority(), server.api.authority());
    let dead = format!("127.0.0.1:{}", free_port());
    let nodes = of_this_machine(
        &nodes,
        &[
            ("10.77.0.11:8080", &dying.address),
            ("10.77.0.12:8080", &callbacks),
            ("10.77.0.21:8081", &dead),
            ("10.77.0.22:8081", &api),
        ],
    );
    fs::write(folder.join("nginx.conf"), text).unwrap();
    fs::write(folder.join("upstreams.conf"), nodes).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
    run(Command::new("nginx").arg("-t").arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")));
    start(command.args(["-g", "daemon off; master_process off;"]), port)
}

/// HAProxy, likewise. It answers to every name.
fn haproxy(folder: &Path, server: &Server, dying: &Dying) -> Proxy {
    let port = free_port();
    let text = fs::read_to_string(of_repository("deploy/proxy/haproxy.cfg")).unwrap();
    let (callbacks, api) = (server.callbacks.authority(), server.api.authority());
    let dead = format!("127.0.0.1:{}", free_port());
    let text = of_this_machine(
        &text,
        &[
            ("/etc/haproxy/tls", &folder.display().to_string()),
            (":8443", &format!("127.0.0.1:{port}")),
            ("10.77.0.11:8080", &dying.address),
            ("10.77.0.12:8080", &callbacks),
            ("10.77.0.21:8081", &dead),
            ("10.77.0.22:8081", &api),
        ],
    );
    let file = folder.join("haproxy.cfg");
    fs::write(&file, text).unwrap();
    run(Command::new("haproxy").args(["-c", "-f"]).arg(&file));
    start(Command::new("haproxy").arg("-f").arg(&file), port)
}

fn start(command: &mut Command, port: u16) -> Proxy {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut proxy = Proxy { child: child.unwrap_or_else(|error| panic!("{command:?}: {error}. {MISSING}")), port };
    for _ in 0..600 {
        assert!(proxy.child.try_wait().unwrap().is_none(), "{command:?} has ended");
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return proxy;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{command:?} does not listen");
}

/// What `openssl s_client` says of a connection that offers HTTP/2 first, and the answer to a callback on it.
fn by_hand(proxy: &Proxy, host: &str, request: &str) -> String {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-alpn", "h2,http/1.1", "-servername", host, "-ign_eof"]);
    client.args(["-connect", &format!("127.0.0.1:{}", proxy.port)]);
    let mut child = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
    let mut answer = vec![];
    child.stdout.take().unwrap().read_to_end(&mut answer).unwrap();
    child.wait().unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The marketplace, over TLS, through this proxy.
fn plays(home: &Home, proxy: &Proxy) {
    let target = format!("https://localhost:{}", proxy.port);
    let play = ["simulate", "--target", &target, "--ca", "fullchain.pem", "--seller", "acme", "--key", BASE_KEY];
    home.ok(&[&play[..], &["--scenario", "purchase", "--scenario", "duplicates", "--scenario", "dialtest"]].concat());

    let post = format!(
        "POST /callbacks/acme HTTP/1.1\r\nHost: localhost:{}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}",
        proxy.port
    );
    let answer = by_hand(proxy, "localhost", &post);
    assert!(answer.contains("ALPN protocol: http/1.1") || answer.contains("No ALPN negotiated"), "{answer}");
    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nBody-Sign: sign_type="), "{answer}");
    assert!(answer.contains("\r\nContent-Type: application/json"), "{answer}");

    let elsewhere = post.replace("/callbacks/acme", "/v1/licenses");
    assert!(by_hand(proxy, "localhost", &elsewhere).contains("HTTP/1.1 404"), "only callbacks are on this host");
    let check = post.replace("/callbacks/acme", "/v1/checks").replace("localhost", "checks.example.com");
    let answer = by_hand(proxy, "checks.example.com", &check);
    assert!(answer.contains("application/problem+json"), "checks are answered on theirs: {answer}");
}

async fn home() -> (Home, Server) {
    let home = Home::new(&config(""));
    certificate(home.folder.path());
    let server = home.serve().await;
    (home, server)
}

#[tokio::test]
async fn callbacks_come_and_go_through_nginx_unchanged_and_none_is_lost_to_a_node_that_dies_over_it() {
    let ((home, server), dying) = (home().await, Dying::new());
    let proxy = nginx(home.folder.path(), &server, &dying);
    plays(&home, &proxy);
    assert!(dying.deaths.load(Ordering::Relaxed) > 0, "the other node was asked");
    server.stop();
}

#[tokio::test]
async fn callbacks_come_and_go_through_haproxy_unchanged_and_none_is_lost_to_a_node_that_dies_over_it() {
    let ((home, server), dying) = (home().await, Dying::new());
    let proxy = haproxy(home.folder.path(), &server, &dying);
    plays(&home, &proxy);
    assert!(dying.deaths.load(Ordering::Relaxed) > 0, "the other node was asked");
    server.stop();
}
