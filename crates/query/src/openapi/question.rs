//! The question of a check as it is described. It is read without copying, by types that say less than these.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, OneOfBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What a check may say. Members that are not named here are passed over.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct QuestionMembers {
    /// The instance id or license code.
    #[schema(example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e")]
    license: Option<String>,
    /// The ECS that an image runs on, as its metadata service tells it.
    deployment: Option<QuestionDeployment>,
    /// The seller's id; needed only where two sellers have a license with the same id.
    #[schema(example = "acme")]
    seller: Option<String>,
    /// The SKU that this software is.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = r"^[^,\x00-\x1f\x7f-\x9f]*[^,\s\x00-\x1f\x7f-\x9f][^,\x00-\x1f\x7f-\x9f]*$"
    )]
    #[schema(example = "a63ee5c9-0000")]
    product: Option<String>,
    /// Where the software runs.
    machine: Option<QuestionMachine>,
    /// Comes back as it is.
    #[schema(max_length = 128)]
    nonce: Option<String>,
    /// The version of the software.
    #[schema(max_length = 128, example = "2.1.0")]
    version: Option<String>,
    /// The position of an earlier answer that this one must not be older than.
    #[schema(pattern = "^[0-9]{1,20}$")]
    min_position: Option<String>,
}

/// An ECS.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct QuestionDeployment {
    #[schema(min_length = 1, max_length = 64, pattern = r"^[A-Za-z0-9._-]+$")]
    #[schema(example = "ca9e8b7c-f2be-4b6d-a639-f10b4d994d04")]
    uuid: String,
    #[schema(min_length = 1, max_length = 64, pattern = r"^[A-Za-z0-9._-]+$")]
    project_id: String,
    #[schema(min_length = 1, max_length = 64, pattern = r"^[A-Za-z0-9._-]+$", example = "cn-east-3")]
    region_id: String,
    #[schema(max_length = 64, pattern = r"^[A-Za-z0-9._-]*$")]
    image_id: Option<String>,
    /// `0` pay-per-use, `1` yearly or monthly, `2` spot.
    #[schema(max_length = 16, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "1")]
    charging_mode: Option<String>,
    /// The `enrolment_secret` of an earlier answer.
    #[schema(max_length = 128)]
    secret: Option<String>,
}

/// A machine.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct QuestionMachine {
    #[schema(min_length = 1, max_length = 255, pattern = r"^[A-Za-z0-9._:-]+$", example = "build-7")]
    fingerprint: String,
    #[schema(max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    name: Option<String>,
}

/// What people call a machine.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct MachineName {
    #[schema(max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "build server 7")]
    name: Option<String>,
}

/// A machine, as its program names it.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 255, pattern = r"^[A-Za-z0-9._:-]+$", example = "build-7")]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct Fingerprint(String);

/// Keys that leases are signed with (RFC 7517).
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct KeySet {
    /// The one that signs first, then the next one, then former ones.
    keys: Vec<SigningKey>,
}

/// An Ed25519 key (RFC 8037).
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct SigningKey {
    #[schema(example = "OKP")]
    kty: String,
    #[schema(example = "Ed25519")]
    crv: String,
    #[schema(example = "EdDSA")]
    alg: String,
    #[schema(example = "sig")]
    r#use: String,
    /// The key's thumbprint (RFC 7638).
    kid: String,
    x: String,
    /// What the other keys of this installation say for it: a JWS of each.
    endorsements: Vec<String>,
}

/// A question that names either a license, or a deployment and the product it runs.
pub(crate) struct CheckQuestion;

impl PartialSchema for CheckQuestion {
    fn schema() -> RefOr<Schema> {
        let naming = |members: &[&str]| {
            members.iter().fold(ObjectBuilder::new(), |object, member| object.required(*member)).build()
        };
        AllOfBuilder::new()
            .item(Ref::from_schema_name("QuestionMembers"))
            .item(OneOfBuilder::new().item(naming(&["license"])).item(naming(&["deployment", "product"])))
            .examples([
                json!({ "license": "10e758d0-31ad-4c4b-8f1b-81d03469a10e", "product": "a63ee5c9-0000", "nonce": "6f1c2a" }),
                json!({
                    "deployment": {
                        "uuid": "ca9e8b7c-f2be-4b6d-a639-f10b4d994d04", "project_id": "6e8b0c94", "region_id": "cn-east-3",
                    },
                    "product": "a63ee5c9-0001",
                }),
            ])
            .into()
    }
}

impl ToSchema for CheckQuestion {
    fn name() -> Cow<'static, str> {
        "Question".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((QuestionMembers::name().into(), QuestionMembers::schema()));
        QuestionMembers::schemas(schemas);
    }
}
