//! The one task that appends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chopmark_postgres::timely;
use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};

use super::batch::{self, Failed};
use super::company::Company;
use super::link::{Link, Linked};
use crate::batch::{Committed, Outcome, Size, Wish};
use crate::metrics::LogMetrics;
use crate::record::{Expected, NewEvent, StreamName};
use crate::trouble::Trouble;
use crate::wake::Head;

/// How long the writer waits for one batch. The server gives up a little earlier, and then nothing was stored.
const BATCH_TIMEOUT: Duration = Duration::from_millis(2_800);

/// Between two attempts to reach the server.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Message {
    Append(Request),
    /// Take no more appends, finish those that wait, end.
    Close,
}

/// One append that waits.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) stream: StreamName,
    pub(super) expected: Expected,
    pub(super) events: Vec<NewEvent>,
    pub(super) claim: Arc<Claim>,
    pub(super) answer: oneshot::Sender<Outcome>,
}

/// Who has the last word on an append that waits: the writer, who then sends it, or who asked for it and does not wait any
/// longer, so that it is never sent.
#[derive(Debug, Default)]
pub(super) struct Claim(AtomicBool);

impl Claim {
    /// Whether whoever calls this is the first.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The writer's belongings.
pub(super) struct Writer {
    pub(super) link: Link,
    pub(super) requests: mpsc::Receiver<Message>,
    /// Who was taken from the queue and is not served yet.
    pub(super) come: VecDeque<Message>,
    pub(super) head: Arc<Head>,
    pub(super) metrics: LogMetrics,
    pub(super) clock: fn() -> DateTime<Utc>,
    pub(super) trouble: Trouble,
    pub(super) company: Company,
}

impl Writer {
    /// Serves until the log is closed or dropped, and everything that waited is answered.
    pub(super) async fn run(mut self) {
        while self.somebody_comes().await {
            // Nobody's append is claimed before there is a server to send it to: until then, whoever gives up waiting can be
            // told that nothing was stored.
            match self.link.get().await {
                Ok(linked) => {
                    self.company.gather(&mut self.come, &mut self.requests).await;
                    let batch = self.batch();
                    if !batch.is_empty() {
                        let (size, begun) = (batch.len(), Instant::now());
                        self.serve(&linked, batch).await;
                        self.company.was(size, begun);
                    }
                }
                Err(error) => {
                    let batch = self.batch();
                    self.refuse(batch, &Failed::NotStored(error.to_string()));
                    tokio::time::sleep(RETRY_EVERY).await;
                }
            }
        }
    }

    /// Waits until there is something to do. False when there will be nothing more.
    async fn somebody_comes(&mut self) -> bool {
        if self.come.is_empty() {
            self.come.extend(self.requests.recv().await);
        }
        !self.come.is_empty()
    }

    /// Takes those who have come, and all others that wait, up to the limits of a batch.
    fn batch(&mut self) -> Vec<Request> {
        let mut batch = Vec::new();
        let mut size = Size::default();
        while size.has_room() {
            match self.come.pop_front().or_else(|| self.requests.try_recv().ok()) {
                Some(Message::Close) => self.requests.close(),
                Some(Message::Append(request)) if request.claim.take() => {
                    size.add(&request.events);
                    batch.push(request);
                }
                Some(Message::Append(_)) => {}
                None => break,
            }
        }
        batch
    }

    async fn serve(&mut self, linked: &Arc<Linked>, batch: Vec<Request>) {
        match self.commit(linked, &batch).await {
            Ok(committed) => {
                self.head.advance(committed.head);
                if committed.events > 0 {
                    self.trouble.is_over();
                    self.metrics.batch_events.observe(committed.events as f64);
                }
                for (request, outcome) in batch.into_iter().zip(committed.outcomes) {
                    // Fails only if the caller did not wait for it.
                    let _ = request.answer.send(outcome);
                }
            }
            Err(failed) => {
                // A server that refuses may be one that takes no writes any more: the next batch asks anew who does.
                self.link.lost(linked).await;
                self.refuse(batch, &failed);
            }
        }
    }

    async fn commit(&self, linked: &Linked, batch: &[Request]) -> Result<Committed, Failed> {
        let wishes: Vec<_> = batch
            .iter()
            .map(|request| Wish { stream: &request.stream, expected: request.expected, events: &request.events })
            .collect();
        let committing = batch::commit(linked, &wishes, (self.clock)().timestamp_micros());
        timely(BATCH_TIMEOUT, committing).await.map_err(|error| Failed::of(&error))
    }

    fn refuse(&mut self, batch: Vec<Request>, failed: &Failed) {
        self.trouble.failed(failed, batch.len(), Instant::now());
        for request in batch {
            let _ = request.answer.send(Err(failed.to_append_error()));
        }
    }
}
