//! The open work as the reactor's tasks share it and others see it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chopmark_domain::at_risk::{ErrandAtRisk, OrderAtRisk};
use chopmark_domain::codec::DecodeError;
use chopmark_domain::ids::SellerId;
use chopmark_log::{Position, Record};
use chrono::{DateTime, Utc};

use crate::metrics::ReactorMetrics;
use crate::open_work::{ErrandKey, Job, OpenErrand, OpenOrder, OpenWork, OrderKey};

/// Tells which orders are open. Clones see the same board.
#[derive(Debug, Clone)]
pub struct OpenOrders(pub(crate) Board);

/// Tells which errands are open. Clones see the same board.
#[derive(Debug, Clone)]
pub struct OpenErrands(pub(crate) Board);

/// A job as it is open now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Open {
    Facts(OrderKey, OpenOrder),
    Errand(ErrandKey, OpenErrand),
}

impl Open {
    pub(crate) fn job(&self) -> Job {
        match self {
            Self::Facts(key, _) => key.clone().into(),
            Self::Errand(key, _) => key.clone().into(),
        }
    }

    pub(crate) fn since(&self) -> DateTime<Utc> {
        match self {
            Self::Facts(_, order) => order.since,
            Self::Errand(_, errand) => errand.since,
        }
    }

    /// The event that last had to do with it.
    pub(crate) fn touched_at(&self) -> Position {
        match self {
            Self::Facts(_, order) => order.named_at,
            Self::Errand(_, errand) => errand.touched_at,
        }
    }
}

/// What is open, and what this process remembers of it. Clones are the same board; a [`Reactor`](crate::Reactor) or a
/// [`Lookout`](crate::Lookout) keeps it up with the log.
#[derive(Debug, Clone)]
pub struct Board(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    metrics: ReactorMetrics,
}

#[derive(Debug, Default)]
struct State {
    work: OpenWork,
    tries: HashMap<Job, Tries>,
}

/// What this process remembers of an open job.
#[derive(Debug, Clone, Default)]
struct Tries {
    attempts: u32,
    reason: Option<String>,
}

impl State {
    fn get(&self, job: &Job) -> Option<Open> {
        match job {
            Job::Facts(key) => Some(Open::Facts(key.clone(), self.work.orders.get(key)?.clone())),
            Job::Errand(key) => Some(Open::Errand(key.clone(), self.work.errands.get(key)?.clone())),
        }
    }

    fn tries(&self, job: &Job) -> Tries {
        self.tries.get(job).cloned().unwrap_or_default()
    }
}

impl OpenOrders {
    /// All orders at risk, those first whose facts are wanted longest.
    #[must_use]
    pub fn list(&self) -> Vec<OrderAtRisk> {
        let state = self.0.state();
        let at_risk = |key: OrderKey, order: &OpenOrder, tries: Tries, abandoned| OrderAtRisk {
            seller: key.seller,
            order_id: key.order_id,
            since: order.since,
            attempts: tries.attempts,
            reason: tries.reason,
            abandoned,
        };
        let open = state.work.orders.iter().map(|(key, order)| {
            let tries = state.tries(&key.clone().into());
            at_risk(key, order, tries, false)
        });
        let abandoned = state.work.orders.abandoned().map(|(key, abandoned)| {
            let tries = Tries { attempts: abandoned.attempts, reason: Some(abandoned.reason.clone()) };
            at_risk(key, &abandoned.order, tries, true)
        });
        let mut orders: Vec<OrderAtRisk> = open.chain(abandoned).collect();
        orders.sort_by_key(|order| order.since);
        orders
    }
}

impl OpenErrands {
    /// All errands that are not done, those first that are open longest.
    #[must_use]
    pub fn list(&self) -> Vec<ErrandAtRisk> {
        let state = self.0.state();
        let at_risk = |ErrandKey { license, errand }: ErrandKey, open: &OpenErrand, tries: Tries, abandoned| {
            let Tries { attempts, reason } = tries;
            ErrandAtRisk {
                seller: license.seller,
                license: license.id,
                errand,
                since: open.since,
                attempts,
                reason,
                abandoned,
            }
        };
        let open = state.work.errands.iter().map(|(key, errand)| {
            let tries = state.tries(&key.clone().into());
            at_risk(key, errand, tries, false)
        });
        let abandoned = state.work.errands.abandoned().map(|(key, abandoned)| {
            let tries = Tries { attempts: abandoned.attempts, reason: Some(abandoned.reason.clone()) };
            at_risk(key, &abandoned.errand, tries, true)
        });
        let mut errands: Vec<ErrandAtRisk> = open.chain(abandoned).collect();
        errands.sort_by_key(|errand| errand.since);
        errands
    }
}

impl Board {
    /// An empty board, whose counts these metrics show.
    #[must_use]
    pub fn new(metrics: ReactorMetrics) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), metrics }))
    }

    /// Tells which orders are open.
    #[must_use]
    pub fn orders(&self) -> OpenOrders {
        OpenOrders(self.clone())
    }

    /// Tells which errands for licenses are open.
    #[must_use]
    pub fn errands(&self) -> OpenErrands {
        OpenErrands(self.clone())
    }

    pub(crate) fn get(&self, job: &Job) -> Option<Open> {
        self.state().get(job)
    }

    /// All jobs that are open.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        let OpenWork { orders, errands } = &self.state().work;
        let orders = orders.iter().map(|(key, _)| Job::from(key));
        orders.chain(errands.iter().map(|(key, _)| Job::from(key))).collect()
    }

    /// Jobs that were given up, as they were open then.
    pub(crate) fn given_up(&self) -> Vec<Open> {
        let OpenWork { orders, errands } = &self.state().work;
        let orders = orders.abandoned().map(|(key, abandoned)| Open::Facts(key, abandoned.order.clone()));
        let errands = errands.abandoned().map(|(key, abandoned)| Open::Errand(key, abandoned.errand.clone()));
        orders.chain(errands).collect()
    }

    pub(crate) fn work(&self) -> OpenWork {
        self.state().work.clone()
    }

    /// Puts a state in place that was folded before.
    pub(crate) fn restore(&self, work: OpenWork) {
        let mut state = self.state();
        state.work = work;
        let sellers: BTreeSet<SellerId> =
            state.work.orders.sellers().chain(state.work.errands.sellers()).cloned().collect();
        sellers.iter().for_each(|seller| self.show_counts(&state, seller));
    }

    /// Takes records of the log up and tells which jobs they touched.
    pub(crate) fn apply(&self, records: &[Record]) -> Result<BTreeSet<Job>, DecodeError> {
        let mut state = self.state();
        let mut touched = BTreeSet::new();
        for record in records {
            touched.extend(state.work.apply(record)?);
        }
        touched.iter().for_each(|job| self.tidy(&mut state, job));
        Ok(touched)
    }

    /// An attempt failed. `was_asked` says whether the marketplace was asked at all.
    pub(crate) fn note_failure(&self, job: &Job, reason: String, was_asked: bool) {
        let mut state = self.state();
        if state.get(job).is_some() {
            let tries = state.tries.entry(job.clone()).or_default();
            tries.attempts += u32::from(was_asked);
            tries.reason = Some(reason);
        }
    }

    fn tidy(&self, state: &mut State, job: &Job) {
        if state.get(job).is_none() {
            state.tries.remove(job);
        }
        self.show_counts(state, job.seller());
    }

    fn show_counts(&self, state: &State, seller: &SellerId) {
        self.0.metrics.show_orders(seller, state.work.orders.counts(seller));
        self.0.metrics.show_errands(seller, state.work.errands.counts(seller));
    }

    // A panic while the state is held leaves it whole: each change is one insertion or removal.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
