//! The documented worked messages: our bodies are theirs, and so are the signatures.

use chopmark_domain::license::Scene;
use chopmark_huawei::callback::FreezeStatus;
use chopmark_huawei::time::parse_expire_time;

use super::*;
use crate::message::{Application, ExpireTime, KeyOrder, Message, OrderLine, Refresh, Wording};

const KEY: &str = "test-access-key-0001";
const INSTANCE: &str = "10e758d0-31ad-4c4b-8f1b-81d03469a10e";

fn order() -> OrderLine {
    OrderLine::first_of("CS2211181819B4LVS")
}

fn application() -> Application {
    Application {
        event_id: "ev-0001".into(),
        fingerprint: Some("fa:16:3e:f7:c1:47|WD-001|MB-77|CPU-9".into()),
        effective_at: parse_expire_time("20261027103015").unwrap(),
        expires_at: parse_expire_time("20271027103015"),
    }
}

fn stamp(timestamp: &str, nonce: &str) -> Stamp {
    Stamp {
        timestamp: timestamp.into(),
        nonce: nonce.into(),
        business_id: "87b94795-0603-4e24-8ae5-69420d60e3c8".into(),
    }
}

const TEST: Wording = Wording { test: true, keys: KeyOrder::Ascending, expire_time: ExpireTime::Millis };

#[test]
fn callbacks_are_written_and_signed_as_in_the_published_examples() {
    let instance = || INSTANCE.to_owned();
    let vectors = [
        (
            Message::NewInstance { order: order() },
            "1680508066618",
            "Of4lsV7H1qrzVDI52O5CFk2ofPcZRaA6",
            r#"{"activity":"newInstance","businessId":"87b94795-0603-4e24-8ae5-69420d60e3c8","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"1"}"#,
            "8DCF3BE4D27CB97F445012E0D313A2F0C0957012401BAC1522FA13FE94102BE7",
        ),
        (
            Message::QueryInstance { instances: vec![instance()] },
            "1680508237508",
            "n0nceQuery000000000000000000001A",
            r#"{"activity":"queryInstance","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","testFlag":"1"}"#,
            "16493364B5DE2A6623D2E512A57B2A722B0FF7948B47202FC6F280599A3AF510",
        ),
        (
            Message::RefreshInstance {
                instance: instance(),
                refresh: Refresh {
                    scene: Scene::Renewal,
                    order: order(),
                    expires_at: parse_expire_time("20221124023618256").unwrap(),
                    product_id: Some("OFFI461867333479178240".into()),
                },
            },
            "1680509496350",
            "n0nceRefresh0000000000000000001B",
            r#"{"activity":"refreshInstance","expireTime":"20221124023618256","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","productId":"OFFI461867333479178240","scene":"RENEWAL","testFlag":"1"}"#,
            "9D053C2DFDB580370677B299B799FE6331D632375B536BD5333B8DE5F4F99052",
        ),
        (
            Message::UpdateInstanceStatus { instance: instance(), status: FreezeStatus::Freeze },
            "1680509558159",
            "n0nceStatus00000000000000000001C",
            r#"{"activity":"updateInstanceStatus","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","status":"FREEZE","testFlag":"1"}"#,
            "F5BD6EA2D73A2D7300378E7552418786AAD4EE7974F087F5281B5060516B88CC",
        ),
        (
            Message::ReleaseInstance { instance: instance(), order: Some(order()) },
            "1680509885590",
            "n0nceRelease0000000000000000001D",
            r#"{"activity":"releaseInstance","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"1"}"#,
            "AD5C9D2474139C0CE2423DB0A7994FDB1DD228A57BE263CA19DF8963286A93F1",
        ),
        (
            Message::UpgradeInstance { instance: instance(), order: order() },
            "1680510876429",
            "n0nceUpgrade0000000000000000001E",
            r#"{"activity":"upgradeInstance","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"1"}"#,
            "3979FD55BB7BCEC1BA6826DFE1BAB1CDCD60524B7BCAC3C6887F6E8783FDAE05",
        ),
        (
            Message::ChangeInstanceCheck {
                instance: instance(),
                sku: "da9b4d34-ee8a-4355-a823-13e034e49986".into(),
                product_id: "OFFI461867333479178240".into(),
                quantity: 5,
            },
            "1680510876430",
            "n0nceChgChk00000000000000000001F",
            r#"{"activity":"changeInstanceCheck","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","productInfo":{"linearValue":5,"productId":"OFFI461867333479178240","skuCode":"da9b4d34-ee8a-4355-a823-13e034e49986"},"testFlag":"1"}"#,
            "66E4B92BD9F1165A5A0FA159C717684222EC976516297017F1DB807BA12B16A3",
        ),
        (
            Message::OrderNotify { order: order() },
            "1729566664115",
            "Of4lsV7H1qrzVDI52O5CFk2ofPcZRaA6",
            r#"{"activity":"orderNotify","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","testFlag":"1"}"#,
            "9C5BAF371D880D996FCDEB3C66B7FF501F29DD6315EF8F7277D628631CE367D0",
        ),
        (
            Message::GetLicenseAsync { instance: instance(), application: application() },
            "1680510876431",
            "n0nceGetLic000000000000000000001G",
            r#"{"activity":"getLicenseAsync","deviceFingerprint":"fa:16:3e:f7:c1:47|WD-001|MB-77|CPU-9","effectiveTime":"2026-10-27 10:30:15 z","eventId":"ev-0001","expireTime":"2027-10-27 10:30:15 z","instanceId":"10e758d0-31ad-4c4b-8f1b-81d03469a10e","testFlag":"1"}"#,
            "6307306155DA8C9B71BFF83FD8851F4AB6B2A91C3F5E13A13B979A9DA7757216",
        ),
    ];
    for (message, timestamp, nonce, body, signature) in vectors {
        let stamp = stamp(timestamp, nonce);
        assert_eq!(message.bodies(&stamp, TEST), (body.to_owned(), None));
        assert_eq!(stamp.query(KEY, body), format!("signature={signature}&timestamp={timestamp}&nonce={nonce}"));
    }
}

#[test]
fn license_code_callbacks_are_the_published_ones() {
    let stamp = stamp("1666677988730", "RLLUammMSInlrNWb");
    let renewal = Message::RefreshLicenseCode {
        code: "PL0001TEST".into(),
        refresh: Refresh {
            scene: Scene::Renewal,
            order: order(),
            expires_at: parse_expire_time("20270523201932").unwrap(),
            product_id: None,
        },
    };
    let wording = Wording { test: true, ..Wording::default() };
    let (body, _) = renewal.bodies(&stamp, wording);
    assert_eq!(
        body,
        r#"{"activity":"refreshLicenseCode","expireTime":"20270523201932","license":"PL0001TEST","orderId":"CS2211181819B4LVS","orderLineId":"CS2211181819B4LVS-000001","scene":"RENEWAL","testFlag":"1"}"#
    );
    let signature = "d148705b8ea0f43dafc0cb91b215832ec1a601fdf5d34f5327564be181797d97".to_uppercase();
    assert!(stamp.query("TEST-ACCESS-KEY-0001", &body).contains(&signature));
    let freeze = Message::UpdateLicenseCodeStatus { code: "PL0001TEST".into(), status: FreezeStatus::Freeze };
    assert_eq!(
        freeze.bodies(&stamp, Wording::default()).0,
        r#"{"activity":"updateLicenseCodeStatus","license":"PL0001TEST","status":"FREEZE"}"#
    );
    let release = Message::ReleaseLicenseCode { code: "PL0001TEST".into(), order: None };
    assert_eq!(
        release.bodies(&stamp, Wording::default()).0,
        r#"{"activity":"releaseLicenseCode","license":"PL0001TEST"}"#
    );
}

#[test]
fn an_application_names_only_what_it_has() {
    let application = Application { fingerprint: None, expires_at: None, ..application() };
    let message = Message::GetLicenseAsync { instance: "i-1".into(), application };
    let (body, _) = message.bodies(&stamp("1680510876431", "n"), Wording::default());
    let expected = r#"{"activity":"getLicenseAsync","effectiveTime":"2026-10-27 10:30:15 z","eventId":"ev-0001","instanceId":"i-1"}"#;
    assert_eq!(body, expected);
}

#[test]
fn a_body_in_another_order_of_keys_carries_the_signature_of_the_ascending_one() {
    let stamp = stamp("1680508237508", "n0nceQuery000000000000000000001A");
    let message = Message::QueryInstance { instances: vec![INSTANCE.into()] };
    let wording = Wording { keys: KeyOrder::Descending, ..TEST };
    let (signed, sent) = message.bodies(&stamp, wording);
    assert_eq!(sent.unwrap(), format!(r#"{{"testFlag":"1","instanceId":"{INSTANCE}","activity":"queryInstance"}}"#));
    assert!(stamp.query(KEY, &signed).contains("16493364B5DE2A66"));
}

#[test]
fn stamps_are_of_their_moment_and_never_the_same() {
    let now = "2026-11-24T10:00:00.123Z".parse().unwrap();
    let one = Stamp::fresh(now, TimestampUnit::Millis);
    let other = Stamp::fresh(now, TimestampUnit::Seconds);
    assert_eq!((one.timestamp.as_str(), other.timestamp.as_str()), ("1795514400123", "1795514400"));
    assert_eq!(one.nonce.len(), 32);
    assert!(one.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_ne!(one.nonce, other.nonce);
    assert_ne!(one.business_id, other.business_id);
}
