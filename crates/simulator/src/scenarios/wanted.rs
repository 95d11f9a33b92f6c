//! What a check must say.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// What a verdict must be like. Products that count machines are fine too: their checks name none.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    codes: &'static [&'static str],
    fields: Vec<(&'static str, Value)>,
}

impl Wanted {
    /// Usable, as far as the marketplace goes.
    pub(super) fn usable() -> Self {
        Self::of(&["VALID", "MACHINE_REQUIRED"], Some("active"))
    }

    /// Usable though past its expiry.
    pub(super) fn graced() -> Self {
        Self::of(&["GRACE", "MACHINE_REQUIRED"], Some("active"))
    }

    pub(super) fn frozen() -> Self {
        Self::of(&["FROZEN"], Some("frozen"))
    }

    pub(super) fn released() -> Self {
        Self::of(&["RELEASED"], Some("released"))
    }

    /// Good for exactly who asks.
    pub(super) fn valid() -> Self {
        Self::of(&["VALID"], None)
    }

    pub(super) fn pending() -> Self {
        Self::of(&["PENDING"], None)
    }

    pub(super) fn machine_not_activated() -> Self {
        Self::of(&["MACHINE_NOT_ACTIVATED"], None)
    }

    pub(super) fn deployment_conflict() -> Self {
        Self::of(&["DEPLOYMENT_CONFLICT"], None)
    }

    pub(super) fn not_found() -> Self {
        Self::of(&["NOT_FOUND"], None)
    }

    fn of(codes: &'static [&'static str], status: Option<&str>) -> Self {
        Self { codes, fields: status.into_iter().map(|status| ("status", json!(status))).collect() }
    }

    pub(super) fn expiring(mut self, at: DateTime<Utc>) -> Self {
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.fields.push(("expires_at", json!(at)));
        self
    }

    pub(super) fn amount(mut self, quantity: u32) -> Self {
        self.fields.push(("quantity", json!(quantity)));
        self
    }

    pub(super) fn facts(mut self, facts: &str) -> Self {
        self.fields.push(("facts", json!(facts)));
        self
    }

    /// What is not as it must be; `None` if all is.
    pub(super) fn contradiction(&self, verdict: &Value) -> Option<String> {
        let code = verdict["code"].as_str().unwrap_or("absent");
        if !self.codes.contains(&code) {
            return Some(format!("code is {code}, must be {}", self.codes.join(" or ")));
        }
        self.fields.iter().find_map(|(field, wanted)| {
            let found = &verdict["license"][field];
            let differs = found != wanted;
            differs.then(|| format!("license.{field} is {found}, must be {wanted}"))
        })
    }
}

/// A verdict in a few words: its code and reason.
pub(super) fn in_words(verdict: &Value) -> String {
    let text = |field: &str| verdict[field].as_str().unwrap_or_default();
    format!("{} ({})", text("code"), text("reason"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_that_is_not_as_wanted_is_contradicted_in_words() {
        let verdict = json!({"code": "VALID", "license": {"status": "active", "quantity": 20}});
        assert_eq!(Wanted::usable().amount(20).contradiction(&verdict), None);
        assert_eq!(Wanted::frozen().contradiction(&verdict).unwrap(), "code is VALID, must be FROZEN");
        assert_eq!(Wanted::usable().amount(50).contradiction(&verdict).unwrap(), "license.quantity is 20, must be 50");
        let at = "2027-10-27T10:30:15Z".parse().unwrap();
        assert_eq!(
            Wanted::usable().expiring(at).contradiction(&verdict).unwrap(),
            "license.expires_at is null, must be \"2027-10-27T10:30:15Z\""
        );
        let unknown = json!({"code": "NOT_FOUND"});
        assert_eq!(Wanted::not_found().contradiction(&unknown), None);
    }
}
