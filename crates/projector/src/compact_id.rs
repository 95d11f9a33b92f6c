//! License ids in little room: ours are UUIDs, of 36 characters as text and of 16 bytes here.

use std::cmp::Ordering;

use chopmark_domain::ids::{EcsId, InstanceId, LicenseCode, SellerId};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::heap;

/// What kind of id a license has. Ids are unique per seller and family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Family {
    Instance,
    Code,
    Deployment,
}

impl Family {
    /// The key of a license; `None` if the text is no id of this family.
    pub(crate) fn key(self, seller: &SellerId, id: &str) -> Option<LicenseKey> {
        let id = match self {
            Self::Instance => LicenseId::Instance(InstanceId::parse(id).ok()?),
            Self::Code => LicenseId::Code(LicenseCode::parse(id).ok()?),
            Self::Deployment => LicenseId::Deployment(EcsId::parse(id).ok()?),
        };
        Some(LicenseKey { seller: seller.clone(), id })
    }
}

/// An id as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CompactId {
    /// Text that is exactly the lower-case hyphenated form of these bytes.
    Uuid([u8; 16]),
    /// Any other text.
    Text(Box<str>),
}

/// An id as looked for. Two are equal exactly if their texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum IdRef<'a> {
    Uuid([u8; 16]),
    Text(&'a str),
}

impl CompactId {
    pub(crate) fn as_ref(&self) -> IdRef<'_> {
        match self {
            Self::Uuid(bytes) => IdRef::Uuid(*bytes),
            Self::Text(text) => IdRef::Text(text),
        }
    }

    /// Bytes held outside of the entry.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Uuid(_) => 0,
            Self::Text(text) => heap::block(text.len()),
        }
    }
}

impl From<IdRef<'_>> for CompactId {
    fn from(id: IdRef<'_>) -> Self {
        match id {
            IdRef::Uuid(bytes) => Self::Uuid(bytes),
            IdRef::Text(text) => Self::Text(text.into()),
        }
    }
}

impl<'a> IdRef<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        if text.len() != Hyphenated::LENGTH {
            return Self::Text(text);
        }
        // Of the forms that a UUID may have, only the hyphenated one is that long, and only capitals make two texts of one.
        let has_capitals = text.bytes().fold(false, |so_far, byte| so_far | byte.is_ascii_uppercase());
        match Uuid::try_parse(text) {
            Ok(uuid) if !has_capitals => Self::Uuid(uuid.into_bytes()),
            _ => Self::Text(text),
        }
    }

    /// The text, in a buffer from [`Uuid::encode_buffer`] where it is not at hand.
    pub(crate) fn text<'b>(self, room: &'b mut [u8]) -> &'b str
    where
        'a: 'b,
    {
        match self {
            Self::Uuid(bytes) => Uuid::from_bytes(bytes).hyphenated().encode_lower(room),
            Self::Text(text) => text,
        }
    }

    /// Compares as the texts compare.
    pub(crate) fn cmp_text(self, other: Self) -> Ordering {
        match (self, other) {
            // Hexadecimal digits sort as their values do, and the dashes stand at the same places.
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(&b),
            (a, b) => a.text(&mut Uuid::encode_buffer()).cmp(b.text(&mut Uuid::encode_buffer())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back_as_it_was(text in "[0-9a-fA-F-]{36}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\\PC{1,64}") {
            let id = CompactId::from(IdRef::of(&text));
            let mut room = Uuid::encode_buffer();
            prop_assert_eq!(id.as_ref().text(&mut room), text.as_str());
            prop_assert_eq!(id.as_ref(), IdRef::of(&text));
        }

        #[test]
        fn ids_sort_as_their_texts(a in any::<u128>(), b in any::<u128>(), text in "[0-9a-f-]{1,36}") {
            let texts = [Uuid::from_u128(a).to_string(), Uuid::from_u128(b).to_string(), text];
            for one in &texts {
                for other in &texts {
                    prop_assert_eq!(IdRef::of(one).cmp_text(IdRef::of(other)), one.cmp(other));
                }
            }
        }
    }

    #[test]
    fn only_the_form_that_we_write_is_a_uuid() {
        let lower = "10e758d0-31ad-4c4b-8f1b-81d03469a10e";
        assert!(matches!(IdRef::of(lower), IdRef::Uuid(_)));
        assert!(matches!(IdRef::of(&lower.to_uppercase()), IdRef::Text(_)));
        assert!(matches!(IdRef::of(&lower.replace('-', "")), IdRef::Text(_)));
    }
}
