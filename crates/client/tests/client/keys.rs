//! Keys change. A new one counts if a trusted one vouches for it, and not because the server shows it.

use chopmark_client::{Answer, KeyRing, LeaseRefusal, Phase, Trouble};
use serde_json::{Value, json};

use crate::fake_server::Reply;
use crate::signer::Key;
use crate::world::{DAY, START, World, claims, yes};

/// A server that signs with a key and shows a key set.
fn shows(world: &World, signer: &Key, key_set: Value) {
    let (signer, clock) = (signer.clone(), world.clock.clone());
    world.server.now(move |heard| {
        if heard.is("GET", "/.well-known/jwks.json") {
            return Reply::Json(200, key_set.clone());
        }
        Reply::Json(200, yes(heard, &signer.lease(&claims(clock.seconds())).into(), clock.seconds()))
    });
}

fn asked_for_keys(world: &World) -> usize {
    world.server.heard().iter().filter(|heard| heard.is("GET", "/.well-known/jwks.json")).count()
}

#[test]
fn a_new_key_is_taken_up_over_a_chain_from_the_pinned_one_and_remembered() {
    let world = World::new();
    let (second, third) = (Key::new(2), Key::new(3));
    let foreign = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"});
    // In any order, among keys of other kinds.
    let set = json!({"keys": [foreign, third.jwk(&[&second]), second.jwk(&[&world.root])]});
    shows(&world, &third, set);
    assert!(matches!(world.client().check(), Answer::Licensed(_)));
    assert!(matches!(world.client().check(), Answer::Licensed(_)));
    assert_eq!(asked_for_keys(&world), 1, "the second client has it from the disk");
    world.is_down();
    assert!(matches!(world.client().check(), Answer::Licensed(_)), "and needs no server to verify it");
}

#[test]
fn a_key_that_nobody_vouches_for_is_not_taken_up() {
    let (root, thief, second) = (Key::new(1), Key::new(9), Key::new(2));
    let with = |endorsements: Vec<String>| {
        let mut jwk = thief.jwk(&[]);
        jwk["endorsements"] = endorsements.into();
        json!({"keys": [jwk, second.jwk(&[&root])]})
    };
    let statement = json!({"kid": thief.kid(), "x": thief.x()});
    for (name, set) in [
        ("none", with(vec![])),
        ("its own", with(vec![thief.endorse(&thief)])),
        ("another thief's", with(vec![Key::new(8).endorse(&thief)])),
        ("one for another key", with(vec![root.endorse(&second)])),
        ("a lease", with(vec![root.lease(&statement)])),
        ("no set", json!({"valid": true})),
        ("no kind", json!({"keys": [{"x": thief.x(), "endorsements": [root.endorse(&thief)]}]})),
    ] {
        let world = World::new();
        shows(&world, &thief, set);
        let answer = world.client().check();
        assert_eq!(answer.contact().trouble, Some(Trouble::Lease(LeaseRefusal::UnknownKey)), "{name}");
        assert_eq!(asked_for_keys(&world), 1, "{name}: once a check");
    }
}

#[test]
fn a_key_set_that_cannot_be_had_is_trouble() {
    let world = World::new();
    let (signer, clock) = (Key::new(2), world.clock.clone());
    world.server.now(move |heard| match heard.method.as_str() {
        "GET" => Reply::Json(500, json!({})),
        _ => Reply::Json(200, yes(heard, &signer.lease(&claims(clock.seconds())).into(), clock.seconds())),
    });
    assert!(matches!(world.client().check().contact().trouble, Some(Trouble::Status { status: 500, .. })));
}

#[test]
fn keys_on_disk_count_only_over_the_pinned_one() {
    let world = World::new();
    let second = Key::new(2);
    shows(&world, &second, json!({"keys": [second.jwk(&[&world.root])]}));
    assert!(matches!(world.client().check(), Answer::Licensed(_)));
    world.is_down();
    // The same disk under a program with another root key.
    let other = chopmark_client::Client::builder(&world.server.url, Key::new(7).x(), crate::world::PRODUCT)
        .license(crate::world::LICENSE)
        .machine(chopmark_client::Fingerprint::parse(crate::world::MACHINE).expect("one"))
        .state_dir(world.folder.path())
        .clock(world.clock);
    let answer = other.build().expect("a client").check();
    assert!(answer.facts().is_some_and(|facts| facts.renew_by.is_none()), "the first run, not a lease: {answer:?}");
}

#[test]
fn one_of_several_pinned_keys_is_enough() {
    let world = World::new();
    let spare = Key::new(4);
    shows(&world, &spare, json!({"keys": []}));
    let machine = chopmark_client::Fingerprint::parse(crate::world::MACHINE).expect("one");
    let client = world.builder().root_key(spare.x()).license(crate::world::LICENSE).machine(machine);
    assert!(matches!(client.build().expect("a client").check(), Answer::Licensed(_)));
    assert_eq!(asked_for_keys(&world), 0);
}

#[test]
fn a_chain_has_sixteen_links_at_the_most() {
    let keys: Vec<_> = (1..=20).map(Key::new).collect();
    let links = keys.windows(2).map(|pair| pair[1].jwk(&[&pair[0]])).rev();
    let set = json!({"keys": links.collect::<Vec<_>>()}).to_string();
    let mut ring = KeyRing::pinned([keys[0].x().as_str()]).expect("a key");
    ring.introduce(&set);
    let expected = crate::vectors::expected();
    let verify = |key: &Key| chopmark_client::verify_lease(&key.lease(&claims(START)), &ring, &expected, START).err();
    assert_eq!(verify(&keys[16]), None);
    assert_eq!(verify(&keys[17]), Some(LeaseRefusal::UnknownKey));
}

#[test]
fn the_pinned_key_s_word_counts_before_all_others() {
    let (root, second, third) = (Key::new(1), Key::new(2), Key::new(3));
    let mut ring = KeyRing::pinned([root.x().as_str()]).expect("a key");
    // A chain of sixteen links first, then a short one to its end.
    let long: Vec<_> = (20..36).map(Key::new).collect();
    let chain = std::iter::once(&root).chain(&long).collect::<Vec<_>>();
    let links = chain.windows(2).map(|pair| pair[1].jwk(&[pair[0]]));
    ring.introduce(&json!({"keys": links.collect::<Vec<_>>()}).to_string());
    let expected = crate::vectors::expected();
    let trusts = |ring: &KeyRing, key: &Key| {
        chopmark_client::verify_lease(&key.lease(&claims(START)), ring, &expected, START).is_ok()
    };
    let set = |link: Value| json!({"keys": [link]}).to_string();
    ring.introduce(&set(second.jwk(&[&long[15]])));
    assert!(trusts(&ring, &long[15]) && !trusts(&ring, &second));
    ring.introduce(&set(long[15].jwk(&[&long[14], &root])));
    ring.introduce(&set(second.jwk(&[&long[15]])));
    ring.introduce(&set(third.jwk(&[&second])));
    assert!(trusts(&ring, &third), "three links, since the pinned key vouches for the first");
}

/// The key set of a server after so many rotations: the key that signs, the next one, the former ones; each with the
/// word of all others.
fn after_rotations(number: u8) -> (Key, Value) {
    let signing = number + 1;
    let former = (1..signing).rev();
    let keys: Vec<_> = [signing, signing + 1].into_iter().chain(former).take(16).map(Key::new).collect();
    let jwk = |key: &Key| {
        let others: Vec<_> = keys.iter().filter(|other| other.kid() != key.kid()).collect();
        key.jwk(&others)
    };
    (Key::new(signing), json!({"keys": keys.iter().map(jwk).collect::<Vec<_>>()}))
}

#[test]
fn a_program_follows_rotation_upon_rotation_long_after_its_pinned_key_is_gone() {
    let world = World::new();
    for number in 0..60 {
        let (signer, set) = after_rotations(number);
        world.clock.set(START + i64::from(number) * DAY);
        shows(&world, &signer, set);
        let answer = world.client().check();
        assert!(matches!(&answer, Answer::Licensed(facts) if facts.contact.trouble.is_none()), "{number}: {answer:?}");
        world.is_down();
        let answer = world.client().check();
        assert!(matches!(answer, Answer::Licensed(_)), "{number}: what is kept holds by itself");
    }
    assert!(asked_for_keys(&world) <= 31, "the next key is known in advance");
    let state = std::fs::read_dir(world.folder.path()).expect("the folder").map(|entry| entry.expect("one").path());
    let state = state.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let kept = std::fs::read(state.last().expect("a state file")).expect("the file");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    let kept = kept["keys"].as_array().expect("keys").len();
    assert!(kept <= 32, "only what is shown and what leads there is kept, not {kept} keys");
}

#[test]
fn a_lease_that_has_ended_is_none_to_whoever_verifies_it() {
    let (root, expected) = (Key::new(1), crate::vectors::expected());
    let ring = KeyRing::pinned([root.x().as_str()]).expect("a key");
    let lease = root.lease(&claims(START));
    let at = |now| chopmark_client::verify_lease(&lease, &ring, &expected, now).map(|(_, phase)| phase);
    assert_eq!(at(START), Ok(Phase::Current));
    assert_eq!(at(START + DAY), Ok(Phase::Grace));
    assert_eq!(at(START + 8 * DAY), Err(LeaseRefusal::Ended));
}
