//! What runs beside the listeners, until the server stops.

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Tasks that are told to stop together.
pub(super) struct Background {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Background {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { stop: CancellationToken::new(), tasks: JoinSet::new() }
    }

    /// The same, told to stop by somebody else too.
    pub(super) fn under(stop: &CancellationToken) -> Self {
        Self { stop: stop.child_token(), tasks: JoinSet::new() }
    }

    /// Begins a task, which ends soon after it is told to.
    pub(super) fn run<F: Future<Output = ()> + Send + 'static>(&mut self, task: impl FnOnce(CancellationToken) -> F) {
        self.tasks.spawn(task(self.stop.clone()));
    }

    /// Waits until a task crashes; one that ends has come as far as this version can, and has said so.
    pub(super) async fn crashed(&mut self) -> JoinError {
        loop {
            match self.tasks.join_next().await {
                Some(Err(crash)) => return crash,
                Some(Ok(())) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Tells all to stop, and waits until they have.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task in the background ended badly");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_crashes_is_noticed_and_one_that_ends_is_not() {
        let mut background = Background::new();
        background.run(|_| async {});
        background.run(|_| async {
            tokio::task::yield_now().await;
            std::panic::resume_unwind(Box::new("a mistake of ours"));
        });
        assert!(background.crashed().await.is_panic());
        background.stop().await;
    }

    #[tokio::test]
    async fn tasks_under_a_token_stop_with_it() {
        let stop = CancellationToken::new();
        let mut background = Background::under(&stop);
        background.run(|stop| async move { stop.cancelled().await });
        stop.cancel();
        while background.tasks.join_next().await.is_some() {}
    }
}
