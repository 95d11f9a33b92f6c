//! Licenses, tokens and keys from the shell: beside a running server and without one.

use std::time::Duration;

use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::http::{Connection, Request};
use chopmark_simulator::{Message, OrderLine};
use serde_json::{Value, json};

use crate::support::{Home, Server, config, get};

/// A configuration whose product counts two machines.
fn config_with_seats() -> String {
    config("").replace("name = \"Example\"", "name = \"Example\"\nseats = 2")
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What a command says that must fail, and its exit code.
fn refused(home: &Home, words: &[&str]) -> (Option<i32>, String) {
    let output = home.run(words);
    assert!(output.stdout.is_empty(), "{words:?}: {}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Asks again until an answer is as it must be, for at most half a minute.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not become so");
}

async fn becomes(server: &Server, license: &str, code: &str) {
    until(async || (server.check(license).await["code"] == code).then_some(())).await;
}

/// An instance with facts, so that its product's terms hold.
fn adopt(home: &Home, instance: &str) {
    let words = ["license", "adopt", "--seller", "acme", instance, "--sku", "a63ee5c9-0000", "--quantity", "7"];
    home.ok(&[&words[..], &["--expires-at", "2099-01-01T00:00:00Z"]].concat());
}

async fn activate(server: &Server, license: &str, machine: &str) {
    let target = format!("/v1/licenses/{license}/machines/{machine}");
    let host = server.api.authority();
    let request = Request { method: "PUT", host: &host, target: &target, headers: &[], body: b"" };
    let response = Connection::to(&server.api).send(&request.to_bytes()).await.unwrap().to_response();
    assert_eq!(response.status, 201, "{}", String::from_utf8_lossy(&response.body));
}

#[tokio::test]
async fn the_history_of_a_license_says_what_happened_and_what_was_behind_it() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let order = OrderLine::fresh();
    let bought = server.call(&Message::NewInstance { order: order.clone() }).await;
    let instance = bought["instanceId"].as_str().unwrap();
    server.call(&Message::UpdateInstanceStatus { instance: instance.into(), status: FreezeStatus::Freeze }).await;
    home.ok(&["license", "block", instance, "--reason", "chargeback, ticket 4711"]);

    let told = home.ok(&["license", "history", instance]);
    for part in [
        &format!("bought with line {} of order {}", order.order_line_id, order.order_id),
        "instance_created.v1, by a callback: nonce ",
        "frozen by the marketplace",
        "stopped: chargeback, ticket 4711",
        "license_blocked.v1, by operator cli",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let events: Vec<Value> = home.ok(&["license", "history", instance, "--json"]).lines().map(parse).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds, ["instance_created.v1", "license_frozen.v1", "license_blocked.v1"]);
    assert_eq!(events[0]["cause"]["source"], "callback");
    assert!(events[0]["cause"]["body"].as_str().unwrap().contains("newInstance"), "{}", events[0]);
    let served = server.look_up(&format!("/v1/licenses/{instance}/history")).await;
    assert_eq!(served["events"].as_array().unwrap(), &events, "the API tells the same");
}

#[tokio::test]
async fn a_license_is_stopped_beside_a_running_server_and_goes_on_without_one() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let instance = server.buy().await;
    let block = ["license", "block", &instance, "--reason", "chargeback"];
    assert!(home.ok(&block).starts_with("stopped:"));
    becomes(&server, &instance, "BLOCKED").await;
    assert!(home.ok(&block).starts_with("stopped already"));
    assert!(home.ok(&["license", "list", "--blocked"]).contains(&instance));
    let shown = parse(&home.ok(&["license", "show", &instance, "--json"]));
    assert_eq!((&shown["block"]["reason"], &shown["block"]["by"]), (&"chargeback".into(), &"cli".into()));
    server.stop();

    assert!(home.ok(&["license", "unblock", &instance]).starts_with("no longer stopped"));
    assert!(home.ok(&["license", "unblock", &instance]).starts_with("not stopped"));
    assert_eq!(home.ok(&["license", "list", "--blocked"]), "no license\n");
    let server = home.serve().await;
    assert_eq!(server.check(&instance).await["code"], "VALID");

    server.call(&Message::ReleaseInstance { instance: instance.clone(), order: None }).await;
    let (code, said) = refused(&home, &block);
    assert!(code == Some(1) && said.contains("released, and that is final"), "{said}");
    let (code, said) = refused(&home, &["license", "block", &instance, "--reason", " "]);
    assert!(code == Some(2) && said.contains("1 to 500 characters in one line"), "{said}");
}

#[tokio::test]
async fn a_license_is_shown_as_it_was() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let instance = server.buy().await;
    let before = server.check(&instance).await["checked_at"].as_str().unwrap().to_owned();
    home.ok(&["license", "block", &instance, "--reason", "chargeback"]);
    let show = |more: &[&str]| parse(&home.ok(&[&["license", "show", &instance, "--json"], more].concat()));
    assert_eq!(show(&[])["verdict"]["code"], "BLOCKED");
    assert_eq!(show(&["--as-of", &before])["verdict"]["code"], "VALID");
    assert!(home.ok(&["license", "show", &instance]).contains("block.reason"));

    let (code, said) = refused(&home, &["license", "show", &instance, "--as-of", "2020-01-01T00:00:00Z"]);
    assert!(code == Some(1) && said.contains("there was no license") && said.contains("license history"), "{said}");
    let (code, said) = refused(&home, &["license", "show", &instance, "--seller", "other"]);
    assert!(code == Some(1) && said.contains("of seller other") && said.contains("license list"), "{said}");
}

#[tokio::test]
async fn a_verdict_is_explained_now_and_as_it_was_given() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let instance = server.buy().await;
    let given = server.check(&instance).await;
    home.ok(&["license", "block", &instance, "--reason", "chargeback"]);

    let explained = home.ok(&["license", "explain", &instance]);
    assert!(explained.starts_with("BLOCKED: "), "{explained}");
    for part in ["– RELEASED ", "→ BLOCKED ", "an operator stopped it", "license_blocked.v1"] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    assert!(!explained.contains("FROZEN"), "the walk ends where it was decided: {explained}");

    let (position, at) = (given["position"].as_str().unwrap(), given["checked_at"].as_str().unwrap());
    let words = ["license", "explain", &instance, "--position", position, "--at", at, "--json"];
    let then = parse(&home.ok(&words));
    for member in ["valid", "code", "reason", "license", "position", "checked_at"] {
        assert_eq!(then[member], given[member], "{member}: {then:#}");
    }
    let (code, said) = refused(&home, &["license", "explain", &instance, "--position", "999999"]);
    assert!(code == Some(2) && said.contains("position"), "{said}");
}

#[tokio::test]
async fn a_machine_is_listed_and_freed() {
    let home = Home::new(&config_with_seats());
    let server = home.serve().await;
    adopt(&home, "old-1");
    becomes(&server, "old-1", "MACHINE_REQUIRED").await;
    activate(&server, "old-1", "m1").await;
    let leased = server.ask(&json!({ "license": "old-1", "machine": { "fingerprint": "m1" } })).await;
    assert_eq!(leased["code"], "VALID", "{leased}");
    let machines = ["license", "machines", "old-1"];
    let listed = home.ok(&machines);
    assert!(listed.contains("m1") && listed.contains("1 of 2 seats are taken"), "{listed}");

    let freed = home.ok(&["license", "free", "old-1", "m1"]);
    assert!(freed.starts_with("freed: ") && freed.contains("--now"), "{freed}");
    let machine = parse(&home.ok(&[&machines[..], &["--json"]].concat()));
    assert_eq!(machine["active"], false);
    let taken_until = machine["taken_until"].as_str().unwrap();
    assert!(taken_until >= leased["grace_until"].as_str().unwrap(), "no lease outlives the seat: {machine}");
    assert!(home.ok(&["license", "free", "old-1", "m1"]).starts_with("freed already"));

    assert!(home.ok(&["license", "free", "old-1", "m1", "--now"]).contains("its seat can be had"));
    assert!(home.ok(&machines).contains("0 of 2 seats are taken"));
    server.stop();
    let machine = parse(&home.ok(&[&machines[..], &["--json"]].concat()));
    assert!(machine["last_seen"].is_string(), "it is on record when it was last seen: {machine}");
    let (code, said) = refused(&home, &["license", "free", "old-1", "m2"]);
    assert!(code == Some(1) && said.contains("has no machine m2") && said.contains("license machines"), "{said}");
}

#[tokio::test]
async fn a_token_is_made_without_a_server_used_with_one_and_taken_back_beside_it() {
    let home = Home::new(&config(""));
    let create = ["token", "create", "helpdesk", "--role", "support", "--seller", "acme", "--expires-in", "30d"];
    let made = home.run(&create);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let token = String::from_utf8(made.stdout).unwrap();
    assert!(token.starts_with("cmk_") && token.trim().len() == 68 && token.lines().count() == 1, "alone on a line");
    let said = String::from_utf8(made.stderr).unwrap();
    assert!(said.contains("helpdesk") && said.contains("support") && said.contains("acme"), "{said}");
    let (code, said) = refused(&home, &create);
    assert!(
        code == Some(1) && said.contains("already a token named helpdesk") && said.contains("token list"),
        "{said}"
    );

    let server = home.serve().await;
    let bearer = format!("Bearer {}", token.trim());
    let status = async || {
        get(&server.api, "/v1/licenses?seller=acme", &[("Authorization", &bearer)])
            .await
            .map(|response| response.status)
    };
    assert_eq!(status().await, Some(200));
    let foreign = get(&server.api, "/v1/licenses?seller=other", &[("Authorization", &bearer)]).await.unwrap();
    assert_eq!(foreign.status, 403, "it is for one seller");
    assert!(home.ok(&["token", "revoke", "helpdesk"]).starts_with("revoked:"));
    until(async || (status().await == Some(401)).then_some(())).await;
    assert_eq!(home.ok(&["token", "revoke", "helpdesk"]), "revoked already\n");
    server.stop();

    let listed: Vec<Value> = home.ok(&["token", "list", "--json"]).lines().map(parse).collect();
    let helpdesk = listed.iter().find(|token| token["id"] == "helpdesk").unwrap();
    assert_eq!((&helpdesk["status"], &helpdesk["role"]), (&"revoked".into(), &"support".into()));
    assert!(helpdesk["expires_at"].is_string() && helpdesk["last_used"].is_string(), "{helpdesk}");
    assert!(!home.ok(&["token", "list"]).contains(token.trim()), "no list shows a token");
}

#[tokio::test]
async fn a_token_ends_by_itself() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let made = parse(&home.ok(&["token", "create", "short", "--role", "support", "--expires-in", "1s", "--json"]));
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    until(async || {
        let response = get(&server.api, "/v1/licenses", &[("Authorization", &bearer)]).await?;
        let shown = home.ok(&["token", "list"]);
        let is_over = shown.lines().any(|line| line.starts_with("short") && line.contains("expired"));
        (is_over && response.status == 401).then_some(())
    })
    .await;
}

#[test]
fn a_token_that_cannot_be_made_is_refused_with_the_mend_and_nothing_is_made() {
    let home = Home::new(&config(""));
    let create = |words: &[&str]| refused(&home, &[&["token", "create"], words].concat());
    for (words, part) in [
        (&["a b", "--role", "support"][..], "another name"),
        (&["a", "--role", "boss"], "possible values: support, finance, admin"),
        (&["a", "--role", "support", "--seller", "nobody"], "seller nobody is not configured"),
        (&["a", "--role", "support", "--expires-in", "30"], "like 12h or 30d"),
        (&["a", "--role", "support", "--expires-in", "11y"], "like 12h or 30d"),
        (&["a", "--role", "support", "--expires-in", "9999d"], "ten years"),
    ] {
        let (code, said) = create(words);
        assert!(code == Some(2) && said.contains(part), "{words:?}: {said}");
    }
    assert!(!home.data().exists());
    let (code, said) = refused(&home, &["token", "list"]);
    assert!(code == Some(3) && said.contains("there is no data folder"), "{said}");
}

#[tokio::test]
async fn a_token_that_nobody_made_cannot_be_taken_back() {
    let home = Home::new(&config(""));
    home.serve().await.stop();
    let (code, said) = refused(&home, &["token", "revoke", "nobody"]);
    assert!(code == Some(1) && said.contains("no token named nobody") && said.contains("token list"), "{said}");
}

#[tokio::test]
async fn a_rotation_is_taken_up_by_a_running_server_and_former_keys_stay_published() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    adopt(&home, "old-1");
    becomes(&server, "old-1", "VALID").await;
    let published = async || {
        let response = get(&server.api, "/.well-known/jwks.json", &[]).await.unwrap();
        let jwks: Value = serde_json::from_slice(&response.body).unwrap();
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = published().await;
    assert_eq!(before.len(), 2, "the one that signs, and the next");
    let root = home.ok(&["keys", "root"]);
    assert_eq!(root.trim().len(), 43, "{root}");
    let jwks = parse(&home.ok(&["keys", "root", "--json"]));
    assert_eq!(jwks["keys"][0]["x"], root.trim());

    let (code, said) = refused(&home, &["keys", "rotate"]);
    assert!(code == Some(1) && said.contains("may not be published everywhere") && said.contains("--force"), "{said}");
    assert_eq!(published().await, before, "nothing was changed");
    let said = home.ok(&["keys", "rotate", "--force"]);
    assert!(said.contains(&format!("signing  {}", before[1])), "{said}");
    assert!(said.contains(&format!("former   {}", before[0])) && said.contains("within ten seconds"), "{said}");
    let after = until(async || Some(published().await).filter(|kids| kids[0] == before[1])).await;
    assert_eq!((after.len(), &after[2]), (3, &before[0]));
    let listed: Vec<Value> = home.ok(&["keys", "list", "--json"]).lines().map(parse).collect();
    let listed: Vec<(&str, &str)> =
        listed.iter().map(|key| (key["kid"].as_str().unwrap(), key["role"].as_str().unwrap())).collect();
    let expected: Vec<(&str, &str)> = after.iter().map(String::as_str).zip(["signing", "next", "former"]).collect();
    assert_eq!(listed, expected);
    assert!(home.ok(&["keys", "list"]).contains("signing-keys.pem, last changed "));
    assert_ne!(home.ok(&["keys", "root"]), root);
}

#[test]
fn keys_that_are_configured_or_not_there_are_not_rotated() {
    let home = Home::new(&config(""));
    std::fs::create_dir(home.data()).unwrap();
    for words in [["keys", "list"], ["keys", "rotate"], ["keys", "root"]] {
        let (code, said) = refused(&home, &words);
        assert!(code == Some(3) && said.contains("made when the server starts"), "{words:?}: {said}");
    }
    assert!(std::fs::read_dir(home.data()).unwrap().next().is_none(), "nothing was made");

    // RFC 8410, section 10.3.
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    std::fs::write(home.folder.path().join("key.pem"), pem).unwrap();
    let with_keys = format!("[keys]\nsigning = [{{ file = \"key.pem\" }}]\n{}", config(""));
    std::fs::write(home.folder.path().join("chopmark.toml"), with_keys).unwrap();
    let (code, said) = refused(&home, &["keys", "rotate"]);
    assert!(code == Some(2) && said.contains("[keys] signing") && said.contains("openssl genpkey"), "{said}");
    assert!(home.ok(&["keys", "list"]).contains("[keys] signing of the configuration"));
    let found = doctor(&home, "signing");
    assert!(found[0]["health"] == "warn" && found[0].to_string().contains("no next one"), "{found:?}");
}

/// What the doctor found of a subject.
fn doctor(home: &Home, subject: &str) -> Vec<Value> {
    let findings = parse(&String::from_utf8(home.run(&["doctor", "--json"]).stdout).unwrap());
    findings.as_array().unwrap().iter().filter(|finding| finding["subject"] == subject).cloned().collect()
}

#[tokio::test]
async fn the_doctor_sees_keys_that_others_can_read_and_views_that_are_damaged() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new(&config(""));
    assert_eq!(doctor(&home, "signing")[0]["health"], "warn", "they are not there yet");
    assert_eq!(doctor(&home, "views")[0]["health"], "warn");
    home.serve().await.stop();
    assert_eq!(doctor(&home, "signing")[0]["health"], "ok");
    assert_eq!(doctor(&home, "views")[0]["health"], "ok");

    let keys = home.data().join("signing-keys.pem");
    std::fs::set_permissions(&keys, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(home.data().join("views.db"), "hello, these are no views").unwrap();
    let (signing, views) = (doctor(&home, "signing"), doctor(&home, "views"));
    assert!(signing[0]["health"] == "fail" && signing[0].to_string().contains("chmod 600"), "{signing:?}");
    assert!(views[0]["health"] == "fail" && views[0].to_string().contains("restart the server"), "{views:?}");
}

#[tokio::test]
async fn a_server_whose_views_are_damaged_starts_and_keeps_them_aside() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let license = server.buy().await;
    server.stop();
    std::fs::write(home.data().join("views.db"), "hello, these are no views").unwrap();
    let server = home.serve().await;
    assert_eq!(server.check(&license).await["code"], "VALID");
    let logged = server.stop_and_read_log();
    assert!(logged.contains("ERROR") && logged.contains("the views are begun anew"), "{logged}");
    let names = std::fs::read_dir(home.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let aside: Vec<String> = names.filter(|name| name.starts_with("views.db.damaged-")).collect();
    let [aside] = &aside[..] else { panic!("{aside:?}") };
    assert_eq!(std::fs::read_to_string(home.data().join(aside)).unwrap(), "hello, these are no views");
    assert_eq!(doctor(&home, "views")[0]["health"], "ok");

    // What a newer version wrote is not ours to move.
    let views = rusqlite::Connection::open(home.data().join("views.db")).unwrap();
    views.pragma_update(None, "user_version", 99).unwrap();
    drop(views);
    let refused = home.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("run the newer program"));
}

/// Products of the kinds that the later scenarios play with.
const PRODUCTS: &str = r#"
[[product]]
sku = "SEATS-1"
seller = "acme"
kind = "saas"
name = "Counted"
seats = 3

[[product]]
sku = "IMAGE-1"
seller = "acme"
kind = "image"
name = "Image"

[[product]]
sku = "CODE-1"
seller = "acme"
kind = "license_code"
name = "Code"

[[product]]
sku = "ONLINE-1"
seller = "acme"
kind = "online_license"
name = "Online"
"#;

#[tokio::test]
async fn scenarios_play_with_the_product_that_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let keys = "access_key = { value = \"AK\" }, secret_key = { value = \"SK\" }";
    let open_api = format!("open_api = {{ {keys}, base_url = \"http://127.0.0.1:{port}\" }}");
    let home = Home::new(&(config(&open_api) + PRODUCTS));
    let server = home.serve().await;
    std::fs::write(home.folder.path().join("token"), home.ok(&["token", "create", "sim", "--role", "support"]))
        .unwrap();
    let (target, api, address) = (server.callbacks.to_string(), server.api.to_string(), format!("127.0.0.1:{port}"));
    let mut play = vec!["simulate", "--target", &target, "--api", &api, "--seller", "acme", "--json"];
    play.extend(["--open-api", &address, "--token-file", "token"]);
    for (scenario, product) in [("seats", "SEATS-1"), ("image", "IMAGE-1"), ("codes", "CODE-1"), ("online", "ONLINE-1")]
    {
        let report = parse(&home.ok(&[&play[..], &["--scenario", scenario, "--product", product]].concat()));
        assert_eq!(report["ok"], true, "{scenario}: {report:#}");
        let steps = report["scenarios"][0]["steps"].as_array().unwrap();
        assert!(steps.len() > 5, "{scenario} was played: {report:#}");
    }
    let clones = home.ok(&["license", "list", "--clones"]);
    assert!(clones.contains("IMAGE-1") && clones.lines().count() == 2, "the clone is found: {clones}");
    let unplayable = |words: &[&str]| {
        let (code, said) = refused(&home, words);
        assert_eq!(code, Some(2), "{words:?}: {said}");
        said
    };
    assert!(unplayable(&[&play[..], &["--scenario", "image"]].concat()).contains("--product"));
    let seats = ["simulate", "--target", &target, "--seller", "acme", "--scenario", "purchase", "--scenario", "seats"];
    assert!(unplayable(&seats).contains("the scenario seats needs --api"));
    let codes = ["simulate", "--target", &target, "--api", &api, "--seller", "acme", "--scenario", "codes"];
    assert!(unplayable(&codes).contains("--open-api"));
}

#[tokio::test]
async fn a_deployment_is_found_explained_and_stopped_by_its_ecs_id() {
    let home = Home::new(&(config("") + PRODUCTS));
    let server = home.serve().await;
    let ecs = "8f1d3c5a-7b2e-4f60-9a1c-2d3e4f5a6b7c";
    let deployment = json!({ "uuid": ecs, "project_id": "p1", "region_id": "cn-east-3" });
    let enrolled = server.ask(&json!({ "deployment": deployment, "product": "IMAGE-1" })).await;
    assert_eq!(enrolled["code"], "VALID", "{enrolled}");
    let explained = home.ok(&["license", "explain", ecs]);
    assert!(explained.starts_with("VALID: ") && explained.contains("it is for IMAGE-1, as asked"), "{explained}");
    let told = home.ok(&["license", "history", ecs]);
    assert!(told.contains("enrolled for IMAGE-1 from project p1 in cn-east-3"), "{told}");
    assert!(told.contains("by software in 127.0.0.0/24"), "{told}");
    assert!(!told.contains(enrolled["enrolment_secret"].as_str().unwrap()));
    home.ok(&["license", "block", ecs, "--reason", "forged"]);
    assert!(home.ok(&["license", "explain", ecs]).starts_with("BLOCKED: "));
    assert_eq!(parse(&home.ok(&["license", "show", ecs, "--json"]))["kind"], "image");
    assert_eq!(home.ok(&["license", "machines", ecs]), "no machine\n");
}
