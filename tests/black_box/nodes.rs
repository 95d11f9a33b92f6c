//! Several processes of one installation, each with a folder of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chopmark_simulator::http::{Connection, Response};
use chopmark_simulator::marketplace::{Delivery, Keys, Marketplace, Style};
use chopmark_simulator::{Message, OrderLine, Url};
use chrono::Utc;
use serde_json::{Value, json};

use crate::support::{BASE_KEY, Home, config, get, post};

/// RFC 8410, section 10.3.
const SIGNING_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

/// Long enough on any machine, and no test waits for its end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An installation: where its log and views are, one set of keys, one catalog.
pub(crate) struct Installation {
    pub(crate) home: Home,
    storage: String,
}

impl Installation {
    /// One that keeps what these lines of a configuration say; its catalog is in the log.
    pub(crate) fn new(storage: &str) -> Self {
        let home = Home::new("");
        std::fs::write(home.folder.path().join("signing.pem"), SIGNING_KEY).unwrap();
        let installation = Self { home, storage: storage.to_owned() };
        installation.write("chopmark", "");
        installation
    }

    /// Writes the configuration of a node of this name.
    pub(crate) fn write(&self, name: &str, more: &str) {
        let keys = "[keys]\nsigning = [{ file = \"signing.pem\" }]";
        let text = format!("data_dir = \"{name}\"\n{keys}\n{}\n{}\n{more}", self.storage, config(""));
        std::fs::write(self.home.folder.path().join(format!("{name}.toml")), text).unwrap();
    }

    /// Starts a node and waits until it listens.
    pub(crate) fn start(&self, name: &str, role: &str) -> Node {
        self.write(name, "");
        let file = format!("{name}.toml");
        let mut command = self.home.command(&["serve", "--role", role, "--config", &file]);
        let log = self.home.folder.path().join(format!("{name}.log"));
        let errors = std::fs::File::create(&log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut lines = vec![];
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            let is_last = line.trim_start().starts_with("metrics");
            lines.push(line);
            if is_last {
                break;
            }
        }
        let address = |door: &str| -> Option<Url> {
            let line = lines.iter().find(|line| line.trim_start().starts_with(door))?;
            let url = line.split_whitespace().nth(1)?;
            Some(url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/").parse().unwrap())
        };
        let (callbacks, api, metrics) = (address("callbacks"), address("api"), address("metrics"));
        let Some(metrics) = metrics else {
            panic!("{name} did not start: {}", std::fs::read_to_string(&log).unwrap());
        };
        Node { child, callbacks, api, metrics }
    }

    /// Starts a node and waits until it is ready.
    pub(crate) async fn ready(&self, name: &str, role: &str) -> Node {
        let node = self.start(name, role);
        node.is_ready().await;
        node
    }

    /// A token of an admin, made from the shell.
    pub(crate) fn admin_token(&self) -> String {
        self.home.ok(&["token", "create", "tests", "--role", "admin"]).trim().to_owned()
    }
}

/// A process of an installation. Killed when dropped.
pub(crate) struct Node {
    child: Child,
    callbacks: Option<Url>,
    api: Option<Url>,
    pub(crate) metrics: Url,
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that is paused dies too; one that has ended is dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    pub(crate) fn api(&self) -> &Url {
        self.api.as_ref().unwrap()
    }

    pub(crate) fn callbacks(&self) -> &Url {
        self.callbacks.as_ref().unwrap()
    }

    /// Which of its doors there are.
    pub(crate) fn doors(&self) -> (bool, bool) {
        (self.callbacks.is_some(), self.api.is_some())
    }

    pub(crate) async fn is_ready(&self) {
        eventually("the node is ready", async || {
            get(&self.metrics, "/readyz", &[]).await.is_some_and(|answer| answer.status == 200)
        })
        .await;
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its end.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    /// A signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// The value of a metric's line, 0 where there is none.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let Some(response) = get(&self.metrics, "/metrics", &[]).await else { return 0.0 };
        let text = String::from_utf8(response.body).unwrap();
        text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok()).unwrap_or_default()
    }

    pub(crate) async fn leads(&self) -> bool {
        self.metric("chopmark_leader ").await > 0.0
    }

    fn marketplace(&self) -> Marketplace {
        Marketplace::new(self.callbacks(), "acme", Keys::base(BASE_KEY.into()), None)
    }

    /// A message, signed now.
    pub(crate) fn sign(&self, message: &Message) -> Delivery {
        self.marketplace().sign(message, Style::default(), Utc::now()).unwrap()
    }

    /// Sends a delivery, signed for whichever node. `None`: no answer.
    pub(crate) async fn deliver(&self, delivery: &Delivery) -> Option<Value> {
        let answer = Connection::to(self.callbacks()).send(&delivery.request).await.ok()?.to_response();
        serde_json::from_slice(&answer.body).ok()
    }

    /// Sends a delivery until there is an answer, as the marketplace does. A process that stood still for longer than a
    /// request may take turns the first ones away: actix-web looks at the time twice a second, and takes them for late.
    pub(crate) async fn answer_to(&self, delivery: &Delivery) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(answer) = self.deliver(delivery).await {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "no answer in time");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn call(&self, message: &Message) -> Option<Value> {
        self.deliver(&self.sign(message)).await
    }

    /// Buys an instance and gives its id.
    pub(crate) async fn buy(&self) -> String {
        let answer = self.call(&Message::NewInstance { order: OrderLine::fresh() }).await.unwrap();
        assert_eq!(answer["resultCode"], "000000", "{answer}");
        answer["instanceId"].as_str().unwrap().to_owned()
    }

    /// Asks for a license. `None`: no answer.
    pub(crate) async fn ask(&self, license: &str) -> Option<Response> {
        let request = json!({ "license": license }).to_string();
        let request = chopmark_simulator::http::Request {
            method: "POST",
            host: &self.api().authority(),
            target: "/v1/checks",
            headers: &[],
            body: request.as_bytes(),
        };
        Some(Connection::to(self.api()).send(&request.to_bytes()).await.ok()?.to_response())
    }

    /// The code of a check's verdict.
    pub(crate) async fn verdict(&self, license: &str) -> String {
        let response = self.ask(license).await.unwrap();
        let answer: Value = serde_json::from_slice(&response.body).unwrap();
        answer["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a check of a license comes to a code.
    pub(crate) async fn comes_to(&self, license: &str, code: &str) {
        eventually(&format!("{license} is {code}"), async || self.verdict(license).await == code).await;
    }

    /// Reads a path of the API with a token.
    pub(crate) async fn look_up(&self, path: &str, token: &str) -> Value {
        let bearer = format!("Bearer {token}");
        let response = get(self.api(), path, &[("Authorization", &bearer)]).await.unwrap();
        assert_eq!(response.status, 200, "{path}: {}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).unwrap()
    }

    /// Sends something to a path of the API with a token.
    pub(crate) async fn change(&self, path: &str, token: &str, body: &Value) -> u16 {
        let bearer = format!("Bearer {token}");
        post(self.api(), path, &[("Authorization", &bearer)], body.to_string().as_bytes()).await.status
    }
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
