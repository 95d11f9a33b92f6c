//! Where the log ends, for those who wait for more.

use std::sync::Arc;

use tokio::sync::watch;

use crate::event_log::ReadError;
use crate::record::Position;

/// The position of the last event known to this process. Whoever appends advances it, and whoever sees that another process
/// has.
#[derive(Debug)]
pub(crate) struct Head(watch::Sender<State>);

#[derive(Debug, Clone)]
struct State {
    position: Position,
    is_closed: bool,
    /// Why nobody can see further now.
    away: Option<Arc<str>>,
}

impl Head {
    pub(crate) fn new(position: Position) -> Self {
        Self(watch::Sender::new(State { position, is_closed: false, away: None }))
    }

    /// Never goes back.
    pub(crate) fn advance(&self, position: Position) {
        self.0.send_if_modified(|state| {
            let is_further = position > state.position;
            state.position = state.position.max(position);
            is_further
        });
    }

    /// Nobody can see further, until [`is_back`](Self::is_back). Whoever waits is told.
    pub(crate) fn is_away(&self, reason: &str) {
        self.0.send_modify(|state| state.away = Some(reason.into()));
    }

    /// Whoever waits waits for events again.
    pub(crate) fn is_back(&self) {
        self.0.send_if_modified(|state| state.away.take().is_some());
    }

    /// Nobody will advance it any more.
    pub(crate) fn close(&self) {
        self.0.send_modify(|state| state.is_closed = true);
    }

    /// Waits until it is after a position.
    pub(crate) async fn passed(&self, position: Position) -> Result<(), ReadError> {
        let unavailable = |reason: &str| Err(ReadError::Unavailable { reason: reason.into() });
        let mut watched = self.0.subscribe();
        let may_end = |state: &State| state.position > position || state.is_closed || state.away.is_some();
        let Ok(state) = watched.wait_for(may_end).await.map(|state| state.clone()) else {
            return unavailable("the log is closed");
        };
        match state.away {
            _ if state.position > position => Ok(()),
            Some(reason) if !state.is_closed => unavailable(&reason),
            _ => unavailable("the log is closed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_is_told_when_nobody_can_see_further() {
        let head = Head::new(Position(3));
        head.passed(Position(2)).await.unwrap();
        head.is_away("the server is gone");
        assert!(head.passed(Position(3)).await.unwrap_err().to_string().contains("the server is gone"));
        head.passed(Position(2)).await.unwrap();
        head.is_back();
        head.advance(Position(4));
        head.passed(Position(3)).await.unwrap();
        head.close();
        assert!(head.passed(Position(4)).await.unwrap_err().to_string().contains("closed"));
    }
}
