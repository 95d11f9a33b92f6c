use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::http::header::{FORWARDED, HeaderMap};
use actix_web::test::TestRequest;
use proptest::prelude::*;

use super::address::{client_address, counted_as};
use super::burst::Bursts;
use super::quota::{KEYS_MAX, Policy, Quota};
use super::{LimitSettings, Limits};

const MINUTE: Duration = Duration::from_secs(60);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn told(tell: impl Fn(&mut HeaderMap)) -> HashMap<String, String> {
    let mut headers = HeaderMap::new();
    tell(&mut headers);
    headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

/// A peer, its headers, and the client that they make.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// A request from a peer with headers `x` (X-Forwarded-For) and `f` (Forwarded).
fn address_of(peer: &str, headers: &[(&str, &str)]) -> String {
    let trusted = ["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"].map(|network| network.parse().unwrap());
    let peer = if peer.contains(':') { format!("[{peer}]:1") } else { format!("{peer}:1") };
    let mut request = TestRequest::default().peer_addr(peer.parse::<SocketAddr>().unwrap());
    for (name, value) in headers {
        let name = if *name == "f" { FORWARDED.as_str() } else { "X-Forwarded-For" };
        request = request.append_header((name, *value));
    }
    client_address(&request.to_http_request(), &trusted).to_string()
}

#[test]
fn the_client_is_whom_the_nearest_trusted_proxy_names() {
    let cases: &[Case] = &[
        // Nobody believes a stranger, whatever it claims.
        ("203.0.113.9", &[], "203.0.113.9"),
        ("203.0.113.9", &[("x", "198.51.100.1")], "203.0.113.9"),
        ("203.0.113.9", &[("f", "for=198.51.100.1")], "203.0.113.9"),
        ("203.0.113.9", &[("x", "10.0.0.1")], "203.0.113.9"),
        // A trusted proxy is believed, and what a client put before its word is not.
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &[("x", "198.51.100.1")], "198.51.100.1"),
        ("10.0.0.1", &[("x", "1.1.1.1, 198.51.100.1")], "198.51.100.1"),
        ("10.0.0.1", &[("x", "1.1.1.1"), ("x", "198.51.100.1")], "198.51.100.1"),
        ("10.0.0.1", &[("x", "rubbish, , 198.51.100.1")], "198.51.100.1"),
        ("10.0.0.1", &[("x", "1.1.1.1,198.51.100.1 , 10.2.3.4,192.0.2.7")], "198.51.100.1"),
        ("10.0.0.1", &[("x", "10.9.9.9, 10.2.3.4")], "10.9.9.9"),
        ("10.0.0.1", &[("x", "198.51.100.1:4711")], "198.51.100.1"),
        ("10.0.0.1", &[("x", "2001:db8::1")], "2001:db8::1"),
        ("10.0.0.1", &[("x", "[2001:db8::1]")], "2001:db8::1"),
        ("10.0.0.1", &[("x", "[2001:db8::1]:4711")], "2001:db8::1"),
        ("fd00::1", &[("x", "198.51.100.1, fd00::2")], "198.51.100.1"),
        ("10.0.0.1", &[("x", "::ffff:198.51.100.1")], "198.51.100.1"),
        ("::ffff:10.0.0.1", &[("x", "198.51.100.1, ::ffff:10.0.0.2")], "198.51.100.1"),
        ("::ffff:203.0.113.9", &[("x", "198.51.100.1")], "203.0.113.9"),
        // RFC 7239.
        ("10.0.0.1", &[("f", "for=198.51.100.1")], "198.51.100.1"),
        ("10.0.0.1", &[("f", "for=1.1.1.1, For=\"198.51.100.1:80\";proto=https;by=203.0.113.43")], "198.51.100.1"),
        ("10.0.0.1", &[("f", "proto=http; for=\"[2001:db8:cafe::17]:4711\"")], "2001:db8:cafe::17"),
        ("10.0.0.1", &[("f", "for=\"x, for=198.51.100.1")], "198.51.100.1"),
        // What makes no sense where it is read.
        ("10.0.0.1", &[("x", "")], "10.0.0.1"),
        ("10.0.0.1", &[("x", "198.51.100.1, unknown")], "10.0.0.1"),
        ("10.0.0.1", &[("x", "198.51.100.1,")], "10.0.0.1"),
        ("10.0.0.1", &[("f", "for=_hidden")], "10.0.0.1"),
        ("10.0.0.1", &[("f", "for=unknown")], "10.0.0.1"),
        ("10.0.0.1", &[("f", "proto=https")], "10.0.0.1"),
        ("10.0.0.1", &[("f", "for=198.51.100.1;for=1.1.1.1")], "10.0.0.1"),
        ("10.0.0.1", &[("f", "for=198.51.100.1;host=\"a, for=1.1.1.1\"")], "10.0.0.1"),
        ("10.0.0.1", &[("f", "for=198.51.100.1;host=\"a\\\", for=1.1.1.1;x=\\\"\"")], "10.0.0.1"),
        // Both headers: only if they agree.
        ("10.0.0.1", &[("x", "198.51.100.1"), ("f", "for=198.51.100.1")], "198.51.100.1"),
        ("10.0.0.1", &[("x", "198.51.100.1"), ("f", "for=1.1.1.1")], "10.0.0.1"),
        ("10.0.0.1", &[("x", "198.51.100.1"), ("f", "rubbish")], "10.0.0.1"),
    ];
    for (peer, headers, expected) in cases {
        assert_eq!(address_of(peer, headers), *expected, "{peer} {headers:?}");
    }
}

#[test]
fn without_trusted_proxies_only_the_peer_counts() {
    let request = TestRequest::default()
        .peer_addr("203.0.113.9:1".parse().unwrap())
        .insert_header(("X-Forwarded-For", "1.1.1.1"))
        .to_http_request();
    let limits = Limits::new(LimitSettings::default(), Instant::now());
    assert_eq!(limits.client_address(&request), ip("203.0.113.9"));
}

#[test]
fn an_ipv6_network_is_one_address_and_a_mapped_ipv4_its_ipv4() {
    for (one, other, is_same) in [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ("::ffff:192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
    ] {
        assert_eq!(counted_as(ip(one)) == counted_as(ip(other)), is_same, "{one} {other}");
    }
}

#[test]
fn sixty_failures_are_answered_then_one_a_second() {
    let start = Instant::now();
    let limits = Limits::new(LimitSettings::default(), start);
    let (guesser, other) = (ip("203.0.113.9"), ip("203.0.113.10"));
    assert_eq!(limits.failures.peek(&counted_as(guesser), start).unwrap().remaining, 60);
    for left in (0..60).rev() {
        let standing = limits.failed(guesser, start).unwrap();
        assert_eq!((standing.remaining, standing.resets_in), (left, 60 - u64::from(left)));
    }
    for _ in 0..1_000 {
        let exceeded = limits.failed(guesser, start).unwrap_err();
        assert_eq!((exceeded.retry_after, exceeded.standing.remaining), (1, 0));
    }
    assert_eq!(limits.failures.peek(&counted_as(guesser), start).unwrap_err().retry_after, 1);
    assert_eq!(limits.failures.peek(&counted_as(other), start).unwrap().remaining, 60, "others are not touched");
    let later = start + Duration::from_millis(1_001);
    assert_eq!(limits.failed(guesser, later).unwrap().remaining, 0);
    assert!(limits.failed(guesser, later).is_err());
    assert_eq!(limits.failures.peek(&counted_as(guesser), later + MINUTE).unwrap().remaining, 60);
}

#[test]
fn headers_are_those_of_the_draft() {
    let start = Instant::now();
    let limits = Limits::new(LimitSettings { failures_per_minute: 2, ..LimitSettings::default() }, start);
    let address = ip("203.0.113.9");
    let standing = limits.failed(address, start).unwrap();
    let policy = ("ratelimit-policy".to_owned(), "\"failures\";q=2;w=60".to_owned());
    let expected = HashMap::from([policy.clone(), ("ratelimit".into(), "\"failures\";r=1;t=30".into())]);
    assert_eq!(told(|headers| standing.tell(headers)), expected);
    limits.failed(address, start).unwrap();
    let exceeded = limits.failed(address, start + Duration::from_secs(10)).unwrap_err();
    let expected = HashMap::from([
        policy,
        ("ratelimit".into(), "\"failures\";r=0;t=50".into()),
        ("retry-after".into(), "20".into()),
    ]);
    assert_eq!(told(|headers| exceeded.tell(headers)), expected);
    let response = exceeded.problem().error_response();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers().get("retry-after").unwrap(), "20");
    assert!(exceeded.problem().to_string().contains("\"failures\""), "{}", exceeded.problem());
}

#[test]
fn a_quota_of_nothing_allows_nothing_and_says_to_come_back() {
    let start = Instant::now();
    let quota = Quota::new(Policy::new("none", 0, MINUTE), start);
    assert_eq!(quota.spend(&"key", start).unwrap_err().retry_after, 60);
    assert!(quota.peek(&"key", start).is_err());
}

/// Tokens that drip back one by one, kept for every key for ever.
struct Bucket {
    capacity: u128,
    interval: u128,
    tokens: u128,
    at: u128,
}

impl Bucket {
    fn refill(&mut self, now: Duration) {
        self.tokens = (self.tokens + (now.as_nanos() - self.at)).min(self.capacity);
        self.at = now.as_nanos();
    }

    fn take(&mut self) -> bool {
        let has_one = self.tokens >= self.interval;
        self.tokens -= if has_one { self.interval } else { 0 };
        has_one
    }
}

proptest! {
    #[test]
    fn a_quota_does_what_a_bucket_for_every_key_would(
        size in 1u32..20,
        window in 1u64..100,
        steps in proptest::collection::vec((0u8..4, prop_oneof![Just(0u64), 0u64..500, 0u64..200_000]), 1..400),
    ) {
        let start = Instant::now();
        let quota = Quota::new(Policy::new("test", size, Duration::from_secs(window)), start);
        let interval = Duration::from_secs(window).as_nanos() / u128::from(size);
        let capacity = interval * u128::from(size);
        let mut model: HashMap<u8, Bucket> = HashMap::new();
        let mut now = Duration::ZERO;
        for (key, pause) in steps {
            now += Duration::from_millis(pause);
            let bucket = model.entry(key).or_insert(Bucket { capacity, interval, tokens: capacity, at: 0 });
            bucket.refill(now);
            let peeked = quota.peek(&key, start + now);
            prop_assert_eq!(peeked.is_ok(), bucket.tokens >= interval);
            let spent = quota.spend(&key, start + now);
            prop_assert_eq!(spent.is_ok(), bucket.take());
            match spent {
                Ok(standing) => prop_assert_eq!(u128::from(standing.remaining), bucket.tokens / interval),
                Err(exceeded) => {
                    let then = start + now + Duration::from_secs(exceeded.retry_after);
                    prop_assert!(quota.peek(&key, then).is_ok(), "coming back when told helps");
                }
            }
        }
    }

    #[test]
    fn whoever_keeps_to_the_pace_is_never_refused(size in 1u32..50, window in 1u64..50, pauses in proptest::collection::vec(0u64..1_000_000, 1..300)) {
        let start = Instant::now();
        let window = Duration::from_secs(window);
        let quota = Quota::new(Policy::new("test", size, window), start);
        let mut now = start;
        for pause in pauses {
            prop_assert!(quota.spend(&"key", now).is_ok());
            now += window / size + Duration::from_nanos(pause);
        }
    }
}

#[test]
fn a_million_addresses_fill_no_memory_and_the_latest_are_remembered() {
    let start = Instant::now();
    let quota = Quota::new(Policy::new("failures", 2, MINUTE), start);
    for key in 0..1_000_000u32 {
        quota.spend(&key, start).unwrap();
        if key % 100_000 == 0 {
            assert!(quota.keys() <= KEYS_MAX);
        }
    }
    assert!((KEYS_MAX / 3..=KEYS_MAX).contains(&quota.keys()), "{}", quota.keys());
    let is_remembered = |key: &u32| quota.peek(key, start).unwrap().remaining == 1;
    assert!((980_000..1_000_000).all(|key| is_remembered(&key)));
    assert!(!(0..1_000).any(|key| is_remembered(&key)));
}

#[test]
fn keys_that_have_everything_again_are_forgotten_in_time() {
    let start = Instant::now();
    let quota = Quota::new(Policy::new("failures", 2, MINUTE), start);
    assert!((0..10_000u32).all(|key| quota.spend(&key, start).is_ok()));
    for round in 1..=3 {
        assert!((0..1_000u32).all(|key| quota.spend(&key, start + MINUTE * round).is_ok()));
    }
    assert!(quota.keys() <= 1_000, "{}", quota.keys());
}

fn bursts(burst: u32, start: Instant) -> Bursts {
    Bursts::new(Policy::new("license", burst, MINUTE), start)
}

#[test]
fn a_license_has_its_burst_and_at_most_a_sixteenth_more_and_then_its_pace() {
    let start = Instant::now();
    let limits = Limits::new(LimitSettings::default(), start);
    let allowed = |now| (0..5_000).filter(|_| limits.checked("acme", "hot", now).is_ok()).count();
    assert_eq!(allowed(start), 1_062);
    assert_eq!(limits.checked("acme", "hot", start).unwrap_err().retry_after, 1);
    limits.checked("other", "hot", start).unwrap();
    // A second brings back 1000/60.
    assert_eq!(allowed(start + Duration::from_secs(1)), 16);
    assert_eq!(allowed(start + MINUTE), 1_062 - 16);
    assert_eq!(allowed(start + MINUTE * 3), 1_062);
}

#[test]
fn a_million_licenses_at_their_usual_pace_are_not_looked_at_closely() {
    let start = Instant::now();
    let bursts = bursts(1_000, start);
    for license in 0..1_000_000u32 {
        bursts.spend("acme", &license.to_string(), start).unwrap();
    }
    assert_eq!(bursts.closely(), 0);
}

#[test]
fn no_license_is_refused_for_what_its_neighbours_do() {
    let start = Instant::now();
    let bursts = bursts(40, start);
    // Every slot is far above what goes unquestioned: each license is counted for itself.
    for round in 0..4 {
        for license in 0..400_000u32 {
            assert!(bursts.spend("acme", &license.to_string(), start).is_ok(), "license {license} in round {round}");
        }
    }
    assert!((1..=KEYS_MAX).contains(&bursts.closely()));
    let refused = (0..200).filter(|_| bursts.spend("acme", "runaway", start).is_err()).count();
    assert!((155..=160).contains(&refused), "{refused}");
}

proptest! {
    #[test]
    fn a_license_within_its_burst_is_never_refused_and_a_runaway_is(
        burst in 1u32..40,
        steps in proptest::collection::vec((0u8..3, 0u64..3_000), 1..400),
    ) {
        let start = Instant::now();
        let bursts = bursts(burst, start);
        let model = Quota::new(Policy::new("model", burst, MINUTE), start);
        let mut now = start;
        let mut passed: HashMap<u8, Vec<Instant>> = HashMap::new();
        let mut runaways = HashSet::new();
        for (license, pause) in steps {
            now += Duration::from_millis(pause);
            let is_passed = bursts.spend("acme", &license.to_string(), now).is_ok();
            if model.spend(&license, now).is_err() {
                runaways.insert(license);
            }
            prop_assert!(is_passed || runaways.contains(&license), "it was always within its own burst");
            if is_passed {
                let passed = passed.entry(license).or_default();
                passed.push(now);
                let within = passed.iter().filter(|at| now - **at < MINUTE).count();
                // The burst, what came back, and a sixteenth in each of the two minutes that a span touches.
                prop_assert!(within <= usize::try_from(2 * burst + 2 * (burst / 16) + 1).unwrap());
            }
        }
    }
}

#[test]
fn threads_together_get_one_burst() {
    let start = Instant::now();
    let bursts = bursts(1_000, start);
    let allowed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..1_000).filter(|_| bursts.spend("acme", "hot", start).is_ok()).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(allowed, 1_062);
}

#[test]
fn who_guesses_codes_uses_up_his_own_before_what_all_share() {
    let start = Instant::now();
    let limits = Limits::new(LimitSettings::default(), start);
    let looked_up = |address: &str| {
        let guess = |guess: &u32| limits.looked_up("acme", &format!("{address} {guess}"), ip(address), start).is_ok();
        (0..1_000).filter(guess).count()
    };
    assert_eq!(looked_up("203.0.113.9"), 10);
    assert_eq!(looked_up("203.0.113.10"), 10);
    let many: usize = (0..100u16)
        .map(|network| {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, 1);
            usize::from(limits.looked_up("acme", &format!("PL{network}"), address.into(), start).is_ok())
        })
        .sum();
    assert_eq!(many, 100);
    assert!(limits.looked_up("acme", "PLNEW", ip("203.0.113.11"), start).is_err(), "the seller's are used up");
    limits.looked_up("other", "PLNEW", ip("203.0.113.11"), start).unwrap();
}

#[test]
fn asking_again_for_a_code_that_is_being_looked_up_uses_nothing_up_and_asking_for_another_does() {
    let start = Instant::now();
    let settings = LimitSettings { code_lookups_per_address_and_minute: 2, ..LimitSettings::default() };
    let limits = Limits::new(settings, start);
    let (office, stranger) = (ip("203.0.113.9"), ip("203.0.113.10"));
    let looked_up = |code, address, now| limits.looked_up("acme", code, address, now).is_ok();
    assert!((0..100).all(|_| looked_up("PLNEW", office, start)), "a hundred machines behind one address");
    assert!(looked_up("PLGUESS1", office, start));
    assert!((0..100).all(|_| !looked_up("PLGUESS2", office, start)), "a refused one gets no cheaper by asking again");
    assert!(looked_up("PLNEW", office, start + MINUTE / 3), "still within the minute");
    assert!(looked_up("PLGUESS2", stranger, start) && looked_up("PLGUESS2", office, start), "all share one question");
    assert!(limits.looked_up("other", "PLGUESS2", office, start).is_err(), "sellers are walls");
    let later = start + MINUTE;
    assert!(looked_up("PLGUESS3", office, later) && looked_up("PLGUESS4", office, later), "both are back");
    assert!(!looked_up("PLNEW", office, later), "a minute later it costs one again");
}

#[test]
fn the_log_is_told_of_each_clone_once_a_minute() {
    let start = Instant::now();
    let limits = Limits::new(LimitSettings::default(), start);
    let warned = |seller, ecs, now| (0..60).filter(|_| limits.may_warn_of_clone(seller, ecs, now)).count();
    assert_eq!(
        [warned("acme", "ecs-1", start), warned("acme", "ecs-2", start), warned("other", "ecs-1", start)],
        [1; 3]
    );
    assert_eq!(warned("acme", "ecs-1", start + MINUTE / 2), 0);
    assert_eq!(warned("acme", "ecs-1", start + MINUTE), 1);
}

#[test]
fn enrolments_are_bounded_by_deployment_by_address_and_by_product() {
    let start = Instant::now();
    let settings = LimitSettings {
        enrolments_per_deployment_and_day: 2,
        enrolments_per_address_and_hour: 3,
        enrolments_per_product_and_hour: 5,
        ..LimitSettings::default()
    };
    let limits = Limits::new(settings, start);
    let (one, other) = (ip("203.0.113.1"), ip("203.0.113.2"));
    let enrolled = |product, deployment, address| limits.enrolled("acme", product, deployment, address, start).is_ok();
    assert!(enrolled("sku-1", "ecs-1", one) && enrolled("sku-1", "ecs-1", one));
    assert!(!enrolled("sku-1", "ecs-1", other), "the deployment's are used up");
    assert!(enrolled("sku-1", "ecs-2", one));
    assert!(!enrolled("sku-1", "ecs-3", one), "the address's are used up");
    assert!(enrolled("sku-1", "ecs-4", other) && enrolled("sku-1", "ecs-5", other));
    assert!(!enrolled("sku-1", "ecs-6", other), "the product's are used up");
    assert!(limits.enrolled("acme", "sku-2", "ecs-7", ip("203.0.113.3"), start).is_ok());
    assert!(limits.enrolled("other", "sku-1", "ecs-1", ip("203.0.113.3"), start).is_ok(), "sellers are walls");
}

#[test]
fn policies_have_names_of_their_own_that_a_header_can_hold() {
    let start = Instant::now();
    let limits = Limits::new(LimitSettings { license_burst: 0, ..LimitSettings::default() }, start);
    let address = ip("203.0.113.9");
    let mut names = HashSet::from([told(|headers| {
        limits.checked("acme", "license", start).unwrap_err().tell(headers);
    })["ratelimit-policy"]
        .clone()]);
    names.insert(
        told(|headers| limits.failures.peek(&counted_as(address), start).unwrap().tell(headers))["ratelimit-policy"]
            .clone(),
    );
    for guess in 0..200 {
        if let Err(exceeded) = limits.looked_up("acme", &format!("PL{guess}"), address, start) {
            names.insert(told(|headers| exceeded.tell(headers))["ratelimit-policy"].clone());
        }
        if let Err(exceeded) = limits.enrolled("acme", "sku", "ecs", address, start) {
            names.insert(told(|headers| exceeded.tell(headers))["ratelimit-policy"].clone());
        }
    }
    let expected = [
        "\"license\";q=0;w=60",
        "\"failures\";q=60;w=60",
        "\"lookups-of-address\";q=10;w=60",
        "\"enrolments-of-deployment\";q=10;w=86400",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
}
