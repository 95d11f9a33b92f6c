//! The event log: the only source of truth. It stores opaque records and knows no domain.

mod event_log;
mod record;

pub use event_log::{AppendError, EventLog, ReadError};
pub use record::{
    Appended, Expected, NewEvent, Page, Position, Record, Revision, STREAM_NAME_MAX, StreamName, StreamNameError,
};
