//! Online licenses: the customer applies, the license is made once and handed over until the marketplace has it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chopmark_simulator::{Application, Interface, Message, Uploaded};
use chrono::{TimeDelta, Utc};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};

use crate::shop::{ONLINE, Shop, wait};
use crate::support::get;

fn application(fingerprint: &str) -> Application {
    Application {
        event_id: uuid::Uuid::new_v4().to_string(),
        fingerprint: Some(fingerprint.into()),
        effective_at: Utc::now(),
        expires_at: Some(Utc::now() + TimeDelta::days(365)),
    }
}

fn applied(instance: &str, application: &Application) -> Message {
    Message::GetLicenseAsync { instance: instance.into(), application: application.clone() }
}

async fn apply(shop: &Shop, instance: &str, application: &Application) -> Value {
    shop.server.call(&applied(instance, application)).await["resultCode"].clone()
}

fn accepted(shop: &Shop, application: &Application) -> Vec<Uploaded> {
    shop.open_api.uploads().of(&application.event_id).accepted
}

fn part(jws: &str, number: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jws.split('.').nth(number).unwrap()).unwrap()
}

/// The claims of a document, verified with the key that it names.
async fn verified(shop: &Shop, document: &Uploaded) -> Value {
    let Uploaded::Text(document) = document else { panic!("{document:?}") };
    let header: Value = serde_json::from_slice(&part(document, 0)).unwrap();
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("chopmark-license+jwt")));
    let set = get(&shop.server.api, "/.well-known/jwks.json", &[]).await.unwrap();
    let set: Value = serde_json::from_slice(&set.body).unwrap();
    let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let key = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let key = VerifyingKey::from_bytes(key.as_slice().try_into().unwrap()).unwrap();
    let (signed, _) = document.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&part(document, 2)).unwrap();
    key.verify_strict(signed.as_bytes(), &signature).unwrap();
    serde_json::from_slice(&part(document, 1)).unwrap()
}

#[tokio::test]
async fn a_license_is_made_on_request_and_handed_over_until_it_is_taken() {
    let shop = Shop::open().await;
    let instance = shop.bought(ONLINE, 7).await;
    let before = shop.server.check(&instance).await;
    assert_eq!((&before["code"], &before["license"]["status"]), (&json!("PENDING"), &json!("pending")));

    shop.open_api.uploads().refuse_first(1);
    let first = application("fa:16:3e:f7:c1:47|WD-001");
    assert_eq!(apply(&shop, &instance, &first).await, "000004");
    assert_eq!(apply(&shop, &instance, &first).await, "000004", "it is still being worked on");
    shop.until(&instance, |verdict| verdict["code"] == "VALID").await;
    assert_eq!(apply(&shop, &instance, &first).await, "000000");
    assert_eq!(shop.open_api.uploads().of(&first.event_id).attempts, 2);
    let [document] = &accepted(&shop, &first)[..] else { panic!("one license for one application") };
    let claims = verified(&shop, document).await;
    assert_eq!((&claims["sub"], &claims["aud"], &claims["seller"]), (&json!(instance), &json!(ONLINE), &json!("acme")));
    assert_eq!((&claims["fingerprint"], &claims["event_id"]), (&json!(first.fingerprint), &json!(first.event_id)));
    assert_eq!(claims["entitlements"], json!({"modules": 7}));

    // The same serial for another device is another application.
    shop.open_api.uploads().refuse_first(0);
    let second = Application { event_id: first.event_id.clone(), ..application("another device") };
    assert_eq!(apply(&shop, &instance, &second).await, "000004");
    wait("the second license", async || accepted(&shop, &second).len() == 2).await;
    let documents = accepted(&shop, &second);
    assert_eq!(verified(&shop, &documents[1]).await["fingerprint"], "another device");
    assert_ne!(documents[0], documents[1]);
    wait("both are known to be taken", async || apply(&shop, &instance, &second).await == "000000").await;
    assert_eq!(apply(&shop, &instance, &first).await, "000000");
    assert_eq!(accepted(&shop, &first).len(), 2, "and nothing is made again");
}

#[tokio::test]
async fn a_kill_while_it_is_handed_over_makes_no_second_license() {
    let shop = Shop::open().await;
    let instance = shop.bought(ONLINE, 1).await;
    let upload = shop.open_api.faults_of(Interface::Upload);
    upload.hold();
    let application = application("one device");
    assert_eq!(apply(&shop, &instance, &application).await, "000004");
    wait("the upload", async || shop.open_api.calls_of(Interface::Upload) > 0).await;
    assert_eq!(shop.server.check(&instance).await["code"], "PENDING");
    let shop = shop.crash().await;
    shop.open_api.faults_of(Interface::Upload).release();
    shop.until(&instance, |verdict| verdict["code"] == "VALID").await;
    assert_eq!(apply(&shop, &instance, &application).await, "000000");
    let documents = accepted(&shop, &application);
    assert!(!documents.is_empty());
    assert!(documents.iter().all(|document| document == &documents[0]), "the same text, however often it was sent");
    let history = shop.server.look_up(&format!("/v1/licenses/{instance}/history")).await;
    let of = |kind: &str| history["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind).count();
    assert_eq!((of("license_issued.v1"), of("license_uploaded.v1")), (1, 1));
}

#[tokio::test]
async fn applications_for_what_is_not_there_or_over_are_told_so() {
    let shop = Shop::open().await;
    let nobody = uuid::Uuid::new_v4().to_string();
    assert_eq!(apply(&shop, &nobody, &application("d")).await, "000003");
    let instance = shop.bought(ONLINE, 1).await;
    shop.says(&Message::ReleaseInstance { instance: instance.clone(), order: None }).await;
    assert_eq!(apply(&shop, &instance, &application("d")).await, "000003", "whoever asks again would wait for ever");
    assert_eq!(shop.open_api.calls_of(Interface::Upload), 0);
}
