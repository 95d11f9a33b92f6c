//! Identifiers: one type each, parsed at the border, so that an order can never be mistaken for an instance.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier. Says which identifier and what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing, or only blanks, where an identifier must stand.
    #[error("{what} is empty")]
    Empty {
        /// The identifier's name, as the vocabulary has it.
        what: &'static str,
    },
    /// Longer than the marketplace's tables allow.
    #[error("{what} has {length} characters; at most {max} are allowed")]
    TooLong {
        /// The identifier's name.
        what: &'static str,
        /// Characters found.
        length: usize,
        /// Characters allowed.
        max: usize,
    },
    /// A character that this identifier may not contain.
    #[error("{what} contains {character:?}, which is not allowed there")]
    Character {
        /// The identifier's name.
        what: &'static str,
        /// The first offending character.
        character: char,
    },
}

fn check(what: &'static str, text: &str, max: usize, allowed: fn(char) -> bool) -> Result<(), IdError> {
    // Nearly all are plain, and then their bytes are their characters: ids are read a hundred thousand times a second. All
    // bytes are looked at, with no way out between them, so that the compiler takes many at once.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let are_plain = |text: &str| text.bytes().fold(true, |so_far, byte| so_far & is_plain(byte));
    if !text.is_empty() && text.len() <= max && are_plain(text) {
        return Ok(());
    }
    if text.trim().is_empty() {
        return Err(IdError::Empty { what });
    }
    let length = text.chars().count();
    if length > max {
        return Err(IdError::TooLong { what, length, max });
    }
    match text.chars().find(|c| !allowed(*c)) {
        Some(character) => Err(IdError::Character { what, character }),
        None => Ok(()),
    }
}

/// Anything the marketplace may put in an identifier: no control characters, and no comma, since
/// `queryInstance` separates identifiers with commas.
fn opaque(c: char) -> bool {
    !c.is_control() && c != ','
}

/// What a seller is called in paths and stream names.
fn name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.'
}

/// What a machine's fingerprint may consist of, so that it can stand in a path.
fn fingerprint(c: char) -> bool {
    name(c) || c == ':'
}

macro_rules! id {
    ($(#[$doc:meta])* $type:ident, $what:literal, $max:literal, $allowed:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Takes a text for this identifier.
            ///
            /// # Errors
            /// Empty, too long, or with a character that is not allowed.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check($what, text, $max, $allowed)?;
                Ok(Self(text.into()))
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self.0)
            }
        }

        impl TryFrom<String> for $type {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$type> for String {
            fn from(id: $type) -> Self {
                id.0.as_ref().into()
            }
        }
    };
}

id!(
    /// A seller of this installation, as named in `chopmark.toml` and in callback paths. At most 64 of `A-Za-z0-9._-`.
    SellerId, "seller id", 64, name
);
id!(
    /// What `newInstance` creates and every later callback names. At most 64 characters
    /// (创建实例, zh-cn_topic_0070649427); ours are UUIDs, adopted ones are whatever they were.
    InstanceId, "instance id", 64, opaque
);
id!(
    /// An authorization code (授权码) that the marketplace makes for each License resource bought. At most 64 characters
    /// (topic 0070649244).
    LicenseCode, "license code", 64, opaque
);

/// The shortest text that is taken for a code of the marketplace's. Those of its examples have ten characters; what is
/// much shorter is quickly guessed, and is what people type who have no code.
const SHORTEST_CODE: usize = 6;

impl LicenseCode {
    /// Whether the marketplace may have made this, so that it is worth asking: 6 or more ASCII letters, digits, `-` and
    /// `_`, and not of the shape of a UUID, as instance ids are. The codes of its pages begin with `PL`, which is
    /// promised nowhere.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        self.0.len() >= SHORTEST_CODE && self.0.bytes().all(may_stand) && !has_uuid_shape(&self.0)
    }
}

fn has_uuid_shape(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

id!(
    /// A marketplace order, e.g. `CS2211181819B4LVS`. At most 64 characters.
    OrderId, "order id", 64, opaque
);
id!(
    /// A line of an order, e.g. `CS2211181819B4LVS-000001`. At most 64 characters.
    OrderLineId, "order line id", 64, opaque
);
id!(
    /// A specification (`skuCode`): what a catalog product is found by. Stays the same when the period type changes.
    Sku, "sku", 128, opaque
);
id!(
    /// The marketplace's product id: one per period type under a SKU (topic 0070649350).
    ProductId, "product id", 128, opaque
);
id!(
    /// The business serial of an application for an online license (`eventId`, topic 0070649255). At most 64 characters.
    EventId, "event id", 64, opaque
);
id!(
    /// An ECS, by the `uuid` of its metadata (ecs_03_0166). A claim of whoever sends it, never a proof. At most 64 of
    /// `A-Za-z0-9._-`.
    EcsId, "ECS id", 64, name
);
id!(
    /// The cloud project an ECS is in (`project_id` of its metadata). At most 64 of `A-Za-z0-9._-`.
    ProjectId, "project id", 64, name
);
id!(
    /// The region an ECS is in, e.g. `cn-east-3` (`region_id` of its metadata). At most 64 of `A-Za-z0-9._-`.
    RegionId, "region id", 64, name
);
id!(
    /// The image an ECS was made from (`metering.image_id` of its metadata). At most 64 of `A-Za-z0-9._-`.
    ImageId, "image id", 64, name
);
id!(
    /// A machine that uses a seat, as its program names it. At most 255 of `A-Za-z0-9._:-`.
    Fingerprint, "fingerprint", 255, fingerprint
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_checked_where_it_enters() {
        assert!(InstanceId::parse("10e758d0-31ad-4c4b-8f1b-81d03469a10e").is_ok());
        assert_eq!(InstanceId::parse("  "), Err(IdError::Empty { what: "instance id" }));
        assert_eq!(OrderId::parse(&"x".repeat(65)), Err(IdError::TooLong { what: "order id", length: 65, max: 64 }));
        assert!(InstanceId::parse("a,b").is_err(), "a comma would split in queryInstance");
        assert!(SellerId::parse("acme/other").is_err(), "a slash would leave the seller's streams");
        assert!(InstanceId::parse(&"界".repeat(64)).is_ok(), "lengths are characters, not bytes");
    }

    #[test]
    fn json_is_checked_too() {
        assert!(serde_json::from_str::<SellerId>("\"a b\"").is_err());
        assert_eq!(serde_json::to_string(&SellerId::parse("acme").unwrap()).unwrap(), "\"acme\"");
    }
}
