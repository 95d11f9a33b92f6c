//! What the doctor says.

use std::fmt;

use serde::Serialize;

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Health {
    Ok,
    Warn,
    Fail,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    subject: String,
    /// How it is.
    pub(super) health: Health,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    /// All is well.
    pub(super) fn ok(subject: &str, what: impl Into<String>) -> Self {
        Self { subject: subject.into(), health: Health::Ok, what: what.into(), mend: None }
    }

    /// It may be meant so, or will be wrong soon.
    pub(super) fn warn(subject: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { subject: subject.into(), health: Health::Warn, what: what.into(), mend: Some(mend.into()) }
    }

    /// It is wrong.
    pub(super) fn fail(subject: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { health: Health::Fail, ..Self::warn(subject, what, mend) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.health {
            Health::Ok => "ok  ",
            Health::Warn => "warn",
            Health::Fail => "FAIL",
        };
        write!(f, "{word}  {:<12} {}", self.subject, self.what)?;
        self.mend.iter().try_for_each(|mend| write!(f, "\n{:<19}help: {mend}", ""))
    }
}

/// `1 seller`, `2 sellers`: the noun has a plural in `s`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        let said: Vec<String> = (0..3).map(|number| counted(number, "seller")).collect();
        assert_eq!(said, ["0 sellers", "1 seller", "2 sellers"]);
    }
}
