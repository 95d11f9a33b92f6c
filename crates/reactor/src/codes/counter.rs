//! One seller's part of the code desk.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chopmark_domain::ids::LicenseCode;
use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::Confirmed;
use super::bounds::{Outage, Quota, Today};
use super::memory::Memory;
use super::metrics::Lookup;
use crate::marketplace::Marketplace;

/// Questions about unknown codes that one seller may have under way.
pub(super) const QUESTIONS: usize = 32;
/// Answers remembered for one seller.
const REMEMBERED: usize = 100_000;
/// Daily questions that one seller may have under way …
const REFRESHES: usize = 4;
/// … and waiting.
const QUEUE: usize = 10_000;

/// The answer to a question, once it is there.
pub(super) type Answer = watch::Receiver<Option<Confirmed>>;

/// One seller's part of the code desk.
pub(super) struct Counter {
    pub(super) marketplace: Arc<dyn Marketplace>,
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    answers: Memory,
    under_way: HashMap<LicenseCode, Answer>,
    quota: Quota,
    outage: Outage,
    today: Today,
    queue: VecDeque<LicenseCode>,
    refreshing: usize,
}

/// How a lookup goes on.
pub(super) enum Step {
    /// It is over.
    Over(Confirmed, Lookup),
    /// Somebody asked already.
    Wait(Answer),
    /// It is for the caller to ask, and to give the answer here.
    Ask(Question),
}

/// A question that is under way. Dropped, it makes room.
pub(super) struct Question {
    counter: Arc<Counter>,
    code: LicenseCode,
    answer: watch::Sender<Option<Confirmed>>,
    _places: [OwnedSemaphorePermit; 2],
}

impl Question {
    /// Where its answer will be.
    pub(super) fn subscribe(&self) -> Answer {
        self.answer.subscribe()
    }

    /// It is answered.
    pub(super) fn answered(&self, confirmed: Confirmed) {
        self.answer.send_replace(Some(confirmed));
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.counter.state().under_way.remove(&self.code);
    }
}

impl Counter {
    pub(super) fn new(marketplace: Arc<dyn Marketplace>) -> Self {
        let state = State {
            answers: Memory::new(REMEMBERED),
            under_way: HashMap::new(),
            quota: Quota::default(),
            outage: Outage::default(),
            today: Today::default(),
            queue: VecDeque::new(),
            refreshing: 0,
        };
        Self { marketplace, places: Arc::new(Semaphore::new(QUESTIONS)), state: Mutex::new(state) }
    }

    /// What to do about a code. `of_all` are the places of all sellers.
    pub(super) fn step(self: &Arc<Self>, code: &LicenseCode, of_all: &Arc<Semaphore>, now: DateTime<Utc>) -> Step {
        let mut state = self.state();
        if let Some(confirmed) = state.answers.get(code, now) {
            return Step::Over(confirmed, Lookup::Remembered);
        }
        if let Some(answer) = state.under_way.get(code) {
            return Step::Wait(answer.clone());
        }
        if state.outage.lasts(now) {
            return Step::Over(Confirmed::Later, Lookup::Away);
        }
        let places = [&self.places, of_all].map(|places| Arc::clone(places).try_acquire_owned());
        let [Ok(place), Ok(of_all)] = places else {
            return Step::Over(Confirmed::Later, Lookup::Busy);
        };
        if !state.quota.take(now) {
            return Step::Over(Confirmed::Later, Lookup::OverQuota);
        }
        let (sender, answer) = watch::channel(None);
        state.under_way.insert(code.clone(), answer);
        let _places = [place, of_all];
        Step::Ask(Question { counter: Arc::clone(self), code: code.clone(), answer: sender, _places })
    }

    /// Remembers an answer for so long.
    pub(super) fn keep(&self, code: &LicenseCode, confirmed: Confirmed, now: DateTime<Utc>, time: chrono::TimeDelta) {
        self.state().answers.keep(code, confirmed, now, time);
    }

    /// The marketplace answered, or did not.
    pub(super) fn reached(&self, reached: bool, now: DateTime<Utc>) {
        let outage = &mut self.state().outage;
        if reached { outage.over() } else { outage.noted(now) }
    }

    /// Puts a code on the list of daily questions. True if somebody is to begin with the list.
    pub(super) fn wants_refresh(&self, code: &LicenseCode, now: DateTime<Utc>) -> bool {
        let mut state = self.state();
        let has_room = state.queue.len() < QUEUE && !state.outage.lasts(now);
        if !has_room || !state.today.note(code, now) {
            return false;
        }
        state.queue.push_back(code.clone());
        let may_begin = state.refreshing < REFRESHES;
        state.refreshing += usize::from(may_begin);
        may_begin
    }

    /// The next of the daily questions; `None` ends it for whoever works on the list. While the marketplace is away the
    /// list is given up: another check will name the codes again.
    pub(super) fn next_refresh(&self, now: DateTime<Utc>) -> Option<LicenseCode> {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.outage.lasts(now) {
            state.queue.drain(..).for_each(|code| state.today.forget(&code));
        }
        let next = state.queue.pop_front();
        state.refreshing -= usize::from(next.is_none());
        next
    }

    /// A daily question was not answered: it may be asked again today.
    pub(super) fn not_refreshed(&self, code: &LicenseCode) {
        self.state().today.forget(code);
    }

    // A panic while the state is held leaves it whole enough: at worst a code is asked about once more.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
