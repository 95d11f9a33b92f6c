//! Why an answer is what it is.

use std::fmt;

/// Why an answer is what it is. The first thirteen are the server's, in the order in which it looks at them; the
/// others come about here, without it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// There is no such license.
    NotFound,
    /// Over for good.
    Released,
    /// Stopped by the seller.
    Blocked,
    /// Frozen by the marketplace.
    Frozen,
    /// Bought but not activated yet; a matter of minutes as a rule.
    Pending,
    /// The license is for another product.
    WrongProduct,
    /// Past expiry and grace.
    Expired,
    /// The ECS is enrolled from elsewhere.
    DeploymentConflict,
    /// The product counts machines and the question named none.
    MachineRequired,
    /// This machine has no seat.
    MachineNotActivated,
    /// More machines are activated than there are seats.
    MachineLimit,
    /// Past expiry, within the product's grace: renew.
    Grace,
    /// Good.
    Valid,
    /// The server has not been reached since the lease should have been renewed; the lease still holds.
    Offline,
    /// The server has not been reached for so long that the last lease has ended.
    OfflineTooLong,
    /// The server has never been reached, and the time for that still runs.
    FirstRun,
    /// The server has never been reached, and the time for that is over.
    NeverChecked,
    /// A code of a newer server.
    Other(String),
}

/// Codes with their spelling.
const SPELLED: [(Code, &str); 17] = [
    (Code::NotFound, "NOT_FOUND"),
    (Code::Released, "RELEASED"),
    (Code::Blocked, "BLOCKED"),
    (Code::Frozen, "FROZEN"),
    (Code::Pending, "PENDING"),
    (Code::WrongProduct, "WRONG_PRODUCT"),
    (Code::Expired, "EXPIRED"),
    (Code::DeploymentConflict, "DEPLOYMENT_CONFLICT"),
    (Code::MachineRequired, "MACHINE_REQUIRED"),
    (Code::MachineNotActivated, "MACHINE_NOT_ACTIVATED"),
    (Code::MachineLimit, "MACHINE_LIMIT"),
    (Code::Grace, "GRACE"),
    (Code::Valid, "VALID"),
    (Code::Offline, "OFFLINE"),
    (Code::OfflineTooLong, "OFFLINE_TOO_LONG"),
    (Code::FirstRun, "FIRST_RUN"),
    (Code::NeverChecked, "NEVER_CHECKED"),
];

/// Characters a code may have.
const LENGTH_MAX: usize = 64;

impl Code {
    /// The code as the server and the documentation spell it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => SPELLED.iter().find(|(code, _)| code == known).map_or("", |(_, text)| text),
        }
    }

    /// Reads a code; `None` for what cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some((code, _)) = SPELLED.iter().find(|(_, spelled)| *spelled == text) {
            return Some(code.clone());
        }
        let shouted = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        (shouted && !text.is_empty() && text.len() <= LENGTH_MAX).then(|| Self::Other(text.to_owned()))
    }

    /// Whether the server would say yes with it. `None` for codes this version does not know.
    pub(crate) fn says_yes(&self) -> Option<bool> {
        match self {
            Self::Valid | Self::Grace => Some(true),
            Self::Other(_) => None,
            _ => Some(false),
        }
    }

    /// Whether a no with this code ends the lease that is kept here. A license that waits to be activated, and codes
    /// that this version does not know, leave it.
    pub(crate) fn ends_the_lease(&self) -> bool {
        !matches!(self, Self::Pending | Self::Other(_))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_as_it_is_spelled() {
        for (code, text) in SPELLED {
            assert_eq!(code.as_str(), text);
            assert_eq!(Code::parse(text), Some(code));
        }
        assert_eq!(Code::parse("SOMETHING_NEW_2"), Some(Code::Other("SOMETHING_NEW_2".into())));
        for impossible in ["", "valid", "A B", &"A".repeat(65)] {
            assert_eq!(Code::parse(impossible), None, "{impossible}");
        }
    }
}
