//! The issuer: what it reuses, what it signs anew, and what it believes of what it gave out.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails")]

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chopmark_signing::{
    DocumentClaims, Holder, IssuerSettings, KeyRing, Lease, LeaseError, LeaseIssuer, LeaseRequest, NoLease,
    PresentedLease, SigningMetrics, Term, license_document,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

const HOUR: i64 = 3_600;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::generate([[1; 32], [2; 32]]).unwrap()
}

fn issuer(cached_leases: usize) -> LeaseIssuer {
    let settings = IssuerSettings { name: "chopmark".into(), cached_leases };
    LeaseIssuer::new(ring(), settings, [9; 16], SigningMetrics::unregistered())
}

const TERM: Term =
    Term { lease_seconds: 86_400, offline_grace_seconds: 604_800, not_beyond: None, facts_pending: false };

fn request(entitlements: &Value) -> LeaseRequest<'_, Value> {
    LeaseRequest {
        seller: "acme",
        license: "license-1",
        product: Some("sku-1"),
        holder: Some(Holder::Machine("machine-1")),
        entitlements: Some(entitlements),
        term: TERM,
    }
}

fn claims(lease: &Lease) -> Value {
    let payload = lease.jws.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn a_thousand_steady_checks_cost_one_signature() {
    let issuer = issuer(100);
    let entitlements = json!({"reports": true});
    let first = issuer.issue(&request(&entitlements), at(0)).unwrap();
    for number in 1..1_000 {
        let next = issuer.issue(&request(&entitlements), at(number * 43)).unwrap();
        assert_eq!(next, Lease { fresh: false, ..first.clone() });
    }
    assert_eq!((issuer.metrics().signed(), issuer.metrics().reused(), issuer.metrics().cached()), (1, 999, 1));
    let renewed = issuer.issue(&request(&entitlements), at(43_201)).unwrap();
    assert!(
        renewed.fresh && renewed.given.expires_at() > first.given.expires_at(),
        "past half of its time it is renewed"
    );
    assert_ne!(claims(&renewed)["jti"], claims(&first)["jti"]);
}

#[test]
fn whatever_changes_what_a_lease_says_costs_a_signature_and_nothing_else_does() {
    let (before, after) = (json!({"users": 5}), json!({"users": 6}));
    let same = || request(&before);
    let with = |term| LeaseRequest { term, ..same() };
    let until = |seconds| with(Term { not_beyond: Some(at(seconds)), ..TERM });
    let table: Vec<(&str, LeaseRequest<'_, Value>, bool)> = vec![
        ("nothing", same(), false),
        ("the entitlements", request(&after), true),
        ("no entitlements any more", LeaseRequest { entitlements: None, ..same() }, true),
        ("the product", LeaseRequest { product: Some("sku-2"), ..same() }, true),
        ("the machine", LeaseRequest { holder: Some(Holder::Machine("machine-2")), ..same() }, true),
        ("a deployment of that name", LeaseRequest { holder: Some(Holder::Deployment("machine-1")), ..same() }, true),
        ("no machine", LeaseRequest { holder: None, ..same() }, true),
        ("the license", LeaseRequest { license: "license-2", ..same() }, true),
        ("the seller", LeaseRequest { seller: "beta", ..same() }, true),
        ("the time to renew", with(Term { lease_seconds: 80_000, ..TERM }), true),
        ("the time offline", with(Term { offline_grace_seconds: 0, ..TERM }), true),
        ("an end within it", until(500_000), true),
        ("an end behind it", until(5_000_000), false),
        ("facts that are awaited", with(Term { facts_pending: true, ..TERM }), true),
    ];
    for (what, changed, costs) in table {
        let issuer = issuer(100);
        issuer.issue(&same(), at(0)).unwrap();
        let lease = issuer.issue(&changed, at(10)).unwrap();
        assert_eq!(lease.fresh, costs, "{what}");
        assert!(issuer.keys().verify_lease(&lease.jws, at(10)).is_ok(), "{what}");
        assert!(!issuer.issue(&changed, at(10)).unwrap().fresh, "{what}: once");
    }
}

#[test]
fn another_key_costs_a_signature_once() {
    let issuer = issuer(100);
    let entitlements = json!({});
    let former = issuer.issue(&request(&entitlements), at(0)).unwrap();
    issuer.replace_keys(ring().rotate([3; 32]).unwrap());
    assert!(issuer.issue(&request(&entitlements), at(1)).unwrap().fresh);
    assert!(!issuer.issue(&request(&entitlements), at(2)).unwrap().fresh);
    assert!(issuer.keys().verify_lease(&former.jws, at(2)).is_ok());
    assert_eq!(issuer.metrics().cached(), 1, "in the place of the former one");
}

#[test]
fn a_license_that_ends_soon_costs_one_signature_to_its_end_and_then_has_no_lease() {
    let issuer = issuer(100);
    let entitlements = json!({});
    let ending = || LeaseRequest { term: Term { not_beyond: Some(at(HOUR)), ..TERM }, ..request(&entitlements) };
    for second in 0..HOUR {
        assert_eq!(issuer.issue(&ending(), at(second)).unwrap().given.expires_at(), at(HOUR));
    }
    assert_eq!(issuer.metrics().signed(), 1);
    assert!(matches!(issuer.issue(&ending(), at(HOUR)), Err(NoLease::NothingLeft)));
}

#[test]
fn a_clock_that_was_turned_back_gives_out_nothing_that_begins_later() {
    let issuer = issuer(100);
    let entitlements = json!({});
    issuer.issue(&request(&entitlements), at(100)).unwrap();
    let lease = issuer.issue(&request(&entitlements), at(50)).unwrap();
    assert!(lease.fresh && claims(&lease)["nbf"] == at(50).timestamp());
}

#[test]
fn entitlements_that_are_no_json_are_an_error() {
    let impossible: BTreeMap<Option<()>, u8> = BTreeMap::from([(None, 1)]);
    let request = LeaseRequest {
        seller: "acme",
        license: "license-1",
        product: None,
        holder: None,
        entitlements: Some(&impossible),
        term: TERM,
    };
    assert!(matches!(issuer(10).issue(&request, at(0)), Err(NoLease::Claims(_))));
}

#[test]
fn ten_times_as_many_licenses_as_there_is_room_for_take_no_more_room() {
    let issuer = issuer(100);
    let entitlements = json!({});
    for number in 0..1_000 {
        let license = format!("license-{number}");
        let lease = issuer.issue(&LeaseRequest { license: &license, ..request(&entitlements) }, at(0)).unwrap();
        assert_eq!(claims(&lease)["sub"], license);
    }
    assert!((50..=100).contains(&issuer.metrics().cached()), "{}", issuer.metrics().cached());
    let entries = issuer.metrics().cached();
    let again = issuer.issue(&LeaseRequest { license: "license-999", ..request(&entitlements) }, at(0)).unwrap();
    assert!(!again.fresh, "the last one is there");
    assert_eq!(issuer.metrics().cached(), entries);
}

#[test]
fn threads_that_race_each_get_a_lease_that_holds() {
    let issuer = issuer(8);
    let before = json!({"users": 5});
    let after = json!({"users": 6});
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (issuer, before, after) = (&issuer, &before, &after);
            scope.spawn(move || {
                for number in 0..200 {
                    let license = format!("license-{}", number % 20);
                    let entitlements = if (number + thread) % 3 == 0 { after } else { before };
                    let request = LeaseRequest { license: &license, ..request(entitlements) };
                    let now = at(number * 600);
                    let lease = issuer.issue(&request, now).unwrap();
                    assert_eq!(issuer.keys().verify_lease(&lease.jws, now).unwrap().license, license);
                    assert_eq!(claims(&lease)["entitlements"], *entitlements);
                    if thread == 0 && number == 100 {
                        issuer.replace_keys(ring().rotate([3; 32]).unwrap());
                    }
                }
            });
        }
    });
    assert_eq!(issuer.metrics().signed() + issuer.metrics().reused(), 1_600);
    assert!(issuer.metrics().cached() <= 8);
}

#[test]
fn a_presented_lease_says_whose_it_is() {
    let issuer = issuer(10);
    let entitlements = json!({});
    let lease = issuer.issue(&request(&entitlements), at(0)).unwrap();
    let presented = issuer.keys().verify_lease(&lease.jws, at(1)).unwrap();
    let expected = PresentedLease {
        license: "license-1".into(),
        seller: "acme".into(),
        machine: Some("machine-1".into()),
        deployment: None,
        expires_at: lease.given.expires_at(),
    };
    assert_eq!(presented, expected);
    let moment_before = lease.given.expires_at() - TimeDelta::milliseconds(1);
    assert!(issuer.keys().verify_lease(&lease.jws, moment_before).is_ok());
    let over = LeaseError::Expired { at: lease.given.expires_at() };
    assert_eq!(issuer.keys().verify_lease(&lease.jws, lease.given.expires_at()), Err(over));
}

#[test]
fn what_is_not_a_lease_of_ours_is_not_believed() {
    let issuer = issuer(10);
    let keys = issuer.keys();
    let entitlements = json!({});
    let jws = issuer.issue(&request(&entitlements), at(0)).unwrap().jws;
    let [header, payload, signature] = jws.split('.').collect::<Vec<_>>().try_into().unwrap();
    let kid = keys.signing().kid();
    let with_header = |json: String| format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode(json));
    let with = |alg: &str, typ: &str, kid: &str, more: &str| {
        with_header(format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"{typ}"{more}}}"#))
    };
    let lease = "chopmark-lease+jwt";
    let elsewhere = KeyRing::generate([[7; 32], [8; 32]]).unwrap();
    let foreign = LeaseIssuer::new(
        elsewhere,
        IssuerSettings { name: "chopmark".into(), cached_leases: 1 },
        [9; 16],
        SigningMetrics::unregistered(),
    );
    let foreign = foreign.issue(&request(&entitlements), at(0)).unwrap().jws;
    let document = DocumentClaims::<Value> {
        issuer: "chopmark",
        license: "license-1",
        product: None,
        seller: "acme",
        event_id: "e",
        fingerprint: None,
        not_before: at(0),
        expires_at: Some(at(HOUR)),
        entitlements: None,
    };
    let document = license_document(&keys, &document).unwrap();
    let flipped = |text: &str| text.replacen(|_| true, if text.starts_with('A') { "B" } else { "A" }, 1);
    let table = [
        (jws.clone(), Ok(())),
        (with("EdDSA", lease, kid.as_str(), ""), Ok(())),
        (with("none", lease, kid.as_str(), ""), Err(LeaseError::Algorithm)),
        (format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)), Err(LeaseError::Malformed)),
        (with("HS256", lease, kid.as_str(), ""), Err(LeaseError::Algorithm)),
        (with("EdDSA", lease, kid.as_str(), r#","crit":["b64"],"b64":false"#), Err(LeaseError::Algorithm)),
        (with("EdDSA", "JWT", kid.as_str(), ""), Err(LeaseError::Type)),
        (document, Err(LeaseError::Type)),
        (keys.jwks().keys[1].endorsements[0].clone(), Err(LeaseError::Type)),
        (with("EdDSA", lease, keys.jwks().keys[1].kid.as_str(), ""), Err(LeaseError::Signature)),
        (foreign, Err(LeaseError::UnknownKey)),
        (format!("{header}.{}.{signature}", flipped(payload)), Err(LeaseError::Signature)),
        (format!("{header}.{payload}.{}", flipped(signature)), Err(LeaseError::Signature)),
        (format!("{header}.{payload}.{}", &signature[4..]), Err(LeaseError::Signature)),
        (format!("{header}.{payload}.{signature}="), Err(LeaseError::Malformed)),
        (format!("{header}.{payload}.{signature}.{signature}"), Err(LeaseError::Malformed)),
        (format!("{header}.{payload}"), Err(LeaseError::Malformed)),
        (String::new(), Err(LeaseError::Malformed)),
        (" ".repeat(8_193), Err(LeaseError::TooLong { length: 8_193 })),
    ];
    for (presented, expected) in table {
        assert_eq!(keys.verify_lease(&presented, at(1)).map(drop), expected, "{presented}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was asked before, a lease says what its request says, lasts as long as it must, and is signed by the
    /// key that signs now; and it is not signed when the former one serves.
    #[test]
    fn a_lease_never_says_what_the_license_no_longer_does(
        checks in prop::collection::vec(
            (0..3u8, prop::option::of(0..2u8), 0..3u32, prop::option::of(0..200_000i64), any::<bool>(), 0..20_000i64, 0..20u8),
            1..60,
        ),
    ) {
        let issuer = issuer(4);
        let mut keys = 2;
        let mut now = at(0);
        for (license, machine, users, left, facts_pending, passed, rotates) in checks {
            now += TimeDelta::milliseconds(passed * 1_000 + 123);
            if rotates == 0 {
                keys += 1;
                let rotated = (3..=keys).try_fold(ring(), |ring, random| ring.rotate([random; 32]));
                issuer.replace_keys(rotated.unwrap());
            }
            let license = format!("license-{license}");
            let machine = machine.map(|number| format!("machine-{number}"));
            let entitlements = json!({"users": users});
            let not_beyond = left.map(|left| now + TimeDelta::seconds(left));
            let request = LeaseRequest {
                seller: "acme",
                license: &license,
                product: None,
                holder: machine.as_deref().map(Holder::Machine),
                entitlements: Some(&entitlements),
                term: Term { not_beyond, facts_pending, ..TERM },
            };
            let Ok(lease) = issuer.issue(&request, now) else {
                prop_assert!(left == Some(0));
                continue;
            };
            prop_assert!(lease.jws.starts_with(&format!("{}.", header_of(&issuer))), "signed by the present key");
            let presented = issuer.keys().verify_lease(&lease.jws, now).unwrap();
            prop_assert_eq!(&presented.license, &license);
            prop_assert_eq!(&presented.machine, &machine);
            let said = claims(&lease);
            prop_assert_eq!(&said["entitlements"], &entitlements);
            prop_assert_eq!(said["exp"].as_i64().unwrap(), lease.given.expires_at().timestamp());
            prop_assert_eq!(said["renew_by"].as_i64().unwrap(), lease.given.renew_by().timestamp());
            prop_assert!(said["nbf"].as_i64().unwrap() <= now.timestamp());
            prop_assert!(not_beyond.is_none_or(|end| lease.given.expires_at() <= end));
            let most = (now + TimeDelta::seconds(86_400)).timestamp();
            let end = not_beyond.map_or(i64::MAX, |end| end.timestamp());
            prop_assert!(lease.given.renew_by().timestamp() >= end.min(most - 43_200 - 1), "half of its time is left");
            prop_assert!(!facts_pending || lease.given.expires_at() - now <= TimeDelta::seconds(86_400));
        }
        prop_assert!(issuer.metrics().cached() <= 4);
    }
}

fn header_of(issuer: &LeaseIssuer) -> String {
    let kid = issuer.keys().signing().kid().to_string();
    URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"chopmark-lease+jwt"}}"#))
}
