//! What a body must say, and in which spellings.

use chopmark_domain::ids::{InstanceId, ProductId, Sku};
use chopmark_domain::license::{Released, Scene};
use serde_json::{Value, json};

use super::super::{Activity, ProductTarget};
use super::*;

/// A full body of an activity, with the fields of `change` put over it.
fn body(activity: Activity, change: &Value) -> String {
    let mut body = match activity {
        Activity::NewInstance => json!({"businessId": "b", "orderId": "o", "orderLineId": "l"}),
        Activity::QueryInstance => json!({"instanceId": "i-1"}),
        Activity::RefreshInstance => {
            json!({"instanceId": "i-1", "scene": "RENEWAL", "orderId": "o", "orderLineId": "l", "expireTime": "20271124023618"})
        }
        Activity::UpdateInstanceStatus => json!({"instanceId": "i-1", "status": "FREEZE"}),
        Activity::ReleaseInstance => json!({"instanceId": "i-1"}),
        Activity::UpgradeInstance => json!({"instanceId": "i-1", "orderId": "o", "orderLineId": "l"}),
        Activity::ChangeInstanceCheck => json!({"instanceId": "i-1", "productInfo": {"skuCode": "s"}}),
        Activity::OrderNotify => json!({"orderId": "o", "orderLineId": "l"}),
        Activity::RefreshLicenseCode => {
            json!({"license": "PL1", "scene": "RENEWAL", "orderId": "o", "orderLineId": "l", "expireTime": "20271124023618"})
        }
        Activity::UpdateLicenseCodeStatus => json!({"license": "PL1", "status": "UNFREEZE"}),
        Activity::ReleaseLicenseCode => json!({"license": "PL1"}),
        Activity::GetLicenseAsync => {
            json!({"instanceId": "i-1", "eventId": "ev-0001", "effectiveTime": "2026-10-27 10:30:15 z"})
        }
    };
    body["activity"] = activity.as_str().into();
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

fn fields(activity: Activity) -> Vec<(String, Value)> {
    let body: Value = serde_json::from_str(&body(activity, &json!({}))).unwrap();
    body.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[test]
fn every_mandatory_field_must_be_there_and_not_blank() {
    for activity in Activity::ALL.iter().copied() {
        assert!(read(&body(activity, &json!({}))).is_ok(), "{activity}");
        for (field, _) in fields(activity).iter().filter(|(field, _)| field != "activity") {
            for absent in [Value::Null, json!(""), json!("  ")] {
                let reason = read(&body(activity, &json!({field: absent}))).unwrap_err();
                assert!(
                    matches!(reason, Reason::FieldMissing { name } if name == field),
                    "{activity} without {field}: {reason}"
                );
            }
            let reason = read(&body(activity, &json!({field: true}))).unwrap_err();
            assert!(
                matches!(reason, Reason::FieldMalformed { name } if name == field),
                "{activity}, {field}: {reason}"
            );
        }
    }
}

#[test]
fn identifiers_have_at_most_sixty_four_characters() {
    for activity in Activity::ALL.iter().copied() {
        let names = ["businessId", "orderId", "orderLineId", "instanceId", "license", "productId", "eventId"];
        for (field, _) in fields(activity).iter().filter(|(field, _)| names.contains(&field.as_str())) {
            assert!(read(&body(activity, &json!({field: "界".repeat(64)}))).is_ok(), "{activity}, {field}");
            let reason = read(&body(activity, &json!({field: "界".repeat(65)}))).unwrap_err();
            assert!(
                matches!(reason, Reason::FieldTooLong { name, max: 64 } if name == field),
                "{activity}, {field}: {reason}"
            );
        }
    }
    let too_long = read(&body(Activity::RefreshInstance, &json!({"productId": "x".repeat(65)})));
    assert_eq!(too_long, Err(Reason::FieldTooLong { name: "productId", max: 64 }));
}

#[test]
fn an_identifier_with_a_comma_or_control_character_is_malformed() {
    let status = |id: &str| read(&body(Activity::UpdateInstanceStatus, &json!({"instanceId": id})));
    assert_eq!(status("a,b"), Err(Reason::FieldMalformed { name: "instanceId" }));
    assert_eq!(status("a\nb"), Err(Reason::FieldMalformed { name: "instanceId" }));
}

#[test]
fn numbers_are_taken_where_texts_belong() {
    let body = body(Activity::NewInstance, &json!({"orderId": 12_345_678_901_234_567_u64, "businessId": 7}));
    let (callback, _) = read(&body).unwrap();
    let Callback::NewInstance { order, business_id } = callback else { panic!("{callback:?}") };
    assert_eq!((order.order_id.as_str(), business_id.as_str()), ("12345678901234567", "7"));
}

#[test]
fn fields_that_no_table_knows_are_ignored() {
    let change = json!({"newField": {"deep": [1, null]}, "license": [], "orderInfo": []});
    assert_eq!(read(&body(Activity::QueryInstance, &change)), read(&body(Activity::QueryInstance, &json!({}))));
}

#[test]
fn only_a_test_flag_of_one_marks_a_test() {
    for activity in Activity::ALL.iter().copied() {
        for (flag, test) in [
            (json!("1"), true),
            (json!(1), true),
            (json!("0"), false),
            (json!(0), false),
            (json!(null), false),
            (json!(""), false),
            (json!("true"), false),
            (json!(true), false),
            (json!("11"), false),
            (json!([1]), false),
        ] {
            assert_eq!(read(&body(activity, &json!({"testFlag": flag}))).unwrap().1, test, "{activity}, {flag}");
        }
        assert!(!read(&body(activity, &json!({}))).unwrap().1);
    }
}

#[test]
fn the_four_scenes_are_known_and_no_others() {
    let scene = |name: &str| {
        read(&body(Activity::RefreshInstance, &json!({"scene": name}))).map(|(callback, _)| match callback {
            Callback::RefreshInstance { refreshed, .. } => refreshed.scene,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(scene("TRIAL_TO_FORMAL"), Ok(Scene::TrialToFormal));
    assert_eq!(scene("RENEWAL"), Ok(Scene::Renewal));
    assert_eq!(scene("RENEWAL_CHANGE"), Ok(Scene::RenewalChange));
    assert_eq!(scene("UNSUBSCRIBE_RENEWAL_PERIOD"), Ok(Scene::UnsubscribeRenewalPeriod));
    assert_eq!(scene("renewal"), Err(Reason::FieldMalformed { name: "scene" }));
}

#[test]
fn statuses_and_times_must_be_of_their_form() {
    for (activity, field, value) in [
        (Activity::UpdateInstanceStatus, "status", json!("NORMAL")),
        (Activity::UpdateLicenseCodeStatus, "status", json!("freeze")),
        (Activity::RefreshInstance, "expireTime", json!("20230229000000")),
        (Activity::RefreshInstance, "expireTime", json!("2027-11-24 02:36:18")),
        (Activity::RefreshLicenseCode, "expireTime", json!("202711240236")),
    ] {
        assert_eq!(read(&body(activity, &json!({field: value}))), Err(Reason::FieldMalformed { name: field }));
    }
    assert!(read(&body(Activity::RefreshInstance, &json!({"expireTime": 20_271_124_023_618_u64}))).is_ok());
}

#[test]
fn an_application_is_read_in_every_spelling_and_its_fingerprint_kept_as_sent() {
    let requested = |change: Value| {
        read(&body(Activity::GetLicenseAsync, &change)).map(|(callback, _)| match callback {
            Callback::GetLicenseAsync { requested, .. } => requested,
            other => panic!("{other:?}"),
        })
    };
    let bare = requested(json!({})).unwrap();
    assert_eq!((bare.application.event_id.as_str(), &bare.application.fingerprint), ("ev-0001", &None));
    assert_eq!((bare.effective_at.to_rfc3339(), bare.expires_at), ("2026-10-27T10:30:15+00:00".into(), None));
    for absent in [Value::Null, json!(""), json!(" ")] {
        assert_eq!(requested(json!({"deviceFingerprint": absent, "expireTime": absent})), Ok(bare.clone()));
    }
    for time in [json!("20261027103015"), json!(20_261_027_103_015_u64), json!("2026-10-27T10:30:15Z")] {
        let full = requested(json!({"effectiveTime": time, "expireTime": time})).unwrap();
        assert_eq!((full.effective_at, full.expires_at), (bare.effective_at, Some(bare.effective_at)), "{time}");
    }
    let long = format!(" {}|WD-001 ", "界".repeat(1015));
    assert_eq!(requested(json!({"deviceFingerprint": long})).unwrap().application.fingerprint, Some(long.clone()));
    for (field, value, reason) in [
        ("deviceFingerprint", json!(format!("{long}x")), Reason::FieldTooLong { name: "deviceFingerprint", max: 1024 }),
        ("deviceFingerprint", json!({}), Reason::FieldMalformed { name: "deviceFingerprint" }),
        ("effectiveTime", json!("soon"), Reason::FieldMalformed { name: "effectiveTime" }),
        ("expireTime", json!("2026-02-30 10:30:15 z"), Reason::FieldMalformed { name: "expireTime" }),
        ("expireTime", json!("1".repeat(33)), Reason::FieldTooLong { name: "expireTime", max: 32 }),
        ("eventId", json!("a\nb"), Reason::FieldMalformed { name: "eventId" }),
    ] {
        assert_eq!(requested(json!({ field: value })), Err(reason), "{field}");
    }
}

#[test]
fn a_release_names_an_order_or_none() {
    let released = |change| match read(&body(Activity::ReleaseInstance, &change)).unwrap().0 {
        Callback::ReleaseInstance { released, .. } => released,
        other => panic!("{other:?}"),
    };
    assert_eq!(released(json!({"orderId": "", "orderLineId": null})), Released { order_id: None, order_line_id: None });
    assert_eq!(released(json!({"orderId": "o"})).order_id.unwrap().as_str(), "o");
}

#[test]
fn a_query_names_up_to_a_hundred_instances_each_taken_once() {
    let ids = |list: &str| {
        read(&body(Activity::QueryInstance, &json!({"instanceId": list}))).map(|(callback, _)| match callback {
            Callback::QueryInstance { ids } => ids.iter().map(InstanceId::to_string).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        })
    };
    let numbered = |count: usize| (0..count).map(|n| format!("{n:064}")).collect::<Vec<_>>();
    assert_eq!(ids(" a , b,a ,,b,"), Ok(vec!["a".into(), "b".into()]));
    assert_eq!(ids(&numbered(100).join(",")), Ok(numbered(100)));
    assert_eq!(ids(&numbered(101).join(",")), Err(Reason::TooManyIds { max: 100 }));
    assert_eq!(ids(" , ,"), Err(Reason::FieldMissing { name: "instanceId" }));
    assert_eq!(ids(&format!("a,{}", "x".repeat(65))), Err(Reason::FieldTooLong { name: "instanceId", max: 64 }));
    assert_eq!(ids("a,b\tc"), Err(Reason::FieldMalformed { name: "instanceId" }));
}

#[test]
fn a_target_product_comes_as_object_or_list_or_text() {
    let target = |info: Value| {
        read(&body(Activity::ChangeInstanceCheck, &json!({"productInfo": info}))).map(|(callback, _)| match callback {
            Callback::ChangeInstanceCheck { target, .. } => target,
            other => panic!("{other:?}"),
        })
    };
    let full = ProductTarget {
        product_id: Some(ProductId::parse("p").unwrap()),
        sku: Some(Sku::parse("s").unwrap()),
        quantity: Some(5),
    };
    let object = json!({"productId": "p", "skuCode": "s", "linearValue": 5, "more": {}});
    assert_eq!(target(object.clone()), Ok(full.clone()));
    assert_eq!(target(json!([object, {"skuCode": "other"}])), Ok(full.clone()));
    assert_eq!(target(json!(object.to_string())), Ok(full.clone()));
    assert_eq!(target(json!(json!([object]).to_string())), Ok(full));
    assert_eq!(target(json!({})), Ok(ProductTarget::default()));
    assert_eq!(target(json!({"linearValue": "7"})).unwrap().quantity, Some(7));
    for info in [json!(5), json!("nonsense"), json!("\"s\""), json!([1]), json!(r#"{"a":1,"a":2}"#)] {
        assert_eq!(target(info.clone()), Err(Reason::FieldMalformed { name: "productInfo" }), "{info}");
    }
    assert_eq!(target(json!([])), Err(Reason::FieldMissing { name: "productInfo" }));
    for value in [json!(-1), json!(1.5), json!("many"), json!({})] {
        let reason = target(json!({"linearValue": value})).unwrap_err();
        assert_eq!(reason, Reason::FieldMalformed { name: "linearValue" }, "{value}");
    }
}
