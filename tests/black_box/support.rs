//! A Chopmark of one's own: a folder, a configuration, the built binary, and hands to drive it.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use chopmark_huawei::signature::request_signature;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, Expected, LogMetrics, NewEvent, Revision, StreamName};
use chopmark_simulator::http::{Connection, Request, Response};
use chopmark_simulator::marketplace::{Delivery, Keys, Marketplace, Style};
use chopmark_simulator::{Message, OrderLine, Url};
use chrono::Utc;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// The key of the base interface in every test.
pub(crate) const BASE_KEY: &str = "test-access-key-0001";
/// The key of license-code delivery.
pub(crate) const CODE_KEY: &str = "test-access-key-0002";
/// The key of the general interface.
pub(crate) const GENERAL_KEY: &str = "test-access-key-0003";

/// A configuration with two sellers and a product of each kind; listeners on free ports.
pub(crate) fn config(more: &str) -> String {
    format!(
        r#"
[listen]
callbacks = "127.0.0.1:0"
api = "127.0.0.1:0"
metrics = "127.0.0.1:0"

[[seller]]
id = "acme"
site = "cn"
keys.base = [{{ value = "{BASE_KEY}" }}]
keys.license_code = [{{ value = "{CODE_KEY}" }}]
keys.general = [{{ value = "{GENERAL_KEY}" }}]
app_info = {{ front_end_url = "https://app.example.com/{{instance_id}}", memo = "欢迎" }}
{more}

[[seller]]
id = "other"
site = "intl"
keys.base = [{{ value = "other-access-key-0001" }}]

[[product]]
sku = "a63ee5c9-0000"
seller = "acme"
kind = "saas"
name = "Example"
entitlements = {{ reports = true, users = "quantity" }}
"#
    )
}

/// The same, where seller `acme` asks an open API that nobody serves.
pub(crate) fn config_with_open_api() -> String {
    let keys = "access_key = { value = \"AK\" }, secret_key = { value = \"SK\" }";
    config(&format!("open_api = {{ {keys}, base_url = \"http://127.0.0.1:9\" }}"))
}

/// The query string of a request signed by hand, so that it can be wrong in any way.
pub(crate) fn signed(key: &str, timestamp: &str, body: &[u8]) -> String {
    let signature = hex::encode_upper(request_signature(key.as_bytes(), "n0nce", timestamp, body));
    format!("signature={signature}&timestamp={timestamp}&nonce=n0nce")
}

/// Appends what a newer version might to a stream.
pub(crate) async fn append_newer(home: &Home, stream: &str) {
    let path = home.data().join("log.db");
    let log = SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
    let renamed = NewEvent {
        id: Uuid::now_v7(),
        kind: Cow::Borrowed("license_renamed.v9"),
        data: b"{\"name\":\"Example\"}".to_vec(),
        metadata: b"{\"cause\":{\"source\":\"system\"}}".to_vec(),
    };
    let stream = StreamName::new(stream).unwrap();
    let last = log.read_stream(&stream, Revision(0), 100).await.unwrap().pop().unwrap();
    log.append(&stream, Expected::Exact(last.revision), vec![renamed]).await.unwrap();
    log.close().await;
}

/// A folder with a configuration, and the binary to run on it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    /// A home with this configuration.
    pub(crate) fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chopmark.toml"), config).unwrap();
        Self { folder }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command on this home.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chopmark"));
        command.args(words).current_dir(self.folder.path()).env_clear().env("RUST_LOG", "warn");
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a command that must succeed, and gives its standard output.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{words:?}: {shown}{}", String::from_utf8_lossy(&output.stderr));
        shown
    }

    /// Starts the server and waits until it is ready.
    pub(crate) async fn serve(&self) -> Server {
        let mut child = self.command(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| -> Url {
            let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.trim_start().starts_with(name)));
            let Some(Ok(line)) = line else {
                let mut errors = String::new();
                child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
                panic!("the server did not start: {errors}");
            };
            let url = line.split_whitespace().nth(1).unwrap().to_owned();
            let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            origin.parse().unwrap()
        };
        let (callbacks, api, metrics) = (address("callbacks"), address("api"), address("metrics"));
        let server = Server { child, callbacks, api, metrics, data: self.data() };
        server.ready().await;
        server
    }
}

/// A running server. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) callbacks: Url,
    pub(crate) api: Url,
    pub(crate) metrics: Url,
    data: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    async fn ready(&self) {
        for _ in 0..600 {
            if get(&self.api, "/readyz", &[]).await.is_some_and(|response| response.status == 200) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the server did not become ready");
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its end.
    pub(crate) fn stop(self) {
        self.terminate();
        assert_eq!(self.ended(), Some(0));
    }

    /// SIGTERM, its end, and what it has logged until then: lines from `warn` on.
    pub(crate) fn stop_and_read_log(mut self) -> String {
        self.terminate();
        let mut logged = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut logged).unwrap();
        assert_eq!(self.ended(), Some(0));
        logged
    }

    /// SIGTERM alone.
    pub(crate) fn terminate(&self) {
        terminate(self.pid());
    }

    /// Its exit code, once it has ended by itself.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn admin_token(&self) -> String {
        admin_token(&self.data)
    }

    /// The marketplace, calling seller `acme` with its right keys.
    pub(crate) fn marketplace(&self) -> Marketplace {
        let mut keys = Keys::base(BASE_KEY.into());
        keys.license_code = Some(CODE_KEY.into());
        keys.general = Some(GENERAL_KEY.into());
        Marketplace::new(&self.callbacks, "acme", keys, None)
    }

    /// Sends one message of the marketplace and gives the answer's JSON.
    pub(crate) async fn call(&self, message: &Message) -> Value {
        let delivery = self.marketplace().sign(message, Style::default(), Utc::now()).unwrap();
        self.deliver(&delivery).await
    }

    /// Sends a signed delivery and gives the answer's JSON.
    pub(crate) async fn deliver(&self, delivery: &Delivery) -> Value {
        let response = self.marketplace().send(delivery).await.unwrap();
        assert_eq!(response.status, 200);
        serde_json::from_slice(&response.body).unwrap()
    }

    /// Buys an instance and gives its id.
    pub(crate) async fn buy(&self) -> String {
        let answer = self.call(&Message::NewInstance { order: OrderLine::fresh() }).await;
        assert_eq!(answer["resultCode"], "000000", "{answer}");
        answer["instanceId"].as_str().unwrap().to_owned()
    }

    /// Checks a license.
    pub(crate) async fn check(&self, license: &str) -> Value {
        self.ask(&json!({ "license": license })).await
    }

    /// Asks `POST /v1/checks`, which must answer 200.
    pub(crate) async fn ask(&self, question: &Value) -> Value {
        let response = post(&self.api, "/v1/checks", &[], question.to_string().as_bytes()).await;
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).unwrap()
    }

    /// Reads a path of the API with the admin token.
    pub(crate) async fn look_up(&self, path: &str) -> Value {
        let bearer = format!("Bearer {}", self.admin_token());
        let response = get(&self.api, path, &[("Authorization", &bearer)]).await.unwrap();
        assert_eq!(response.status, 200, "{path}: {}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).unwrap()
    }

    /// The value of a metric's line, 0 where there is none.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let response = get(&self.metrics, "/metrics", &[]).await.unwrap();
        let text = String::from_utf8(response.body).unwrap();
        text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok()).unwrap_or_default()
    }

    /// The position of the log that this server's index has reached.
    pub(crate) async fn position(&self) -> String {
        let response = get(&self.api, "/readyz", &[]).await.unwrap();
        let ready: Value = serde_json::from_slice(&response.body).unwrap();
        ready["position"].as_str().unwrap().to_owned()
    }
}

/// SIGTERM for a process of ours.
pub(crate) fn terminate(pid: u32) {
    assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
}

pub(crate) fn admin_token(data: &Path) -> String {
    std::fs::read_to_string(data.join("admin-token")).unwrap().trim().to_owned()
}

pub(crate) async fn get(url: &Url, target: &str, headers: &[(&str, &str)]) -> Option<Response> {
    let request = Request { method: "GET", host: &url.authority(), target, headers, body: b"" }.to_bytes();
    Some(Connection::to(url).send(&request).await.ok()?.to_response())
}

pub(crate) async fn post(url: &Url, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let request = Request { method: "POST", host: &url.authority(), target, headers, body }.to_bytes();
    Connection::to(url).send(&request).await.unwrap().to_response()
}
