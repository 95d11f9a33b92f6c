//! How long a batch waits for more.
//!
//! Those who were answered together often ask again together. If the first of them were sent off at once, all others would
//! wait for its commit and then for their own: two syncs of a disk where one does. So a batch waits until it is as large as
//! the one before, but only for a small part of the time that a commit takes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::timeout_at;

/// The part of a commit's time that may be waited.
const PART: u32 = 4;
/// The most that is waited.
const WAIT_MAX: Duration = Duration::from_millis(2);
/// What a timer can measure. For less than that, others are let go first so many times.
const TIMER_MIN: Duration = Duration::from_millis(1);
const TURNS: u32 = 64;

/// The batch before.
#[derive(Debug, Default)]
pub(super) struct Company {
    size: usize,
    took: Duration,
}

impl Company {
    /// A batch of so many has been served.
    pub(super) fn was(&mut self, size: usize, begun: Instant) {
        *self = Self { size, took: begun.elapsed() };
    }

    /// Waits until as many have come as before, or for a little.
    pub(super) async fn gather<T>(&self, come: &mut VecDeque<T>, more: &mut mpsc::Receiver<T>) {
        let wait = (self.took / PART).min(WAIT_MAX);
        let deadline = tokio::time::Instant::now() + wait;
        let mut turns = TURNS;
        while come.len() < self.size {
            if let Ok(next) = more.try_recv() {
                come.push_back(next);
            } else if wait >= TIMER_MIN {
                let Ok(Some(next)) = timeout_at(deadline, more.recv()).await else { return };
                come.push_back(next);
            } else if turns > 0 {
                turns -= 1;
                tokio::task::yield_now().await;
            } else {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What came together in a batch after one of three, where so many come later.
    async fn gathered(took: Duration, later: usize) -> usize {
        let company = Company { size: 3, took };
        let (sender, mut more) = mpsc::channel(8);
        tokio::spawn(async move {
            for n in 0..later {
                tokio::task::yield_now().await;
                sender.send(n).await.unwrap();
            }
            // Whoever waits for more does not wait for this.
            std::future::pending::<()>().await;
            drop(sender);
        });
        let mut come = VecDeque::from([0]);
        company.gather(&mut come, &mut more).await;
        come.len()
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_are_waited_for_as_came_before_and_not_for_long() {
        for took in [Duration::from_micros(300), Duration::from_millis(20)] {
            assert_eq!(gathered(took, 1).await, 2);
            assert_eq!(gathered(took, 2).await, 3);
            assert_eq!(gathered(took, 4).await, 3);
        }
    }

    #[tokio::test]
    async fn who_comes_alone_after_one_who_was_alone_does_not_wait() {
        let (_sender, mut more) = mpsc::channel(8);
        let mut company = Company::default();
        company.was(1, Instant::now());
        let mut come = VecDeque::from([0]);
        let gathering = company.gather(&mut come, &mut more);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::pin!(gathering).poll(&mut context).is_ready());
    }
}
