//! Clients of the server, one after another.
//!
//! A client dies for good when its first connection fails, when it does not find a leader, or when the node that it has
//! chosen goes for ever. So whoever uses one says how it did, and a client in doubt is replaced by another, which looks for
//! the leader anew.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use eventstore::{Client, Error};
use rand::Rng;
use tokio::runtime::Handle;

use super::address::Address;

/// The least and the most time between two clients.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The current client of those who share it.
pub(super) struct Clients {
    address: Address,
    runtime: Handle,
    current: Mutex<Current>,
}

struct Current {
    client: Option<Client>,
    generation: u64,
    pause: Duration,
    replaced_at: Instant,
    answered_at: Instant,
}

/// A client, and which one it is.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) client: Client,
    pub(super) generation: u64,
}

impl Clients {
    /// Clients whose connections live on a runtime. None is made before it is needed.
    pub(super) fn new(address: Address, runtime: Handle) -> Self {
        let now = Instant::now();
        let current = Current { client: None, generation: 0, pause: PAUSES.0, replaced_at: now, answered_at: now };
        Self { address, runtime, current: Mutex::new(current) }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The threads that all connections live on.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Which client is the current one.
    pub(super) fn generation(&self) -> u64 {
        self.current().generation
    }

    /// The current client. It may not be connected, and not for long. Making one takes a while.
    pub(super) fn get(&self) -> Result<Held, Error> {
        let mut current = self.current();
        let generation = current.generation;
        if let Some(client) = &current.client {
            return Ok(Held { client: client.clone(), generation });
        }
        let client = Client::with_runtime_handle(self.runtime.clone(), self.address.settings.clone())?;
        current.replaced_at = Instant::now();
        current.client = Some(client.clone());
        Ok(Held { client, generation })
    }

    /// A client did what it was asked for.
    pub(super) fn is_good(&self, generation: u64) {
        let mut current = self.current();
        if current.generation == generation {
            current.pause = PAUSES.0;
            current.answered_at = Instant::now();
        }
    }

    /// A client gave no answer in time. It is in doubt only if it gave none to anybody: a server may be slow.
    pub(super) fn was_silent(&self, generation: u64, time: Duration) {
        if self.current().answered_at.elapsed() >= time {
            self.is_doubtful(generation);
        }
    }

    /// A client may be dead: the next one to ask gets another, unless the pause between two is not over.
    pub(super) fn is_doubtful(&self, generation: u64) {
        let mut current = self.current();
        if current.generation != generation || current.replaced_at.elapsed() < current.pause {
            return;
        }
        let with_jitter = rand::rng().random_range(1.5..2.5);
        current.pause = current.pause.mul_f64(with_jitter).min(PAUSES.1);
        current.client = None;
        current.generation += 1;
        tracing::debug!(generation = current.generation, "the client of the event log is replaced");
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
