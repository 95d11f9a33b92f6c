//! The right to do what only one process may do at a time.

use std::any::Any;
use std::fmt;

use tokio::sync::watch;

/// Held by one process of all that share a log, until it is lost or dropped: [`Engine::lead`](crate::Engine::lead).
///
/// Whoever holds it stops what it does when it is [`lost`](Self::lost). For a moment another may already have begun, so
/// what is done under it must do no harm when it is done twice.
pub struct Leadership {
    lost: watch::Receiver<bool>,
    /// Gives the right back when it is dropped.
    _held: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership").field("is_lost", &*self.lost.borrow()).finish_non_exhaustive()
    }
}

impl Leadership {
    /// The right, given back when `held` is dropped. `lost` turns true, or its sender goes, when it may be somebody
    /// else's.
    #[must_use]
    pub fn new(held: impl Any + Send + Sync, lost: watch::Receiver<bool>) -> Self {
        Self { lost, _held: Box::new(held) }
    }

    /// Waits until the right may be somebody else's. Dropping the future does no harm.
    pub async fn lost(&self) {
        // An error says that nobody looks after it any more.
        let _ = self.lost.clone().wait_for(|is_lost| *is_lost).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn is_lost(leadership: &Leadership) -> bool {
        std::pin::pin!(leadership.lost()).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn it_is_held_until_it_is_lost() {
        let (sender, receiver) = watch::channel(false);
        let leadership = Leadership::new((), receiver);
        assert!(!is_lost(&leadership));
        sender.send_replace(true);
        assert!(is_lost(&leadership));
    }

    #[test]
    fn it_is_lost_when_nobody_looks_after_it() {
        let (sender, receiver) = watch::channel(false);
        let leadership = Leadership::new((), receiver);
        drop(sender);
        assert!(is_lost(&leadership));
    }

    #[test]
    fn dropping_it_gives_it_back() {
        let held = Arc::new(());
        let (_sender, receiver) = watch::channel(false);
        let leadership = Leadership::new(Arc::clone(&held), receiver);
        drop(leadership);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
