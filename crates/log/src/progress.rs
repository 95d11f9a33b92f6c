//! How far a reader of the log has come, for those who wait for it.

use tokio::sync::watch;

use crate::record::Position;

#[derive(Debug, Clone, Copy)]
struct State {
    position: Position,
    is_caught_up: bool,
}

/// The end that moves. There is one.
#[derive(Debug)]
pub struct ProgressWriter(watch::Sender<State>);

/// The end that watches. Clones watch the same reader.
#[derive(Debug, Clone)]
pub struct Progress(watch::Receiver<State>);

/// A pair that stands at [`Position::START`] and has not caught up.
#[must_use]
pub fn progress() -> (ProgressWriter, Progress) {
    let (sender, receiver) = watch::channel(State { position: Position::START, is_caught_up: false });
    (ProgressWriter(sender), Progress(receiver))
}

impl ProgressWriter {
    /// Everything up to a position has been applied. Never goes back.
    pub fn advance(&self, position: Position) {
        self.0.send_if_modified(|state| {
            let is_further = position > state.position;
            state.position = state.position.max(position);
            is_further
        });
    }

    /// The reader has been at the head of the log once.
    pub fn caught_up(&self) {
        self.0.send_if_modified(|state| !std::mem::replace(&mut state.is_caught_up, true));
    }
}

impl Progress {
    /// How far it has come.
    #[must_use]
    pub fn position(&self) -> Position {
        self.0.borrow().position
    }

    /// Whether it has been at the head of the log once. Stays true from then on.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.0.borrow().is_caught_up
    }

    /// Waits until it has come to a position. If the reader is gone before that, this waits for ever: give it a time
    /// limit. Dropping the future does no harm.
    pub async fn reached(&self, position: Position) {
        let mut watched = self.0.clone();
        if watched.wait_for(|state| state.position >= position).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn is_ready(waiting: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        waiting.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn reached_resolves_at_its_position_and_not_before() {
        let (writer, progress) = progress();
        let mut waiting = std::pin::pin!(progress.reached(Position(3)));
        assert!(!is_ready(waiting.as_mut()));
        writer.advance(Position(2));
        assert!(!is_ready(waiting.as_mut()));
        writer.caught_up();
        assert!(!is_ready(waiting.as_mut()));
        writer.advance(Position(7));
        assert!(is_ready(waiting.as_mut()));
        assert!(is_ready(std::pin::pin!(progress.reached(Position(7)))));
    }

    #[test]
    fn reached_does_not_resolve_because_the_reader_is_gone() {
        let (writer, progress) = progress();
        writer.advance(Position(2));
        drop(writer);
        assert!(!is_ready(std::pin::pin!(progress.reached(Position(3)))));
        assert!(is_ready(std::pin::pin!(progress.reached(Position(2)))));
    }

    #[test]
    fn positions_never_go_back_and_caught_up_stays() {
        let (writer, progress) = progress();
        writer.advance(Position(5));
        writer.advance(Position(4));
        assert_eq!(progress.position(), Position(5));
        assert!(!progress.is_caught_up());
        writer.caught_up();
        writer.advance(Position(6));
        assert!(progress.is_caught_up());
    }
}
