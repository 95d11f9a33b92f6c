//! Events as stored: a kind with its version, and JSON.
//!
//! Kinds are for ever. A change that old readers cannot take gets a new kind (`….v2`) and the old one is lifted to it
//! here, at read.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why stored bytes are not an event of this version.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer version of Chopmark, or not by Chopmark.
    #[error("event kind {kind:?} is not known to this version; run the version that wrote it, or a newer one")]
    UnknownKind {
        /// The kind met.
        kind: String,
    },
    /// The kind is known, the JSON is not of its shape.
    #[error("event of kind {kind} cannot be read: {source}")]
    Malformed {
        /// The kind.
        kind: &'static str,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

/// An event enum that can be stored.
pub trait StoredEvent: Sized {
    /// The kind it is stored under, version included.
    fn kind(&self) -> &'static str;
    /// Its JSON.
    fn encode(&self) -> Vec<u8>;
    /// Reads one back.
    ///
    /// # Errors
    /// A kind this version does not know, or JSON of another shape.
    fn decode(kind: &str, json: &[u8]) -> Result<Self, DecodeError>;
}

/// JSON of a value of ours.
#[must_use]
pub fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    // Serialising to memory fails only for maps with non-string keys and for failing Serialize implementations;
    // the types of this crate have neither.
    #[expect(clippy::expect_used, reason = "cannot fail for the types of this crate, see above")]
    serde_json::to_vec(value).expect("plain data serialises")
}

pub(crate) fn from_json<T: DeserializeOwned>(kind: &'static str, json: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(json).map_err(|source| DecodeError::Malformed { kind, source })
}

/// Declares an event enum: each variant holds one documented struct and names the kind it is stored under.
macro_rules! events {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident($payload:ty) = $kind:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant($payload),)+ }

        impl $crate::codec::StoredEvent for $name {
            fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)+ }
            }

            fn encode(&self) -> Vec<u8> {
                match self { $(Self::$variant(payload) => $crate::codec::to_json(payload),)+ }
            }

            fn decode(kind: &str, json: &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                match kind {
                    $($kind => Ok(Self::$variant($crate::codec::from_json($kind, json)?)),)+
                    _ => Err($crate::codec::DecodeError::UnknownKind { kind: kind.into() }),
                }
            }
        }

        impl $name {
            /// Every kind of this enum, in the order of declaration.
            pub const KINDS: &'static [&'static str] = &[$($kind,)+];
        }

        $(impl From<$payload> for $name {
            fn from(payload: $payload) -> Self { Self::$variant(payload) }
        })+
    };
}
pub(crate) use events;
