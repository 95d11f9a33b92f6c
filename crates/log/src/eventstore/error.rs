//! What can go wrong with the server, in the words of the log.

use eventstore::Error;
use tonic::Code;

/// A connection string that cannot be right. A server that is away is no such error: the log is opened, and waits for it.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It is no connection string.
    #[error(
        "log.url is no connection string of EventStoreDB: {reason}. It looks like \
         esdb://USER:PASSWORD@HOST1:2113,HOST2:2113 or esdb+discover://USER:PASSWORD@NAME:2113"
    )]
    Url {
        /// What is wrong; the string itself is a secret.
        reason: String,
    },
    /// The certificates that it names, or those of the system, cannot be used.
    #[error("the certificates for EventStoreDB cannot be used: {reason}. tlsCaFile names the authority to believe")]
    Certificates {
        /// Which, and why.
        reason: String,
    },
    /// Another part of the program has chosen the cryptography of TLS for all, and the client insists on its own choice.
    #[error(
        "the client of EventStoreDB must be the first to choose the TLS provider of this process, and another was installed \
         before: connect before anything calls CryptoProvider::install_default"
    )]
    Provider,
    /// The system has no threads left.
    #[error("cannot start threads for the event log: {0}")]
    Threads(#[from] std::io::Error),
}

/// What an attempt to append came to, if not to an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The stream is at another revision. Nothing was stored.
    Conflict,
    /// The events break a limit of the server. Nothing was stored.
    Invalid(String),
    /// Nothing was stored by this attempt; another may succeed.
    NotStored(String),
    /// Nobody knows; another attempt with the same ids finds out.
    Unknown(String),
}

impl Refusal {
    /// Reads a refusal out of an error of a session of appends.
    pub(super) fn of(error: &Error) -> Self {
        let reason = reason_of(error);
        match error {
            Error::Grpc { code: Code::AlreadyExists, .. } => Self::Conflict,
            Error::Grpc { code: Code::InvalidArgument, .. } => Self::Invalid(reason),
            // "Server Is Not Ready" and "Server Is Busy" come without a code, which reads as OK.
            Error::Grpc { code: Code::Ok | Code::PermissionDenied | Code::NotFound, .. }
            | Error::AccessDenied
            | Error::ConnectionClosed
            | Error::GrpcConnectionError(_)
            | Error::NotLeaderException(_)
            | Error::UnsupportedFeature
            | Error::InitializationError(_) => Self::NotStored(reason),
            _ if was_never_sent(&reason) => Self::NotStored(reason),
            _ => Self::Unknown(reason),
        }
    }
}

/// Whether the connection did not come about over which the append was to go, or its session had ended before.
fn was_never_sent(reason: &str) -> bool {
    ["tcp connect error", "dns error"].iter().any(|said| reason.contains(said)) || is_of_session(reason)
}

/// Whether it is what the client says where a session has ended: of appends that come later, and of all but one that were
/// under way in it.
pub(super) fn is_of_session(reason: &str) -> bool {
    reason.contains("Batch-append stream has been closed")
}

/// An error as people read it.
pub(super) fn reason_of(error: &Error) -> String {
    match error {
        Error::NotLeaderException(leader) => format!("another node leads: {}:{}", leader.host, leader.port),
        Error::Grpc { message, .. } => message.clone(),
        Error::ServerError(reason) => reason.clone(),
        Error::AccessDenied => {
            "the server denies access: are user and password right, and may it read and write?".into()
        }
        Error::ConnectionClosed | Error::GrpcConnectionError(_) => format!("no connection to the server: {error}"),
        Error::UnsupportedFeature => "the server is too old: 21.10 or later is needed".into(),
        other => other.to_string(),
    }
}

/// Whether the connection may be to blame, so that a new one is worth its while.
pub(super) fn is_doubtful(error: &Error) -> bool {
    matches!(
        error,
        Error::ConnectionClosed | Error::GrpcConnectionError(_) | Error::ServerError(_) | Error::DeadlineExceeded
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: Code) -> Error {
        Error::Grpc { code, message: "so it says".into() }
    }

    #[test]
    fn only_what_may_have_been_stored_is_unknown() {
        let reason = || "so it says".to_owned();
        assert_eq!(Refusal::of(&answered(Code::AlreadyExists)), Refusal::Conflict);
        assert_eq!(Refusal::of(&answered(Code::InvalidArgument)), Refusal::Invalid(reason()));
        for code in [Code::Ok, Code::PermissionDenied] {
            assert_eq!(Refusal::of(&answered(code)), Refusal::NotStored(reason()));
        }
        for code in [Code::DeadlineExceeded, Code::Aborted, Code::Unknown, Code::Internal] {
            assert_eq!(Refusal::of(&answered(code)), Refusal::Unknown(reason()));
        }
        let refused = "error trying to connect: tcp connect error: Connection refused";
        assert_eq!(Refusal::of(&Error::ServerError(refused.into())), Refusal::NotStored(refused.into()));
        assert_eq!(Refusal::of(&Error::ServerError(reason())), Refusal::Unknown(reason()));
        assert!(matches!(Refusal::of(&Error::ConnectionClosed), Refusal::NotStored(_)));
    }
}
