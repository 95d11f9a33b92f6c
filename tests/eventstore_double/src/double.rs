//! Starting a double, stopping it, starting it again.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::runtime::Runtime;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

use crate::faults::Faults;
use crate::line::Scissors;
use crate::protocol::event_store::client::gossip::gossip_server::GossipServer;
use crate::protocol::event_store::client::server_features::server_features_server::ServerFeaturesServer;
use crate::protocol::event_store::client::streams::streams_server::StreamsServer;
use crate::service::{Service, Shared};
use crate::store::Store;

/// How long a double that is stopped may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The most bytes of one message: more than an append may have, so that the append is refused and not the message.
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How a double is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 is any that is free, and the same one when it is started again.
    pub listen: SocketAddr,
    /// Its file. It is made where there is none, and several doubles may share one, as nodes of a cluster do.
    pub data: PathBuf,
    /// `NAME:PASSWORD` that calls must show, if any.
    pub user: Option<String>,
}

/// A running double. It stops when it is dropped, and its file stays.
#[derive(Debug)]
pub struct Double {
    options: Options,
    faults: Arc<Faults>,
    scissors: Scissors,
    running: Option<Runtime>,
}

impl Double {
    /// Starts a double.
    ///
    /// # Errors
    /// The address or the file cannot be used.
    pub fn start(options: Options) -> io::Result<Self> {
        let scissors = Scissors::default();
        let faults = Arc::new(Faults::new(scissors.clone()));
        let mut double = Self { options, faults, scissors, running: None };
        double.start_again()?;
        Ok(double)
    }

    /// Starts it again at the same address, with the same file and faults.
    ///
    /// # Errors
    /// The address or the file cannot be used.
    pub fn start_again(&mut self) -> io::Result<()> {
        self.stop();
        let listener = TcpListener::bind(self.options.listen)?;
        listener.set_nonblocking(true)?;
        self.options.listen = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (started, is_started) = std::sync::mpsc::channel();
        let (options, faults, scissors) = (self.options.clone(), Arc::clone(&self.faults), self.scissors.clone());
        runtime.spawn(async move {
            match Store::open(&options.data).await {
                Ok(store) => {
                    // Fails only if nobody waits for it.
                    let _ = started.send(Ok(()));
                    serve(listener, store, faults, scissors, options).await;
                }
                Err(error) => drop(started.send(Err(error))),
            }
        });
        let started = is_started.recv().map_err(io::Error::other)?;
        self.running = Some(runtime);
        started.map_err(io::Error::other)
    }

    /// Stops it at once: connections are cut, and calls are refused.
    pub fn stop(&mut self) {
        self.scissors.cut();
        if let Some(runtime) = self.running.take() {
            // On a thread of its own, because a runtime must not end inside another one. It cannot panic.
            let _ = std::thread::spawn(move || runtime.shutdown_timeout(STOP_TIMEOUT)).join();
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.options.listen
    }

    /// The connection string of its clients.
    #[must_use]
    pub fn url(&self) -> String {
        let user = self.options.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        format!("esdb://{user}{}?tls=false", self.options.listen)
    }

    /// How many subscriptions it serves now.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.faults.subscriptions()
    }

    /// Switches faults: [`COMMANDS`](crate::COMMANDS).
    ///
    /// # Errors
    /// There is no such command; the text says which there are.
    pub fn tell(&self, command: &str) -> Result<(), String> {
        self.faults.obey(command)
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn serve(listener: TcpListener, store: Store, faults: Arc<Faults>, scissors: Scissors, options: Options) {
    let authorization = options.user.map(|user| format!("Basic {}", STANDARD.encode(user)));
    let (host, port) = (options.listen.ip().to_string(), options.listen.port());
    let service = Service(Arc::new(Shared { store, faults, authorization, host, port }));
    // Both fail only where the system has nothing left to give, and then nobody can connect, which tests notice.
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let lines = TcpListenerStream::new(listener).map(move |stream| {
        let stream = stream?;
        stream.set_nodelay(true)?;
        io::Result::Ok(scissors.line(stream))
    });
    let _ = Server::builder()
        .add_service(StreamsServer::new(service.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX))
        .add_service(ServerFeaturesServer::new(service.clone()))
        .add_service(GossipServer::new(service))
        .serve_with_incoming(lines)
        .await;
}
