//! All licenses: entries in the order of their first events, and a table that finds them by id.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::compact_id::{Family, IdRef};
use crate::entry::Entry;
use crate::sellers::SellerIndex;

/// Entries per chunk: growing never copies what is there.
const CHUNK: usize = 4096;

/// Tables, each with its share of the ids: one that grows moves a few thousand numbers, not a million, so readers wait
/// for microseconds.
const TABLES: usize = 256;

/// A license's place, for ever: licenses are never forgotten, and the same log gives the same places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(pub(crate) u32);

#[derive(Debug)]
pub(crate) struct Licenses {
    chunks: Vec<Vec<Entry>>,
    tables: Box<[HashTable<Slot>]>,
    /// Keyed at random: ids come from outside.
    hasher: RandomState,
    heap_bytes: usize,
}

impl Default for Licenses {
    fn default() -> Self {
        Self {
            chunks: vec![],
            tables: (0..TABLES).map(|_| HashTable::new()).collect(),
            hasher: RandomState::new(),
            heap_bytes: 0,
        }
    }
}

impl Licenses {
    pub(crate) fn len(&self) -> usize {
        match self.chunks.split_last() {
            Some((last, full)) => full.len() * CHUNK + last.len(),
            None => 0,
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Entry> {
        let slot = slot.0 as usize;
        self.chunks.get(slot / CHUNK)?.get(slot % CHUNK)
    }

    /// Changes a license where it is; `None` if it is not there.
    pub(crate) fn change<T>(&mut self, slot: Slot, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let slot = slot.0 as usize;
        let entry = self.chunks.get_mut(slot / CHUNK)?.get_mut(slot % CHUNK)?;
        let before = entry.heap_bytes();
        let changed = change(entry);
        self.heap_bytes = self.heap_bytes - before + entry.heap_bytes();
        Some(changed)
    }

    /// Entries from a place on, in order.
    pub(crate) fn iter_from(&self, slot: Slot) -> impl Iterator<Item = (Slot, &Entry)> {
        let first = slot.0 as usize;
        let (chunks, skipped) = (self.chunks.iter().skip(first / CHUNK), first % CHUNK);
        chunks.flatten().skip(skipped).zip(slot.0..).map(|(entry, slot)| (Slot(slot), entry))
    }

    /// Every license with this id: one, but for ids that several sellers or families have.
    pub(crate) fn with_id<'a>(&'a self, id: IdRef<'a>) -> impl Iterator<Item = (Slot, &'a Entry)> + Clone {
        let hash = self.hasher.hash_one(id);
        let slots = self.table(hash).map(|table| table.iter_hash(hash));
        slots
            .into_iter()
            .flatten()
            .filter_map(|slot| Some((*slot, self.get(*slot)?)))
            .filter(move |(_, entry)| entry.id.as_ref() == id)
    }

    pub(crate) fn find(&self, seller: SellerIndex, family: Family, id: IdRef<'_>) -> Option<Slot> {
        self.with_id(id).find(|(_, entry)| entry.seller == seller && entry.family == family).map(|(slot, _)| slot)
    }

    /// Adds a license that is not there yet; `false` if there are too many.
    pub(crate) fn push(&mut self, entry: Entry) -> bool {
        let Ok(slot) = u32::try_from(self.len()) else {
            return false;
        };
        let hash = self.hasher.hash_one(entry.id.as_ref());
        self.heap_bytes += entry.heap_bytes();
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(entry),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(entry);
                self.chunks.push(chunk);
            }
        }
        let Self { chunks, tables, hasher, .. } = self;
        let hash_at = |slot: &Slot| {
            let slot = slot.0 as usize;
            let entry = chunks.get(slot / CHUNK).and_then(|chunk| chunk.get(slot % CHUNK));
            entry.map_or(0, |entry| hasher.hash_one(entry.id.as_ref()))
        };
        if let Some(table) = tables.get_mut(table_of(hash)) {
            table.insert_unique(hash, Slot(slot), hash_at);
        }
        true
    }

    fn table(&self, hash: u64) -> Option<&HashTable<Slot>> {
        self.tables.get(table_of(hash))
    }

    pub(crate) fn bytes(&self) -> usize {
        let tables: usize = self.tables.iter().map(HashTable::allocation_size).sum();
        self.chunks.len() * CHUNK * size_of::<Entry>()
            + self.heap_bytes
            + tables
            + TABLES * size_of::<HashTable<Slot>>()
    }
}

/// By bits of the hash that the tables themselves look at last.
fn table_of(hash: u64) -> usize {
    usize::from(hash.to_le_bytes()[5]) % TABLES
}

impl Serialize for Licenses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut entries = serializer.serialize_seq(Some(self.len()))?;
        for entry in self.chunks.iter().flatten() {
            entries.serialize_element(entry)?;
        }
        entries.end()
    }
}

impl<'de> Deserialize<'de> for Licenses {
    /// Entries go to their places as they are read; there is never a second copy of them.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Licenses;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("licenses")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Licenses, A::Error> {
                let mut licenses = Licenses::default();
                while let Some(entry) = entries.next_element()? {
                    if !licenses.push(entry) {
                        return Err(serde::de::Error::custom("too many licenses"));
                    }
                }
                Ok(licenses)
            }
        }
        deserializer.deserialize_seq(Entries)
    }
}
