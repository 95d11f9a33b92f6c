//! The open work as the reactor's tasks share it and others see it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chopmark_domain::codec::DecodeError;
use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_log::Record;
use chrono::{DateTime, Utc};

use crate::metrics::ReactorMetrics;
use crate::open_work::{OpenOrder, OpenWork, OrderKey};

/// An order whose facts are not known although an event named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAtRisk {
    /// Whose order.
    pub seller: SellerId,
    /// Which.
    pub order_id: OrderId,
    /// Since when its facts are wanted, UTC.
    pub since: DateTime<Utc>,
    /// How often the marketplace was asked: since the start of this process, or in all where it was given up.
    pub attempts: u32,
    /// What went wrong the last time.
    pub reason: Option<String>,
    /// Asking was given up.
    pub abandoned: bool,
}

/// Tells which orders are open. Clones see the same reactor.
#[derive(Debug, Clone)]
pub struct OpenOrders(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    metrics: ReactorMetrics,
}

#[derive(Debug, Default)]
struct State {
    work: OpenWork,
    tries: HashMap<OrderKey, Tries>,
}

/// What this process remembers of an open order.
#[derive(Debug, Clone, Default)]
struct Tries {
    attempts: u32,
    reason: Option<String>,
}

impl OpenOrders {
    pub(crate) fn new(metrics: ReactorMetrics) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), metrics }))
    }

    /// All orders at risk, those first whose facts are wanted longest.
    #[must_use]
    pub fn list(&self) -> Vec<OrderAtRisk> {
        let state = self.state();
        let open = state.work.iter().map(|(key, order)| {
            let tries = state.tries.get(&key).cloned().unwrap_or_default();
            at_risk(key, order, tries, false)
        });
        let abandoned = state.work.abandoned().map(|(key, abandoned)| {
            let tries = Tries { attempts: abandoned.attempts, reason: Some(abandoned.reason.clone()) };
            at_risk(key, &abandoned.order, tries, true)
        });
        let mut orders: Vec<OrderAtRisk> = open.chain(abandoned).collect();
        orders.sort_by_key(|order| order.since);
        orders
    }

    pub(crate) fn get(&self, key: &OrderKey) -> Option<OpenOrder> {
        self.state().work.get(key).cloned()
    }

    pub(crate) fn keys(&self) -> Vec<OrderKey> {
        self.state().work.iter().map(|(key, _)| key).collect()
    }

    /// Orders that were given up, with everyone who waits.
    pub(crate) fn given_up(&self) -> Vec<(OrderKey, OpenOrder)> {
        self.state().work.abandoned().map(|(key, abandoned)| (key, abandoned.order.clone())).collect()
    }

    pub(crate) fn work(&self) -> OpenWork {
        self.state().work.clone()
    }

    /// Puts a state in place that was folded before.
    pub(crate) fn restore(&self, work: OpenWork) {
        let mut state = self.state();
        state.work = work;
        let sellers: Vec<SellerId> = state.work.sellers().cloned().collect();
        sellers.iter().for_each(|seller| self.show_counts(&state, seller));
    }

    /// Takes records of the log up and tells which orders they touched.
    pub(crate) fn apply(&self, records: &[Record]) -> Result<BTreeSet<OrderKey>, DecodeError> {
        let mut state = self.state();
        let mut touched = BTreeSet::new();
        for record in records {
            touched.extend(state.work.apply(record)?);
        }
        touched.iter().for_each(|key| self.tidy(&mut state, key));
        Ok(touched)
    }

    /// An attempt failed. `was_asked` says whether the marketplace was asked at all.
    pub(crate) fn note_failure(&self, key: &OrderKey, reason: String, was_asked: bool) {
        let mut state = self.state();
        if state.work.get(key).is_some() {
            let tries = state.tries.entry(key.clone()).or_default();
            tries.attempts += u32::from(was_asked);
            tries.reason = Some(reason);
        }
    }

    fn tidy(&self, state: &mut State, key: &OrderKey) {
        if state.work.get(key).is_none() {
            state.tries.remove(key);
        }
        self.show_counts(state, &key.seller);
    }

    fn show_counts(&self, state: &State, seller: &SellerId) {
        let (open, abandoned) = state.work.counts(seller);
        self.0.metrics.show_orders(seller, open, abandoned);
    }

    // A panic while the state is held leaves it whole: each change is one insertion or removal.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at_risk(key: OrderKey, order: &OpenOrder, tries: Tries, abandoned: bool) -> OrderAtRisk {
    OrderAtRisk {
        seller: key.seller,
        order_id: key.order_id,
        since: order.since,
        attempts: tries.attempts,
        reason: tries.reason,
        abandoned,
    }
}
