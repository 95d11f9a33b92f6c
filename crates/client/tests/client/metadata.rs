//! What an ECS says of itself.

use chopmark_client::{EcsMetadata, MetadataError};
use serde_json::{Value, json};

use crate::fake_server::{FakeServer, Heard, Reply};
use crate::world::UUID;

const TOKEN: &str = "/meta-data/latest/api/token";
const DOCUMENT: &str = "/openstack/latest/meta_data.json";

/// The document of the metadata service's page, shortened.
fn document() -> Value {
    json!({"uuid": UUID.to_uppercase(), "availability_zone": "cn-east-3c", "region_id": "cn-east-3",
        "project_id": "6e8b", "meta": {"metering.image_id": "3a64bd37-955e-40cd-ab9e-129db56bc05d",
        "metering.imagetype": "market", "charging_mode": "0", "os_type": "Linux"}})
}

fn complete() -> EcsMetadata {
    EcsMetadata {
        uuid: UUID.into(),
        project_id: Some("6e8b".into()),
        region_id: Some("cn-east-3".into()),
        image_id: Some("3a64bd37-955e-40cd-ab9e-129db56bc05d".into()),
        image_type: Some("market".into()),
        charging_mode: Some("0".into()),
    }
}

#[test]
fn a_hardened_service_is_asked_with_a_token() {
    let server = FakeServer::start(|heard| {
        if heard.is("PUT", TOKEN) && heard.headers["x-metadata-token-ttl-seconds"] == "21600" {
            return Reply::Text(200, "", "t0ken==\n".into());
        }
        match heard.headers.get("x-metadata-token").map(String::as_str) {
            Some("t0ken==") if heard.is("GET", DOCUMENT) => Reply::Json(200, document()),
            _ => Reply::Text(401, "", String::new()),
        }
    });
    assert_eq!(EcsMetadata::read_from(&server.url).expect("an ECS"), complete());
}

#[test]
fn a_plain_service_is_asked_without() {
    let refusals: [fn() -> Reply; 4] = [
        || Reply::Text(404, "", String::new()),
        || Reply::Text(405, "", String::new()),
        || Reply::HangUp,
        || Reply::Text(200, "", "<html> a page </html>".into()),
    ];
    for refusal in refusals {
        let server = FakeServer::start(move |heard: &Heard| match heard.method.as_str() {
            "PUT" => refusal(),
            _ if heard.headers.contains_key("x-metadata-token") => Reply::HangUp,
            _ => Reply::Json(200, document()),
        });
        assert_eq!(EcsMetadata::read_from(&server.url).expect("an ECS"), complete());
    }
}

#[test]
fn what_describes_no_ecs_is_an_error_and_missing_values_are_not() {
    let bare = FakeServer::start(|_| Reply::Json(200, json!({"uuid": UUID})));
    let ecs = EcsMetadata::read_from(&bare.url).expect("an ECS");
    assert_eq!((ecs.uuid.as_str(), ecs.project_id, ecs.image_id), (UUID, None, None));
    for body in [json!({}), json!({"uuid": "x"}), json!({"uuid": format!("{UUID}-1")}), json!([])] {
        let server = FakeServer::start(move |_| Reply::Json(200, body.clone()));
        assert!(matches!(EcsMetadata::read_from(&server.url), Err(MetadataError::Unusable(_))));
    }
    let down = FakeServer::start(|_| Reply::HangUp);
    assert!(matches!(EcsMetadata::read_from(&down.url), Err(MetadataError::Unreachable(_))));
}
