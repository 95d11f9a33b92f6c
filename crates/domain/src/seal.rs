//! Seals: what the log held up to an event, said in a way that cannot be said again of another log.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::codec::events;

/// The value of the chain over all records up to a place (`chopmark_log::Chain`). Stored as hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainValue(pub [u8; 32]);

impl std::fmt::Display for ChainValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for ChainValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for ChainValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// What a seal says: the log up to this event, that one included, is these records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealClaims {
    /// The stream of the last event covered.
    pub stream: String,
    /// Its place there.
    pub revision: u64,
    /// Its id.
    pub id: Uuid,
    /// How many records are covered in all, from the first of the log on.
    pub records: u64,
    /// The chain over them.
    pub chain: ChainValue,
}

/// The log was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// What is sealed.
    #[serde(flatten)]
    pub claims: SealClaims,
    /// A compact JWS of the type `chopmark-seal+jwt` over exactly these claims, by the installation's signing key.
    pub seal: String,
}

events! {
    /// Events of the installation's seals.
    pub enum Event {
        /// The log was sealed.
        Sealed(Sealed) = "sealed.v1",
    }
}
