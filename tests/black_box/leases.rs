//! Leases: given with every valid verdict, verified as software does it, ended where the license ends.

use chopmark_client::{Expected, KeyRing, Subject, verify_lease};
use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::{Message, OrderLine};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::shop::{SAAS, Shop, time};
use crate::support::get;

/// The claims, unverified.
fn claims(lease: &str) -> Value {
    use base64::Engine;
    let payload = lease.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn root_key(shop: &Shop) -> String {
    shop.home.ok(&["keys", "root"]).trim().to_owned()
}

fn expected(license: &str) -> Expected {
    Expected {
        issuer: "chopmark".into(),
        product: SAAS.into(),
        subject: Subject::License { id: license.into(), machine: None },
        seller: Some("acme".into()),
    }
}

#[tokio::test]
async fn a_valid_verdict_brings_a_lease_that_the_root_key_verifies() {
    let shop = Shop::open().await;
    let license = shop.bought(SAAS, 20).await;
    let verdict = shop.server.check(&license).await;
    let lease = verdict["lease"].as_str().unwrap();
    let keys = KeyRing::pinned([root_key(&shop).as_str()]).unwrap();
    let verified = verify_lease(lease, &keys, &expected(&license), Utc::now().timestamp());
    assert!(verified.is_ok(), "{verified:?}");
    let claims = claims(lease);
    assert_eq!(claims["exp"], time(&verdict["grace_until"]).timestamp());
    assert_eq!(claims["renew_by"], time(&verdict["lease_expires_at"]).timestamp());
    assert_eq!(claims["renew_by"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 86_400);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["renew_by"].as_i64().unwrap(), 604_800);
    assert_eq!((&claims["sub"], &claims["aud"], &claims["seller"]), (&json!(license), &json!(SAAS), &json!("acme")));
    assert_eq!((&claims["nbf"], &claims["entitlements"]), (&claims["iat"], &json!({"reports": true, "users": 20})));
    let next = verdict["next_check_after"].as_u64().unwrap();
    assert!((3_240..=3_600).contains(&next), "{next}");
    let again = shop.server.check(&license).await;
    assert_eq!(again["lease"], verdict["lease"], "a steady check costs no signature");
    assert!(shop.server.metric("chopmark_leases_total{how=\"reused\"}").await >= 1.0);
}

#[tokio::test]
async fn there_is_no_lease_without_a_right_to_run_and_none_beyond_the_end() {
    let shop = Shop::open().await;
    let license = shop.bought(SAAS, 1).await;
    let expires_at = Utc::now() + TimeDelta::days(1);
    let refresh = chopmark_simulator::message::Refresh {
        scene: chopmark_domain::license::Scene::Renewal,
        order: OrderLine::fresh(),
        expires_at,
        product_id: None,
    };
    shop.server.call(&Message::RefreshInstance { instance: license.clone(), refresh }).await;
    let verdict = shop.server.check(&license).await;
    let end = claims(verdict["lease"].as_str().unwrap())["exp"].as_i64().unwrap();
    assert!(end <= (expires_at + TimeDelta::days(15)).timestamp());
    let status = |status| Message::UpdateInstanceStatus { instance: license.clone(), status };
    shop.server.call(&status(FreezeStatus::Freeze)).await;
    let frozen = shop.server.check(&license).await;
    assert_eq!(
        (&frozen["code"], &frozen["lease"], &frozen["grace_until"]),
        (&json!("FROZEN"), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn while_the_facts_are_pending_a_lease_lasts_a_day() {
    let shop = Shop::open().await;
    shop.open_api.faults().hold();
    let answer = shop.server.call(&Message::NewInstance { order: OrderLine::fresh() }).await;
    let license = answer["instanceId"].as_str().unwrap();
    let verdict = shop.server.ask(&json!({ "license": license, "product": SAAS })).await;
    assert_eq!((&verdict["code"], &verdict["license"]["facts"]), (&json!("VALID"), &json!("pending")));
    let claims = claims(verdict["lease"].as_str().unwrap());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 86_400);
    assert_eq!(claims["aud"], SAAS, "software pins its product, known here or not");
    shop.open_api.faults().release();
}

#[tokio::test]
async fn a_rotation_is_taken_up_and_software_built_with_the_old_key_follows() {
    let shop = Shop::open().await;
    let license = shop.bought(SAAS, 1).await;
    let root = root_key(&shop);
    let before = shop.server.check(&license).await["lease"].as_str().unwrap().to_owned();
    for rotation in 1..=2 {
        let kid = |lease: &str| lease.split('.').next().unwrap().to_owned();
        let former = shop.server.check(&license).await["lease"].as_str().unwrap().to_owned();
        shop.home.ok(&["keys", "rotate", "--force"]);
        let after = shop.until(&license, |verdict| kid(verdict["lease"].as_str().unwrap()) != kid(&former)).await;
        let set = get(&shop.server.api, "/.well-known/jwks.json", &[]).await.unwrap();
        let mut keys = KeyRing::pinned([root.as_str()]).unwrap();
        keys.introduce(std::str::from_utf8(&set.body).unwrap());
        for lease in [after["lease"].as_str().unwrap(), &former, &before] {
            let verified = verify_lease(lease, &keys, &expected(&license), Utc::now().timestamp());
            assert!(verified.is_ok(), "rotation {rotation}: {verified:?}");
        }
    }
}

#[tokio::test]
async fn reasons_come_in_the_language_that_is_preferred() {
    let shop = Shop::open().await;
    let body = json!({ "license": "nobody-s-license" }).to_string();
    for (wanted, language, reason) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "没有此许可证"),
        ("en-GB,zh;q=0.5", "en", "no such license"),
        ("fr", "en", "no such license"),
    ] {
        let response =
            crate::support::post(&shop.server.api, "/v1/checks", &[("Accept-Language", wanted)], body.as_bytes()).await;
        let verdict = crate::shop::json(&response);
        assert_eq!(verdict["reason"], reason, "{wanted}");
        assert_eq!(response.header("content-language"), Some(language), "{wanted}");
    }
}
