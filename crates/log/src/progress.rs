//! How far a reader of the log has come, for those who wait for it.

use tokio::sync::watch;

use crate::record::Position;

#[derive(Debug, Clone, Copy)]
struct State {
    position: Position,
    is_caught_up: bool,
    stands_still: bool,
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
    let (sender, receiver) =
        watch::channel(State { position: Position::START, is_caught_up: false, stands_still: false });
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

    /// The reader goes no further: the next record is not for it to read. It has come as far as it can, so it counts as
    /// caught up, and nobody has anything left to wait for.
    pub fn stand_still(&self) {
        self.0.send_modify(|state| {
            state.is_caught_up = true;
            state.stands_still = true;
        });
    }
}

impl Progress {
    /// How far it has come.
    #[must_use]
    pub fn position(&self) -> Position {
        self.0.borrow().position
    }

    /// Whether it has been at the head of the log once, or [stands still](ProgressWriter::stand_still) before it. Stays
    /// true from then on.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.0.borrow().is_caught_up
    }

    /// Whether it goes no further. Stays true from then on.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        self.0.borrow().stands_still
    }

    /// Waits until it has come to a position, and says whether it has: it will not if it stands still before. If the
    /// reader is gone before that, this waits for ever: give it a time limit. Dropping the future does no harm.
    pub async fn reached(&self, position: Position) -> bool {
        let mut watched = self.0.clone();
        let settled = watched.wait_for(|state| state.position >= position || state.stands_still).await;
        match settled.map(|state| state.position >= position).ok() {
            Some(has_reached) => has_reached,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn is_ready(waiting: std::pin::Pin<&mut impl Future<Output = bool>>) -> bool {
        waiting.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(true)
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
    fn a_reader_that_stands_still_is_waited_for_no_longer() {
        let (writer, progress) = progress();
        writer.advance(Position(2));
        let mut waiting = std::pin::pin!(progress.reached(Position(3)));
        assert!(!is_ready(waiting.as_mut()));
        assert!(!progress.stands_still());
        writer.stand_still();
        assert_eq!(waiting.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(false));
        assert!(is_ready(std::pin::pin!(progress.reached(Position(2)))), "what it has come to it has come to");
        assert!(progress.stands_still() && progress.is_caught_up());
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
