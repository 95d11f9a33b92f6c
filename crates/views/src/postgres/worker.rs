//! A thread of its own for what goes on in the background of connections: whoever waits for an answer need not be part of
//! any runtime, and the last words of a process do not depend on one that is ending.

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::error::ViewsError;

pub(super) struct Worker {
    handle: Handle,
    /// Dropped, the thread ends.
    _running: oneshot::Sender<()>,
}

impl Worker {
    pub(super) fn start() -> Result<Self, ViewsError> {
        let failed = |source| ViewsError::Thread { source };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (running, ended) = oneshot::channel::<()>();
        let handle = runtime.handle().clone();
        let run = move || drop(runtime.block_on(ended));
        std::thread::Builder::new().name("views-postgres".into()).spawn(run).map_err(failed)?;
        Ok(Self { handle, _running: running })
    }

    /// Waits for work. Not for threads that run futures.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.handle.block_on(work)
    }
}
