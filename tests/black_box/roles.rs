//! Roles: processes that each are a part of Chopmark, on one log.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chopmark_eventstore_double::{Double, Options};
use chopmark_huawei::callback::FreezeStatus;
use chopmark_postgres::testing::Server as Postgres;
use chopmark_simulator::marketplace::Delivery;
use chopmark_simulator::{Message, OrderLine};
use serde_json::json;
use tokio::time::Instant;

use crate::line::{Line, State, Target};
use crate::nodes::{Installation, Node, eventually};
use crate::support::get;

/// The marketplace waits five seconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

fn in_a_file() -> Installation {
    let installation = Installation::new("[log]\nurl = \"sqlite:../log.db\"");
    installation.home.ok(&["apply"]);
    installation
}

#[tokio::test]
async fn each_role_opens_its_own_doors_and_knows_what_the_others_did() {
    let installation = in_a_file();
    let token = installation.admin_token();
    let (ingest, query) = (installation.start("i", "ingest"), installation.ready("q", "query").await);
    let (worker, next) = (installation.ready("w", "worker").await, installation.ready("v", "worker").await);
    assert_eq!((ingest.doors(), query.doors(), worker.doors()), ((true, false), (false, true), (false, false)));
    assert_eq!(get(ingest.callbacks(), "/readyz", &[]).await.unwrap().body, br#"{"status":"ready"}"#);

    let license = ingest.buy().await;
    query.comes_to(&license, "VALID").await;
    eventually("the first worker leads", async || worker.leads().await).await;
    assert!(!next.leads().await);

    let deliveries = query.look_up("/v1/deliveries", &token).await;
    assert_eq!((&deliveries["journal"], &deliveries["deliveries"]), (&false.into(), &json!([])), "{deliveries}");
    assert!(ingest.metric("chopmark_journal_dropped_total ").await < 1.0);
    assert!(!installation.home.folder.path().join("q/admin-token").exists(), "only role `all` makes one");

    worker.kill();
    eventually("the next worker leads", async || next.leads().await).await;
    [ingest, query, next].into_iter().for_each(Node::stop);
}

#[test]
fn the_doctor_looks_only_at_the_listeners_of_a_role() {
    let installation = in_a_file();
    for (role, opens) in [
        (&["--role", "ingest"][..], &["callbacks", "metrics"][..]),
        (&["--role", "query"], &["api", "metrics"]),
        (&["--role", "worker"], &["metrics"]),
        (&[], &["callbacks", "api", "metrics"]),
    ] {
        let output = installation.home.run(&[&["doctor", "--json"], role].concat());
        let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let of_listeners = findings.as_array().unwrap().iter().filter(|finding| finding["subject"] == "listener");
        let (said, looked_at): (Vec<_>, Vec<_>) = of_listeners.partition(|finding| finding["health"] == "ok");
        let what = |finding: &&serde_json::Value| finding["what"].as_str().unwrap().to_owned();
        let names: Vec<_> =
            looked_at.iter().map(|finding| what(finding).split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(names, opens, "{findings:#}");
        let expected =
            role.get(1).map(|role| format!("role {role} opens {}; no other is looked at", opens.join(" and ")));
        assert_eq!(said.iter().map(what).collect::<Vec<_>>(), Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn a_role_that_signs_makes_no_key_of_its_own() {
    let installation = in_a_file();
    let file = installation.home.folder.path().join("chopmark.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("signing = [{ file = \"signing.pem\" }]", "")).unwrap();
    for role in ["query", "worker"] {
        let refused = installation.home.run(&["serve", "--role", role]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("role {role} signs")) && said.contains("openssl genpkey"), "{said}");
    }
}

#[tokio::test]
async fn a_request_that_changed_nothing_at_one_node_changes_nothing_at_another() {
    let installation = in_a_file();
    let (one, two) = (installation.start("one", "ingest"), installation.start("two", "ingest"));
    let query = installation.ready("q", "query").await;
    let instance = one.buy().await;
    let status = |status| Message::UpdateInstanceStatus { instance: instance.clone(), status };
    let done = async |node: &Node, delivery: &Delivery| {
        assert_eq!(node.deliver(delivery).await.unwrap()["resultCode"], "000000");
    };
    done(&one, &one.sign(&status(FreezeStatus::Freeze))).await;
    let again = one.sign(&status(FreezeStatus::Freeze));
    done(&one, &again).await;
    done(&two, &two.sign(&status(FreezeStatus::Unfreeze))).await;
    query.comes_to(&instance, "VALID").await;
    done(&two, &again).await;
    let mark = two.buy().await;
    query.comes_to(&mark, "VALID").await;
    assert_eq!(query.verdict(&instance).await, "VALID", "the very same request froze it again");
}

/// Two of each role, and the line between them and their log.
struct Two {
    installation: Installation,
    line: Line,
    ingest: Vec<Node>,
    query: Vec<Node>,
    workers: Vec<Node>,
    /// What was acknowledged: each order's instance.
    bought: Vec<String>,
}

impl Two {
    async fn on(log: &str, line: Line, views: &str) -> Self {
        let installation = Installation::new(&format!("[log]\nurl = \"{log}\"\n{views}"));
        installation.home.ok(&["apply"]);
        let start = |name: &str, role: &str| installation.start(name, role);
        let ingest = vec![start("i1", "ingest"), start("i2", "ingest")];
        let query = vec![start("q1", "query"), start("q2", "query")];
        let workers = vec![start("w1", "worker"), start("w2", "worker")];
        for node in ingest.iter().chain(&query).chain(&workers) {
            node.is_ready().await;
        }
        Self { installation, line, ingest, query, workers, bought: vec![] }
    }

    /// One purchase, delivered to all ingest nodes at once: each answers the same.
    async fn race(&mut self) {
        let delivery = self.ingest[0].sign(&Message::NewInstance { order: OrderLine::fresh() });
        let answers = futures_util::future::join_all(self.ingest.iter().map(|node| node.answer_to(&delivery))).await;
        assert!(answers.iter().all(|answer| answer["resultCode"] == "000000" && *answer == answers[0]), "{answers:?}");
        self.bought.push(answers[0]["instanceId"].as_str().unwrap().to_owned());
    }

    /// The leading worker; the other one is the last.
    async fn leader(&self) -> usize {
        eventually("a worker leads", async || self.workers[0].leads().await || self.last_leads().await).await;
        usize::from(self.last_leads().await)
    }

    async fn last_leads(&self) -> bool {
        self.workers.last().unwrap().leads().await
    }

    /// While nothing comes from the log: callbacks are turned away in time, checks are answered and say so.
    async fn endures(&self, state: State, order: &OrderLine) -> Delivery {
        self.line.is(state);
        let delivery = self.ingest[0].sign(&Message::NewInstance { order: order.clone() });
        let begun = Instant::now();
        let answer = self.ingest[0].deliver(&delivery).await.unwrap();
        assert_eq!(answer["resultCode"], "000005", "{answer}");
        assert!(begun.elapsed() < ANSWERED_WITHIN, "the marketplace has hung up");
        for query in &self.query {
            let license = &self.bought[0];
            eventually("checks say that the log is away", async || {
                let answer = query.ask(license).await.unwrap();
                assert_eq!(answer.status, 200, "checks are answered from what was known last");
                answer.header("chopmark-log-away").is_some()
            })
            .await;
            assert_eq!(query.verdict(license).await, "VALID");
            eventually("it is a metric", async || query.metric("chopmark_projector_log_away_seconds ").await > 0.0)
                .await;
        }
        delivery
    }

    /// The log is back: the marketplace's retry succeeds, and nobody was started anew.
    async fn recovers(&mut self, delivery: &Delivery) {
        self.line.is(State::Whole);
        let (node, order) = (&self.ingest[0], &delivery.message);
        eventually("the retry succeeds", async || {
            node.call(order).await.is_some_and(|answer| answer["resultCode"] == "000000")
        })
        .await;
        let answer = node.call(order).await.unwrap();
        self.bought.push(answer["instanceId"].as_str().unwrap().to_owned());
        for query in &self.query {
            eventually("checks no longer say that the log is away", async || {
                query.metric("chopmark_projector_log_away_seconds ").await < 1.0
            })
            .await;
        }
    }

    /// Every license that was acknowledged is there, once, on every query node, and nothing else is.
    async fn adds_up(&self, token: &str) {
        for query in &self.query {
            for license in &self.bought {
                query.comes_to(license, "VALID").await;
            }
            let listed = query.look_up("/v1/licenses?seller=acme&limit=1000", token).await;
            assert_eq!(listed["licenses"].as_array().unwrap().len(), self.bought.len());
        }
    }
}

/// What befalls two of each: races, a killed and a paused node, a line that is cut and one that falls silent.
async fn two_of_each(log: &str, line: Line, views: &str) {
    let mut two = Two::on(log, line, views).await;
    let token = two.installation.admin_token();
    for _ in 0..5 {
        two.race().await;
    }
    two.adds_up(&token).await;

    let leader = two.leader().await;
    two.workers.remove(leader).kill();
    two.ingest.remove(1).kill();
    for _ in 0..3 {
        two.race().await;
    }
    eventually("the other worker takes over", async || two.last_leads().await).await;
    two.workers.push(two.installation.ready("w3", "worker").await);
    assert!(!two.last_leads().await, "one leads at a time");

    two.ingest.push(two.installation.start("i3", "ingest"));
    let paused = [&two.query[0], &two.ingest[1], &two.workers[0]];
    paused.iter().for_each(|node| node.signal("STOP"));
    let bought = two.ingest[0].buy().await;
    two.query[1].comes_to(&bought, "VALID").await;
    eventually("who stands still leads no longer", async || two.last_leads().await).await;
    paused.iter().for_each(|node| node.signal("CONT"));
    eventually("who goes on knows that", async || !two.workers[0].leads().await).await;
    two.bought.push(bought);
    two.race().await;
    two.adds_up(&token).await;

    for state in [State::Cut, State::Silent] {
        let delivery = two.endures(state, &OrderLine::fresh()).await;
        two.recovers(&delivery).await;
    }
    two.race().await;
    two.adds_up(&token).await;
    eventually("one leads again", async || two.workers[0].leads().await != two.last_leads().await).await;

    let late = two.installation.ready("q3", "query").await;
    let license = two.bought.last().unwrap();
    assert_eq!(late.verdict(license).await, "VALID", "a new node is ready once it knows everything");
    two.installation.home.ok(&["rebuild", "--config", "q3.toml", "--verify"]);
}

/// A PostgreSQL of one's own, and a URL that leads there by way of a line.
async fn postgres() -> (Postgres, String, Line) {
    let server = tokio::task::spawn_blocking(|| Postgres::start(&[], &[])).await.unwrap();
    let server = server.unwrap_or_else(|missing| panic!("{missing}"));
    let folder = server.url().split(['@', '/']).find(|part| part.starts_with("%2F")).unwrap().replace("%2F", "/");
    let line = Line::to(Target::Socket(PathBuf::from(folder).join(".s.PGSQL.5432"))).await;
    let url = format!("postgres://postgres@{}/postgres", line.address);
    (server, url, line)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_each_role_on_a_postgresql_lose_nothing_and_do_nothing_twice() {
    let (server, log, line) = postgres().await;
    two_of_each(&log, line, &format!("[views]\nurl = \"{}\"", server.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_each_role_on_an_event_store_lose_nothing_and_do_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options { listen, data: folder.path().join("events.db"), user: None };
    let double = tokio::task::spawn_blocking(|| Double::start(options)).await.unwrap().unwrap();
    let line = Line::to(Target::Tcp(double.address())).await;
    two_of_each(&format!("esdb://{}?tls=false", line.address), line, "").await;
    tokio::task::spawn_blocking(|| drop(double)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_while_its_log_is_away_and_does_what_is_to_be_done_when_it_is_back() {
    let (_server, log, line) = postgres().await;
    line.is(State::Cut);
    let installation = Installation::new(&format!("[log]\nurl = \"{log}\""));
    let node = installation.start("all", "all");
    let order = Message::NewInstance { order: OrderLine::fresh() };
    assert_eq!(node.call(&order).await.unwrap()["resultCode"], "000005");
    assert_eq!(get(node.api(), "/readyz", &[]).await.unwrap().status, 503);
    line.is(State::Whole);
    node.is_ready().await;
    eventually("it is bought", async || node.call(&order).await.is_some_and(|answer| answer["resultCode"] == "000000"))
        .await;
    let token = std::fs::read_to_string(installation.home.folder.path().join("all/admin-token")).unwrap();
    eventually("its token is known", async || node.change("/v1/tokens", token.trim(), &json!({})).await != 401).await;
    assert_eq!(node.look_up("/v1/licenses?seller=acme", token.trim()).await["licenses"].as_array().unwrap().len(), 1);
    assert_eq!(installation.home.run(&["apply", "--dry-run"]).status.code(), Some(0), "its catalog is in the log");
}
