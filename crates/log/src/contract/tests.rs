//! The suite notices a log that breaks its promises.

use super::*;
use crate::event_log::{AppendError, ReadError};
use crate::sqlite::testing::SqlitePlace;

#[derive(Clone, Copy)]
enum Fault {
    SkipsARecord,
    AcknowledgesWithoutStoring,
    StoresDespiteConflict,
}

struct BrokenPlace(SqlitePlace, Fault);

struct Broken(Arc<dyn EventLog>, Fault);

#[async_trait]
impl Place for BrokenPlace {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(Broken(self.0.open().await, self.1))
    }
}

#[async_trait]
impl EventLog for Broken {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        match (self.1, self.0.append(stream, expected, events.clone()).await) {
            (Fault::AcknowledgesWithoutStoring, Err(AppendError::Conflict { .. })) => {
                Ok(Appended { revision: Revision(0), position: Position(1) })
            }
            (Fault::StoresDespiteConflict, Err(AppendError::Conflict { current: Some(last), .. })) => {
                self.0.append(stream, Expected::Exact(last), events).await
            }
            (_, answer) => answer,
        }
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.0.read_stream(stream, from, limit).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let mut page = self.0.read_all(after, limit).await?;
        if matches!(self.1, Fault::SkipsARecord) {
            page.records.retain(|record| record.position.0 % 5 != 3);
        }
        Ok(page)
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.0.head().await
    }

    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        self.0.changed(after).await
    }
}

async fn fails(promise: impl Future<Output = ()> + Send + 'static) -> bool {
    tokio::spawn(promise).await.is_err_and(|error| error.is_panic())
}

#[tokio::test]
async fn the_suite_fails_an_engine_that_breaks_a_promise() {
    let broken = |fault| BrokenPlace(SqlitePlace::new(), fault);
    let place = broken(Fault::SkipsARecord);
    assert!(fails(async move { the_log_is_read_in_order_and_without_gaps(&place).await }).await);
    let place = broken(Fault::AcknowledgesWithoutStoring);
    assert!(fails(async move { racing_appends_have_one_winner_for_each_revision(&place).await }).await);
    let place = broken(Fault::StoresDespiteConflict);
    assert!(fails(async move { a_wrong_expectation_is_a_conflict_and_stores_nothing(&place).await }).await);
}
