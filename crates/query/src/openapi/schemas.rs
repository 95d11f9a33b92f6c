//! What values look like whose types are of other crates, or write themselves.

use std::borrow::Cow;

use chopmark_domain::access::{Role, TokenStatus};
use chopmark_domain::catalog::ProductKind;
use chopmark_domain::license::{Code, Scene, Shown};
use chopmark_domain::order::{ChargingMode, OrderType};
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::json::{ClockTime, ExactTime, PositionText, Time};
use crate::license_view::facts;

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A text that is one of these, spelt as answers spell them.
fn one_of<T: Serialize>(values: &[T]) -> Object {
    text().enum_values(Some(values.iter().map(|value| json!(value)))).build()
}

fn moment() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

impl PartialSchema for PositionText {
    fn schema() -> RefOr<Schema> {
        text()
            .description(Some("The position in the log that this was computed at. A text to hand back, no number."))
            .pattern(Some("^[0-9]{1,20}$"))
            .examples([json!("1274")])
            .into()
    }
}

impl ToSchema for PositionText {
    fn name() -> Cow<'static, str> {
        "Position".into()
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        moment().description(Some("UTC, to the millisecond at most.")).examples([json!("2027-10-27T10:30:15Z")]).into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        "Time".into()
    }
}

impl PartialSchema for ExactTime {
    fn schema() -> RefOr<Schema> {
        moment()
            .description(Some("UTC, as exact as it is known."))
            .examples([json!("2026-11-24T10:00:00.123456Z")])
            .into()
    }
}

impl ToSchema for ExactTime {
    fn name() -> Cow<'static, str> {
        "ExactTime".into()
    }
}

impl PartialSchema for ClockTime {
    fn schema() -> RefOr<Schema> {
        moment().description(Some("UTC, to the millisecond.")).examples([json!("2026-11-24T10:00:00.123Z")]).into()
    }
}

impl ToSchema for ClockTime {
    fn name() -> Cow<'static, str> {
        "ClockTime".into()
    }
}

/// Codes of verdicts, in order.
pub(crate) fn codes() -> Object {
    one_of(&Code::ALL)
}

/// Where licenses stand.
pub(crate) fn statuses() -> Object {
    one_of(&[Shown::Pending, Shown::Active, Shown::Frozen, Shown::Released])
}

/// Kinds of product.
pub(crate) fn kinds() -> Object {
    one_of(&[ProductKind::Saas, ProductKind::LicenseCode, ProductKind::OnlineLicense, ProductKind::Image])
}

/// Whether what was ordered is known.
pub(crate) fn fact_states() -> Object {
    one_of(&[facts(true), facts(false)])
}

/// What an order did.
pub(crate) fn order_roles() -> Object {
    one_of(&["purchase", "refresh", "upgrade"])
}

/// Why a license was refreshed.
pub(crate) fn scenes() -> Object {
    one_of(&[Scene::TrialToFormal, Scene::Renewal, Scene::RenewalChange, Scene::UnsubscribeRenewalPeriod])
}

/// Kinds of order.
pub(crate) fn order_types() -> Object {
    one_of(&[
        OrderType::New,
        OrderType::Trial,
        OrderType::TrialToFormal,
        OrderType::Unsubscribe,
        OrderType::Renew,
        OrderType::Change,
        OrderType::Other,
    ])
}

/// How orders are charged.
pub(crate) fn charging_modes() -> Object {
    one_of(&[
        ChargingMode::OnDemand,
        ChargingMode::OneTime,
        ChargingMode::Period,
        ChargingMode::OnDemandPkg,
        ChargingMode::Other,
    ])
}

/// What a license entitles to, by name.
pub(crate) fn entitlements() -> Object {
    let value = ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::from_iter([
        Type::Boolean,
        Type::Integer,
        Type::String,
    ]));
    ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
        .examples([json!({ "reports": true, "users": 20 })])
        .build()
}

/// Seats of a license.
pub(crate) fn seat_use() -> Object {
    let number = || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    ObjectBuilder::new().property("used", number()).property("limit", number()).required("used").build()
}

/// Roles of tokens, each reaching further than the one before.
pub(crate) fn roles() -> Object {
    one_of(&[Role::Support, Role::Finance, Role::Admin])
}

/// Whether a token can be used.
pub(crate) fn token_statuses() -> Object {
    one_of(&[TokenStatus::Active, TokenStatus::Expired, TokenStatus::Revoked])
}

/// Sellers of a token.
pub(crate) fn seller_ids() -> Array {
    let seller = text().min_length(Some(1)).max_length(Some(64)).pattern(Some("^[A-Za-z0-9._-]+$"));
    ArrayBuilder::new().items(seller).min_items(Some(1)).examples([json!(["acme"])]).build()
}

/// The body of a request to explain: the question of a check, flat or nested, and when it was asked.
pub(crate) fn explain_body() -> RefOr<Schema> {
    let when = |description: &str| moment().description(Some(description));
    let moment_of_check = ObjectBuilder::new()
        .property("question", Ref::from_schema_name("QuestionMembers"))
        .property("position", Ref::from_schema_name("Position"))
        .property("at", when("When it was asked."))
        .property("checked_at", when("The same, as the answer calls it."))
        .property("as_of", when("The same."))
        .property("time", when("The same."))
        .examples([
            json!({}),
            json!({ "product": "a63ee5c9-0000", "position": "1", "checked_at": "2026-11-24T10:00:00.123Z" }),
            json!({ "question": { "machine": { "fingerprint": "build-7" } }, "at": "2026-11-24T10:00:00Z" }),
        ]);
    AllOfBuilder::new().item(Ref::from_schema_name("QuestionMembers")).item(moment_of_check).into()
}
