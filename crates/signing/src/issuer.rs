//! Gives out leases: signs one where it must, else hands out the one that was signed before.

use std::hash::Hasher;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use chrono::{DateTime, Utc};
use serde::Serialize;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::cache::{CacheKey, Kept, LeaseCache};
use crate::claims::{self, ClaimsError, LeaseClaims};
use crate::jws;
use crate::key_ring::KeyRing;
use crate::lease::{Given, Holder, Lease, LeaseRequest, NoLease};
use crate::metrics::SigningMetrics;
use crate::timing::{Term, Timing};

/// What an issuer is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// The `iss` of its leases.
    pub name: String,
    /// Leases whose signature is kept, at least one. The room for a lease costs 3 bytes from the start, and 104 more
    /// once it is used. With a tenth more room than there are machines, every lease finds a place; with less, some are
    /// signed more often than they must.
    pub cached_leases: usize,
}

/// Gives out leases to many threads at once.
///
/// A lease is signed when it is first asked for. As long as it would say the same under the same key, it is given out
/// again until half of the time until its renewal is over; after that too if a new one would last no longer. A signature
/// costs some 20 µs, giving out again a tenth of that.
///
/// What is kept of a lease is its time and its signature. Everything else it says is put together from the request each
/// time and compared by a keyed hash, so a lease never says what the license no longer does.
pub struct LeaseIssuer {
    settings: IssuerSettings,
    current: RwLock<Current>,
    cache: LeaseCache,
    /// Makes the hashes of this issuer its own: nobody can choose two requests that have the same.
    hash_key: [u8; 16],
    metrics: SigningMetrics,
}

/// What changes with a rotation.
struct Current {
    keys: Arc<KeyRing>,
    /// How often the keys were replaced.
    rotation: u64,
    /// The first part of every lease.
    header: String,
    jwks_json: Arc<[u8]>,
}

/// A lease that lacks its signature.
struct Draft {
    unsigned: Vec<u8>,
    given: Given,
    jti: [u8; 16],
}

impl LeaseIssuer {
    /// An issuer with these keys. The random bytes must be this process's own: leases get their ids by them.
    #[must_use]
    pub fn new(keys: KeyRing, settings: IssuerSettings, random: [u8; 16], metrics: SigningMetrics) -> Self {
        let cache = LeaseCache::new(settings.cached_leases);
        Self { settings, current: RwLock::new(Current::new(keys, 0)), cache, hash_key: random, metrics }
    }

    /// Gives out a lease that begins now or began not long ago.
    ///
    /// # Errors
    /// [`NoLease::NothingLeft`]: the license ends within this second. [`NoLease::Claims`]: its entitlements cannot be
    /// written as JSON.
    pub fn issue<E: Serialize>(&self, request: &LeaseRequest<'_, E>, now: DateTime<Utc>) -> Result<Lease, NoLease> {
        let fresh = Timing::of(now.timestamp(), &request.term).ok_or(NoLease::NothingLeft)?;
        let current = self.current();
        let key = self.cache_key(request);
        if let Some(lease) = self.issue_again(key, &current, request, &fresh, now)? {
            self.metrics.reused.inc();
            return Ok(lease);
        }
        let draft = self.draft(&current, request, fresh)?;
        let signature = current.keys.signing().sign(&draft.unsigned);
        if self.cache.put(key, Kept { iat: fresh.issued_at, jti: draft.jti, signature }) {
            self.metrics.cached.inc();
        }
        self.metrics.signed.inc();
        Ok(draft.signed(&signature, true))
    }

    /// Whether a lease that was given out, and would say the same today, is to be given out again. True counts as doing so.
    pub fn gives_again(&self, given: &Given, term: &Term, now: DateTime<Utc>) -> bool {
        let serves = Timing::of(now.timestamp(), term).is_some_and(|fresh| given.timing.serves(&fresh, term, now));
        let again = serves && given.rotation == self.current().rotation;
        if again {
            self.metrics.reused.inc();
        }
        again
    }

    /// The lease that was given out before, if it still serves and would say the same today.
    fn issue_again<E: Serialize>(
        &self,
        key: CacheKey,
        current: &Current,
        request: &LeaseRequest<'_, E>,
        fresh: &Timing,
        now: DateTime<Utc>,
    ) -> Result<Option<Lease>, ClaimsError> {
        let Some(kept) = self.cache.get(key) else { return Ok(None) };
        let timing = Timing::of(kept.iat, &request.term);
        let Some(timing) = timing.filter(|timing| timing.serves(fresh, &request.term, now)) else {
            return Ok(None);
        };
        let draft = self.draft(current, request, timing)?;
        Ok((draft.jti == kept.jti).then(|| draft.signed(&kept.signature, false)))
    }

    fn draft<E: Serialize>(
        &self,
        current: &Current,
        request: &LeaseRequest<'_, E>,
        timing: Timing,
    ) -> Result<Draft, ClaimsError> {
        let mut json = claims::json(&LeaseClaims::new(&self.settings.name, request, &timing))?;
        let jti = self.id_of(&current.keys, &json);
        json.pop();
        json.extend_from_slice(br#","jti":""#);
        jws::push(&mut json, &jti);
        json.extend_from_slice(br#""}"#);
        let given = Given { timing, rotation: current.rotation };
        Ok(Draft { unsigned: jws::unsigned(&current.header, &json), given, jti })
    }

    /// The id of a lease: a keyed hash of all else in it and of the key that signs it. It is random to everybody else,
    /// and the same for the same lease.
    fn id_of(&self, keys: &KeyRing, claims: &[u8]) -> [u8; 16] {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        hasher.write(keys.signing().kid().as_str().as_bytes());
        hasher.write(claims);
        hasher.finish128().as_bytes()
    }

    /// What makes a lease one of its own: who asks, and for what. All else may change from one to the next.
    fn cache_key<E>(&self, request: &LeaseRequest<'_, E>) -> CacheKey {
        let (form, holder) = match request.holder {
            None => (0, ""),
            Some(Holder::Machine(fingerprint)) => (1, fingerprint),
            Some(Holder::Deployment(uuid)) => (2, uuid),
        };
        let texts = [request.seller, request.license, request.product.unwrap_or_default(), holder];
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        // The lengths before the texts, so that what is one text's is never another's.
        let [seller, license, product, holder] = texts.map(|text| text.len().to_le_bytes());
        hasher.write([[form; 8], seller, license, product, holder].as_flattened());
        texts.iter().for_each(|text| hasher.write(text.as_bytes()));
        let (first, second) = hasher.finish128().as_u64();
        [first, second]
    }

    /// From now on, other keys. Leases are signed anew at their next check; those of keys that stay in the ring are
    /// accepted until they end.
    pub fn replace_keys(&self, keys: KeyRing) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Current::new(keys, current.rotation + 1);
    }

    /// The keys in use.
    #[must_use]
    pub fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.current().keys)
    }

    /// The public keys as JSON: a [`Jwks`](crate::Jwks).
    #[must_use]
    pub fn jwks_json(&self) -> Arc<[u8]> {
        Arc::clone(&self.current().jwks_json)
    }

    /// The name under which it signs: `iss`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What it has counted.
    #[must_use]
    pub fn metrics(&self) -> &SigningMetrics {
        &self.metrics
    }

    /// Whoever panicked while writing had not written: the value is replaced in one go.
    fn current(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    #[expect(clippy::expect_used, reason = "a struct of texts is always JSON")]
    fn new(keys: KeyRing, rotation: u64) -> Self {
        let jwks_json = serde_json::to_vec(&keys.jwks()).expect("JSON").into();
        Self { header: jws::header(keys.signing(), jws::LEASE), keys: Arc::new(keys), rotation, jwks_json }
    }
}

impl Draft {
    fn signed(self, signature: &[u8; 64], fresh: bool) -> Lease {
        Lease { jws: jws::signed(self.unsigned, signature), given: self.given, fresh }
    }
}
