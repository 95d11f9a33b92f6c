//! One errand: getting the facts of one order, and taking them to whoever waits for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chopmark_commands::{CommandError, Commands};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{OrderLineId, SellerId};
use chopmark_domain::license;
use chopmark_domain::order::{self, Order, OrderRef};
use chopmark_domain::stream::LicenseKey;
use chopmark_huawei::open_api::{ErrorKind, OpenApiError};
use chopmark_log::Position;
use chopmark_log::progress::Progress;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::metrics::{ORDER_QUERY, ReactorMetrics};
use crate::open_orders::OpenOrders;
use crate::open_work::{OpenOrder, OrderKey};
use crate::patience::Patience;
use crate::source::{OrderSource, OrderSources};

/// Requests that one seller may have under way, of each kind: so many for orders never asked for, as many for those that
/// failed before. However many fail, those that are new have places of their own, which [`Patience::first_answer`] frees
/// soon where the marketplace hangs; and no seller waits for another.
const REQUESTS_OF_EACH: usize = 16;

/// How an errand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The order is no longer open.
    Done,
    /// The seller has no open API, so nothing more can be done about the order as it was then.
    Parked {
        /// [`OpenOrder::named_at`] then.
        named_at: Position,
    },
}

/// What all errands share.
pub(crate) struct Office {
    commands: Commands,
    desks: HashMap<SellerId, Desk>,
    orders: OpenOrders,
    progress: Progress,
    patience: Patience,
    metrics: ReactorMetrics,
    /// Sellers without an open API of whom that has been said.
    warned: Mutex<Vec<SellerId>>,
}

/// A seller's source with its places.
struct Desk {
    source: Arc<dyn OrderSource>,
    first: Semaphore,
    again: Semaphore,
}

/// Why an order is still open after an attempt.
enum Failure {
    /// The seller has no open API.
    NoSource,
    /// The marketplace did not tell.
    Untold(OpenApiError),
    /// The log did not take or give something, or the rules refused.
    Log(CommandError),
    /// Everything went well and the order is open nonetheless.
    Unchanged,
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Log(error)
    }
}

impl Failure {
    /// A first question that was cut short.
    fn late() -> OpenApiError {
        OpenApiError::new(ErrorKind::Transient, "no answer in the time of a first question")
    }

    fn refused(message: String) -> Self {
        Self::Untold(OpenApiError::new(ErrorKind::Refused, message))
    }

    /// Whether it may pass by itself.
    fn is_transient(&self) -> bool {
        match self {
            Self::Untold(error) => error.kind == ErrorKind::Transient,
            Self::Log(error) => !matches!(error, CommandError::Refused(_)),
            Self::NoSource | Self::Unchanged => false,
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::NoSource => "the seller has no open_api".into(),
            Self::Untold(error) => error.to_string(),
            Self::Log(error) => error.to_string(),
            Self::Unchanged => "the facts are known, and a license does not take them".into(),
        }
    }
}

/// What an errand remembers between attempts.
#[derive(Default)]
struct Memory {
    /// Failures in a row.
    failures: u32,
    /// Failures of the marketplace.
    untold: u32,
    /// The order's stream says so.
    is_delayed: bool,
}

impl Office {
    pub(crate) fn new(
        commands: Commands,
        sources: OrderSources,
        orders: OpenOrders,
        progress: Progress,
        patience: Patience,
        metrics: ReactorMetrics,
    ) -> Self {
        let desk =
            |source| Desk { source, first: Semaphore::new(REQUESTS_OF_EACH), again: Semaphore::new(REQUESTS_OF_EACH) };
        let desks = sources.into_iter().map(|(seller, source)| (seller, desk(source))).collect();
        Self { commands, desks, orders, progress, patience, metrics, warned: Mutex::default() }
    }

    /// Tries until the order is no longer open.
    pub(crate) async fn run_errand(&self, key: &OrderKey) -> Ended {
        let mut memory = Memory::default();
        while let Some(open) = self.orders.get(key) {
            match self.attempt(key, &open, &mut memory).await {
                Ok(()) => memory = Memory::default(),
                Err(Failure::NoSource) => {
                    self.warn_once(&key.seller);
                    return Ended::Parked { named_at: open.named_at };
                }
                Err(failure) => self.after(failure, key, &open, &mut memory).await,
            }
        }
        Ended::Done
    }

    /// Asks once for an order that was given up: what stood in the way may have been mended. Facts bring it back.
    pub(crate) async fn ask_once_more(&self, key: &OrderKey, given_up: &OpenOrder) {
        match self.attempt(key, given_up, &mut Memory::default()).await {
            Ok(()) => {
                tracing::info!(seller = %key.seller, order = %key.order_id, "facts of an order given up came after all");
            }
            Err(Failure::NoSource) => self.warn_once(&key.seller),
            Err(failure) => {
                let reason = failure.reason();
                tracing::warn!(seller = %key.seller, order = %key.order_id, reason, "an order given up was asked for once more in vain");
            }
        }
    }

    /// One attempt to close the order as it is open now. On success the fold has seen all of its effects.
    async fn attempt(&self, key: &OrderKey, open: &OpenOrder, memory: &mut Memory) -> Result<(), Failure> {
        let known = self.commands.read_order(&key.seller, &key.order_id).await?;
        memory.is_delayed = known.delayed;
        let is_known = |order: &Order| open.lines.keys().all(|line| order.facts.contains_key(line));
        let (order, recorded) = if is_known(&known) { (known, None) } else { self.ask(key, memory).await? };
        let delivered = self.deliver(key, open, &order).await?;
        if let Some(position) = delivered.max(recorded) {
            self.progress.reached(position).await;
        }
        if let Some(line) = open.lines.keys().find(|line| !order.facts.contains_key(line)) {
            return Err(Failure::refused(format!("the marketplace's answer has no line {line}")));
        }
        match self.orders.get(key) {
            Some(still) if still == *open => Err(Failure::Unchanged),
            _ => Ok(()),
        }
    }

    /// Asks the marketplace and records what it says.
    async fn ask(&self, key: &OrderKey, memory: &Memory) -> Result<(Order, Option<Position>), Failure> {
        let desk = self.desks.get(&key.seller).ok_or(Failure::NoSource)?;
        let has_failed = memory.untold > 0 || memory.is_delayed;
        let places = if has_failed { &desk.again } else { &desk.first };
        // Nobody closes these semaphores; an error would only mean no limit.
        let place = places.acquire().await.ok();
        let begun = Instant::now();
        let asked = desk.source.query_order(&key.order_id, self.commands.now());
        let answer = if has_failed {
            asked.await
        } else {
            timeout(self.patience.first_answer, asked).await.unwrap_or_else(|_| Err(Failure::late()))
        };
        drop(place);
        self.metrics.answered(&answer, begun.elapsed());
        let answer = answer.map_err(Failure::Untold)?;
        let record = order::Command::RecordFacts(answer.lines);
        let done = self.commands.order(&key.seller, &key.order_id, record, &cause(Some(answer.kept_json))).await?;
        Ok((done.state, done.position))
    }

    /// Takes the facts to every license that waits. One that does not take them keeps no other from it.
    async fn deliver(&self, key: &OrderKey, open: &OpenOrder, order: &Order) -> Result<Option<Position>, Failure> {
        let mut last = Ok(None);
        for (line, waiting) in &open.lines {
            let Some(facts) = order.facts.get(line) else { continue };
            for id in &waiting.licenses {
                let license = LicenseKey { seller: key.seller.clone(), id: id.clone() };
                let apply = license::Command::ApplyOrderFacts { order: order_ref(key, line), facts: facts.clone() };
                match self.commands.license(&license, apply, &cause(None)).await {
                    Ok(done) => last = last.map(|last: Option<Position>| last.max(done.position)),
                    Err(error) => last = Err(error.into()),
                }
            }
        }
        last
    }

    /// Says that an attempt failed, where it matters, and waits for the next.
    async fn after(&self, failure: Failure, key: &OrderKey, open: &OpenOrder, memory: &mut Memory) {
        memory.failures += 1;
        let was_asked = matches!(failure, Failure::Untold(_));
        let reason = failure.reason();
        if memory.failures == 1 {
            tracing::warn!(seller = %key.seller, order = %key.order_id, reason, "an order's facts are late; asking goes on");
        }
        self.orders.note_failure(key, reason.clone(), was_asked);
        if was_asked {
            memory.untold += 1;
            if self.must_give_up(open, memory) && self.abandon(key, reason.clone(), memory.untold).await {
                return;
            }
            if !memory.is_delayed {
                self.record_delay(key, reason).await;
            }
        }
        let backoff = if failure.is_transient() { self.patience.transient } else { self.patience.refused };
        tokio::time::sleep(backoff.delay(memory.failures, rand::random())).await;
    }

    fn must_give_up(&self, open: &OpenOrder, memory: &Memory) -> bool {
        let waited = self.commands.now() - open.since;
        waited >= self.patience.give_up_after && memory.untold >= self.patience.least_attempts
    }

    /// Puts on record that asking is over; false where it is not. An order that was given up before, and then named
    /// again, is not given up twice: it stays open, and asking goes on.
    async fn abandon(&self, key: &OrderKey, reason: String, attempts: u32) -> bool {
        let abandon = order::Command::Abandon { reason, attempts };
        match self.commands.order(&key.seller, &key.order_id, abandon, &cause(None)).await {
            Ok(done) => {
                let position = done.position.filter(|_| done.appended > 0);
                if let Some(position) = position {
                    tracing::error!(seller = %key.seller, order = %key.order_id, attempts, "an order's facts were given up");
                    self.progress.reached(position).await;
                }
                position.is_some()
            }
            Err(error) => {
                tracing::warn!(seller = %key.seller, order = %key.order_id, %error, "giving up could not be recorded");
                false
            }
        }
    }

    /// Puts on record that the facts are late. Where that fails, the next failure brings another occasion.
    async fn record_delay(&self, key: &OrderKey, reason: String) {
        let delay = order::Command::Delay(reason);
        if let Err(error) = self.commands.order(&key.seller, &key.order_id, delay, &cause(None)).await {
            tracing::warn!(seller = %key.seller, order = %key.order_id, %error, "the delay could not be recorded");
        }
    }

    fn warn_once(&self, seller: &SellerId) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !warned.contains(seller) {
            tracing::warn!(%seller, "the seller has no open_api: facts of its orders are not asked for and stay open");
            warned.push(seller.clone());
        }
    }
}

/// The answer goes with the order's event alone; whoever asks why a license has its terms finds it there.
fn cause(answer: Option<String>) -> Cause {
    Cause::OpenApi { api: ORDER_QUERY.into(), answer }
}

fn order_ref(key: &OrderKey, line: &OrderLineId) -> OrderRef {
    OrderRef { order_id: key.order_id.clone(), order_line_id: line.clone() }
}
