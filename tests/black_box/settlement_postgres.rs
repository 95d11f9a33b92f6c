//! Settlement in a PostgreSQL: what it answers is what it answers from SQLite, whoever is killed and whatever is away.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chopmark_postgres::testing::Server;
use chopmark_simulator::Message;
use chopmark_simulator::finance::{Accounts, Body, Books, Kind, Language, Month, Sold};
use chopmark_simulator::orders::Cents;
use chopmark_simulator::{OrderLine, Url};
use chrono::{DateTime, Datelike};
use rand::Rng;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::settlement_till::{Act, Call, Till, decimal, refund, sold};

/// The product of which so much is sold that it reaches a tier.
const POPULAR: &str = r#"
[[product]]
sku = "a63ee5c9-popular"
seller = "acme"
kind = "saas"
name = "Popular"
fee_ratio = "0.05"
"#;

/// A server of one's own, to be stopped and started.
async fn postgres() -> Arc<Server> {
    let started = tokio::task::spawn_blocking(|| Server::start(&[], &[])).await.unwrap();
    Arc::new(started.unwrap_or_else(|missing| panic!("{missing}")))
}

/// Does something to the server that takes a while.
async fn command(server: &Arc<Server>, command: fn(&Server) -> Result<(), String>) {
    let server = Arc::clone(server);
    let done = tokio::task::spawn_blocking(move || command(&server)).await.unwrap();
    done.unwrap_or_else(|complaint| panic!("{complaint}"));
}

/// The part of a configuration that keeps views there.
fn views_at(server: &Server) -> String {
    format!("[views]\nurl = \"{}\"\n", server.url())
}

/// What happens, in the same words whoever keeps the views.
struct Story {
    acts: Vec<Act>,
    books: Books,
}

impl Story {
    /// Refunds within the month and after it, a tier that is reached, an upgrade, a sale nobody calls in.
    fn new() -> Self {
        let may = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
        let mut big = sold(Kind::New, 60_000_000, "2024-05-20 10:00:00");
        big.product.sku = "a63ee5c9-popular".into();
        let early = sold(Kind::New, 4_567, "2024-05-30 14:00:00");
        let uncalled = sold(Kind::OneTime, 3_333, "2024-06-03 09:00:00");
        let june = sold(Kind::New, 20_000, "2024-06-05 10:00:00");
        let acts = [
            (may, Call::Buy),
            (big, Call::Buy),
            (sold(Kind::Change, 30_000, "2024-05-16 00:00:00"), Call::Upgrade(0)),
            (early.clone(), Call::Buy),
            (refund(&early, "2024-06-02 09:00:00"), Call::Release(3)),
            (uncalled, Call::Never),
            (june.clone(), Call::Buy),
            (refund(&june, "2024-07-10 10:00:00"), Call::Release(6)),
        ];
        let acts: Vec<_> = acts.into_iter().map(|(sold, call)| Act { sold, call }).collect();
        let mut books = Books::with_fee(500);
        acts.iter().for_each(|act| books.enter(act.sold.clone()));
        Self { acts, books }
    }

    /// Plays it: called in, told by files, a bill with differences, one of them judged, a close, and what comes after.
    async fn play(&self, till: &Till) {
        till.call_in(&self.acts).await;
        till.import("transactions", &[], &self.books.all_transactions(Language::Chinese).to_csv()).await;
        let first = &self.acts[0].sold;
        till.settles(first, "202405", "95").await;
        let mut bill = self.books.bill(Month::new(2024, 5));
        bill.set_off(first.name(), Cents(-123));
        bill.repeat(self.acts[2].sold.name());
        let query = [("category", "generic"), ("period", "202405")];
        till.import("bills", &query, &bill.export(Language::Chinese).to_xlsx()).await;
        let key = json!({ "by": "line", "id": first.name() });
        let judgement = json!({
            "key": key, "category": "generic", "currency": "CNY", "judgement": "DISPUTED", "note": "ticket 4711",
        });
        self.post(till, "reconciliation/202405/judgements", &judgement).await;
        self.post(till, "periods/202405/close", &json!({})).await;
        let line = first.line.as_ref().unwrap();
        let late = json!({ "order_id": line.order_id, "order_line_id": line.order_line_id, "voucher_amount": "20.00" });
        self.post(till, "statements", &late).await;
    }

    async fn post(&self, till: &Till, what: &str, body: &Value) {
        let answer = till.accounts().post(what, &[], Body::Json(body)).await.unwrap();
        assert_eq!(answer.status / 100, 2, "{what}: {}", answer.json);
    }

    /// Everything that finance can ask.
    async fn told(&self, till: &Till) -> Vec<(String, Value)> {
        let views: [(&str, &[(&str, &str)]); 12] = [
            ("periods", &[]),
            ("periods/202405", &[]),
            ("periods/202405/close", &[]),
            ("periods/202406/close", &[]),
            ("periods/202405/lines", &[]),
            ("lines", &[]),
            ("lines", &[("period", "202407")]),
            ("forecast", &[]),
            ("bills", &[]),
            ("reconciliation/202405", &[]),
            ("reconciliation/202406", &[]),
            ("adjustments", &[]),
        ];
        let mut told = vec![];
        for (view, query) in views {
            told.push((format!("{view} {query:?}"), alike(till.view(view, query).await)));
        }
        for act in &self.acts {
            let view = format!("lines/{}", act.sold.name());
            told.push((view.clone(), alike(till.view(&view, &[]).await)));
        }
        told
    }
}

/// Without what is another in each run: ids and positions that the log gave, what calls looked like, the clock's time, and
/// whether the facts of an order came before the next call.
fn alike(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(name, _)| name != "cause" && !name.contains("position"));
            let alike = |(name, member): (String, Value)| match (name.as_str(), alike(member)) {
                ("sources" | "events", Value::Array(items)) => (name, sorted(items)),
                (_, member) => (name, member),
            };
            members.map(alike).collect()
        }
        Value::Array(items) => items.into_iter().map(alike).collect(),
        Value::String(text) if text.rsplit('/').next().is_some_and(|id| Uuid::parse_str(id).is_ok()) => {
            text.rsplit_once('/').map_or("", |(kind, _)| kind).into()
        }
        Value::String(text) if DateTime::parse_from_rfc3339(&text).is_ok_and(|time| time.year() > 2024) => "now".into(),
        other => other,
    }
}

fn sorted(mut items: Vec<Value>) -> Value {
    items.sort_by_cached_key(Value::to_string);
    items.into()
}

async fn equal_views(story: &Story, one: &Till, other: &Till) {
    // Facts of orders are asked for at each one's own pace.
    one.until(async |one| {
        let (one, other) = (story.told(one).await, story.told(other).await);
        let differs = |((view, one), (_, other)): ((String, Value), (String, Value))| {
            first_difference(&one, &other).map(|difference| format!("{view}{difference}"))
        };
        one.into_iter().zip(other).find_map(differs).map_or(Ok(()), Err)
    })
    .await;
}

/// Where two values first differ, and how.
fn first_difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) if ones.keys().eq(others.keys()) => {
            let within = |(name, one)| Some(format!(".{name}{}", first_difference(one, &others[name])?));
            ones.iter().find_map(within)
        }
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            let mut pairs = ones.iter().zip(others).enumerate();
            pairs.find_map(|(place, (one, other))| Some(format!("[{place}]{}", first_difference(one, other)?)))
        }
        _ => (one != other).then(|| format!(": {one} and {other}")),
    }
}

/// Stops the server; the views must be what the log says, before and after they were made anew, until somebody meddles.
fn stop_and_verify(till: Till) -> Till {
    let shop = till.shop;
    terminate_and_wait(shop.server.pid());
    for words in [["rebuild", "--verify"].as_slice(), &["rebuild"], &["rebuild", "--verify"]] {
        shop.home.ok(words);
    }
    Till { shop }
}

fn terminate_and_wait(pid: u32) {
    crate::support::terminate(pid);
    while Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_stores_answer_the_same_and_both_are_what_the_log_says() {
    let server = postgres().await;
    let story = Story::new();
    let there = Till::with(&views_at(&server), "", POPULAR).await;
    let here = Till::open("", POPULAR).await;
    story.play(&there).await;
    story.play(&here).await;
    equal_views(&story, &here, &there).await;
    let told = story.told(&here).await.iter().map(|(view, told)| format!("{view}: {told}\n")).collect::<String>();
    for seen in ["DISPUTED", "\"state\":\"CLOSED\"", "202407"] {
        assert!(told.contains(seen), "{seen} in {told}");
    }

    let (there, here) = (stop_and_verify(there), stop_and_verify(here));
    let healthy = there.shop.home.run(&["doctor"]);
    let healthy = String::from_utf8(healthy.stdout).unwrap();
    assert!(healthy.contains("the billing views are at the head of the log"), "{healthy}");

    let views = rusqlite::Connection::open(here.shop.home.data().join("billing.db")).unwrap();
    let meddle = "UPDATE settlement_lines SET document = replace(document, '-200', '-201') WHERE period = '202407'";
    assert_eq!(views.execute(meddle, []).unwrap(), 1);
    drop(views);
    let found = here.shop.home.run(&["rebuild", "--verify"]);
    let said = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.status.code(), Some(1), "{said}");
    assert!(said.contains("rows of the billing views differ") && said.contains("chopmark rebuild"), "{said}");
    here.shop.home.ok(&["rebuild"]);
    here.shop.home.ok(&["rebuild", "--verify"]);

    command(&server, Server::stop).await;
    let ill = there.shop.home.run(&["doctor"]);
    let said = String::from_utf8(ill.stdout).unwrap();
    assert_eq!(ill.status.code(), Some(1), "{said}");
    assert!(said.contains("FAIL  billing") && said.contains("views.url"), "{said}");
}

/// A file of transaction details, and what it comes to.
fn some_file(round: i64) -> (Vec<Sold>, Vec<u8>) {
    let mut books = Books::with_fee(500);
    let lines: Vec<_> =
        (0..40).map(|each| sold(Kind::New, 10_000 + round * 100 + each, "2024-05-05 10:00:00")).collect();
    lines.iter().for_each(|sold| books.enter(sold.clone()));
    (lines, books.all_transactions(Language::Chinese).to_csv())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_imports_it_loses_nothing_and_counts_nothing_twice() {
    let server = postgres().await;
    let mut till = Till::with(&views_at(&server), "", "").await;
    let files: Arc<[_]> = (0..24).map(some_file).collect();
    let taken = Arc::new(Mutex::new(0));
    while *taken.lock().unwrap() < files.len() {
        let importing = tokio::spawn(import_all(Arc::clone(&files), Arc::clone(&taken), clerk(&till)));
        let moment = rand::rng().random_range(20..400);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        till = Till { shop: till.shop.crash().await };
        importing.await.unwrap();
    }
    // Once more: who got no answer sends a file again.
    *taken.lock().unwrap() = 0;
    import_all(Arc::clone(&files), Arc::clone(&taken), clerk(&till)).await;
    assert_eq!(*taken.lock().unwrap(), files.len());
    let sales: i64 = files.iter().flat_map(|(lines, _)| lines).map(|sold| sold.sales.0).sum();
    // Each amount is exact, and only the sum is rounded.
    let wanted = (Decimal::new(sales, 2) * Decimal::new(95, 2)).round_dp(2);
    till.until(async |till| match till.net("202405").await {
        Some(net) if net == wanted => Ok(()),
        net => Err(format!("{net:?}, must be {wanted}")),
    })
    .await;
    for (lines, _) in files.iter() {
        let line = till.lines(&lines[0]).await;
        assert_eq!(line.len(), 1, "{line:?}");
        assert_eq!(decimal(&line[0]["columns"]["sales"]), Some(Decimal::new(lines[0].sales.0, 2)), "{line:?}");
    }
    stop_and_verify(till);
}

fn clerk(till: &Till) -> (Url, String) {
    (till.shop.server.api.clone(), till.shop.server.admin_token())
}

/// Imports file after file from the first that was not acknowledged, until the server is gone.
async fn import_all(files: Arc<[(Vec<Sold>, Vec<u8>)]>, taken: Arc<Mutex<usize>>, (api, token): (Url, String)) {
    let mut accounts = Accounts::new(&api, "acme", &token.into(), None);
    loop {
        let next = *taken.lock().unwrap();
        let Some((_, file)) = files.get(next) else { return };
        let query = [("file_name", "details.csv"), ("commit", "true")];
        match accounts.post("transactions", &query, Body::File(file)).await {
            Ok(answer) if answer.status / 100 == 2 => *taken.lock().unwrap() += 1,
            Ok(answer) => panic!("{}", answer.json),
            Err(_) => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgresql_is_away_everything_else_goes_on_and_settlement_catches_up() {
    let server = postgres().await;
    let mut till = Till::with(&views_at(&server), "", "").await;
    let before = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
    let mut books = Books::with_fee(500);
    books.enter(before.clone());
    till.call_in(&[Act { sold: before.clone(), call: Call::Buy }]).await;
    till.import("transactions", &[], &books.all_transactions(Language::Chinese).to_csv()).await;
    till.settles(&before, "202405", "95").await;

    // Once under a running server, once under one that starts meanwhile.
    for (while_starting, net) in [(false, 190), (true, 285)] {
        command(&server, Server::stop).await;
        if while_starting {
            till = Till { shop: till.shop.crash().await };
        }
        let answer = till.accounts().get("periods", &[]).await.unwrap();
        assert_eq!(answer.status, 503, "{}", answer.json);
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.contains("; try again"), "{detail}");
        let bought = sold(Kind::New, 10_000, "2024-05-06 10:00:00");
        till.call_in(&[Act { sold: bought.clone(), call: Call::Buy }]).await;
        let answer = till.shop.says(&Message::NewInstance { order: bought.line.clone().unwrap() }).await;
        let checked = till.shop.server.check(answer["instanceId"].as_str().unwrap()).await;
        assert_eq!(checked["code"], "VALID", "{checked}");

        command(&server, Server::start_again).await;
        let mut books = Books::with_fee(500);
        books.enter(bought);
        crate::shop::wait("files are taken again", async || {
            let file = books.all_transactions(Language::Chinese).to_csv();
            let query = [("file_name", "details.csv"), ("commit", "true")];
            let answer = till.accounts().post("transactions", &query, Body::File(&file)).await.unwrap();
            answer.status / 100 == 2
        })
        .await;
        crate::shop::wait("the views caught up", async || {
            let answer = till.accounts().get("periods", &[]).await.unwrap();
            let shown = &answer.json["periods"][0]["tabs"][0]["shown"];
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer.status == 200 && decimal(shown) == Some(Decimal::from(net))
        })
        .await;
    }
    let other = OrderLine::fresh();
    till.shop.says(&Message::NewInstance { order: other }).await;
    stop_and_verify(till);
}
