//! What was seen and is not in the store yet, in shards: many threads write here at once, none for long.

use std::collections::{BTreeMap, btree_map};
use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use prometheus::IntGauge;

use crate::names::{Called, Kept, Place};

/// So many that threads hardly meet, and that a license's holders are found among few.
const SHARDS: usize = 256;

/// What is remembered of sightings.
pub(crate) trait Merge {
    /// Takes in another sighting of the same. Which of the two came first makes no difference.
    fn merge(&mut self, other: Self);
}

/// Puts a sighting beside what a map has of the same.
pub(crate) fn merge_into<K: Ord, V: Merge>(map: &mut BTreeMap<K, V>, key: K, value: V) {
    match map.entry(key) {
        btree_map::Entry::Occupied(known) => known.into_mut().merge(value),
        btree_map::Entry::Vacant(free) => drop(free.insert(value)),
    }
}

/// Sightings by name.
struct Table<const N: usize, V>(HashTable<Remembered<N, V>>);

struct Remembered<const N: usize, V> {
    /// Kept, so that a table that grows reads no names.
    hash: u64,
    kept: Kept<N>,
    value: V,
}

impl<const N: usize, V> Table<N, V> {
    fn with_capacity(entries: usize) -> Self {
        Self(HashTable::with_capacity(entries))
    }

    fn iter(&self) -> impl Iterator<Item = (Called<'_, N>, &V)> {
        self.0.iter().map(|one| (one.kept.called(), &one.value))
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// What is being written.
pub(crate) struct Taken<const N: usize, V>(Vec<Arc<Table<N, V>>>);

impl<const N: usize, V> Taken<N, V> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Called<'_, N>, &V)> {
        self.0.iter().flat_map(|table| table.iter())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|table| table.len() == 0)
    }
}

struct Shard<const N: usize, V> {
    fresh: Table<N, V>,
    /// What is being written: still here, so that readers miss nothing.
    writing: Arc<Table<N, V>>,
}

/// One kind of sightings. `waiting` counts those of all kinds.
pub(crate) struct Memory<const N: usize, V> {
    shards: Box<[Mutex<Shard<N, V>>]>,
    hasher: RandomState,
    waiting: IntGauge,
}

impl<const N: usize, V: Merge> Memory<N, V> {
    pub(crate) fn new(waiting: IntGauge) -> Self {
        let shard = || Shard { fresh: Table::with_capacity(0), writing: Arc::new(Table::with_capacity(0)) };
        Self { shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(), hasher: RandomState::new(), waiting }
    }

    /// Takes a sighting in. False: it is of something new, and there is no room.
    pub(crate) fn saw(&self, called: Called<'_, N>, value: V, has_room: impl FnOnce(i64) -> bool) -> bool {
        let Place { home, hash } = called.place(&self.hasher);
        let mut shard = self.shard(home);
        let is_it = |one: &Remembered<N, V>| one.hash == hash && one.kept.called() == called;
        match shard.fresh.0.entry(hash, is_it, |one| one.hash) {
            Entry::Occupied(known) => known.into_mut().value.merge(value),
            Entry::Vacant(free) => {
                if !has_room(self.waiting.get()) {
                    return false;
                }
                self.waiting.inc();
                free.insert(Remembered { hash, kept: called.into(), value });
            }
        }
        true
    }

    /// Looks at all that share the first two names with this.
    pub(crate) fn each_at_home(&self, called: Called<'_, N>, mut look: impl FnMut(Called<'_, N>, &V)) {
        let shard = self.shard(called.place(&self.hasher).home);
        let at_home =
            |(other, _): &(Called<'_, N>, &V)| other.names.iter().zip(called.names).take(2).all(|(a, b)| *a == b);
        let both = shard.writing.iter().chain(shard.fresh.iter());
        both.filter(at_home).for_each(|(called, value)| look(called, value));
    }

    /// Looks at everything, shard by shard.
    pub(crate) fn each(&self, mut look: impl FnMut(Called<'_, N>, &V)) {
        for shard in &self.shards {
            let shard = lock(shard);
            shard.writing.iter().chain(shard.fresh.iter()).for_each(|(called, value)| look(called, value));
        }
    }

    /// Gives what is to be written, to be given back to [`Self::written`] or [`Self::keep`].
    pub(crate) fn take(&self) -> Taken<N, V> {
        let take = |shard: &Mutex<Shard<N, V>>| {
            let mut shard = lock(shard);
            let room = Table::with_capacity(shard.fresh.len());
            shard.writing = Arc::new(std::mem::replace(&mut shard.fresh, room));
            Arc::clone(&shard.writing)
        };
        Taken(self.shards.iter().map(take).collect())
    }

    /// What was taken is in the store.
    pub(crate) fn written(&self, taken: Taken<N, V>) {
        drop(taken);
        for shard in &self.shards {
            let empty = Arc::new(Table::with_capacity(0));
            let written = std::mem::replace(&mut lock(shard).writing, empty);
            self.count_gone(written.len());
        }
    }

    /// What was taken is not in the store: it waits on, with what has come since.
    pub(crate) fn keep(&self, taken: Taken<N, V>) {
        // Now nobody else shares the tables.
        drop(taken);
        for shard in &self.shards {
            let shard = &mut *lock(shard);
            let taken = std::mem::replace(&mut shard.writing, Arc::new(Table::with_capacity(0)));
            let Some(taken) = Arc::into_inner(taken) else { continue };
            let since = std::mem::replace(&mut shard.fresh, taken);
            for one in since.0 {
                self.put_back(&mut shard.fresh, one);
            }
        }
    }

    fn put_back(&self, table: &mut Table<N, V>, one: Remembered<N, V>) {
        match table.0.entry(one.hash, |other| other.kept == one.kept, |other| other.hash) {
            Entry::Occupied(known) => {
                known.into_mut().value.merge(one.value);
                self.count_gone(1);
            }
            Entry::Vacant(free) => drop(free.insert(one)),
        }
    }

    fn count_gone(&self, entries: usize) {
        self.waiting.sub(i64::try_from(entries).unwrap_or(i64::MAX));
    }

    fn shard(&self, home: u64) -> MutexGuard<'_, Shard<N, V>> {
        let at = usize::try_from(home % SHARDS as u64).unwrap_or(0);
        lock(&self.shards[at])
    }
}

fn lock<const N: usize, V>(shard: &Mutex<Shard<N, V>>) -> MutexGuard<'_, Shard<N, V>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
