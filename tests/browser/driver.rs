//! Chromium, driven by W3C WebDriver: a dozen calls of HTTP and JSON to `chromedriver`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chopmark_simulator::Url;
use chopmark_simulator::http::{Connection, Limits, Request};
use serde_json::{Value, json};

const MISSING: &str = "This test needs Chromium and its driver: on Debian, `apt-get install chromium chromium-driver`.";

/// The member by which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A browser with one window. Closed when dropped.
pub(crate) struct Browser {
    driver: Child,
    url: Url,
    session: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver takes its browser along.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// Opens a window of this width.
    pub(crate) async fn open(width: u32) -> Self {
        let mut driver = Command::new("chromedriver")
            .args(["--port=0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver: {error}. {MISSING}"));
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let said = lines.find_map(|line| {
            let line = line.ok()?;
            let (_, rest) = line.split_once("started successfully on port ")?;
            Some(rest.trim_end_matches('.').to_owned())
        });
        let port = said.unwrap_or_else(|| panic!("chromedriver did not start. {MISSING}"));
        let url: Url = format!("http://127.0.0.1:{port}").parse().unwrap();
        // Whatever it says later is of no interest, and it must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { driver, url, session: String::new() };
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--lang=en",
            &format!("--window-size={width},900"),
        ];
        let options = json!({ "args": args, "prefs": { "intl.accept_languages": "en" } });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let opened = browser.call("POST", "/session", Some(&wanted)).await;
        browser.session = opened["sessionId"].as_str().unwrap_or_else(|| panic!("{opened}. {MISSING}")).to_owned();
        browser
    }

    async fn call(&self, method: &str, target: &str, body: Option<&Value>) -> Value {
        let body = body.map(Value::to_string).unwrap_or_default();
        let headers = [("Content-Type", "application/json")];
        let request = Request { method, host: &self.url.authority(), target, headers: &headers, body: body.as_bytes() };
        let limits = Limits { exchange: Duration::from_secs(120), body: 64 * 1024 * 1024, ..Limits::default() };
        let mut connection = Connection::to(&self.url).with_limits(limits);
        let answer = connection.send(&request.to_bytes()).await.unwrap().to_response();
        let mut answer: Value = serde_json::from_slice(&answer.body).unwrap();
        answer["value"].take()
    }

    async fn ask(&self, method: &str, what: &str, body: Option<&Value>) -> Value {
        let value = self.call(method, &format!("/session/{}{what}", self.session), body).await;
        assert!(value.get("error").is_none(), "{method} {what} {body:?}: {value}");
        value
    }

    /// Opens a page.
    pub(crate) async fn go(&self, url: &str) {
        self.ask("POST", "/url", Some(&json!({ "url": url }))).await;
    }

    /// Where it is: the path and what follows.
    pub(crate) async fn path(&self) -> String {
        let url = self.ask("GET", "/url", None).await;
        url.as_str().unwrap().splitn(4, '/').nth(3).unwrap_or_default().to_owned()
    }

    /// Runs a function of the page and gives what it returns.
    pub(crate) async fn eval(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", Some(&json!({ "script": script, "args": [] }))).await
    }

    /// What can be read on the page.
    pub(crate) async fn text(&self) -> String {
        self.eval("return document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    async fn element(&self, selector: &str) -> Option<String> {
        let found = self
            .call(
                "POST",
                &format!("/session/{}/element", self.session),
                Some(&json!({ "using": "css selector", "value": selector })),
            )
            .await;
        found[ELEMENT].as_str().map(ToOwned::to_owned)
    }

    /// The element of a selector, once it is there.
    async fn awaited(&self, selector: &str) -> String {
        for _ in 0..200 {
            if let Some(element) = self.element(selector).await {
                return element;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{selector} never came: {}", self.text().await)
    }

    /// Whether there is such an element.
    pub(crate) async fn has(&self, selector: &str) -> bool {
        self.element(selector).await.is_some()
    }

    /// Does something with the element of a selector, once it is there. One that went with its page while the next one
    /// came is looked for again.
    async fn act_on(&self, selector: &str, act: &str, body: &Value) {
        for _ in 0..200 {
            let element = self.awaited(selector).await;
            let target = format!("/session/{}/element/{element}/{act}", self.session);
            let done = self.call("POST", &target, Some(body)).await;
            if done["error"] != "stale element reference" {
                assert!(done.get("error").is_none(), "{act} {selector}: {done}");
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{selector} never stayed: {}", self.text().await)
    }

    /// Clicks, as a person does.
    pub(crate) async fn click(&self, selector: &str) {
        self.act_on(selector, "click", &json!({})).await;
    }

    /// Writes into a field, after what stands there.
    pub(crate) async fn write(&self, selector: &str, text: &str) {
        self.act_on(selector, "value", &json!({ "text": text })).await;
    }

    /// Presses a key, wherever the focus is.
    pub(crate) async fn press(&self, key: char) {
        let keys = [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })];
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] });
        self.ask("POST", "/actions", Some(&actions)).await;
    }

    /// Waits until a text can be read.
    pub(crate) async fn reads(&self, text: &str) {
        for _ in 0..200 {
            if self.text().await.contains(text) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{text:?} was never to be read at /{}: {}", self.path().await, self.text().await)
    }

    /// Asks DevTools for something that WebDriver has no word for.
    pub(crate) async fn devtools(&self, command: &str, params: &Value) {
        self.ask("POST", "/goog/cdp/execute", Some(&json!({ "cmd": command, "params": params }))).await;
    }
}
