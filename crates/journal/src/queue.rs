//! Deliveries that wait for the writer. Those who record must not wait for a disk, nor wake the writer each time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::delivery::Delivery;

/// How long the writer lets deliveries gather once the first has come: one transaction instead of many.
const GATHER: Duration = Duration::from_millis(10);

/// Enough for a transaction; the writer gathers no longer.
const BATCH: usize = 1024;

pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    max: usize,
    strangers_max: usize,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    deliveries: Vec<Delivery>,
    strangers: usize,
    /// How many were ever queued.
    queued: u64,
    /// Somebody waits for the writer.
    is_urgent: bool,
    is_closed: bool,
}

impl Queue {
    pub(crate) fn new(max: usize, strangers_max: usize) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), max, strangers_max, dropped: AtomicU64::new(0) }
    }

    /// Takes a delivery, or drops it: if there is no room, or if it is one of more strangers than are kept anyway.
    pub(crate) fn push(&self, delivery: Delivery) {
        let mut waiting = self.lock();
        let is_flood = !delivery.authenticated && waiting.strangers >= self.strangers_max;
        if is_flood || waiting.deliveries.len() >= self.max || waiting.is_closed {
            drop(waiting);
            return self.count_dropped(1);
        }
        waiting.strangers += usize::from(!delivery.authenticated);
        waiting.queued += 1;
        waiting.deliveries.push(delivery);
        let length = waiting.deliveries.len();
        drop(waiting);
        if length == 1 || length == BATCH {
            self.changed.notify_one();
        }
    }

    /// How many were queued so far; the writer does not let them wait.
    pub(crate) fn hurry(&self) -> u64 {
        let mut waiting = self.lock();
        waiting.is_urgent = true;
        let queued = waiting.queued;
        drop(waiting);
        self.changed.notify_one();
        queued
    }

    /// Takes no more; what waits will still be written.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits for deliveries and gives them with how many were ever queued, these included. `None` at the end.
    pub(crate) fn take(&self, mut emptied: Vec<Delivery>) -> Option<(Vec<Delivery>, u64)> {
        emptied.clear();
        let is_idle = |waiting: &mut Waiting| waiting.deliveries.is_empty() && !waiting.is_urgent && !waiting.is_closed;
        let gathers =
            |waiting: &mut Waiting| waiting.deliveries.len() < BATCH && !waiting.is_urgent && !waiting.is_closed;
        let waiting = self.changed.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, _) =
            self.changed.wait_timeout_while(waiting, GATHER, gathers).unwrap_or_else(PoisonError::into_inner);
        if waiting.is_closed && waiting.deliveries.is_empty() {
            return None;
        }
        waiting.is_urgent = false;
        waiting.strangers = 0;
        Some((std::mem::replace(&mut waiting.deliveries, emptied), waiting.queued))
    }

    pub(crate) fn count_dropped(&self, deliveries: u64) {
        self.dropped.fetch_add(deliveries, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(authenticated: bool) -> Delivery {
        Delivery {
            at: chrono::DateTime::UNIX_EPOCH,
            seller: "acme".into(),
            activity: None,
            test: false,
            authenticated,
            subject: None,
            order: None,
            order_line: None,
            result_code: "000000".into(),
            reason: None,
            millis: 1.0,
            remote: None,
            body: String::new(),
            answer: String::new(),
        }
    }

    #[test]
    fn a_full_queue_drops_and_strangers_never_fill_it() {
        let queue = Queue::new(10, 3);
        (0..8).for_each(|_| queue.push(delivery(false)));
        assert_eq!(queue.dropped(), 5, "no more strangers at once than are kept");
        (0..8).for_each(|_| queue.push(delivery(true)));
        assert_eq!(queue.dropped(), 6);
        queue.hurry();
        let (taken, queued) = queue.take(vec![]).unwrap();
        assert_eq!((taken.len(), queued), (10, 10));
        queue.push(delivery(false));
        assert_eq!(queue.dropped(), 6, "there is room again");
    }

    #[test]
    fn a_closed_queue_gives_what_it_holds_and_takes_no_more() {
        let queue = Queue::new(10, 3);
        queue.push(delivery(true));
        queue.close();
        queue.push(delivery(true));
        assert_eq!(queue.take(vec![]).unwrap().0.len(), 1);
        assert!(queue.take(vec![]).is_none());
        assert_eq!(queue.dropped(), 1);
    }
}
