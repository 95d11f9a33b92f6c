//! A line between a server and what it calls, that a test can cut.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// What comes goes on.
    Whole,
    /// Connections stay and are made, and nothing comes through.
    Silent,
    /// Connections are broken off.
    Cut,
}

/// Where a line leads.
#[derive(Debug)]
pub(crate) enum Target {
    Tcp(SocketAddr),
    Socket(PathBuf),
}

/// A proxy. It ends when it is dropped.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.state.send_replace(State::Cut);
        self.accepting.abort();
    }
}

impl Line {
    /// A line to an address.
    pub(crate) async fn to(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = watch::Sender::new(State::Whole);
        let accepting = tokio::spawn(accept(listener, target, state.subscribe()));
        Self { address, state, accepting }
    }

    /// From now on it is so.
    pub(crate) fn is(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn accept(listener: TcpListener, target: Target, state: watch::Receiver<State>) {
    while let Ok((caller, _)) = listener.accept().await {
        if *state.borrow() == State::Cut {
            continue;
        }
        match &target {
            Target::Tcp(address) => {
                if let Ok(called) = TcpStream::connect(address).await {
                    tokio::spawn(carry(caller, called, state.clone()));
                }
            }
            Target::Socket(path) => {
                if let Ok(called) = UnixStream::connect(path).await {
                    tokio::spawn(carry(caller, called, state.clone()));
                }
            }
        }
    }
}

async fn carry<T: AsyncRead + AsyncWrite>(caller: TcpStream, called: T, state: watch::Receiver<State>) {
    let (from_caller, to_caller) = tokio::io::split(caller);
    let (from_called, to_called) = tokio::io::split(called);
    let mut is_cut = state.clone();
    let both = async { tokio::join!(copy(from_caller, to_called, state.clone()), copy(from_called, to_caller, state)) };
    tokio::select! {
        _ = both => {}
        _ = is_cut.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn copy<T: AsyncRead, U: AsyncWrite>(
    mut from: ReadHalf<T>,
    mut to: WriteHalf<U>,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        if state.wait_for(|state| *state != State::Silent).await.is_err() {
            return Ok(());
        }
        to.write_all(&bytes[..read]).await?;
    }
}
