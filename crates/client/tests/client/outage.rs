//! The server is not there, or something else answers, or the clock is wrong.

use std::time::Duration;

use chopmark_client::{Answer, Client, Code, Fingerprint, Source, Trouble};
use serde_json::{Value, json};

use crate::fake_server::{Heard, Reply};
use crate::signer::Key;
use crate::world::{DAY, HOUR, LICENSE, MACHINE, START, World, at, claims, no, yes};

/// What an answer comes to.
fn came_to(answer: &Answer) -> (&'static str, &str) {
    let kind = match answer {
        Answer::Licensed(_) => "licensed",
        Answer::InGrace(_) => "in grace",
        Answer::Denied(_) => "denied",
    };
    (kind, answer.code().as_str())
}

fn machine() -> Fingerprint {
    Fingerprint::parse(MACHINE).expect("one")
}

#[test]
fn an_outage_is_bridged_then_grace_then_the_end_of_the_lease() {
    let world = World::new();
    assert_eq!(came_to(&world.client().check()), ("licensed", "VALID"));
    world.is_down();
    for (later, expected) in [
        (HOUR, ("licensed", "VALID")),
        (DAY - 1, ("licensed", "VALID")),
        (DAY, ("in grace", "OFFLINE")),
        (8 * DAY - 1, ("in grace", "OFFLINE")),
        (8 * DAY, ("denied", "OFFLINE_TOO_LONG")),
        (800 * DAY, ("denied", "OFFLINE_TOO_LONG")),
    ] {
        world.clock.set(START + later);
        let answer = world.client().check();
        assert_eq!(came_to(&answer), expected, "after {later} s");
        let contact = answer.contact();
        assert_eq!(contact.source, Source::Disk);
        assert_eq!(contact.unreachable_since, Some(at(START + HOUR)));
        assert!(matches!(contact.trouble, Some(Trouble::Unreachable(_))), "{contact:?}");
        assert_eq!(came_to(&world.client().last_known()), expected, "the same without asking");
    }
    world.is_up();
    let answer = world.client().check();
    assert_eq!(came_to(&answer), ("licensed", "VALID"));
    assert_eq!(answer.contact().unreachable_since, None);
}

#[test]
fn nothing_but_a_verdict_on_our_own_question_denies() {
    type Script = fn(&Heard) -> Reply;
    let troubles: [(&str, Script); 14] = [
        ("hang up", |_| Reply::HangUp),
        ("silence", |_| Reply::Silence),
        ("400", |_| Reply::Json(400, json!({"type": "https://chopmark.dev/problems/malformed-request"}))),
        ("404", |_| Reply::Text(404, "", "not found".into())),
        ("429", |_| Reply::Text(429, "Retry-After: 30\r\n", String::new())),
        ("500", |_| Reply::Json(500, json!({"valid": false, "code": "RELEASED"}))),
        ("503", |heard| Reply::Json(503, no(heard, "RELEASED"))),
        ("a redirect", |_| Reply::Text(302, "Location: /login\r\n", String::new())),
        ("a captive portal", |_| Reply::Text(200, "Content-Type: text/html\r\n", "<html>pay here</html>".into())),
        ("a no to another question", |heard| {
            let mut body = no(heard, "RELEASED");
            body["nonce"] = "another".into();
            Reply::Json(200, body)
        }),
        ("a no to no question", |_| Reply::Json(200, json!({"valid": false, "code": "RELEASED"}))),
        ("a no with the code of a yes", |heard| Reply::Json(200, no(heard, "VALID"))),
        ("a no with no code", |heard| Reply::Json(200, no(heard, ""))),
        ("more than anybody wants", |heard| {
            let mut body = no(heard, "RELEASED");
            body["reason"] = "x".repeat(300_000).into();
            Reply::Json(200, body)
        }),
    ];
    for (name, script) in troubles {
        let world = World::new();
        let fresh = world.client();
        world.server.now(script);
        assert_eq!(came_to(&fresh.check()), ("in grace", "FIRST_RUN"), "{name}, at the first run");
        world.is_up();
        assert!(fresh.check().may_run());
        world.server.now(script);
        let answer = fresh.check();
        assert_eq!(came_to(&answer), ("licensed", "VALID"), "{name}");
        assert!(answer.contact().trouble.is_some(), "{name}");
    }
}

#[test]
fn a_program_that_never_reached_the_server_has_its_first_run() {
    let world = World::new();
    world.is_down();
    for (later, expected) in
        [(0, ("in grace", "FIRST_RUN")), (DAY - 1, ("in grace", "FIRST_RUN")), (DAY, ("denied", "NEVER_CHECKED"))]
    {
        world.clock.set(START + later);
        let answer = world.client().check();
        assert_eq!(came_to(&answer), expected);
        assert!(answer.facts().is_none_or(|facts| facts.entitlements.is_empty()));
    }
    let strict = World::new();
    strict.is_down();
    let client = strict.builder().license("another").first_run_grace(Duration::ZERO).build().expect("a client");
    assert_eq!(came_to(&client.check()), ("denied", "NEVER_CHECKED"));
}

#[test]
fn tries_come_farther_apart_spread_and_as_the_server_asks() {
    let world = World::new();
    let client = world.client();
    let _ = client.check();
    world.is_down();
    for usual in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
        let wait = client.check().contact().next_check_after.as_secs();
        assert!((usual * 4 / 5..=usual * 6 / 5).contains(&wait), "{wait} s instead of about {usual} s");
    }
    world.is_up();
    let _ = client.check();
    world.server.now(|_| Reply::Text(429, "Retry-After: 500\r\n", String::new()));
    assert_eq!(client.check().contact().next_check_after, Duration::from_secs(500));
}

#[test]
fn a_clock_turned_back_stretches_nothing_and_is_told() {
    let world = World::new();
    assert!(world.client().check().may_run());
    world.is_down();
    world.clock.set(START + 7 * DAY);
    assert_eq!(came_to(&world.client().check()), ("in grace", "OFFLINE"));
    world.clock.set(START - 30 * DAY);
    let answer = world.client().check();
    assert_eq!(came_to(&answer), ("in grace", "OFFLINE"));
    assert!(answer.contact().clock_turned_back);
    assert!(world.client().last_known().contact().clock_turned_back, "also without asking");
    world.clock.set(START - 29 * DAY);
    assert_eq!(came_to(&world.client().check()), ("denied", "OFFLINE_TOO_LONG"), "time goes on from there");
    world.clock.set(START + 6 * DAY);
    world.is_up();
    let answer = world.client().check();
    assert_eq!(came_to(&answer), ("licensed", "VALID"), "the server vouches for the time");
    assert!(!answer.contact().clock_turned_back);
}

/// A server whose clock is right, whatever the clock here is.
fn server_at(world: &World, now: i64) {
    let root = world.root.clone();
    world.server.now(move |heard| {
        let lease: Value = root.lease(&claims(now)).into();
        Reply::Json(200, yes(heard, &lease, now))
    });
}

#[test]
fn a_slow_clock_denies_nobody() {
    let world = World::new();
    server_at(&world, START);
    world.clock.set(START - 365 * DAY);
    let answer = world.client().check();
    assert_eq!(came_to(&answer), ("licensed", "VALID"));
    assert!(answer.contact().clock_turned_back);
}

#[test]
fn a_clock_far_ahead_is_named_and_once_set_right_forgiven() {
    let world = World::new();
    server_at(&world, START);
    world.clock.set(START + 1000 * DAY);
    let answer = world.client().check();
    assert_eq!(came_to(&answer), ("in grace", "FIRST_RUN"));
    assert_eq!(answer.contact().trouble, Some(Trouble::ClockAhead { ahead_seconds: 1000 * DAY }));
    world.clock.set(START);
    let answer = world.client().check();
    assert_eq!(came_to(&answer), ("licensed", "VALID"));
    assert!(!answer.contact().clock_turned_back);
}

#[test]
fn an_answer_from_the_future_cannot_poison_what_is_kept() {
    let world = World::new();
    let client = world.client();
    assert!(client.check().may_run());
    let lease: Value = world.root.lease(&claims(START)).into();
    world.server.now(move |heard| Reply::Json(200, yes(heard, &lease, START + 10_000 * DAY)));
    assert_eq!(came_to(&client.check()), ("licensed", "VALID"), "trouble, so the lease that is kept counts");
    world.is_down();
    world.clock.set(START + HOUR);
    assert_eq!(came_to(&client.check()), ("licensed", "VALID"));
}

#[test]
fn a_server_that_is_not_there_at_all_is_trouble() {
    let world = World::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let client = Client::builder(format!("http://{port}"), world.root.x(), "p").license("l");
    let answer = client.state_dir(world.folder.path()).build().expect("a client").check();
    assert_eq!(*answer.code(), Code::FirstRun);
}

#[test]
fn all_that_a_check_waits_for_shares_one_time() {
    let world = World::new();
    let (second, clock) = (Key::new(2), world.clock.clone());
    let set = json!({"keys": [second.jwk(&[&world.root])]});
    // Each answer comes in time for itself, both together do not.
    world.server.now(move |heard| {
        std::thread::sleep(Duration::from_millis(600));
        if heard.method == "GET" {
            return Reply::Json(200, set.clone());
        }
        Reply::Json(200, yes(heard, &second.lease(&claims(clock.seconds())).into(), clock.seconds()))
    });
    let second = Duration::from_secs(1);
    let client =
        world.builder().timeouts(second, second).license(LICENSE).machine(machine()).build().expect("a client");
    let answer = client.check();
    assert!(matches!(answer.contact().trouble, Some(Trouble::Unreachable(_))), "{answer:?}");
}

#[test]
fn a_lock_that_is_never_let_go_leaves_time_for_the_question() {
    let world = World::new();
    assert!(world.client().check().may_run());
    let entries = std::fs::read_dir(world.folder.path()).expect("the folder").map(|entry| entry.expect("one").path());
    let mut locks = entries.filter(|path| path.extension().is_some_and(|ending| ending == "lock"));
    let lock = std::fs::File::open(locks.next().expect("a lock")).expect("the lock");
    lock.lock().expect("a lock");
    let time = Duration::from_secs(2);
    let client = world.builder().timeouts(time, time).license(LICENSE).machine(machine()).build().expect("a client");
    let answer = client.check();
    assert!(matches!(&answer, Answer::Licensed(facts) if facts.contact.source == Source::Online), "{answer:?}");
    assert!(answer.contact().not_kept.as_ref().is_some_and(|why| why.contains("lock")), "{answer:?}");
    drop(lock);
    assert_eq!(client.check().contact().not_kept, None);
}
