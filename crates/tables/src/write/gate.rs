//! Keeps an abandoned workbook abandoned. `ZipWriter` completes its archive when it is dropped, whatever came before: that
//! would make a cut-off table look whole, and complain on standard error if it fails.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Lets bytes through until it is shut, by a failure or by its [`Keeper`]; then they are gone.
#[derive(Debug)]
pub(super) struct Gate<W> {
    inner: W,
    shut: Arc<AtomicBool>,
}

/// Shuts a gate when it is dropped.
#[derive(Debug)]
pub(super) struct Keeper(Arc<AtomicBool>);

impl<W> Gate<W> {
    pub(super) fn before(inner: W) -> (Self, Keeper) {
        let shut = Arc::new(AtomicBool::new(false));
        (Self { inner, shut: Arc::clone(&shut) }, Keeper(shut))
    }

    pub(super) fn into_inner(self) -> W {
        self.inner
    }

    /// What came of a write, which shuts the gate if it failed.
    fn passed<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
            self.shut.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl<W: Write> Write for Gate<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.shut.load(Ordering::Relaxed) {
            return Ok(bytes.len());
        }
        let result = self.inner.write(bytes);
        self.passed(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.shut.load(Ordering::Relaxed) {
            return Ok(());
        }
        let result = self.inner.flush();
        self.passed(result)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
