//! A yes that does not prove itself is no yes, whoever says it.

use chopmark_client::{Answer, LeaseRefusal, Trouble};
use serde_json::{Value, json};

use crate::signer::{Key, forge, hs256};
use crate::world::{DAY, START, World, claims, claims_but};

/// What is refused is trouble: no license comes of it, and the one that is kept stays.
#[track_caller]
fn refused(name: &str, lease: impl Into<Value>, why: &Trouble) {
    let world = World::new();
    let lease = lease.into();
    world.sends(lease.clone());
    let answer = world.client().check();
    assert!(
        matches!(&answer, Answer::InGrace(facts) if facts.renew_by.is_none() && facts.entitlements.is_empty()),
        "{name}: {answer:?}"
    );
    assert_eq!(answer.contact().trouble.as_ref(), Some(why), "{name}");
    world.is_up();
    assert!(matches!(world.client().check(), Answer::Licensed(_)), "{name}: a good one after it");
    world.sends(lease);
    let answer = world.client().check();
    assert!(matches!(answer, Answer::Licensed(_)), "{name}: and it takes nothing away: {answer:?}");
}

#[test]
fn a_yes_without_a_lease_is_none() {
    refused("none", Value::Null, &Trouble::NoLease);
    for (name, text) in [("empty", ""), ("words", "yes"), ("dots", "..."), ("empty parts", "..")] {
        refused(name, text, &Trouble::Lease(LeaseRefusal::Malformed));
    }
}

#[test]
fn only_ed25519_counts() {
    let root = Key::new(1);
    let header = |alg: &str| json!({"alg": alg, "kid": root.kid(), "typ": "chopmark-lease+jwt"});
    let algorithm = Trouble::Lease(LeaseRefusal::Algorithm);
    for alg in ["none", "None", "ES256", "eddsa", "Ed25519", ""] {
        refused(alg, forge(&header(alg), &claims(START), |_| vec![]), &algorithm);
    }
    // The public key is known to everybody. A library that takes it for an HMAC secret believes everybody.
    for secret in [root.x().into_bytes(), crate::signer::raw(&root)] {
        let forged = forge(&header("HS256"), &claims(START), |signed| hs256(&secret, signed));
        refused("HS256", forged, &algorithm);
    }
}

#[test]
fn only_a_lease_is_one() {
    let root = Key::new(1);
    for typ in ["JWT", "chopmark-key+jwt", "chopmark-license+jwt"] {
        refused(typ, root.sign(typ, &claims(START)), &Trouble::Lease(LeaseRefusal::Type));
    }
    let critical =
        json!({"alg": "EdDSA", "kid": root.kid(), "typ": "chopmark-lease+jwt", "crit": ["b64"], "b64": false});
    refused("crit", root.sign_under(&critical, &claims(START)), &Trouble::Lease(LeaseRefusal::Type));
}

#[test]
fn a_lease_of_somebody_else_is_not_ours() {
    let root = Key::new(1);
    for (but, why) in [
        (json!({"aud": "another"}), LeaseRefusal::Product),
        (json!({"aud": null}), LeaseRefusal::Product),
        (json!({"aud": ["a63ee5c9-0000"]}), LeaseRefusal::Malformed),
        (json!({"sub": "another"}), LeaseRefusal::Subject),
        (json!({"deployment": "ca9e8b7c-f2be-4b6d-a639-f10b4d994d04"}), LeaseRefusal::Subject),
        (json!({"machine": "machine-2"}), LeaseRefusal::Machine),
        (json!({"machine": null}), LeaseRefusal::Machine),
        (json!({"iss": "somebody"}), LeaseRefusal::Issuer),
        (json!({"exp": null}), LeaseRefusal::Malformed),
        (json!({"exp": "9999999999"}), LeaseRefusal::Malformed),
        (json!({"renew_by": START + 9 * DAY}), LeaseRefusal::Malformed),
        (json!({"iat": START + 301, "nbf": START + 301}), LeaseRefusal::NotYet),
        (json!({"nbf": START + 301}), LeaseRefusal::NotYet),
        (json!({"iat": START - 9 * DAY, "renew_by": START - 8 * DAY, "exp": START}), LeaseRefusal::Ended),
    ] {
        refused(&but.to_string(), root.lease(&claims_but(START, &but)), &Trouble::Lease(why));
    }
}

#[test]
fn a_seller_who_is_named_is_held_to() {
    let world = World::new();
    let client = |seller: &str| {
        let machine = chopmark_client::Fingerprint::parse(crate::world::MACHINE).expect("one");
        world.builder().license(crate::world::LICENSE).machine(machine).seller(seller).build().expect("a client")
    };
    assert_eq!(client("other").check().contact().trouble, Some(Trouble::Lease(LeaseRefusal::Seller)));
    assert_eq!(client("acme").check().contact().trouble, None);
}

#[test]
fn a_signature_that_is_changed_or_anothers_does_not_hold() {
    let (root, thief) = (Key::new(1), Key::new(9));
    let good = root.lease(&claims(START));
    let (signed, signature) = good.rsplit_once('.').expect("a JWS");
    let other = root.lease(&claims_but(START, &json!({"entitlements": {"users": 1_000_000}})));
    let swapped = format!("{}.{signature}", other.rsplit_once('.').expect("a JWS").0);
    let wrong = Trouble::Lease(LeaseRefusal::Signature);
    refused("swapped payload", swapped, &wrong);
    refused("short", format!("{signed}.AAAA"), &wrong);
    let header = json!({"alg": "EdDSA", "kid": root.kid(), "typ": "chopmark-lease+jwt"});
    refused("a thief under our key's name", thief.sign_under(&header, &claims(START)), &wrong);
    refused("S + L", crate::signer::malleated(&good), &wrong);
}
