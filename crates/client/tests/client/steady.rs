//! The server is there and answers as it should.

use std::time::Duration;

use chopmark_client::{Answer, BuildError, Client, Code, EcsMetadata, Fingerprint, Source};
use serde_json::json;

use crate::fake_server::Reply;
use crate::world::{DAY, HOUR, LICENSE, MACHINE, PRODUCT, START, UUID, World, at, no, yes};

#[test]
fn a_yes_carries_the_facts_of_the_lease_and_the_words_of_the_server() {
    let world = World::new();
    let Answer::Licensed(facts) = world.client().check() else { panic!("licensed") };
    assert_eq!(facts.code, Code::Valid);
    assert_eq!(facts.reason, "active until 2027-10-27T10:30:15Z");
    assert_eq!(serde_json::Value::from(facts.entitlements), json!({"reports": true, "users": 20}));
    assert_eq!((facts.renew_by, facts.offline_until), (Some(at(START + DAY)), at(START + 8 * DAY)));
    assert_eq!(facts.expires_at.map(|at| at.to_rfc3339()).as_deref(), Some("2027-10-27T10:30:15+00:00"));
    assert_eq!((facts.contact.source, facts.contact.trouble), (Source::Online, None));
    assert_eq!((facts.contact.unreachable_since, facts.contact.not_kept), (None, None));
    assert_eq!(facts.contact.next_check_after, Duration::from_secs(3600));
    assert!(!facts.contact.clock_turned_back);
}

#[test]
fn the_question_names_license_product_machine_version_and_a_fresh_nonce() {
    let world = World::new();
    let client = world.builder().license(LICENSE).seller("acme").version("2.1.0").language("zh-CN");
    let client = client.machine(Fingerprint::parse(MACHINE).expect("one")).build().expect("a client");
    assert!(client.check().may_run() && client.check().may_run());
    let heard = world.server.heard();
    let nonces: Vec<_> = heard.iter().map(|heard| heard.json()["nonce"].as_str().expect("one").to_owned()).collect();
    assert!(nonces[0] != nonces[1] && nonces[0].len() == 32);
    assert!(heard[0].is("POST", "/v1/checks"));
    assert!(heard[0].headers["user-agent"].starts_with("chopmark-client/"));
    assert_eq!(heard[0].headers["accept-language"], "zh-CN");
    let expected = json!({"license": LICENSE, "machine": {"fingerprint": MACHINE}, "seller": "acme",
        "product": PRODUCT, "version": "2.1.0", "nonce": nonces[0]});
    assert_eq!(heard[0].json(), expected);
}

#[test]
fn a_license_past_its_expiry_is_in_grace() {
    let world = World::new();
    let (root, clock) = (world.root.clone(), world.clock.clone());
    world.server.now(move |heard| {
        let lease = root.lease(&crate::world::claims(clock.seconds()));
        let mut body = yes(heard, &lease.into(), clock.seconds());
        body["code"] = "GRACE".into();
        Reply::Json(200, body)
    });
    let client = world.client();
    for _ in 0..2 {
        let answer = client.check();
        assert!(matches!(answer, Answer::InGrace(_)) && *answer.code() == Code::Grace, "{answer:?}");
        world.is_down();
    }
}

#[test]
fn a_final_no_is_a_denial_and_ends_the_lease_for_good() {
    for code in [
        "NOT_FOUND",
        "RELEASED",
        "BLOCKED",
        "FROZEN",
        "WRONG_PRODUCT",
        "EXPIRED",
        "DEPLOYMENT_CONFLICT",
        "MACHINE_REQUIRED",
        "MACHINE_NOT_ACTIVATED",
        "MACHINE_LIMIT",
    ] {
        let world = World::new();
        let client = world.client();
        assert!(client.check().may_run());
        world.says_no(code);
        let answer = client.check();
        assert!(matches!(&answer, Answer::Denied(denial) if denial.contact.source == Source::Online), "{answer:?}");
        assert_eq!(answer.code().as_str(), code);
        world.is_down();
        let answer = world.client().check();
        assert!(!answer.may_run() && answer.code().as_str() == code, "an outage brings no license back: {answer:?}");
        world.is_up();
        assert!(client.check().may_run(), "a later yes does");
    }
}

#[test]
fn a_no_that_is_not_final_leaves_the_lease_and_counts_where_there_is_none() {
    for code in ["PENDING", "SOMETHING_NEW"] {
        let world = World::new();
        let client = world.client();
        world.says_no(code);
        let answer = client.check();
        assert_eq!((answer.may_run(), answer.code().as_str()), (false, code), "there was no lease");
        world.is_up();
        assert!(client.check().may_run());
        world.says_no(code);
        let answer = client.check();
        assert!(matches!(&answer, Answer::Licensed(_)), "{answer:?}");
        assert_eq!((answer.contact().source, &answer.contact().trouble), (Source::Online, &None));
        assert_eq!(answer.contact().next_check_after, Duration::from_secs(60), "and asks again soon");
        world.clock.set(START + DAY);
        let answer = client.check();
        assert!(matches!(&answer, Answer::InGrace(_)), "the lease was not renewed: {answer:?}");
        assert_eq!((answer.code().as_str(), answer.reason()), (code, "no"), "by a server that was reached");
        world.is_down();
        assert_eq!(*client.check().code(), Code::Offline);
        world.says_no(code);
        world.clock.set(START + 8 * DAY);
        let answer = client.check();
        assert_eq!((answer.may_run(), answer.code().as_str()), (false, code), "the lease has ended");
    }
}

/// What an answer says to the program.
fn said(answer: &Answer) -> (bool, bool, String, String) {
    let in_grace = matches!(answer, Answer::InGrace(_));
    (answer.may_run(), in_grace, answer.code().to_string(), answer.reason().to_owned())
}

#[test]
fn what_a_check_says_is_what_is_known_from_then_on() {
    let codes = [
        "NOT_FOUND",
        "RELEASED",
        "BLOCKED",
        "FROZEN",
        "PENDING",
        "WRONG_PRODUCT",
        "EXPIRED",
        "DEPLOYMENT_CONFLICT",
        "MACHINE_REQUIRED",
        "MACHINE_NOT_ACTIVATED",
        "MACHINE_LIMIT",
        "GRACE",
        "VALID",
        "SOMETHING_NEW",
    ];
    for code in codes {
        // With the lease from before current, in its grace, ended; and with none.
        for age in [Some(0), Some(2 * DAY), Some(9 * DAY), None] {
            let world = World::new();
            let client = world.client();
            if let Some(age) = age {
                assert!(client.check().may_run());
                world.clock.set(START + age);
            }
            let (root, clock) = (world.root.clone(), world.clock.clone());
            world.server.now(move |heard| {
                let lease = root.lease(&crate::world::claims(clock.seconds()));
                let mut body = match code {
                    "VALID" | "GRACE" => yes(heard, &lease.into(), clock.seconds()),
                    _ => no(heard, code),
                };
                body["code"] = code.into();
                Reply::Json(200, body)
            });
            let checked = client.check();
            assert_eq!((checked.contact().source, &checked.contact().trouble), (Source::Online, &None));
            assert_eq!(said(&client.last_known()), said(&checked), "{code}, a lease of {age:?} s");
            assert_eq!(said(&world.client().last_known()), said(&checked), "{code}, after a restart");
        }
    }
}

#[test]
fn a_check_is_due_when_the_server_said_also_after_a_restart() {
    let world = World::new();
    assert!(world.client().due());
    assert!(world.client().check_if_due().may_run());
    assert!(!world.client().due());
    world.clock.set(START + HOUR - 1);
    let answer = world.client().check_if_due();
    assert_eq!((answer.may_run(), answer.contact().source), (true, Source::Disk));
    assert_eq!(world.server.heard().len(), 1, "not asked again");
    world.clock.set(START + HOUR);
    assert_eq!(world.client().check_if_due().contact().source, Source::Online);
    assert_eq!(world.server.heard().len(), 2);
}

#[test]
fn nobody_can_put_the_next_check_off_beyond_the_renewal_of_the_lease() {
    let world = World::new();
    let (root, clock) = (world.root.clone(), world.clock.clone());
    world.server.now(move |heard| {
        let lease = root.lease(&crate::world::claims(clock.seconds()));
        let mut body = yes(heard, &lease.into(), clock.seconds());
        body["next_check_after"] = u64::MAX.into();
        Reply::Json(200, body)
    });
    let answer = world.client().check();
    assert_eq!(answer.contact().next_check_after, Duration::from_secs(DAY.unsigned_abs()));
    world.server.now(|heard| {
        let mut body = no(heard, "FROZEN");
        body["next_check_after"] = u64::MAX.into();
        Reply::Json(200, body)
    });
    assert_eq!(world.client().check().contact().next_check_after, Duration::from_hours(7 * 24));
}

#[test]
fn mistakes_in_the_program_show_when_the_client_is_built() {
    let key = World::new().root.x();
    let builder = |server: &str| Client::builder(server, &key, PRODUCT).state_dir("/nowhere");
    let https = || builder("https://license.example.com");
    let ecs = || EcsMetadata {
        uuid: UUID.into(),
        project_id: None,
        region_id: None,
        image_id: None,
        image_type: None,
        charging_mode: None,
    };
    let machine = || Fingerprint::parse(MACHINE).expect("one");
    let failure = |builder: chopmark_client::Builder| builder.build().err().expect("a mistake");
    for server in ["license.example.com", "http://license.example.com", "ftp://a", "https://a?b=c", ""] {
        assert_eq!(failure(builder(server).license(LICENSE)), BuildError::Server(server.into()));
    }
    assert_eq!(failure(https()), BuildError::Subject);
    assert_eq!(failure(https().license(LICENSE).deployment(ecs())), BuildError::Subject);
    assert_eq!(failure(https().deployment(ecs()).machine(machine())), BuildError::MachineOfDeployment);
    assert_eq!(failure(https().license("")), BuildError::Id("a license"));
    assert!(matches!(failure(https().license(LICENSE).root_key("short")), BuildError::RootKey(_)));
    let language = https().license(LICENSE).language("zh\n");
    assert_eq!(failure(language), BuildError::Language("zh\n".into()));
    let nowhere = Client::builder("https://license.example.com", &key, PRODUCT).license(LICENSE);
    assert_eq!(failure(nowhere), BuildError::StateDir);
    assert!(builder("http://127.0.0.1:8081/").license(LICENSE).build().is_ok());
}
