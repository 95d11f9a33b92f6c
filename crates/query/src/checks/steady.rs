//! The part of an answer that is the same from one check to the next.
//!
//! Software asks again and again, and as a rule nothing has changed: the same verdict on the same license under the same
//! terms, with the same lease. Then all but a few members of the answer are the same text. That text is kept together with
//! all that it follows from, and used again only where none of that has changed; so an answer never says what is no longer
//! so. What is kept is bounded by its size, and goes when other software asks more often.

use std::hash::Hash;
use std::sync::Arc;

use chopmark_domain::ids::Sku;
use chopmark_domain::license::{Code, Language, Reason, SeatUse, Verdict};
use chopmark_domain::stream::LicenseKey;
use chopmark_projector::Found;
use chopmark_signing::Given;
use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

/// Bytes that a text takes beside its own, about: what it follows from, who asks, and its place.
const BYTES_BESIDE: usize = 384;

/// The texts kept. One for all workers of the API.
pub(crate) struct SteadyAnswers(Cache<Asked, Arc<Steady>, ByBytes>);

/// The part of an answer that stays the same, and what it follows from.
pub(super) struct Steady {
    pub(super) grounds: Grounds,
    /// The lease in it; `None` where the verdict is not valid, or nothing is left that a lease could prove.
    pub(super) lease: Option<Given>,
    /// A JSON object that lacks its end.
    pub(super) text: Box<[u8]>,
}

/// What the text of an answer follows from, beside who asks about what: with the same license, terms and verdict, it says
/// the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grounds {
    /// A license is what its events have made of it, so this many say all of it.
    revision: u32,
    /// The catalog's version that the terms are from, and since when they hold.
    terms: Option<(u32, DateTime<Utc>)>,
    code: Code,
    reason: Reason,
    seats: Option<SeatUse>,
    ends_at: Option<DateTime<Utc>>,
}

impl Grounds {
    pub(super) fn of(found: &Found, verdict: &Verdict<'_>) -> Self {
        Self {
            revision: found.license.revision,
            terms: found.terms.as_deref().map(|dated| (dated.catalog_version, dated.effective_at)),
            code: verdict.code,
            reason: verdict.reason,
            seats: verdict.seats,
            ends_at: verdict.ends_at,
        }
    }
}

/// Who asks about what.
#[derive(PartialEq, Eq, Hash)]
struct Asked {
    license: LicenseKey,
    product: Option<Sku>,
    machine: Option<Box<str>>,
    language: Language,
}

/// Who asks about what, as it is in a question. Its hash is that of [`Asked`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Asking<'a> {
    pub(super) license: &'a LicenseKey,
    pub(super) product: Option<&'a Sku>,
    pub(super) machine: Option<&'a str>,
    pub(super) language: Language,
}

impl Equivalent<Asked> for Asking<'_> {
    fn equivalent(&self, asked: &Asked) -> bool {
        let Asked { license, product, machine, language } = asked;
        *self == Asking { license, product: product.as_ref(), machine: machine.as_deref(), language: *language }
    }
}

impl SteadyAnswers {
    /// Room for texts of so many bytes in all.
    pub(crate) fn new(bytes: u64) -> Self {
        // An answer has a kilobyte and a half as a rule. A wrong estimate costs some memory at the start, or some growing.
        let answers = usize::try_from(bytes / 2_048).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(answers, bytes, ByBytes))
    }

    /// The text kept for who asks about this.
    pub(super) fn get(&self, asking: Asking<'_>) -> Option<Arc<Steady>> {
        self.0.get(&asking)
    }

    /// Keeps a text, in the place of the former one for who asks about this.
    pub(super) fn keep(&self, asking: Asking<'_>, steady: Arc<Steady>) {
        let Asking { license, product, machine, language } = asking;
        let (license, product, machine) = (license.clone(), product.cloned(), machine.map(Into::into));
        self.0.insert(Asked { license, product, machine, language }, steady);
    }
}

/// What is kept is bounded by the bytes that it takes.
#[derive(Clone)]
struct ByBytes;

impl Weighter<Asked, Arc<Steady>> for ByBytes {
    fn weight(&self, asked: &Asked, steady: &Arc<Steady>) -> u64 {
        let machine = asked.machine.as_ref().map_or(0, |machine| machine.len());
        u64::try_from(BYTES_BESIDE + machine + steady.text.len()).unwrap_or(u64::MAX)
    }
}
