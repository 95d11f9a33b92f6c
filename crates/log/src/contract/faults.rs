//! A log that loses answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::event_log::{AppendError, EventLog, ReadError};
use crate::record::{Appended, Expected, NewEvent, Page, Position, Record, Revision, StreamName};

/// Passes everything on to another log, but loses answers on demand: the events are stored, and the caller is told
/// [`AppendError::Unknown`].
pub struct LosesAnswers {
    inner: Arc<dyn EventLog>,
    to_lose: AtomicUsize,
}

impl std::fmt::Debug for LosesAnswers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LosesAnswers").field("to_lose", &self.to_lose).finish_non_exhaustive()
    }
}

impl LosesAnswers {
    /// Loses none yet.
    #[must_use]
    pub fn new(inner: Arc<dyn EventLog>) -> Self {
        Self { inner, to_lose: AtomicUsize::new(0) }
    }

    /// Loses the next answers to appends, good and bad ones.
    pub fn lose_next(&self, answers: usize) {
        self.to_lose.store(answers, Ordering::SeqCst);
    }
}

#[async_trait]
impl EventLog for LosesAnswers {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let answer = self.inner.append(stream, expected, events).await;
        let is_lost = self.to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if is_lost { Err(AppendError::Unknown { reason: "the answer was lost".into() }) } else { answer }
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.inner.read_stream(stream, from, limit).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        self.inner.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.inner.head().await
    }

    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        self.inner.changed(after).await
    }
}
