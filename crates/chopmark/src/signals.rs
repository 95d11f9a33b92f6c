//! Being asked to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Failure, OrFail, Reason};

/// SIGTERM and SIGINT, which from now on end the process only when the command says so.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Begins to listen for them.
    ///
    /// # Errors
    /// The system does not let this process listen.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).or_fail(Reason::Storage, "listening for signals", "run chopmark on a Unix");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
