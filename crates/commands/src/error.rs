//! Why a command did not succeed.

use chopmark_domain::access::TokenRefusal;
use chopmark_domain::codec::DecodeError;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::Refusal;
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
