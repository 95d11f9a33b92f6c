//! Knowing when the log has grown, by a subscription to `$all` that leaves out what is no record.
//!
//! The subscription lives on a thread of its own, because the client may spin in it ([`escape`]), and is
//! only a hint: whenever it has begun anew, and every few seconds anyway, the end of the log is read, which also tells when
//! a subscription has gone silent.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventstore::{Error, StreamPosition, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter};
use rand::Rng;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::address::Address;
use super::client::Clients;
use super::error::reason_of;
use super::escape::{self, Spun};
use super::form;
use super::reader::Reader;
use crate::record::Position;
use crate::wake::Head;

/// How often a subscription shows that its thread is alive, and is asked whether it is.
const BEAT: Duration = Duration::from_millis(500);

/// Beats that may fail to come before the thread is given up.
const BEATS_MISSED_MAX: u32 = 6;

/// How often the end of the log is read, whatever the subscription says.
const LOOK: Duration = Duration::from_secs(5);

/// The least and the most time between two subscriptions.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How long somebody waits at most for the log to grow before he looks himself: with a subscription, and without one.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(500));

/// What the subscription's thread and those who wait for it share.
pub(super) struct Watch {
    pub(super) head: Head,
    address: Address,
    thread: Mutex<Arc<Signs>>,
    /// A subscription has begun.
    has_begun: Notify,
    is_wanted: AtomicBool,
    closed: CancellationToken,
}

/// Signs of life of one thread.
#[derive(Default)]
struct Signs {
    beats: AtomicU64,
    is_live: AtomicBool,
    /// The last position that the subscription told.
    told: AtomicU64,
    given_up: CancellationToken,
}

impl Watch {
    pub(super) fn new(address: Address) -> Arc<Self> {
        Arc::new(Self {
            head: Head::new(Position::START),
            address,
            thread: Mutex::default(),
            has_begun: Notify::new(),
            is_wanted: AtomicBool::new(false),
            closed: CancellationToken::new(),
        })
    }

    /// Whether nobody has waited before. From then on the subscription is looked after: whoever never waits needs none.
    pub(super) fn is_first(&self) -> bool {
        !self.is_wanted.swap(true, Ordering::Relaxed)
    }

    /// How long somebody waits at most before he looks himself.
    pub(super) fn patience(&self) -> Duration {
        if self.signs().is_live.load(Ordering::Relaxed) { PATIENCE.0 } else { PATIENCE.1 }
    }

    /// Nobody watches any more.
    pub(super) fn close(&self) {
        self.closed.cancel();
        self.head.close();
    }

    fn signs(&self) -> Arc<Signs> {
        Arc::clone(&self.thread.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives a thread up and starts another. A thread that does not react is left behind: it ends when it is let go.
    fn replace_thread(self: &Arc<Self>) {
        let signs = Arc::new(Signs { given_up: self.closed.child_token(), ..Signs::default() });
        let old =
            std::mem::replace(&mut *self.thread.lock().unwrap_or_else(PoisonError::into_inner), Arc::clone(&signs));
        old.given_up.cancel();
        let watch = Arc::clone(self);
        let started = std::thread::Builder::new().name("log-subscription".into()).spawn(move || watch.run(&signs));
        if let Err(error) = started {
            tracing::error!(%error, "no thread for the subscription to the event log: its end is read every few seconds");
        }
    }

    /// Life of a thread: one subscription after another.
    fn run(&self, signs: &Arc<Signs>) {
        let mut pause = PAUSES.0;
        while !signs.given_up.is_cancelled() {
            let begun = Instant::now();
            let ended = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map(|runtime| escape::run(|| runtime.block_on(self.subscribe(signs, runtime.handle(), pause))));
            signs.is_live.store(false, Ordering::Relaxed);
            match ended {
                Ok(Ok(None)) => return,
                Ok(Ok(Some(error))) => {
                    tracing::debug!(reason = reason_of(&error), "the subscription to the event log failed");
                }
                Ok(Err(Spun)) => tracing::info!("the server ended the subscription to the event log; it is begun anew"),
                Err(error) => tracing::warn!(%error, "the subscription to the event log could not be begun"),
            }
            let was_long = begun.elapsed() > PAUSES.1 * 2;
            pause = if was_long { PAUSES.0 } else { (pause * 2).min(PAUSES.1) };
        }
    }

    /// Waits, subscribes from the end on, and tells until it fails. `None` when it is given up.
    async fn subscribe(&self, signs: &Arc<Signs>, runtime: &tokio::runtime::Handle, pause: Duration) -> Option<Error> {
        let clients = Clients::new(self.address.clone(), runtime.clone());
        let beating = Arc::clone(signs);
        runtime.spawn(async move {
            loop {
                beating.beats.fetch_add(1, Ordering::Relaxed);
                sleep(BEAT).await;
            }
        });
        let telling = async {
            sleep(pause.mul_f64(rand::rng().random_range(0.5..1.0))).await;
            self.tell(signs, &clients).await.err()
        };
        tokio::select! {
            () = signs.given_up.cancelled() => None,
            error = telling => error,
        }
    }

    async fn tell(&self, signs: &Signs, clients: &Clients) -> Result<(), Error> {
        let mut options = SubscribeToAllOptions::default()
            .position(StreamPosition::End)
            .filter(SubscriptionFilter::on_event_type().regex(form::RECORDS_REGEX))
            .requires_leader(true);
        if let Some(credentials) = &self.address.credentials {
            options = options.authenticated(credentials.clone());
        }
        let mut subscription = clients.get()?.client.subscribe_to_all(&options).await;
        loop {
            let event = subscription.next_subscription_event().await?;
            escape::heard();
            match event {
                SubscriptionEvent::Confirmed(_) => {
                    signs.is_live.store(true, Ordering::Relaxed);
                    self.has_begun.notify_one();
                }
                SubscriptionEvent::EventAppeared(event) => {
                    let position = event.get_original_event().position.commit;
                    signs.told.fetch_max(position, Ordering::Relaxed);
                    self.head.advance(Position(position));
                }
                SubscriptionEvent::Checkpoint(position) => {
                    signs.told.fetch_max(position.commit, Ordering::Relaxed);
                }
                _ => {}
            }
        }
    }
}

/// Looks after the subscription as long as the log is open.
pub(super) async fn look_after(watch: Arc<Watch>, reader: Arc<Reader>) {
    watch.replace_thread();
    let mut suspicion = Suspicion::default();
    let mut next_look = Instant::now() + LOOK;
    loop {
        let has_begun = tokio::select! {
            () = watch.closed.cancelled() => return,
            () = watch.has_begun.notified() => true,
            () = sleep(BEAT) => false,
        };
        let signs = watch.signs();
        let mut is_stuck = suspicion.misses_a_beat(signs.beats.load(Ordering::Relaxed));
        if has_begun || Instant::now() >= next_look {
            next_look = Instant::now() + LOOK;
            // If it cannot be read now, it is at the next look.
            if let Ok(Some(end)) = reader.head().await {
                watch.head.advance(end);
                if has_begun {
                    // A subscription does not tell what there was before it.
                    signs.told.fetch_max(end.0, Ordering::Relaxed);
                }
                let is_live = signs.is_live.load(Ordering::Relaxed);
                is_stuck |= suspicion.leaves_untold(signs.told.load(Ordering::Relaxed), end.0) && is_live;
            }
        }
        if is_stuck {
            tracing::warn!("the subscription to the event log is stuck; it is begun anew");
            suspicion = Suspicion::default();
            watch.replace_thread();
        }
    }
}

/// What is held against a thread.
#[derive(Debug, Default)]
struct Suspicion {
    beats: u64,
    missed: u32,
    /// Where the log ended at the last look, if that had not been told by then.
    untold: Option<u64>,
}

impl Suspicion {
    /// Whether too many beats in a row have failed to come.
    fn misses_a_beat(&mut self, beats: u64) -> bool {
        self.missed = if beats == self.beats { self.missed + 1 } else { 0 };
        self.beats = beats;
        self.missed >= BEATS_MISSED_MAX
    }

    /// Whether what the log had at the last look is untold at this one.
    fn leaves_untold(&mut self, told: u64, end: u64) -> bool {
        let is_silent = self.untold.is_some_and(|before| told < before);
        self.untold = (told < end).then_some(end);
        is_silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_without_a_beat_is_stuck() {
        let mut suspicion = Suspicion::default();
        assert!((1..20).all(|beats| !suspicion.misses_a_beat(beats)));
        let missed = (0..BEATS_MISSED_MAX).filter(|_| suspicion.misses_a_beat(19)).count();
        assert_eq!(missed, 1, "at the last of them");
        assert!(!suspicion.misses_a_beat(20));
    }

    #[test]
    fn a_subscription_may_be_late_but_not_silent() {
        let mut suspicion = Suspicion::default();
        assert!(!suspicion.leaves_untold(100, 100));
        assert!(!suspicion.leaves_untold(100, 200), "it may be on its way");
        assert!(!suspicion.leaves_untold(200, 300), "it was, and the next one may be too");
        assert!(suspicion.leaves_untold(200, 300));
        assert!(!suspicion.leaves_untold(300, 300));
    }
}
