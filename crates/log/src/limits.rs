//! What every engine takes at most.

use crate::event_log::AppendError;
use crate::record::NewEvent;

/// The most events of one append.
pub const EVENTS_MAX: usize = 1000;
/// The most bytes of data and metadata of one event: 8 MiB.
pub const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

pub(crate) fn check(events: &[NewEvent]) -> Result<(), AppendError> {
    let invalid = |reason| Err(AppendError::Invalid { reason });
    if events.is_empty() {
        return invalid("there are none".into());
    }
    if events.len() > EVENTS_MAX {
        return invalid(format!("{} at once; at most {EVENTS_MAX}", events.len()));
    }
    for event in events {
        let bytes = bytes(event);
        if bytes > EVENT_BYTES_MAX {
            return invalid(format!("event {} has {bytes} bytes; at most {EVENT_BYTES_MAX}", event.id));
        }
    }
    Ok(())
}

/// The bytes of an event's data and metadata.
pub(crate) fn bytes(event: &NewEvent) -> usize {
    event.data.len().saturating_add(event.metadata.len())
}
