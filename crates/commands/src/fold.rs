//! Folding streams into the states that the rules decide on.

use chopmark_domain::access::{self, Access};
use chopmark_domain::catalog::{self, Catalog};
use chopmark_domain::cause::{Cause, Metadata};
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::hours::{self, Hours};
use chopmark_domain::license::{self, Standing};
use chopmark_domain::order::{self, Order};
use chopmark_domain::requests::{self, Requests};
use chopmark_domain::settlement::bill::event::{self as bill, KeptBill};
use chopmark_domain::settlement::month::{self, Month};
use chopmark_domain::settlement::transactions::{self, Transactions};
use chopmark_log::{Record, StreamName};

use crate::error::CommandError;

/// A state that is folded from one stream.
pub(crate) trait Fold: Default + Send {
    /// The events of that stream.
    type Event: StoredEvent + Send;

    /// Takes a stored event up.
    fn take(&mut self, event: &Self::Event, record: &Record) -> Result<(), CommandError>;

    /// Takes an event up that was just stored.
    fn take_new(&mut self, event: &Self::Event, cause: &Cause, at: chrono::DateTime<chrono::Utc>);

    /// Folds a whole stream.
    fn fold(stream: &StreamName, records: &[Record]) -> Result<Self, CommandError> {
        let mut state = Self::default();
        for record in records {
            let event = Self::Event::decode(&record.kind, &record.data)
                .map_err(|source| CommandError::Decode { stream: stream.clone(), source })?;
            state.take(&event, record)?;
        }
        Ok(state)
    }
}

impl Fold for Standing {
    type Event = license::Event;

    fn take(&mut self, event: &license::Event, record: &Record) -> Result<(), CommandError> {
        let metadata = metadata(record)?;
        self.evolve(event, &metadata.cause, record.recorded_at);
        self.remember(&metadata.answered, record.recorded_at);
        Ok(())
    }

    fn take_new(&mut self, event: &license::Event, cause: &Cause, at: chrono::DateTime<chrono::Utc>) {
        self.evolve(event, cause, at);
    }
}

/// What caused a stored event.
pub(crate) fn metadata(record: &Record) -> Result<Metadata, CommandError> {
    serde_json::from_slice(&record.metadata)
        .map_err(|error| CommandError::Metadata { stream: record.stream.clone(), reason: error.to_string() })
}

/// States that need no metadata.
macro_rules! plain_fold {
    ($state:ty, $event:ty) => {
        impl Fold for $state {
            type Event = $event;

            fn take(&mut self, event: &$event, _record: &Record) -> Result<(), CommandError> {
                self.evolve(event);
                Ok(())
            }

            fn take_new(&mut self, event: &$event, _cause: &Cause, _at: chrono::DateTime<chrono::Utc>) {
                self.evolve(event);
            }
        }
    };
}
impl Fold for Requests {
    type Event = requests::Event;

    fn take(&mut self, event: &requests::Event, record: &Record) -> Result<(), CommandError> {
        self.evolve(event, record.recorded_at);
        Ok(())
    }

    fn take_new(&mut self, event: &requests::Event, _cause: &Cause, at: chrono::DateTime<chrono::Utc>) {
        self.evolve(event, at);
    }
}

plain_fold!(Order, order::Event);
plain_fold!(Catalog, catalog::Event);
plain_fold!(Access, access::Event);
plain_fold!(Hours, hours::Event);
plain_fold!(KeptBill, bill::Event);
plain_fold!(Month, month::Event);
plain_fold!(Transactions, transactions::Event);
