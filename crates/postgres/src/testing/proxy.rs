//! A way to a server that can be cut, stopped, and robbed of answers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// What happens to what goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Connections stay, and nothing arrives.
    Stalled,
    /// Every connection is closed at once.
    Cut,
}

/// A port on this machine behind which the server is. It goes when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    rest_of_url: String,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    way: watch::Sender<Way>,
    /// The next answer to something that holds these bytes is lost, and the connection with it.
    to_lose: Mutex<Option<Vec<u8>>>,
}

/// Where a server is.
#[derive(Debug, Clone)]
enum Target {
    Port(String, u16),
    Socket(PathBuf),
}

impl Proxy {
    /// Opens a port that leads to the server of a URL.
    ///
    /// # Errors
    /// The URL names no server, or no port can be opened.
    pub async fn to(url: &str) -> Result<Self, String> {
        let target = Target::of(url)?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let shared = Arc::new(Shared { way: watch::Sender::new(Way::Open), to_lose: Mutex::default() });
        let accepting = tokio::spawn(accept(listener, target, Arc::clone(&shared))).abort_handle();
        let (_, after_host) = url.rsplit_once('@').unwrap_or_default();
        let rest_of_url = after_host.split_once('/').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        Ok(Self { address, rest_of_url, shared, accepting })
    }

    /// The server's URL by this way, for the user `postgres` without a password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/{}", self.address, self.rest_of_url)
    }

    /// Closes every connection, and each new one at once, until it is opened again.
    pub fn cut(&self) {
        self.shared.way.send_replace(Way::Cut);
    }

    /// Lets nothing through any more, in neither direction, without closing anything.
    pub fn stall(&self) {
        self.shared.way.send_replace(Way::Stalled);
    }

    /// Lets everything through again, what waited first.
    pub fn open(&self) {
        self.shared.way.send_replace(Way::Open);
    }

    /// Once something that holds `marker` has reached the server and been answered, the answer is thrown away and the
    /// connection closed. That happens once.
    pub fn lose_answer_to(&self, marker: &str) {
        *self.shared.to_lose.lock().unwrap_or_else(PoisonError::into_inner) = Some(marker.into());
    }

    /// Whether that has happened.
    #[must_use]
    pub fn has_lost_it(&self) -> bool {
        self.shared.to_lose.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Target {
    fn of(url: &str) -> Result<Self, String> {
        let config: Config = url.parse().map_err(|error: tokio_postgres::Error| error.to_string())?;
        let port = config.get_ports().first().copied().unwrap_or(5432);
        match config.get_hosts().first() {
            Some(Host::Tcp(name)) => Ok(Self::Port(name.clone(), port)),
            Some(Host::Unix(folder)) => Ok(Self::Socket(folder.join(format!(".s.PGSQL.{port}")))),
            None => Err("the URL names no host".into()),
        }
    }
}

async fn accept(listener: TcpListener, target: Target, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (target, shared) = (target.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            let mut way = shared.way.subscribe();
            tokio::select! {
                _ = way.wait_for(|way| *way == Way::Cut) => {}
                () = carry(client, target, &shared) => {}
            }
        });
    }
}

/// Carries bytes both ways until one end closes.
async fn carry(client: TcpStream, target: Target, shared: &Shared) {
    let (from_client, to_client) = client.into_split();
    match target {
        Target::Port(name, port) => {
            let Ok(server) = TcpStream::connect((name.as_str(), port)).await else { return };
            let (from_server, to_server) = server.into_split();
            between((from_client, to_client), (from_server, to_server), shared).await;
        }
        Target::Socket(path) => {
            let Ok(server) = UnixStream::connect(path).await else { return };
            let (from_server, to_server) = server.into_split();
            between((from_client, to_client), (from_server, to_server), shared).await;
        }
    }
}

async fn between(
    (from_client, to_client): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    (from_server, to_server): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    shared: &Shared,
) {
    // What the client said since the server last answered.
    let said = Mutex::new(Vec::new());
    let said = &said;
    let ask = pass(from_client, to_server, shared, |bytes| {
        said.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        true
    });
    let answer = pass(from_server, to_client, shared, |_| {
        let said = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
        !is_to_be_lost(shared, &said)
    });
    tokio::select! {
        () = ask => {}
        () = answer => {}
    }
}

fn is_to_be_lost(shared: &Shared, said: &[u8]) -> bool {
    let mut to_lose = shared.to_lose.lock().unwrap_or_else(PoisonError::into_inner);
    let holds = |marker: &Vec<u8>| said.windows(marker.len().max(1)).any(|part| part == marker.as_slice());
    let is_it = to_lose.as_ref().is_some_and(holds);
    if is_it {
        *to_lose = None;
    }
    is_it
}

/// Passes bytes on while they may be.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
    mut may_pass: impl FnMut(&[u8]) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut way = shared.way.subscribe();
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer.get(..length).unwrap_or_default();
        if way.wait_for(|way| *way == Way::Open).await.is_err()
            || !may_pass(bytes)
            || to.write_all(bytes).await.is_err()
        {
            return;
        }
    }
}
