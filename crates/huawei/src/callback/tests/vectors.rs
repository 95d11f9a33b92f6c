//! Published messages, and what they mean. The signatures were computed apart from this code.

use chopmark_domain::cause::SignedForm;
use chopmark_domain::ids::{EventId, InstanceId, LicenseCode, OrderId, OrderLineId, ProductId, Sku};
use chopmark_domain::license::{Application, LicenseRequested, Refreshed, Released, Scene, Upgraded};
use chopmark_domain::order::OrderRef;

use super::super::{FreezeStatus, ProductTarget};
use super::*;
use crate::answer::{Answer, AppInfo, InstanceInfo};
use crate::time::parse_expire_time;

struct Vector {
    key: &'static str,
    timestamp: &'static str,
    nonce: &'static str,
    signature: &'static str,
    body: &'static str,
    callback: Callback,
}

impl Vector {
    fn query(&self) -> String {
        format!("signature={}&timestamp={}&nonce={}", self.signature, self.timestamp, self.nonce)
    }

    fn sent_at(&self) -> DateTime<Utc> {
        at(self.timestamp.parse().unwrap())
    }
}

fn instance() -> InstanceId {
    InstanceId::parse("10e758d0-31ad-4c4b-8f1b-81d03469a10e").unwrap()
}

fn order() -> OrderRef {
    OrderRef {
        order_id: OrderId::parse("CS2211181819B4LVS").unwrap(),
        order_line_id: OrderLineId::parse("CS2211181819B4LVS-000001").unwrap(),
    }
}

fn code() -> LicenseCode {
    LicenseCode::parse("PL0001TEST").unwrap()
}

fn product() -> ProductId {
    ProductId::parse("OFFI461867333479178240").unwrap()
}

const QUERY_BODY: &str =
    r#"{"activity":"queryInstance","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","testFlag":"1"}"#;

fn vectors() -> Vec<Vector> {
    vec![
        Vector {
            key: BASE_KEY,
            timestamp: "1680508066618",
            nonce: "Of4lsV7H1qrzVDI52O5CFk2ofPcZRaA6",
            signature: "8DCF3BE4D27CB97F445012E0D313A2F0C0957012401BAC1522FA13FE94102BE7",
            body: r#"{"activity":"newInstance","businessId":"87b94795-0603-4e24-8ae5-69420d60e3c8","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"1"}"#,
            callback: Callback::NewInstance {
                order: order(),
                business_id: "87b94795-0603-4e24-8ae5-69420d60e3c8".into(),
            },
        },
        Vector {
            key: BASE_KEY,
            timestamp: "1680508237508",
            nonce: "n0nceQuery000000000000000000001A",
            signature: "16493364B5DE2A6623D2E512A57B2A722B0FF7948B47202FC6F280599A3AF510",
            body: QUERY_BODY,
            callback: Callback::QueryInstance { ids: vec![instance()] },
        },
        Vector {
            key: BASE_KEY,
            timestamp: "1680509496350",
            nonce: "n0nceRefresh0000000000000000001B",
            signature: "9D053C2DFDB580370677B299B799FE6331D632375B536BD5333B8DE5F4F99052",
            body: r#"{"activity":"refreshInstance","expireTime":"20221124023618256","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","productId":"OFFI461867333479178240","scene":"RENEWAL","testFlag":"1"}"#,
            callback: Callback::RefreshInstance {
                instance: instance(),
                refreshed: Refreshed {
                    scene: Scene::Renewal,
                    order: order(),
                    expires_at: parse_expire_time("20221124023618256").unwrap(),
                    product_id: Some(product()),
                },
            },
        },
        Vector {
            key: BASE_KEY,
            timestamp: "1680509558159",
            nonce: "n0nceStatus00000000000000000001C",
            signature: "F5BD6EA2D73A2D7300378E7552418786AAD4EE7974F087F5281B5060516B88CC",
            body: r#"{"activity":"updateInstanceStatus","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","status":"FREEZE","testFlag":"1"}"#,
            callback: Callback::UpdateInstanceStatus { instance: instance(), status: FreezeStatus::Freeze },
        },
        Vector {
            key: BASE_KEY,
            timestamp: "1680509885590",
            nonce: "n0nceRelease0000000000000000001D",
            signature: "AD5C9D2474139C0CE2423DB0A7994FDB1DD228A57BE263CA19DF8963286A93F1",
            body: r#"{"activity":"releaseInstance","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"1"}"#,
            callback: Callback::ReleaseInstance {
                instance: instance(),
                released: Released { order_id: Some(order().order_id), order_line_id: Some(order().order_line_id) },
            },
        },
        Vector {
            key: BASE_KEY,
            timestamp: "1680510876429",
            nonce: "n0nceUpgrade0000000000000000001E",
            signature: "3979FD55BB7BCEC1BA6826DFE1BAB1CDCD60524B7BCAC3C6887F6E8783FDAE05",
            body: r#"{"activity":"upgradeInstance","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"1"}"#,
            callback: Callback::UpgradeInstance { instance: instance(), upgraded: Upgraded { order: order() } },
        },
        Vector {
            key: BASE_KEY,
            timestamp: "1680510876430",
            nonce: "n0nceChgChk00000000000000000001F",
            signature: "66E4B92BD9F1165A5A0FA159C717684222EC976516297017F1DB807BA12B16A3",
            body: r#"{"activity":"changeInstanceCheck","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","productInfo":{"linearValue":5,"productId":"OFFI461867333479178240","skuCode":"da9b4d34-ee8a-4355-a823-13e034e49986"},"testFlag":"1"}"#,
            callback: Callback::ChangeInstanceCheck {
                instance: instance(),
                target: ProductTarget {
                    product_id: Some(product()),
                    sku: Some(Sku::parse("da9b4d34-ee8a-4355-a823-13e034e49986").unwrap()),
                    quantity: Some(5),
                },
            },
        },
        Vector {
            key: BASE_KEY,
            timestamp: "1729566664115",
            nonce: "Of4lsV7H1qrzVDI52O5CFk2ofPcZRaA6",
            signature: "9C5BAF371D880D996FCDEB3C66B7FF501F29DD6315EF8F7277D628631CE367D0",
            body: r#"{"activity":"orderNotify","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"1"}"#,
            callback: Callback::OrderNotify { order: order() },
        },
        Vector {
            key: BASE_KEY,
            timestamp: "1680510876431",
            nonce: "n0nceGetLic000000000000000000001G",
            signature: "6307306155DA8C9B71BFF83FD8851F4AB6B2A91C3F5E13A13B979A9DA7757216",
            body: r#"{"activity":"getLicenseAsync","deviceFingerprint":"fa:16:3e:f7:c1:47|WD-001|MB-77|CPU-9","effectiveTime":"2026-10-27 10:30:15 z","eventId":"ev-0001","expireTime":"2027-10-27 10:30:15 z","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","testFlag":"1"}"#,
            callback: Callback::GetLicenseAsync {
                instance: instance(),
                requested: LicenseRequested {
                    application: Application {
                        event_id: EventId::parse("ev-0001").unwrap(),
                        fingerprint: Some("fa:16:3e:f7:c1:47|WD-001|MB-77|CPU-9".into()),
                    },
                    effective_at: parse_expire_time("20261027103015").unwrap(),
                    expires_at: parse_expire_time("20271027103015"),
                },
            },
        },
        Vector {
            key: CODE_KEY,
            timestamp: "1666677988730",
            nonce: "RLLUammMSInlrNWb",
            signature: "d148705b8ea0f43dafc0cb91b215832ec1a601fdf5d34f5327564be181797d97",
            body: r#"{"activity":"refreshLicenseCode","expireTime":"20270523201932","license":"PL0001TEST","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","scene":"RENEWAL","testFlag":"1"}"#,
            callback: Callback::RefreshLicenseCode {
                code: code(),
                refreshed: Refreshed {
                    scene: Scene::Renewal,
                    order: order(),
                    expires_at: parse_expire_time("20270523201932").unwrap(),
                    product_id: None,
                },
            },
        },
    ]
}

#[test]
fn every_published_message_is_verified_and_understood() {
    let ring = ring();
    for vector in vectors() {
        let computed = request_signature(vector.key.as_bytes(), vector.nonce, vector.timestamp, vector.body.as_bytes());
        assert_eq!(hex::encode(computed), vector.signature.to_lowercase(), "{}", vector.body);

        let delivery = Delivery { query: &vector.query(), content_encoding: None, body: vector.body.as_bytes() };
        let verified = verify(&delivery, &ring, vector.sent_at()).unwrap();
        assert_eq!(verified.callback, vector.callback);
        assert!(vector.body.contains(&format!("\"{}\"", verified.callback.activity())));
        assert!(verified.test);
        assert_eq!(verified.request.body, vector.body);
        assert_eq!(verified.request.timestamp, vector.timestamp);
        assert_eq!(verified.request.nonce, vector.nonce);
        assert_eq!(verified.request.signature.0, computed);
        assert_eq!(verified.request.signed_form, SignedForm::Raw);
        assert_eq!(verified.request.key_id, verified.key.id());
        assert_eq!(verified.request.received_at, vector.sent_at());
        assert_eq!(verified.request.redacted_from_sha256, None);
    }
}

#[test]
fn a_body_in_another_order_of_keys_is_verified_through_its_canonical_form() {
    let query = vectors().into_iter().find(|vector| vector.body == QUERY_BODY).unwrap();
    let body = r#"{"testFlag":"1","activity":"queryInstance","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e"}"#;
    let delivery = Delivery { query: &query.query(), content_encoding: None, body: body.as_bytes() };
    let ring = ring();
    let verified = verify(&delivery, &ring, query.sent_at()).unwrap();
    assert_eq!(verified.callback, query.callback);
    assert_eq!(verified.request.signed_form, SignedForm::Canonical);
    assert_eq!(verified.request.body, body, "kept as it came, not as it was signed");
}

#[test]
fn any_changed_bit_of_a_published_message_is_refused() {
    let ring = ring();
    let vector = &vectors()[2];
    let query = vector.query();
    let accepted = |query: &[u8], body: &[u8]| {
        let Ok(query) = std::str::from_utf8(query) else {
            return false;
        };
        verify(&Delivery { query, content_encoding: None, body }, &ring, vector.sent_at()).is_ok()
    };
    assert!(accepted(query.as_bytes(), vector.body.as_bytes()));
    let flips = |text: &str| {
        let text = text.as_bytes().to_vec();
        (0..text.len() * 8).map(move |bit| {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        })
    };
    for body in flips(vector.body) {
        assert!(!accepted(query.as_bytes(), &body), "{}", body.escape_ascii());
    }
    for other in flips(&query) {
        // The case of hexadecimal is the one thing that may change.
        let rest = &query.as_bytes()["signature=".len() + 64..];
        let same =
            other.eq_ignore_ascii_case(query.as_bytes()) && other.starts_with(b"signature=") && other.ends_with(rest);
        assert_eq!(accepted(&other, vector.body.as_bytes()), same, "{}", other.escape_ascii());
    }
}

#[test]
fn answers_are_written_and_signed_as_published() {
    let ring = ring();
    let key = ring.first(&[InterfaceType::Base]).unwrap();
    let created = Answer::new_instance(&InstanceId::parse("87b94795-0603-4e24-8ae5-69420d60e3c8").unwrap()).to_bytes();
    assert_eq!(
        String::from_utf8_lossy(&created),
        r#"{"resultCode":"000000","resultMsg":"success.","instanceId":"87b94795-0603-4e24-8ae5-69420d60e3c8"}"#
    );
    assert_eq!(
        key.body_sign(&created),
        r#"sign_type="HMAC-SHA256", signature="FGqWJoMsrKVpk6KKmBoxRPhcsFvJmqio1VqsAekCOWU=""#
    );
    let success = Answer::success().to_bytes();
    assert_eq!(String::from_utf8_lossy(&success), r#"{"resultCode":"000000","resultMsg":"success."}"#);
    assert_eq!(
        key.body_sign(&success),
        r#"sign_type="HMAC-SHA256", signature="MTRk2q83clWO4HHLQUfXiUtDjSMcNYXSL1bfbmtOrjc=""#
    );

    let app_info = AppInfo {
        front_end_url: "https://app.example.com".into(),
        admin_url: Some("https://admin.example.com".into()),
        user_name: Some("admin@example.com".into()),
        password: Some("Init-Passw0rd".into()),
        memo: Some("中文".into()),
    };
    let info = InstanceInfo { instance_id: instance(), app_info: Some(app_info) };
    assert_eq!(
        String::from_utf8_lossy(&Answer::instances(vec![info]).to_bytes()),
        r#"{"resultCode":"000000","resultMsg":"success.","info":[{"instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","appInfo":{"frontEndUrl":"https://app.example.com","adminUrl":"https://admin.example.com","userName":"admin@example.com","password":"Init-Passw0rd","memo":"\u4e2d\u6587"}}]}"#
    );
}

#[test]
fn refusals_answer_as_published() {
    let ring = ring();
    let vector = &vectors()[0];
    let answer = |query: &str, seconds_late: i64| {
        let delivery = Delivery { query, content_encoding: None, body: vector.body.as_bytes() };
        let now = vector.sent_at() + chrono::TimeDelta::seconds(seconds_late);
        let answer = verify(&delivery, &ring, now).unwrap_err().answer();
        String::from_utf8(answer.to_bytes()).unwrap()
    };
    let forged = vector.query().replace("signature=8", "signature=9");
    assert_eq!(answer(&forged, 0), r#"{"resultCode":"000001","resultMsg":"token is invalid"}"#);
    assert_eq!(
        answer(&vector.query(), 61),
        r#"{"resultCode":"000002","resultMsg":"param is invalid: timestamp is more than 60 s away"}"#
    );
}

#[test]
fn the_shapes_of_license_products_are_understood() {
    let read = |body| super::read(body).unwrap();
    let unsubscription = Released {
        order_id: Some(OrderId::parse("CS2303270702UNSUB").unwrap()),
        order_line_id: Some(OrderLineId::parse("CS2303270702UNSUB-000001").unwrap()),
    };
    assert_eq!(
        read(r#"{"activity":"updateLicenseCodeStatus","license":"PL0001TEST","status":"FREEZE","testFlag":"0"}"#),
        (Callback::UpdateLicenseCodeStatus { code: code(), status: FreezeStatus::Freeze }, false)
    );
    assert_eq!(
        read(
            r#"{"activity":"releaseLicenseCode","license":"PL0001TEST","orderId":"CS2303270702UNSUB","orderLineId":"CS2303270702UNSUB-000001","testFlag":"0"}"#
        ),
        (Callback::ReleaseLicenseCode { code: code(), released: unsubscription.clone() }, false)
    );
    assert_eq!(
        read(
            r#"{"activity":"newInstance","businessId":"87b94795-0603-4e24-8ae5-69420d60e3c8","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"0"}"#
        ),
        (Callback::NewInstance { order: order(), business_id: "87b94795-0603-4e24-8ae5-69420d60e3c8".into() }, false)
    );
    let renewal = Refreshed {
        scene: Scene::Renewal,
        order: OrderRef {
            order_id: OrderId::parse("CS23RENEW").unwrap(),
            order_line_id: OrderLineId::parse("CS23RENEW-000001").unwrap(),
        },
        expires_at: parse_expire_time("20271124023618").unwrap(),
        product_id: None,
    };
    assert_eq!(
        read(
            r#"{"activity":"refreshInstance","scene":"RENEWAL","orderId":"CS23RENEW","orderLineId":"CS23RENEW-000001","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","expireTime":"20271124023618","testFlag":"0"}"#
        ),
        (Callback::RefreshInstance { instance: instance(), refreshed: renewal }, false)
    );
    assert_eq!(
        read(
            r#"{"activity":"updateInstanceStatus","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","status":"UNFREEZE","testFlag":"0"}"#
        ),
        (Callback::UpdateInstanceStatus { instance: instance(), status: FreezeStatus::Unfreeze }, false)
    );
    assert_eq!(
        read(
            r#"{"activity":"releaseInstance","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","orderId":"CS2303270702UNSUB","orderLineId":"CS2303270702UNSUB-000001","testFlag":"0"}"#
        ),
        (Callback::ReleaseInstance { instance: instance(), released: unsubscription }, false)
    );
}
