//! So many of something at once, which come back evenly: the generic cell rate algorithm, one moment a key.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use crate::problem::{Kind, Problem};

/// Keys that a quota remembers; above that, the ones not used for longest are forgotten.
pub(super) const KEYS_MAX: usize = 100_000;

const SHARDS: usize = 16;

/// Of the draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-11).
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How much is allowed in which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Policy {
    /// Plain letters and hyphens: it is told in headers.
    name: &'static str,
    quota: u32,
    window: Duration,
}

impl Policy {
    pub(super) const fn new(name: &'static str, quota: u32, window: Duration) -> Self {
        Self { name, quota, window }
    }

    pub(super) fn quota(self) -> u32 {
        self.quota
    }

    /// Nanoseconds until one comes back.
    fn interval(self) -> u64 {
        nanos(self.window) / u64::from(self.quota.max(1))
    }

    /// Nanoseconds until all have come back.
    fn capacity(self) -> u64 {
        self.interval() * u64::from(self.quota)
    }

    fn standing(self, used: u64) -> Standing {
        let left = self.capacity().saturating_sub(used) / self.interval().max(1);
        let remaining = u32::try_from(left).unwrap_or(u32::MAX).min(self.quota);
        Standing { policy: self, remaining, resets_in: seconds(used) }
    }

    fn exceeded(self, used: u64) -> Exceeded {
        let free_in = if self.quota == 0 { nanos(self.window) } else { used + self.interval() - self.capacity() };
        Exceeded { standing: Standing { remaining: 0, ..self.standing(used) }, retry_after: seconds(free_in).max(1) }
    }
}

/// How somebody stands with a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    policy: Policy,
    /// How many are left.
    pub(super) remaining: u32,
    /// Seconds until all are, if no more are used.
    pub(super) resets_in: u64,
}

impl Standing {
    /// Tells it in the headers of an answer: `RateLimit-Policy: "failures";q=60;w=60` and
    /// `RateLimit: "failures";r=59;t=1`.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let Policy { name, quota, window } = self.policy;
        headers.insert(RATE_LIMIT_POLICY, value(&format!("\"{name}\";q={quota};w={}", window.as_secs())));
        headers.insert(RATE_LIMIT, value(&format!("\"{name}\";r={};t={}", self.remaining, self.resets_in)));
    }
}

/// A quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// The quota, as an answer's headers tell it.
    pub(super) standing: Standing,
    /// Seconds until there is one again, at least 1.
    pub(super) retry_after: u64,
}

impl Exceeded {
    /// What to answer, with `Retry-After`; a [`Problem`] made from this [tells](Self::tell) the other headers, too.
    pub(crate) fn problem(&self) -> Problem {
        let Policy { name, quota, window } = self.standing.policy;
        let detail = format!(
            "more than the limit \"{name}\" allows, {quota} in {} s; ask again in {} s",
            window.as_secs(),
            self.retry_after
        );
        Problem::new(Kind::TooManyRequests, detail).retry_after(self.retry_after)
    }

    /// Tells it in the headers of an answer, `Retry-After` among them.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        self.standing.tell(headers);
        headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after));
    }
}

#[expect(clippy::expect_used, reason = "names of policies are constants of plain letters, the rest is digits")]
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a header's value")
}

/// A key as it is remembered: 128 bits of two hashes with secrets of their own, so that no two keys meet and nobody can
/// make them.
type Fingerprint = [u64; 2];

/// A quota for each of many keys.
#[derive(Debug)]
pub(super) struct Quota {
    policy: Policy,
    began: Instant,
    hashers: [RandomState; 2],
    shards: [Mutex<Shard>; SHARDS],
}

impl Quota {
    pub(super) fn new(policy: Policy, now: Instant) -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        Self { policy, began: now, hashers, shards: std::array::from_fn(|_| Mutex::default()) }
    }

    /// Uses one.
    pub(super) fn spend(&self, key: &impl Hash, now: Instant) -> Result<Standing, Exceeded> {
        let (key, now) = (self.fingerprint(key), self.since_began(now));
        let mut shard = self.shard(key);
        let used = shard.full_at(key).saturating_sub(now);
        if used + self.policy.interval() > self.policy.capacity() {
            return Err(self.policy.exceeded(used));
        }
        let used = used + self.policy.interval();
        shard.put(key, now + used, now, nanos(self.policy.window));
        Ok(self.policy.standing(used))
    }

    /// Tells how a key stands, and uses none.
    pub(super) fn peek(&self, key: &impl Hash, now: Instant) -> Result<Standing, Exceeded> {
        let (key, now) = (self.fingerprint(key), self.since_began(now));
        let used = self.shard(key).full_at(key).saturating_sub(now);
        if used + self.policy.interval() > self.policy.capacity() {
            return Err(self.policy.exceeded(used));
        }
        Ok(self.policy.standing(used))
    }

    fn fingerprint(&self, key: &impl Hash) -> Fingerprint {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(key))
    }

    fn since_began(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.began))
    }

    fn shard(&self, [key, _]: Fingerprint) -> MutexGuard<'_, Shard> {
        let at = usize::try_from(key % SHARDS as u64).unwrap_or(0);
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        let lengths = self.shards.iter().map(|shard| {
            let shard = shard.lock().unwrap();
            shard.young.len() + shard.old.len()
        });
        lengths.sum()
    }
}

/// Some of the keys: when each has all of its quota again. What was used since the last turn is young.
///
/// After a whole window unused a key has everything again and is as good as unknown, so what was old already at a turn
/// can go. Turning early, when there are too many keys, forgets the ones not used for longest: they are let off lightly.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Fingerprint, u64>,
    old: HashMap<Fingerprint, u64>,
    turned: u64,
}

impl Shard {
    fn full_at(&self, key: Fingerprint) -> u64 {
        self.young.get(&key).or_else(|| self.old.get(&key)).copied().unwrap_or(0)
    }

    fn put(&mut self, key: Fingerprint, full_at: u64, now: u64, window: u64) {
        self.old.remove(&key);
        self.young.insert(key, full_at);
        if now.saturating_sub(self.turned) >= window || self.young.len() >= KEYS_MAX / SHARDS / 2 {
            self.old = std::mem::take(&mut self.young);
            self.turned = now;
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn seconds(nanos: u64) -> u64 {
    nanos.div_ceil(1_000_000_000)
}
