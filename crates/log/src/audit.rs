//! Walking through all records and keeping account of them.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::chain::Chain;
use crate::record::{Record, Revision, StreamName};

/// A record that is not its stream's next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stream {stream} has revision {found} where revision {expected} must be")]
pub struct RevisionGap {
    /// The stream.
    pub stream: StreamName,
    /// What would be next.
    pub expected: Revision,
    /// What is there.
    pub found: Revision,
}

/// What is known of the records seen so far, from the first one on: their [`Chain`], and that each stream has the
/// revisions 0, 1, 2 … without gaps. Takes some 40 bytes for each stream.
#[derive(Debug)]
pub struct Audit {
    chain: Chain,
    /// The next revision of each stream, by a hash of its name: so wide that no two names have the same.
    next: HashMap<[u64; 2], u64>,
    hashers: [RandomState; 2],
}

impl Default for Audit {
    fn default() -> Self {
        Self { chain: Chain::START, next: HashMap::new(), hashers: [RandomState::new(), RandomState::new()] }
    }
}

impl Audit {
    /// Takes the next record up.
    ///
    /// # Errors
    /// [`RevisionGap`]; the record was not taken.
    pub fn take(&mut self, record: &Record) -> Result<(), RevisionGap> {
        let name = self.hashers.each_ref().map(|hasher| hasher.hash_one(record.stream.as_str()));
        let next = self.next.entry(name).or_default();
        if record.revision.0 != *next {
            let (stream, expected) = (record.stream.clone(), Revision(*next));
            return Err(RevisionGap { stream, expected, found: record.revision });
        }
        *next += 1;
        self.chain.add(record);
        Ok(())
    }

    /// The chain over all that was taken.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// How many streams they are in.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.next.len()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::record::Position;

    fn record(stream: &str, revision: u64) -> Record {
        Record {
            id: Uuid::now_v7(),
            stream: StreamName::new(stream).unwrap(),
            revision: Revision(revision),
            position: Position(1),
            kind: "kind".into(),
            data: vec![],
            metadata: vec![],
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn each_stream_counts_for_itself() {
        let mut audit = Audit::default();
        for (stream, revision) in [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2)] {
            audit.take(&record(stream, revision)).unwrap();
        }
        assert_eq!((audit.chain().records(), audit.streams()), (5, 2));
    }

    #[test]
    fn a_gap_and_a_repetition_are_named_and_not_taken() {
        let mut audit = Audit::default();
        audit.take(&record("a", 0)).unwrap();
        for found in [0, 2] {
            let gap = audit.take(&record("a", found)).unwrap_err();
            assert_eq!((gap.stream.as_str(), gap.expected, gap.found), ("a", Revision(1), Revision(found)));
        }
        assert!(audit.take(&record("b", 1)).is_err(), "a stream begins with 0");
        assert_eq!(audit.chain().records(), 1);
        audit.take(&record("a", 1)).unwrap();
    }
}
