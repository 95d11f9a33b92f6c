//! What can go wrong between here and the server. None of it is a no.

use crate::lease::LeaseRefusal;

/// Why a check did not bring a verdict. The last good lease counts then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No answer: no connection, no TLS, a timeout, more than 256 KiB.
    #[error("the license server cannot be reached: {0}")]
    Unreachable(String),
    /// An answer that is none: another status than 200.
    #[error("the license server answered with status {status}{}", detail.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        status: u16,
        /// What a problem document said, if it was one.
        detail: Option<String>,
        /// Seconds the server asked to wait.
        retry_after: Option<u64>,
    },
    /// The answer is not in the form that a license server uses: a captive portal, a proxy's page.
    #[error("what answered is not a license server: {0}")]
    Garbled(String),
    /// The answer is to another question, an old one as a rule.
    #[error("the answer is not to this question (its nonce differs)")]
    Nonce,
    /// A yes without the lease that would prove it.
    #[error("the license server said yes but sent no lease to prove it")]
    NoLease,
    /// A yes with a lease that does not hold.
    #[error("the license server said yes but its lease does not hold: {0}")]
    Lease(#[from] LeaseRefusal),
    /// The lease would hold if this machine's clock were right.
    #[error("the clock of this machine is {ahead_seconds} s ahead of the license server's; set it right")]
    ClockAhead {
        /// By how much, seconds.
        ahead_seconds: i64,
    },
    /// The system gives no random bytes, so no question can be asked.
    #[error("the system gives no random bytes: {0}")]
    NoRandomness(String),
}

impl Trouble {
    /// How long the server asked to wait, seconds.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
