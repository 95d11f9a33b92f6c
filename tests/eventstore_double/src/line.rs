//! Connections that can be cut.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

/// Cuts all connections there are. Later ones hold, until they are cut too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scissors {
    token: Arc<Mutex<CancellationToken>>,
    /// Whether packets are acknowledged when the system sees fit.
    has_lazy_acks: Arc<AtomicBool>,
}

impl Scissors {
    pub(crate) fn cut(&self) {
        std::mem::take(&mut *self.token()).cancel();
    }

    pub(crate) fn line(&self, stream: TcpStream) -> Line {
        let cut = Box::pin(self.token().clone().cancelled_owned());
        Line { stream, cut, has_lazy_acks: Arc::clone(&self.has_lazy_acks) }
    }

    pub(crate) fn set_lazy_acks(&self, are_lazy: bool) {
        self.has_lazy_acks.store(are_lazy, Ordering::Relaxed);
    }

    fn token(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection until it is cut: then both ways end, and what is under way arrives nowhere.
pub(crate) struct Line {
    stream: TcpStream,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    has_lazy_acks: Arc<AtomicBool>,
}

impl Line {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() && !self.has_lazy_acks.load(Ordering::Relaxed) {
            // Clients that leave Nagle's algorithm on send the second packet of a call when the first is acknowledged, which
            // takes 40 ms by itself: too long for tests that make thousands. Where it is not possible, they take longer.
            let _ = rustix::net::sockopt::set_tcp_quickack(&self.stream, true);
        }
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connected for Line {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}
