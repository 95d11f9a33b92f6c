//! Where the log ends, for those who wait for more.

use tokio::sync::watch;

use crate::event_log::ReadError;
use crate::record::Position;

/// The position of the last event known to this process. The writer advances it after each commit, the housekeeper when it
/// sees events of another process.
#[derive(Debug)]
pub(super) struct Head(watch::Sender<State>);

#[derive(Debug, Clone, Copy)]
struct State {
    position: Position,
    is_closed: bool,
}

impl Head {
    pub(super) fn new(position: Position) -> Self {
        Self(watch::Sender::new(State { position, is_closed: false }))
    }

    /// Never goes back.
    pub(super) fn advance(&self, position: Position) {
        self.0.send_if_modified(|state| {
            let is_further = position > state.position;
            state.position = state.position.max(position);
            is_further
        });
    }

    /// Nobody will advance it any more.
    pub(super) fn close(&self) {
        self.0.send_modify(|state| state.is_closed = true);
    }

    /// Waits until it is after a position.
    pub(super) async fn passed(&self, position: Position) -> Result<(), ReadError> {
        let closed = || ReadError::Unavailable { reason: "the log is closed".into() };
        let mut watched = self.0.subscribe();
        let state = watched.wait_for(|state| state.position > position || state.is_closed).await;
        if state.map_err(|_| closed())?.position > position { Ok(()) } else { Err(closed()) }
    }
}
