//! Signing a callback: scheme S1, in the query string (请求认证说明, zh-cn_topic_0070649248).

use chopmark_huawei::signature::request_signature;
use chrono::{DateTime, Utc};
use rand::Rng;
use rand::distr::Alphanumeric;
use uuid::Uuid;

/// In which unit `timestamp` is sent. The Chinese pages say milliseconds, the international ones seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampUnit {
    /// 13 digits, as in every example.
    #[default]
    Millis,
    /// 10 digits.
    Seconds,
}

/// What makes one request different from the next one that says the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Unix time as sent.
    pub timestamp: String,
    /// 32 letters and digits, random.
    pub nonce: String,
    /// `businessId` of `newInstance`: another one on every request.
    pub business_id: String,
}

impl Stamp {
    /// A stamp of this moment.
    #[must_use]
    pub fn fresh(now: DateTime<Utc>, unit: TimestampUnit) -> Self {
        let timestamp = match unit {
            TimestampUnit::Millis => now.timestamp_millis(),
            TimestampUnit::Seconds => now.timestamp(),
        };
        let nonce = rand::rng().sample_iter(&Alphanumeric).take(32).map(char::from);
        Self { timestamp: timestamp.to_string(), nonce: nonce.collect(), business_id: Uuid::new_v4().to_string() }
    }

    /// The query string that signs a body with a key; the signature in upper-case hexadecimal, as today's examples
    /// have it.
    #[must_use]
    pub fn query(&self, key: &str, signed: &str) -> String {
        let signature = request_signature(key.as_bytes(), &self.nonce, &self.timestamp, signed.as_bytes());
        format!("signature={}&timestamp={}&nonce={}", hex::encode_upper(signature), self.timestamp, self.nonce)
    }
}

#[cfg(test)]
mod tests;
