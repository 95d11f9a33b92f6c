//! One value that stands for all records up to a place, and for their order.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::record::Record;

/// A SHA-256 chain over records in the order of the log. Whoever changes, adds, removes or moves one of them gets another
/// value from there on.
///
/// It begins with 32 zero bytes. Each record makes the next value:
///
/// ```text
/// SHA-256( the value before it                                  32 bytes
///        | length of the stream's name, of kind, data, metadata  8 bytes each, big endian
///        | id                                                   16 bytes
///        | revision                                              8 bytes, big endian
///        | the stream's name, kind, data, metadata )            as stored
/// ```
///
/// Lengths come first, so no two different records are the same bytes. Positions are not in it, since they are another
/// engine's to give, and neither is the time at which the log took a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    records: u64,
    value: [u8; 32],
}

impl Chain {
    /// Of no record.
    pub const START: Self = Self { records: 0, value: [0; 32] };

    /// A chain that is known to have come so far.
    #[must_use]
    pub fn at(records: u64, value: [u8; 32]) -> Self {
        Self { records, value }
    }

    /// Takes the next record up.
    pub fn add(&mut self, record: &Record) {
        let parts = [record.stream.as_str().as_bytes(), record.kind.as_bytes(), &record.data, &record.metadata];
        let mut digest = Sha256::new();
        digest.update(self.value);
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
        }
        digest.update(record.id.as_bytes());
        digest.update(record.revision.0.to_be_bytes());
        for part in parts {
            digest.update(part);
        }
        self.value = digest.finalize().into();
        self.records += 1;
    }

    /// How many records it stands for.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> [u8; 32] {
        self.value
    }

    /// Its value in hexadecimal: 64 of `0-9` and `a-f`.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.value)
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::record::{Position, Revision, StreamName};

    fn record() -> Record {
        Record {
            id: Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
            stream: StreamName::new("stream").unwrap(),
            revision: Revision(7),
            position: Position(1),
            kind: "kind.v1".into(),
            data: b"{}".to_vec(),
            metadata: b"m".to_vec(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    fn after(record: &Record) -> Chain {
        let mut chain = Chain::START;
        chain.add(record);
        chain
    }

    #[test]
    fn the_bytes_are_those_of_the_description() {
        let mut bytes = vec![0; 32];
        for length in [6_u64, 7, 2, 1] {
            bytes.extend(length.to_be_bytes());
        }
        bytes.extend(1..=16);
        bytes.extend(7_u64.to_be_bytes());
        bytes.extend(b"streamkind.v1{}m");
        let chain = after(&record());
        assert_eq!((chain.records(), chain.value()), (1, Sha256::digest(&bytes).into()));
        assert_eq!(chain.to_hex(), hex(&Sha256::digest(&bytes)));
    }

    #[test]
    fn every_part_counts_and_its_place_does_too() {
        let changes: [fn(&mut Record); 7] = [
            |record| record.id = Uuid::nil(),
            |record| record.stream = StreamName::new("strean").unwrap(),
            |record| record.revision = Revision(8),
            |record| record.kind = "kind.v2".into(),
            |record| record.data = b"[]".to_vec(),
            |record| record.metadata = b"n".to_vec(),
            // The same bytes, cut in another place.
            |record| (record.data, record.metadata) = (b"{".to_vec(), b"}m".to_vec()),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut other = record();
            change(&mut other);
            assert_ne!(after(&other), after(&record()), "change {number}");
        }
        let (mut one, mut two) = (record(), record());
        (one.data, two.data) = (b"1".to_vec(), b"2".to_vec());
        let both = |first: &Record, second: &Record| {
            let mut chain = after(first);
            chain.add(second);
            chain
        };
        assert_ne!(both(&one, &two), both(&two, &one));
    }

    #[test]
    fn it_goes_on_from_what_is_known_of_it() {
        let mut whole = after(&record());
        let mut resumed = Chain::at(whole.records(), whole.value());
        whole.add(&record());
        resumed.add(&record());
        assert_eq!(whole, resumed);
        assert_eq!(whole.records(), 2);
    }

    #[test]
    fn where_and_when_a_log_put_a_record_is_not_in_it() {
        let mut moved = record();
        moved.position = Position(99);
        moved.recorded_at += chrono::TimeDelta::seconds(1);
        assert_eq!(after(&moved), after(&record()));
    }
}
