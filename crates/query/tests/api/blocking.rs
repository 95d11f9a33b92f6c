//! An operator stops a license and lets it go on.

use actix_web::test::TestRequest;
use chopmark_domain::access::Role;
use chopmark_domain::license::Command;
use serde_json::json;

use crate::house::House;

fn put(uri: &str, reason: &str) -> TestRequest {
    TestRequest::put().uri(uri).set_payload(json!({ "reason": reason }).to_string())
}

#[actix_web::test]
async fn a_block_is_known_to_checks_when_it_is_answered_and_so_is_its_end() {
    let house = House::new().await;
    house.token("helpdesk", Role::Support, &["acme"]).await;
    house.project().await;
    let key = house.buy_known("CS1", "saas", "2027-10-27T10:30:15Z").await;
    let uri = format!("/v1/licenses/{}/block", key.id);
    let check = async || house.check(json!({ "license": key.id.as_str() })).await["code"].clone();

    let reply = house.act("helpdesk", put(&uri, " chargeback ")).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.json);
    assert_eq!(reply.json["blocked"], true);
    assert_eq!(reply.json["verdict"]["code"], "BLOCKED");
    assert_eq!(
        (&reply.json["block"]["reason"], &reply.json["block"]["by"]),
        (&json!("chargeback"), &json!("helpdesk"))
    );
    assert_eq!(check().await, "BLOCKED");

    let revision = reply.json["revision"].clone();
    let again = house.act("admin-token", put(&uri, "another reason")).await;
    assert_eq!((&again.json["revision"], &again.json["block"]["reason"]), (&revision, &json!("chargeback")));
    let listed = house.get("helpdesk", "/v1/licenses?blocked=true").await;
    assert_eq!(listed.json["licenses"].as_array().unwrap().len(), 1);

    let reply = house.act("helpdesk", TestRequest::delete().uri(&uri)).await;
    assert_eq!((reply.status.as_u16(), &reply.json["blocked"]), (200, &json!(false)));
    assert!(reply.json.get("block").is_none());
    assert_eq!(check().await, "VALID");
    let listed = house.get("helpdesk", "/v1/licenses?blocked=true").await;
    assert_eq!(listed.json["licenses"], json!([]));
}

#[actix_web::test]
async fn what_cannot_be_stopped_is_a_problem_and_changes_nothing() {
    let house = House::new().await;
    let (mine, theirs) = (house.buy("acme", "CS1").await, house.buy("beta", "CS2").await);
    house.run(&mine, Command::Release { order_id: None, order_line_id: None }).await;
    let head = house.commands.log().head().await.unwrap();
    let put_to =
        async |id: &str, reason| house.act("acme-token", put(&format!("/v1/licenses/{id}/block"), reason)).await;
    assert_eq!(put_to(mine.id.as_str(), "late").await.problem(409).0, "license-released");
    assert_eq!(put_to("unknown", "why").await.problem(404).0, "no-such-license");
    assert_eq!(put_to(mine.id.as_str(), "").await.problem(400).0, "malformed-request");
    assert_eq!(put_to(mine.id.as_str(), "two\nlines").await.problem(400).0, "malformed-request");
    let missing = put_to("unknown", "why").await;
    let foreign = put_to(theirs.id.as_str(), "why").await;
    assert_eq!((foreign.status, foreign.json), (missing.status, missing.json), "another seller's is as none");
    assert_eq!(house.commands.log().head().await.unwrap(), head);
}
