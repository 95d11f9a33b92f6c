//! The reason of a verdict in words that a customer can read.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::verdict::Code;
use crate::rfc3339::{Fraction, Rfc3339};

/// A language that reasons are worded in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese, simplified.
    Chinese,
}

/// Why a verdict is what it is. Written out only where somebody reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    code: Code,
    /// The moment the words speak of, UTC: the expiry, or the end of the grace.
    moment: Option<DateTime<Utc>>,
}

impl Reason {
    pub(super) fn new(code: Code, moment: Option<DateTime<Utc>>) -> Self {
        Self { code, moment }
    }

    /// The reason in a language.
    #[must_use]
    pub fn worded(self, language: Language) -> Worded {
        Worded { reason: self, language }
    }
}

impl From<Code> for Reason {
    /// The reason of a verdict about no license at all.
    fn from(code: Code) -> Self {
        Self::new(code, None)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.worded(Language::English).fmt(f)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A reason in a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worded {
    reason: Reason,
    language: Language,
}

impl fmt::Display for Worded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reason { code, moment } = self.reason;
        let (what, on, until) = match self.language {
            Language::English => (english(code), " on ", " until "),
            Language::Chinese => (chinese(code), "，到期时间 ", "，有效期至 "),
        };
        f.write_str(what)?;
        let before = match code {
            Code::Expired => on,
            Code::Grace | Code::Valid => until,
            _ => return Ok(()),
        };
        let Some(moment) = moment else { return Ok(()) };
        f.write_str(before)?;
        f.write_str(Rfc3339::new(moment, Fraction::None).as_str())
    }
}

impl Serialize for Worded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn english(code: Code) -> &'static str {
    match code {
        Code::NotFound => "no such license",
        Code::Released => "the license was released; it has ended for good",
        Code::Blocked => "stopped by the seller; ask the seller's support",
        Code::Frozen => "frozen by the marketplace; renew, or clear the matter there",
        Code::Pending => "not activated yet; this takes a moment after the purchase",
        Code::WrongProduct => "the license is for another product",
        Code::Expired => "expired",
        Code::DeploymentConflict => "this server is enrolled from elsewhere; ask the seller's support",
        Code::MachineRequired => "this product counts machines; name the machine",
        Code::MachineNotActivated => "this machine has no seat; activate it first",
        Code::MachineLimit => "more machines are activated than were bought; free one, or buy more seats",
        Code::Grace => "past its expiry, usable",
        Code::Valid => "active",
    }
}

fn chinese(code: Code) -> &'static str {
    match code {
        Code::NotFound => "没有此许可证",
        Code::Released => "许可证已释放，永久失效",
        Code::Blocked => "已被商家停用，请联系商家支持",
        Code::Frozen => "已被云商店冻结，请在云商店续费或处理相关事项",
        Code::Pending => "尚未激活，购买后需稍候",
        Code::WrongProduct => "此许可证属于其他商品",
        Code::Expired => "已过期",
        Code::DeploymentConflict => "此云服务器已在其他位置登记，请联系商家支持",
        Code::MachineRequired => "此商品按机器计数，请提供机器标识",
        Code::MachineNotActivated => "此机器尚未占用席位，请先激活",
        Code::MachineLimit => "已激活的机器数超过购买数量，请释放一台或增购席位",
        Code::Grace => "已过期，宽限期内可用",
        Code::Valid => "有效",
    }
}
