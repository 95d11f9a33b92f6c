//! The test vectors: leases with the verdict each must get, for clients in every language.
//!
//! `tests/vectors/leases.json` is made here from fixed keys (Ed25519 signatures are always the same), and the test
//! fails when the file differs. `CHOPMARK_WRITE_VECTORS=1 cargo test -p chopmark-client vectors` writes it anew.

use std::path::Path;

use chopmark_client::{Expected, Fingerprint, KeyRing, Phase, Subject, verify_lease};
use serde_json::{Value, json};

use crate::signer::{Key, forge, hs256, malleated, raw};
use crate::world::{DAY, LICENSE, MACHINE, PRODUCT, START, UUID, claims, claims_but};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/leases.json");

/// What the leases of [`claims`] say.
pub(crate) fn expected() -> Expected {
    let machine = Some(Fingerprint::parse(MACHINE).expect("a fingerprint"));
    Expected {
        issuer: "chopmark".into(),
        product: PRODUCT.into(),
        subject: Subject::License { id: LICENSE.into(), machine },
        seller: None,
    }
}

/// The keys of the story: the pinned one, one it vouches for, one that vouches for, and a thief's.
struct Keys {
    root: Key,
    second: Key,
    third: Key,
    thief: Key,
}

impl Keys {
    fn new() -> Self {
        Self { root: Key::new(1), second: Key::new(2), third: Key::new(3), thief: Key::new(9) }
    }

    fn set(&self) -> Value {
        json!({"keys": [
            self.third.jwk(&[&self.second]),
            self.second.jwk(&[&self.root]),
            self.root.jwk(&[&self.second]),
            self.thief.jwk(&[&self.thief]),
        ]})
    }
}

/// A lease for the license, looked at at a time.
fn vector(name: &str, jws: &str, now: i64, expected: &str) -> Value {
    json!({"name": name, "jws": jws, "issuer": "chopmark", "audience": PRODUCT, "subject": LICENSE,
        "machine": MACHINE, "now": now, "expected": expected})
}

fn good(keys: &Keys) -> Vec<Value> {
    let lease = keys.root.lease(&claims(START));
    let mut vectors: Vec<_> = [
        ("fresh", START, "licensed"),
        ("issued by a server whose clock is five minutes ahead", START - 300, "licensed"),
        ("issued in the future", START - 301, "denied:not_yet"),
        ("the second before it should be renewed", START + DAY - 1, "licensed"),
        ("when it should be renewed", START + DAY, "in_grace"),
        ("the second before it ends", START + 8 * DAY - 1, "in_grace"),
        ("when it ends", START + 8 * DAY, "denied:ended"),
    ]
    .map(|(name, now, expected)| vector(name, &lease, now, expected))
    .into();
    vectors.push(vector("endorsed key", &keys.second.lease(&claims(START)), START, "licensed"));
    vectors.push(vector("chain of two endorsements", &keys.third.lease(&claims(START)), START, "licensed"));
    let bare = claims_but(START, &json!({"entitlements": null, "seller": null, "machine": null}));
    let mut unbound = vector("bound to no machine", &keys.root.lease(&bare), START, "licensed");
    unbound.as_object_mut().expect("an object").remove("machine");
    vectors.push(unbound);
    vectors
}

fn deployments(keys: &Keys) -> Vec<Value> {
    let of = |uuid: &str| {
        let lease = claims_but(START, &json!({"sub": uuid, "deployment": uuid, "machine": null}));
        keys.root.lease(&lease)
    };
    let vector = |name: &str, jws: &str, expected: &str| {
        let mut vector = vector(name, jws, START, expected);
        let map = vector.as_object_mut().expect("an object");
        map.remove("machine");
        map.insert("subject".into(), UUID.into());
        map.insert("deployment".into(), UUID.into());
        vector
    };
    vec![
        vector("a deployment", &of(UUID), "licensed"),
        vector("another deployment", &of("00000000-0000-0000-0000-000000000001"), "denied:subject"),
    ]
}

fn of_others(keys: &Keys) -> Vec<Value> {
    [
        ("another product", json!({"aud": "another"}), "denied:product"),
        ("no product", json!({"aud": null}), "denied:product"),
        ("another license", json!({"sub": "another"}), "denied:subject"),
        ("another issuer", json!({"iss": "somebody"}), "denied:issuer"),
        ("another machine", json!({"machine": "machine-2"}), "denied:machine"),
        ("no machine where one is expected", json!({"machine": null}), "denied:machine"),
    ]
    .into_iter()
    .map(|(name, but, expected)| vector(name, &keys.root.lease(&claims_but(START, &but)), START, expected))
    .collect()
}

fn forgeries(keys: &Keys) -> Vec<Value> {
    let (root, claims) = (&keys.root, claims(START));
    let header = |alg: &str| json!({"alg": alg, "kid": root.kid(), "typ": "chopmark-lease+jwt"});
    let good = root.lease(&claims);
    let (signed, signature) = good.rsplit_once('.').expect("a JWS");
    let other = root.lease(&claims_but(START, &json!({"entitlements": {"users": 1_000_000}})));
    let swapped = format!("{}.{signature}", other.rsplit_once('.').expect("a JWS").0);
    let hmac = |secret: Vec<u8>| forge(&header("HS256"), &claims, move |signed| hs256(&secret, signed));
    [
        ("alg none", forge(&header("none"), &claims, |_| vec![]), "denied:algorithm"),
        ("HS256 with the public key's bytes as secret", hmac(raw(root)), "denied:algorithm"),
        ("HS256 with the public key's text as secret", hmac(root.x().into_bytes()), "denied:algorithm"),
        ("an endorsement's type", root.sign("chopmark-key+jwt", &claims), "denied:type"),
        ("the usual type of a JWT", root.sign("JWT", &claims), "denied:type"),
        ("a key that only itself vouches for", keys.thief.lease(&claims), "denied:unknown_key"),
        ("a key that is in no set", Key::new(8).lease(&claims), "denied:unknown_key"),
        (
            "another's signature under the pinned key's id",
            keys.thief.sign_under(&header("EdDSA"), &claims),
            "denied:signature",
        ),
        ("the payload swapped", swapped, "denied:signature"),
        ("the group's order added to the signature", malleated(&good), "denied:signature"),
        ("without a signature", format!("{signed}."), "denied:signature"),
        ("two parts", signed.to_owned(), "denied:malformed"),
        ("not a JWS", "licensed".to_owned(), "denied:malformed"),
    ]
    .map(|(name, jws, expected)| vector(name, &jws, START, expected))
    .into()
}

fn generated() -> String {
    let keys = Keys::new();
    let vectors = [good(&keys), deployments(&keys), of_others(&keys), forgeries(&keys)].concat();
    let about = "Made by crates/client/tests/client/vectors.rs from fixed keys. `expected` is licensed, in_grace or \
        denied:<why> at `now` (Unix seconds). Each vector has one fault at the most, so the order of checks is free.";
    let all = json!({"about": about, "root_key": keys.root.jwk(&[]), "key_set": keys.set(), "leases": vectors});
    serde_json::to_string_pretty(&all).expect("JSON") + "\n"
}

#[test]
fn the_vectors_in_the_repository_are_the_ones_made_here() {
    let generated = generated();
    if std::env::var_os("CHOPMARK_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(Path::new(FILE).parent().expect("a folder")).expect("the folder");
        std::fs::write(FILE, &generated).expect("the file");
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(kept == generated, "write them anew: CHOPMARK_WRITE_VECTORS=1 cargo test -p chopmark-client vectors");
}

#[test]
fn every_vector_gets_its_verdict() {
    let all: Value = serde_json::from_str(&std::fs::read_to_string(FILE).expect("the vectors")).expect("JSON");
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let mut ring = KeyRing::pinned([all["root_key"]["x"].as_str().expect("a key")]).expect("a key");
    ring.introduce(&all["key_set"].to_string());
    for vector in all["leases"].as_array().expect("vectors") {
        let machine = text(&vector["machine"]).map(|machine| Fingerprint::parse(machine).expect("a fingerprint"));
        let subject = text(&vector["subject"]).expect("a subject");
        let subject = match text(&vector["deployment"]) {
            Some(uuid) => Subject::Deployment { uuid },
            None => Subject::License { id: subject, machine },
        };
        let issuer = text(&vector["issuer"]).expect("an issuer");
        let product = text(&vector["audience"]).expect("a product");
        let expected = Expected { issuer, product, subject, seller: None };
        let now = vector["now"].as_i64().expect("a time");
        let lease = verify_lease(vector["jws"].as_str().expect("a JWS"), &ring, &expected, now);
        let verdict = match lease {
            Ok((_, Phase::Current)) => "licensed".to_owned(),
            Ok((_, Phase::Grace)) => "in_grace".to_owned(),
            Err(why) => format!("denied:{}", why.as_str()),
        };
        assert_eq!(vector["expected"], verdict, "{}", vector["name"]);
    }
}
