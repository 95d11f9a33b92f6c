//! Judging an answer as the debugger in the seller's console does (常见问题, access_topic_0000008; topic_0070649120).

mod finding;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chopmark_huawei::answer::ResultCode;
use chopmark_huawei::signature::check_body_sign;
use serde_json::Value;

pub use finding::Finding;

use crate::http::Response;

/// The marketplace waits so long (authToken取值说明, zh-cn_topic_0070649475).
const PATIENCE: Duration = Duration::from_secs(5);

/// What an answer must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its `resultCode`.
    pub code: ResultCode,
    /// Another `resultCode` that is as good.
    pub or: Option<ResultCode>,
    /// What it carries beside both result fields, when successful.
    pub contents: Contents,
}

/// What a successful answer carries beside both result fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// Nothing more.
    ResultOnly,
    /// `instanceId`; of a purchase answered before, this one.
    NewInstance(Option<String>),
    /// `info` with these instances and no others.
    Instances(Vec<String>),
}

impl Expected {
    /// Success, and nothing more.
    #[must_use]
    pub fn success() -> Self {
        Self::of(ResultCode::Success, Contents::ResultOnly)
    }

    /// An instance id of any form.
    #[must_use]
    pub fn new_instance() -> Self {
        Self::of(ResultCode::Success, Contents::NewInstance(None))
    }

    /// The instance id that the purchase has already.
    #[must_use]
    pub fn same_instance(id: &str) -> Self {
        Self::of(ResultCode::Success, Contents::NewInstance(Some(id.into())))
    }

    /// These instances.
    #[must_use]
    pub fn instances(ids: &[String]) -> Self {
        Self::of(ResultCode::Success, Contents::Instances(ids.into()))
    }

    /// A failure with this code.
    #[must_use]
    pub fn failure(code: ResultCode) -> Self {
        Self::of(code, Contents::ResultOnly)
    }

    /// Taken on: to `getLicenseAsync` done (`000000`) and under way (`000004`) are both right (topic 0070649255).
    #[must_use]
    pub fn taken_on() -> Self {
        Self { or: Some(ResultCode::Processing), ..Self::success() }
    }

    fn of(code: ResultCode, contents: Contents) -> Self {
        Self { code, or: None, contents }
    }

    fn is_met_by(&self, code: &str) -> bool {
        code == self.code.as_str() || self.or.is_some_and(|other| code == other.as_str())
    }
}

/// The parts of an answer that the marketplace acts on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// `resultCode`, where it is a text.
    pub code: Option<String>,
    /// `resultMsg`, where it is a text.
    pub message: Option<String>,
    /// `instanceId`, where it is a text.
    pub instance: Option<String>,
}

impl Said {
    /// Reads an answer's body; nothing at all where it is not JSON.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |field: &str| json[field].as_str().map(ToOwned::to_owned);
        Self { code: text("resultCode"), message: text("resultMsg"), instance: text("instanceId") }
    }
}

/// Everything that is wrong with an answer; empty if the console would save the case.
#[must_use]
pub fn examine(response: &Response, expected: &Expected, key: &[u8]) -> Vec<Finding> {
    let mut findings = transport(response);
    findings.extend(body_sign(response, key));
    match serde_json::from_slice::<Value>(&response.body) {
        Ok(json) if json.is_object() => findings.extend(body(&json, expected)),
        Ok(_) => findings.push(Finding::NotJson { problem: "it is no object".into() }),
        Err(error) => findings.push(Finding::NotJson { problem: error.to_string() }),
    }
    findings
}

fn transport(response: &Response) -> Vec<Finding> {
    let mut findings = vec![];
    if response.elapsed >= PATIENCE {
        findings.push(Finding::Late { millis: u64::try_from(response.elapsed.as_millis()).unwrap_or(u64::MAX) });
    }
    if response.status != 200 {
        findings.push(Finding::Status { found: response.status });
    }
    let content_type = response.header("content-type");
    let media_type = content_type.map(|value| value.split(';').next().unwrap_or_default().trim());
    if !media_type.is_some_and(|found| found.eq_ignore_ascii_case("application/json")) {
        findings.push(Finding::ContentType { found: content_type.unwrap_or_default().into() });
    }
    findings
}

fn body_sign(response: &Response, key: &[u8]) -> Option<Finding> {
    let found = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Body-Sign"));
    match found {
        None => Some(Finding::BodySignMissing),
        Some((name, _)) if name != "Body-Sign" => Some(Finding::BodySignName { found: name.clone() }),
        Some((_, value)) if !is_body_sign(value) => Some(Finding::BodySignMalformed { found: value.clone() }),
        Some((_, value)) if !check_body_sign(key, &response.body, value) => Some(Finding::BodySignWrong),
        Some(_) => None,
    }
}

/// `sign_type="HMAC-SHA256", signature="…"` with 32 bytes in Base64; a space after `signature=` is published too.
fn is_body_sign(value: &str) -> bool {
    value
        .strip_prefix("sign_type=\"HMAC-SHA256\", signature=")
        .and_then(|rest| rest.strip_prefix(' ').unwrap_or(rest).strip_prefix('"'))
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|text| STANDARD.decode(text).ok())
        .is_some_and(|signature| signature.len() == 32)
}

fn body(json: &Value, expected: &Expected) -> Vec<Finding> {
    let mut findings = Fields::default();
    if let Some(code) = findings.text(json, "resultCode", 6)
        && !expected.is_met_by(code)
    {
        findings.0.push(Finding::ResultCode {
            expected: expected.code.as_str().into(),
            found: code.into(),
            message: json["resultMsg"].as_str().unwrap_or_default().into(),
        });
    }
    findings.text(json, "resultMsg", 255);
    if expected.code == ResultCode::Success && json["resultCode"] == "000000" {
        match &expected.contents {
            Contents::ResultOnly => {}
            Contents::NewInstance(known) => findings.new_instance(json, known.as_deref()),
            Contents::Instances(ids) => findings.instances(json, ids),
        }
    }
    findings.0
}

/// Findings about fields.
#[derive(Default)]
struct Fields(Vec<Finding>);

impl Fields {
    /// A mandatory text of at most so many characters.
    fn text<'a>(&mut self, json: &'a Value, field: &str, max: usize) -> Option<&'a str> {
        let text = json[field].as_str().filter(|text| !text.is_empty());
        match text {
            None => self.0.push(Finding::FieldMissing { field: field.into() }),
            Some(_) => self.length(json, field, max),
        }
        text
    }

    fn length(&mut self, json: &Value, field: &str, max: usize) {
        let length = json[field].as_str().map_or(0, |text| text.chars().count());
        if length > max {
            self.0.push(Finding::FieldTooLong { field: field.into(), length, max });
        }
    }

    fn new_instance(&mut self, json: &Value, known: Option<&str>) {
        let found = self.text(json, "instanceId", 64);
        if let (Some(known), Some(found)) = (known, found)
            && known != found
        {
            self.0.push(Finding::OtherInstance { expected: known.into(), found: found.into() });
        }
    }

    fn instances(&mut self, json: &Value, asked: &[String]) {
        let Some(info) = json["info"].as_array() else {
            return self.0.push(Finding::FieldMissing { field: "info".into() });
        };
        let mut found = vec![];
        for instance in info {
            found.extend(self.text(instance, "instanceId", 64).map(ToOwned::to_owned));
            self.app_info(&instance["appInfo"]);
            for usage in instance["usageInfo"].as_array().into_iter().flatten() {
                self.usage_info(usage);
            }
        }
        for id in asked.iter().filter(|id| !found.contains(id)) {
            self.0.push(Finding::InstanceMissing { instance: id.clone() });
        }
        for id in found.into_iter().filter(|id| !asked.contains(id)) {
            self.0.push(Finding::InstanceNotAsked { instance: id });
        }
    }

    fn app_info(&mut self, app_info: &Value) {
        if app_info.is_null() {
            return;
        }
        self.text(app_info, "frontEndUrl", 512);
        for (field, max) in [("adminUrl", 512), ("userName", 128), ("password", 128), ("memo", 1024)] {
            self.length(app_info, field, max);
        }
    }

    fn usage_info(&mut self, usage: &Value) {
        if !usage["usageValue"].is_number() && !usage["usageValue"].is_string() {
            self.0.push(Finding::FieldMissing { field: "usageValue".into() });
        }
        self.text(usage, "statisticalTime", 20);
    }
}

#[cfg(test)]
mod tests;
