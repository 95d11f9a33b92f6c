//! Why a command did not succeed.

use chopmark_domain::access::TokenRefusal;
use chopmark_domain::codec::DecodeError;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::Refusal;
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::month::MonthRefusal;
use chopmark_log::{ReadError, StreamName, StreamNameError};

/// A command that changed nothing, or of which that is not known.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The token is not made, or not taken back.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// The month does not take it.
    #[error(transparent)]
    Month(#[from] MonthRefusal),
    /// It is no matter of settlement as it was given.
    #[error(transparent)]
    Settlement(#[from] SettlementRefusal),
    /// Others kept changing the stream; nothing was stored. Try again.
    #[error("stream {stream} kept changing; try again")]
    Contended {
        /// The stream.
        stream: StreamName,
    },
    /// It is not certain that the events are stored; nothing may be acknowledged. Repeating the command is safe.
    #[error("not durable: {reason}")]
    NotDurable {
        /// What the log says.
        reason: String,
    },
    /// The stream could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The stream holds what this version cannot read.
    #[error("stream {stream}: {source}")]
    Decode {
        /// The stream.
        stream: StreamName,
        /// Why.
        source: DecodeError,
    },
    /// The metadata of an event is not of its shape.
    #[error("stream {stream}: metadata cannot be read: {reason}")]
    Metadata {
        /// The stream.
        stream: StreamName,
        /// Why.
        reason: String,
    },
    /// The identifiers make a name that the log does not take.
    #[error(transparent)]
    StreamName(#[from] StreamNameError),
    /// The seller has no secret yet and none could be made.
    #[error("seller {seller} has no secret; start the server or run `chopmark apply` first")]
    NoSecret {
        /// The seller.
        seller: SellerId,
    },
}

/// Why something about settlement is not taken. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettlementRefusal {
    /// Consumption belongs to no order, so no order can hold what is stated of it.
    #[error("consumption belongs to no order: import the file of transaction details that has it")]
    UsageStated,
    /// A judgement on a bill that nobody imported.
    #[error(
        "there is no bill of {} for {} in category {}: import it first",
        .identity.seller, .identity.period, .identity.category.code()
    )]
    NoBill {
        /// Which.
        identity: Box<BillIdentity>,
    },
    /// Not the digest of a file.
    #[error("{sha256:?} is not a SHA-256 in hexadecimal: 64 of 0-9 and a-f")]
    Digest {
        /// What was given.
        sha256: String,
    },
    /// A mapping that is not kept.
    #[error("the mapping cannot be saved: {why}")]
    Mapping {
        /// What must change.
        why: String,
    },
    /// More than the log takes at once.
    #[error("{what}: too much to be stored at once; split the file, and take out columns that are not needed")]
    TooMuch {
        /// How much, and how much is taken.
        what: String,
    },
}
