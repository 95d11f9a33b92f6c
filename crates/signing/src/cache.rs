//! Signatures of leases that were given out, so that the next check costs none.
//!
//! A table of small sets, each behind its own lock. By its key a lease may be in either of two sets, and goes into the
//! emptier one, so that the table fills evenly: up to nine tenths of its room every lease finds a place. Where both are
//! full, it takes the place of any. Nothing is looked after in the background, and memory is bounded by the shape: a
//! [`Slot`] for each lease it holds, and for each set, from the start, a lock with an empty list and its tags. A tag is a
//! byte of a lease's key: by it a set is searched without a look at slots that hold other leases, which are far apart.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Leases in a set.
const WAYS: usize = 16;

/// What a lease is found by: a keyed hash of all that makes it one of its own. Each half names a set it may be in.
pub(crate) type CacheKey = [u64; 2];

/// All that is kept of a lease. The rest of it is put together again from the request.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    /// Its `iat`, seconds.
    pub(crate) iat: i64,
    /// Its `jti`: a keyed hash of all else it says. A lease that is put together again is the one that was signed
    /// exactly if it has the same.
    pub(crate) jti: [u8; 16],
    /// Its signature.
    pub(crate) signature: [u8; 64],
}

#[derive(Clone, Copy)]
struct Slot {
    key: CacheKey,
    kept: Kept,
}

/// Some of the leases.
#[derive(Default)]
struct Set {
    /// The tag of each slot's lease.
    tags: [u8; WAYS],
    slots: Vec<Slot>,
}

impl Set {
    /// The slot of a lease.
    fn find(&self, key: CacheKey) -> Option<usize> {
        let tag = tag(key);
        let tagged = self.tags.iter().zip(&self.slots).enumerate().filter(|(_, (other, _))| **other == tag);
        tagged.filter(|(_, (_, slot))| slot.key == key).map(|(at, _)| at).next()
    }

    fn get(&self, key: CacheKey) -> Option<Kept> {
        self.slots.get(self.find(key)?).map(|slot| slot.kept)
    }

    /// Fills a slot of the set: one that has a lease, or the next one.
    fn fill(&mut self, at: usize, slot: Slot) {
        self.tags[at] = tag(slot.key);
        match self.slots.get_mut(at) {
            Some(former) => *former = slot,
            None => self.slots.push(slot),
        }
    }
}

/// The lowest byte: what decides on the set is above it, so leases of one set have any.
fn tag([_, second]: CacheKey) -> u8 {
    second.to_le_bytes()[0]
}

/// The table.
pub(crate) struct LeaseCache {
    sets: Box<[Mutex<Set>]>,
    /// Leases a set may hold.
    ways: usize,
}

impl LeaseCache {
    /// A table for at most so many leases, at least one.
    pub(crate) fn new(leases: usize) -> Self {
        let ways = leases.clamp(1, WAYS);
        let sets = (leases / ways).max(1);
        Self { sets: (0..sets).map(|_| Mutex::default()).collect(), ways }
    }

    /// The lease of a key.
    pub(crate) fn get(&self, key: CacheKey) -> Option<Kept> {
        key.into_iter().find_map(|hash| self.set(hash).get(key))
    }

    /// Keeps a lease, in the place of the former one of its key if there is one. Says whether there is one more now.
    pub(crate) fn put(&self, key: CacheKey, kept: Kept) -> bool {
        let slot = Slot { key, kept };
        for hash in key {
            let mut set = self.set(hash);
            if let Some(former) = set.find(key) {
                set.fill(former, slot);
                return false;
            }
        }
        let [first, second] = key;
        // One lock at a time: the two may be the same set.
        let [leases_in_first, leases_in_second] = key.map(|hash| self.set(hash).slots.len());
        let mut set = self.set(if leases_in_second < leases_in_first { second } else { first });
        let held = set.slots.len();
        if held < self.ways {
            set.fill(held, slot);
            return true;
        }
        // Ids are as good as random, and nobody can choose one.
        set.fill(usize::from(kept.jti[0]) % self.ways, slot);
        false
    }

    /// A set. Whoever panicked with it in hand left it whole: a slot is written in one go.
    fn set(&self, hash: u64) -> MutexGuard<'_, Set> {
        // As far into the table as the hash is into all numbers: a multiplication, where a remainder takes a division.
        let index = (u128::from(hash) * self.sets.len() as u128) >> u64::BITS;
        let index = usize::try_from(index).unwrap_or_default();
        self.sets[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(iat: i64) -> Kept {
        Kept { iat, jti: [7; 16], signature: [0; 64] }
    }

    /// A key as random as those of leases are.
    fn key(number: u64) -> CacheKey {
        let spread = |odd: u64| (number + 1).wrapping_mul(odd).rotate_left(29).wrapping_mul(odd);
        [spread(0x9E37_79B9_7F4A_7C15), spread(0xD6E8_FEB8_6659_FD93)]
    }

    fn held(cache: &LeaseCache) -> usize {
        cache.sets.iter().map(|set| set.lock().unwrap().slots.len()).sum()
    }

    /// What docs/architecture.md says. The size of a lock is the system's; on others it may be a little more.
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    #[test]
    fn a_lease_takes_104_bytes_and_the_room_for_one_takes_3() {
        assert_eq!(size_of::<Slot>(), 104);
        assert_eq!(size_of::<Mutex<Set>>(), 3 * WAYS);
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        for leases in [0, 1, 5, 16, 17, 100, 1_000] {
            let cache = LeaseCache::new(leases);
            let mut counted = 0;
            for number in 0..10_000 {
                counted += usize::from(cache.put(key(number), kept(0)));
            }
            assert_eq!(counted, held(&cache), "what `put` says adds up");
            assert!((1..=leases.max(1)).contains(&counted), "{counted} of {leases}");
            let room: usize = cache.sets.iter().map(|set| set.lock().unwrap().slots.capacity()).sum();
            assert!(room <= leases.next_multiple_of(WAYS).max(WAYS), "room for {room}, wanted {leases}");
        }
    }

    #[test]
    fn nine_tenths_of_its_room_can_be_used() {
        let cache = LeaseCache::new(16_000);
        for number in 0..14_400 {
            assert!(cache.put(key(number), kept(0)), "lease {number} found a place");
        }
        assert!((0..14_400).all(|number| cache.get(key(number)).is_some()));
    }

    #[test]
    fn where_all_is_full_one_goes() {
        let cache = LeaseCache::new(3);
        for number in 0..4 {
            cache.put(key(number), kept(0));
        }
        assert!(cache.get(key(3)).is_some(), "the last one is there");
        assert_eq!((0..3).filter(|number| cache.get(key(*number)).is_some()).count(), 2);
    }

    #[test]
    fn a_newer_lease_takes_the_place_of_its_former_one() {
        let cache = LeaseCache::new(10);
        assert!(cache.put([1, 2], kept(10)));
        assert!(!cache.put([1, 2], kept(20)));
        assert_eq!(cache.get([1, 2]).map(|kept| kept.iat), Some(20));
        assert!(cache.get([1, 3]).is_none() && cache.get([2, 1]).is_none(), "both halves of the key count");
    }
}
