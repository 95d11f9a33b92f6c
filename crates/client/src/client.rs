//! The client: asks, keeps, and answers in any case.

use std::time::Duration;

use crate::answer::{Answer, Contact, Source};
use crate::builder::Builder;
use crate::clock::{Clock, time};
use crate::deadline::Deadline;
use crate::judgement::judge;
use crate::keys::{KeyRing, OfferedKey, offered_in};
use crate::lease::{Expected, Lease, LeaseRefusal, Subject, verify_but_for_its_end};
use crate::metadata::EcsMetadata;
use crate::state::{State, Told};
use crate::store::Store;
use crate::trouble::Trouble;
use crate::wire::{DeploymentClaim, MachineClaim, Question, Verdict, Wire};

/// Seconds until the next check where nobody has said otherwise.
const INTERVAL_SECONDS: u64 = 3600;

/// Seconds until the next check at the most, whoever says so.
const INTERVAL_MAX_SECONDS: u64 = 7 * 86_400;

/// Seconds until another try after trouble, doubled with each until the usual interval is reached; and until a license
/// that is being activated is asked about again.
const SOON_SECONDS: u64 = 60;

/// Asks a Chopmark server whether this installation is licensed. Made with [`Client::builder`].
pub struct Client {
    pub(crate) wire: Wire,
    /// How long a call may wait in all.
    pub(crate) patience: Duration,
    pub(crate) pinned: KeyRing,
    pub(crate) store: Store,
    pub(crate) expected: Expected,
    pub(crate) deployment: Option<Deployment>,
    pub(crate) version: Option<String>,
    pub(crate) first_run_grace: i64,
    pub(crate) clock: Box<dyn Clock>,
}

/// The ECS that is asked about.
pub(crate) struct Deployment(pub(crate) EcsMetadata);

/// One check: what the clock showed when it began (Unix seconds), and until when it may wait.
#[derive(Clone, Copy)]
struct Call {
    clock: i64,
    deadline: Deadline,
}

/// What the server said to a question of ours.
enum Said {
    /// Yes, with the lease that proves it.
    Yes(Proven),
    /// No.
    No { told: Told, interval: Option<u64> },
}

/// A yes whose lease was verified.
struct Proven {
    jws: String,
    lease: Lease,
    told: Told,
    interval: Option<u64>,
    /// The keys to keep from now on, where others than those that are kept were needed.
    keys: Option<Vec<OfferedKey>>,
    checked_at: Option<i64>,
}

impl Client {
    /// Begins to put a client together: the server's address, the root key compiled into the program (base64url, `x`
    /// of its JWK, as `chopmark keys root` prints it) and the product that the program is, by SKU.
    pub fn builder(server: impl Into<String>, root_key: impl Into<String>, product: impl Into<String>) -> Builder {
        Builder::new(server.into(), root_key.into(), product.into())
    }

    /// Asks the server, now, and answers in any case. Waits no longer than [`Builder::timeouts`] says.
    #[must_use]
    pub fn check(&self) -> Answer {
        let call = Call { clock: self.clock.now().timestamp(), deadline: Deadline::after(self.patience) };
        let (known, now) = self.store.update(call.deadline, |state| {
            let now = state.observe(call.clock);
            state.first_asked.get_or_insert(now);
            (state.clone(), now)
        });
        match self.ask(&known, call) {
            Ok(Said::Yes(proven)) => self.keep(proven, call),
            Ok(Said::No { told, interval }) => self.refuse(told, interval, call),
            Err(trouble) => self.bridge(trouble, now, call),
        }
    }

    /// What is known without asking the server.
    #[must_use]
    pub fn last_known(&self) -> Answer {
        let clock = self.clock.now().timestamp();
        let mut state = self.store.load();
        let seen = state.latest;
        let now = state.observe(clock);
        // Written now and then only: a program may ask for this all the time.
        if now.saturating_sub(seen) >= 60 || state.clock_turned_back() {
            self.store.update(Deadline::after(self.patience), |kept| kept.observe(clock));
        }
        self.answer(&state, now, Source::Disk, None)
    }

    /// Whether it is time for a check. Also known after a restart.
    #[must_use]
    pub fn due(&self) -> bool {
        let mut state = self.store.load();
        state.observe(self.clock.now().timestamp()) >= state.next_check
    }

    /// Asks the server if it is time to, and else answers with what is known. For the loop of a program:
    /// wait for [`Contact::next_check_after`] of the answer, then call this again.
    #[must_use]
    pub fn check_if_due(&self) -> Answer {
        if self.due() { self.check() } else { self.last_known() }
    }

    /// Asks. Everything but a yes that is proven and a no to this very question is trouble.
    fn ask(&self, known: &State, call: Call) -> Result<Said, Trouble> {
        let nonce = nonce()?;
        let verdict = self.wire.check(&self.question(known, &nonce), call.deadline)?;
        if verdict.nonce.as_deref() != Some(&nonce) {
            return Err(Trouble::Nonce);
        }
        if let Some(secret) = &verdict.enrolment_secret {
            // Before anything else: whoever enrols and forgets the secret looks like a clone the next time.
            self.store.update(call.deadline, |state| state.secret = Some(secret.clone()));
        }
        if !verdict.valid {
            return Ok(Said::No { told: verdict.told(), interval: verdict.next_check_after });
        }
        self.prove(known, verdict, call).map(Said::Yes)
    }

    fn question<'a>(&'a self, known: &'a State, nonce: &'a str) -> Question<'a> {
        let (license, machine) = match &self.expected.subject {
            Subject::License { id, machine } => (Some(id.as_str()), machine.as_ref()),
            Subject::Deployment { .. } => (None, None),
        };
        let deployment = self.deployment.as_ref().map(|Deployment(ecs)| DeploymentClaim {
            uuid: &ecs.uuid,
            project_id: ecs.project_id.as_deref(),
            region_id: ecs.region_id.as_deref(),
            image_id: ecs.image_id.as_deref(),
            charging_mode: ecs.charging_mode.as_deref(),
            secret: known.secret.as_ref(),
        });
        Question {
            license,
            deployment,
            machine: machine.map(|machine| MachineClaim { fingerprint: machine.as_str() }),
            seller: self.expected.seller.as_deref(),
            product: &self.expected.product,
            version: self.version.as_deref(),
            nonce,
        }
    }

    /// Holds a yes to its lease. A key that is not known yet is looked for in the server's key set, once.
    fn prove(&self, known: &State, verdict: Verdict, call: Call) -> Result<Proven, Trouble> {
        let clock = call.clock;
        let (told, checked_at, interval) = (verdict.told(), verdict.checked_at(), verdict.next_check_after);
        let jws = verdict.lease.ok_or(Trouble::NoLease)?;
        // The server's clock may only make it later: that refuses a lease, it never stretches one.
        let now = clock.max(checked_at.unwrap_or(clock));
        let (mut ring, mut keys) = (self.ring(known), None);
        let mut verified = verify_but_for_its_end(&jws, &ring, &self.expected, now);
        if verified.as_ref().err() == Some(&LeaseRefusal::UnknownKey) {
            let offered = offered_in(&self.wire.key_set(call.deadline)?);
            ring.accept(&offered);
            keys = Some(ring.chains(&offered));
            verified = verify_but_for_its_end(&jws, &ring, &self.expected, now);
        }
        let lease = verified?;
        if lease.phase(now).is_err() {
            // With the server's time it would hold: then it is the clock here that is wrong.
            let server = checked_at.filter(|at| lease.phase(*at).is_ok());
            let ahead = server.map(|at| Trouble::ClockAhead { ahead_seconds: clock.saturating_sub(at) });
            return Err(ahead.unwrap_or(Trouble::Lease(LeaseRefusal::Ended)));
        }
        Ok(Proven { jws, lease, told, interval, keys, checked_at })
    }

    /// The keys that are trusted: the pinned ones, and of those on disk the ones that the pinned ones vouch for.
    fn ring(&self, known: &State) -> KeyRing {
        let mut ring = self.pinned.clone();
        ring.accept(&known.keys);
        ring
    }

    /// Keeps what was proven, and answers with it.
    fn keep(&self, proven: Proven, call: Call) -> Answer {
        let Proven { jws, lease, told, interval, keys, checked_at } = proven;
        let (state, lease, now) = self.store.update(call.deadline, |state| {
            let now = state.trust(call.clock, checked_at.unwrap_or(i64::MIN).max(lease.issued_at));
            if let Some(keys) = keys {
                state.keys = keys;
            }
            // By the time the lease wants renewing, whatever the server, or somebody in its name, says.
            let until_renewal = u64::try_from(lease.renew_by.saturating_sub(now)).unwrap_or(0);
            heard(state, now, interval.unwrap_or(INTERVAL_SECONDS).min(until_renewal));
            state.told = Some(told);
            state.denial = None;
            // Another server of the installation may hand out a lease that is older than the one from before.
            let kept = self.kept_lease(state, now);
            let newer = kept.filter(|kept| kept.issued_at > lease.issued_at && kept.phase(now).is_ok());
            let lease = newer.unwrap_or_else(|| {
                state.lease = Some(jws);
                lease
            });
            (state.clone(), lease, now)
        });
        judge(&state, Some(lease), now, self.first_run_grace, self.contact(&state, now, Source::Online, None))
    }

    /// Keeps a no. It is the answer unless it leaves a lease that still holds.
    fn refuse(&self, told: Told, interval: Option<u64>, call: Call) -> Answer {
        let ends_the_lease = told.code().ends_the_lease();
        let (state, now) = self.store.update(call.deadline, |state| {
            let now = state.observe(call.clock);
            if ends_the_lease {
                state.lease = None;
                state.told = None;
            }
            state.denial = Some(told);
            let usual = interval.unwrap_or(INTERVAL_SECONDS);
            heard(state, now, if ends_the_lease { usual } else { usual.min(SOON_SECONDS) });
            (state.clone(), now)
        });
        self.answer(&state, now, Source::Online, None)
    }

    /// Answers with what is known while there is trouble.
    fn bridge(&self, trouble: Trouble, now: i64, call: Call) -> Answer {
        let state = self.store.update(call.deadline, |state| {
            state.unreachable_since.get_or_insert(now);
            state.failures = state.failures.saturating_add(1);
            let doubled = SOON_SECONDS.saturating_mul(1 << state.failures.saturating_sub(1).min(16));
            let wait = spread(doubled.min(state.interval.unwrap_or(INTERVAL_SECONDS)));
            let wait = wait.max(trouble.retry_after().unwrap_or(0)).min(INTERVAL_MAX_SECONDS);
            state.next_check = now.saturating_add_unsigned(wait);
            state.clone()
        });
        self.answer(&state, now, Source::Disk, Some(trouble))
    }

    fn answer(&self, state: &State, now: i64, source: Source, trouble: Option<Trouble>) -> Answer {
        let lease = self.kept_lease(state, now);
        judge(state, lease, now, self.first_run_grace, self.contact(state, now, source, trouble))
    }

    fn contact(&self, state: &State, now: i64, source: Source, trouble: Option<Trouble>) -> Contact {
        let wait = u64::try_from(state.next_check.saturating_sub(now)).unwrap_or(0);
        Contact {
            source,
            unreachable_since: state.unreachable_since.map(time),
            trouble,
            next_check_after: Duration::from_secs(wait),
            clock_turned_back: state.clock_turned_back(),
            not_kept: self.store.not_kept(),
        }
    }

    /// The lease that is kept, if it holds but for its end.
    fn kept_lease(&self, state: &State, now: i64) -> Option<Lease> {
        verify_but_for_its_end(state.lease.as_deref()?, &self.ring(state), &self.expected, now).ok()
    }

    /// The lease that is kept, as it was signed, while it has not ended.
    pub(crate) fn current_lease(&self) -> Option<String> {
        let mut state = self.store.load();
        let now = state.observe(self.clock.now().timestamp());
        self.kept_lease(&state, now)?.phase(now).ok()?;
        state.lease
    }
}

/// The server was heard.
fn heard(state: &mut State, now: i64, interval: u64) {
    let interval = interval.clamp(1, INTERVAL_MAX_SECONDS);
    state.unreachable_since = None;
    state.failures = 0;
    state.interval = Some(interval);
    state.next_check = now.saturating_add_unsigned(interval);
}

/// Sixteen random bytes as hex.
fn nonce() -> Result<String, Trouble> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Trouble::NoRandomness(error.to_string()))?;
    Ok(hex::encode(bytes))
}

/// A fifth more or less, so that all who lost the server do not come back at once.
fn spread(seconds: u64) -> u64 {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    let fifth = seconds / 5;
    seconds - fifth + u64::from(random) % (2 * fifth + 1)
}
