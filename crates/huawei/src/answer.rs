//! Answers: what the marketplace reads. Always HTTP status 200; success and failure are in `resultCode`.

use std::fmt;

use chopmark_domain::ids::InstanceId;
use serde::{Deserialize, Serialize, Serializer};

use crate::uri::uri_encoded;

/// `resultMsg` may have this many characters.
const LONGEST_MESSAGE: usize = 255;

/// How a callback went (调用结果码说明, zh-cn_topic_0070649421). The marketplace takes [`Success`](Self::Success) alone
/// for success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResultCode {
    /// `000000`: done.
    Success,
    /// `000001`: the signature is missing or wrong.
    AuthenticationFailed,
    /// `000002`: a parameter is missing or wrong.
    IllegalParameter,
    /// `000003`: there is no such instance or license code.
    UnknownInstance,
    /// `000004`: accepted, still being worked on.
    Processing,
    /// `000005`: failed on our side; the marketplace should try again.
    InternalError,
    /// `000900`: `getLicenseAsync`: no more licenses under the order in force (在线开通License接入指南, 调用结果码说明).
    QuotaUsedUp,
    /// `000901`: `getLicenseAsync`: apply within the validity of the order in force.
    OutsideValidity,
    /// `000902`: `getLicenseAsync`: a license for a period needs `expireTime`.
    ExpiryRequired,
    /// `000903`: `getLicenseAsync`: a device fingerprint or hardware code is needed.
    FingerprintRequired,
}

impl ResultCode {
    /// Every code, ascending.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::AuthenticationFailed,
        Self::IllegalParameter,
        Self::UnknownInstance,
        Self::Processing,
        Self::InternalError,
        Self::QuotaUsedUp,
        Self::OutsideValidity,
        Self::ExpiryRequired,
        Self::FingerprintRequired,
    ];

    /// The code as it stands in an answer.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "000000",
            Self::AuthenticationFailed => "000001",
            Self::IllegalParameter => "000002",
            Self::UnknownInstance => "000003",
            Self::Processing => "000004",
            Self::InternalError => "000005",
            Self::QuotaUsedUp => "000900",
            Self::OutsideValidity => "000901",
            Self::ExpiryRequired => "000902",
            Self::FingerprintRequired => "000903",
        }
    }

    /// What the code means, as a `resultMsg` says it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Success => "success.",
            Self::AuthenticationFailed => "token is invalid",
            Self::IllegalParameter => "param is invalid",
            Self::UnknownInstance => "instance is invalid",
            Self::Processing => "processing",
            Self::InternalError => "internal error",
            Self::QuotaUsedUp => "the license quota of the current order is used up",
            Self::OutsideValidity => "apply for the license within the validity of the current order",
            Self::ExpiryRequired => "expireTime is required for a period license",
            Self::FingerprintRequired => "deviceFingerprint is required",
        }
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ResultCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An answer to a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// How it went.
    pub result_code: ResultCode,
    /// The same in words; at most 255 characters.
    pub result_msg: String,
    /// The instance that `newInstance` made, or had made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    /// The instances that `queryInstance` asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<Vec<InstanceInfo>>,
}

impl Answer {
    /// Done, and nothing more to say.
    #[must_use]
    pub fn success() -> Self {
        Self::of(ResultCode::Success, ResultCode::Success.message())
    }

    /// To `newInstance`: this is the instance (创建实例, zh-cn_topic_0070649427).
    #[must_use]
    pub fn new_instance(id: &InstanceId) -> Self {
        Self { instance_id: Some(id.clone()), ..Self::success() }
    }

    /// To `queryInstance`: these are the instances (查询实例信息, zh-cn_topic_0070649428).
    #[must_use]
    pub fn instances(info: Vec<InstanceInfo>) -> Self {
        Self { info: Some(info), ..Self::success() }
    }

    /// To `getLicenseAsync`: taken on, the license will be uploaded (topic 0070649255).
    #[must_use]
    pub fn processing() -> Self {
        Self::of(ResultCode::Processing, ResultCode::Processing.message())
    }

    /// Not done, and why. A message beyond 255 characters is cut.
    #[must_use]
    pub fn failure(code: ResultCode, message: &str) -> Self {
        Self::of(code, message)
    }

    fn of(result_code: ResultCode, message: &str) -> Self {
        let result_msg = message.chars().take(LONGEST_MESSAGE).collect();
        Self { result_code, result_msg, instance_id: None, info: None }
    }

    /// The body, ready to be signed. All ASCII: the marketplace wants other characters as `\uXXXX`
    /// (查询实例信息, zh-cn_topic_0070649428, on `memo`).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "texts and lists of texts always serialise")]
        let json = serde_json::to_string(self).expect("plain data serialises");
        let mut bytes = Vec::with_capacity(json.len());
        for char in json.chars() {
            match u8::try_from(char) {
                Ok(byte) if byte.is_ascii() => bytes.push(byte),
                _ => escape(char, &mut bytes),
            }
        }
        bytes
    }
}

fn escape(char: char, bytes: &mut Vec<u8>) {
    for unit in char.encode_utf16(&mut [0; 2]) {
        bytes.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
    }
}

/// What `queryInstance` says of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceInfo {
    /// Which.
    pub instance_id: InstanceId,
    /// Where the customer finds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_info: Option<AppInfo>,
}

/// Where the customer finds what was bought (AppInfo in 查询实例信息, zh-cn_topic_0070649428).
///
/// Written in configuration as a template: `{instance_id}` stands for the instance's id in any of its texts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(serialize = "camelCase"), deny_unknown_fields)]
pub struct AppInfo {
    /// The site the customer visits; at most 512 characters.
    pub front_end_url: String,
    /// The site for administration; at most 512 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_url: Option<String>,
    /// The administrator's account; at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The administrator's first password; at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Anything else the customer should know; at most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
}

/// A text of an [`AppInfo`] is too long for the marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("app_info.{field} has {length} characters; the marketplace takes at most {max}")]
pub struct AppInfoTooLong {
    /// Which.
    pub field: &'static str,
    /// Characters found.
    pub length: usize,
    /// Characters allowed.
    pub max: usize,
}

impl AppInfo {
    /// This template for one instance. In URLs the id is percent-encoded.
    ///
    /// # Errors
    /// A text would be longer than the marketplace takes.
    pub fn with_instance(&self, id: &InstanceId) -> Result<Self, AppInfoTooLong> {
        let id = id.as_str();
        let in_url = uri_encoded(id);
        let fill = |template: &String, id: &str| template.replace("{instance_id}", id);
        let filled = Self {
            front_end_url: fill(&self.front_end_url, &in_url),
            admin_url: self.admin_url.as_ref().map(|text| fill(text, &in_url)),
            user_name: self.user_name.as_ref().map(|text| fill(text, id)),
            password: self.password.as_ref().map(|text| fill(text, id)),
            memo: self.memo.as_ref().map(|text| fill(text, id)),
        };
        filled.check_lengths()?;
        Ok(filled)
    }

    fn check_lengths(&self) -> Result<(), AppInfoTooLong> {
        let texts = [
            ("front_end_url", Some(&self.front_end_url), 512),
            ("admin_url", self.admin_url.as_ref(), 512),
            ("user_name", self.user_name.as_ref(), 128),
            ("password", self.password.as_ref(), 128),
            ("memo", self.memo.as_ref(), 1024),
        ];
        for (field, text, max) in texts {
            let length = text.map_or(0, |text| text.chars().count());
            if length > max {
                return Err(AppInfoTooLong { field, length, max });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for AppInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppInfo")
            .field("front_end_url", &self.front_end_url)
            .field("admin_url", &self.admin_url)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("memo", &self.memo)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> AppInfo {
        AppInfo {
            front_end_url: "https://app.example.com/{instance_id}?i={instance_id}".into(),
            admin_url: Some("https://{instance_id}.example.com".into()),
            user_name: Some("admin@{instance_id}".into()),
            password: Some("Init-Passw0rd".into()),
            memo: Some("用 {instance_id} 登录 😀".into()),
        }
    }

    #[test]
    fn a_template_is_filled_with_the_instance() {
        let info = template().with_instance(&InstanceId::parse("i 1/界").unwrap()).unwrap();
        assert_eq!(info.front_end_url, "https://app.example.com/i%201%2F%E7%95%8C?i=i%201%2F%E7%95%8C");
        assert_eq!(info.admin_url.unwrap(), "https://i%201%2F%E7%95%8C.example.com");
        assert_eq!(info.user_name.unwrap(), "admin@i 1/界");
        assert_eq!(info.password.unwrap(), "Init-Passw0rd");
        assert_eq!(info.memo.unwrap(), "用 i 1/界 登录 😀");
        let uuid = InstanceId::parse("10e758d0-31ad-4c4b-8f1b-81d03469a10e").unwrap();
        let info = template().with_instance(&uuid).unwrap();
        assert_eq!(info.admin_url.unwrap(), "https://10e758d0-31ad-4c4b-8f1b-81d03469a10e.example.com");
    }

    #[test]
    fn what_the_marketplace_would_not_take_is_refused() {
        type Change = fn(&mut AppInfo, String);
        let changes: [(Change, &str, usize); 5] = [
            (|info, text| info.front_end_url = text, "front_end_url", 512),
            (|info, text| info.admin_url = Some(text), "admin_url", 512),
            (|info, text| info.user_name = Some(text), "user_name", 128),
            (|info, text| info.password = Some(text), "password", 128),
            (|info, text| info.memo = Some(text), "memo", 1024),
        ];
        let id = InstanceId::parse("i").unwrap();
        let refusal = |change: Change, length: usize| {
            let mut info = template();
            change(&mut info, "界".repeat(length));
            info.with_instance(&id).err()
        };
        for (change, field, max) in changes {
            assert_eq!(refusal(change, max), None, "{field}");
            assert_eq!(refusal(change, max + 1), Some(AppInfoTooLong { field, length: max + 1, max }));
        }
        let long_id = InstanceId::parse(&"界".repeat(64)).unwrap();
        assert_eq!(template().with_instance(&long_id).unwrap_err().field, "front_end_url");
    }

    #[test]
    fn a_template_is_read_from_configuration_under_its_own_names() {
        let json = r#"{"front_end_url":"https://app.example.com","user_name":"admin"}"#;
        let info: AppInfo = serde_json::from_str(json).unwrap();
        assert_eq!(info.front_end_url, "https://app.example.com");
        assert_eq!(info.user_name.as_deref(), Some("admin"));
        assert!(serde_json::from_str::<AppInfo>(r#"{"front_end_url":"x","frontEndUrl":"x"}"#).is_err());
    }

    #[test]
    fn an_answer_is_ascii_and_means_the_same() {
        let instance_id = InstanceId::parse("界").unwrap();
        let app_info = template().with_instance(&instance_id).ok();
        let answer = Answer::instances(vec![InstanceInfo { instance_id, app_info }]);
        let bytes = answer.to_bytes();
        assert!(bytes.is_ascii());
        assert!(String::from_utf8_lossy(&bytes).contains("\\u767b\\u5f55 \\ud83d\\ude00"));
        let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read, serde_json::to_value(&answer).unwrap());
    }

    #[test]
    fn every_result_code_is_written_as_published() {
        let codes = ResultCode::ALL.map(ResultCode::as_str);
        assert_eq!(
            codes,
            ["000000", "000001", "000002", "000003", "000004", "000005", "000900", "000901", "000902", "000903"]
        );
        for code in ResultCode::ALL {
            assert!(code.message().is_ascii() && code.message().len() <= LONGEST_MESSAGE, "{code}");
        }
        let body = String::from_utf8(Answer::processing().to_bytes()).unwrap();
        assert_eq!(body, r#"{"resultCode":"000004","resultMsg":"processing"}"#);
    }

    #[test]
    fn a_message_has_at_most_255_characters() {
        let answer = Answer::failure(ResultCode::InternalError, &"界".repeat(256));
        assert_eq!(answer.result_msg, "界".repeat(255));
    }

    #[test]
    fn a_password_is_not_shown() {
        assert!(!format!("{:?}", template()).contains("Passw0rd"));
    }
}
