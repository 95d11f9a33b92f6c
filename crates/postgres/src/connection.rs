//! Connections, and what they hear.

use std::future::poll_fn;

use futures_util::future::{BoxFuture, FutureExt, select_ok};
use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};

use crate::address::Address;
use crate::error::{PostgresError, timely};

/// A connection of one's own. Dropped, it is closed at once: what it was asked for and has not answered may still be done,
/// and what its session held is given back.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    driver: JoinHandle<()>,
}

impl std::ops::Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl std::ops::DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// What the server says of itself, like a notification.
pub(crate) type Heard = Box<dyn FnMut(AsyncMessage) + Send>;

impl Address {
    /// Connects.
    ///
    /// # Errors
    /// No host can be reached, none takes writes, or the user is refused.
    pub async fn connect(&self) -> Result<Connection, PostgresError> {
        self.connect_and_hear(|_| {}).await
    }

    /// Connects, and calls `heard` with what the server says unasked, in its order. It must not block.
    ///
    /// # Errors
    /// As of [`connect`](Self::connect).
    pub async fn connect_and_hear(
        &self,
        heard: impl FnMut(AsyncMessage) + Clone + Send + 'static,
    ) -> Result<Connection, PostgresError> {
        let joining = async { Ok(self.join(|| Box::new(heard.clone())).await?) };
        timely(self.connect_timeout, joining).await.map(|(client, driver)| Connection { client, driver })
    }

    /// Asks all hosts at once and takes the first that agrees.
    pub(crate) async fn join(
        &self,
        heard: impl Fn() -> Heard,
    ) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
        let asked = self.hosts.iter().map(|host| match &self.security {
            None => join_one(host.clone(), NoTls, heard()),
            Some(tls) => join_one(host.clone(), tls.clone(), heard()),
        });
        select_ok(asked).await.map(|(first, _)| first)
    }
}

fn join_one<T>(
    config: Config,
    tls: T,
    mut heard: Heard,
) -> BoxFuture<'static, Result<(Client, JoinHandle<()>), tokio_postgres::Error>>
where
    T: MakeTlsConnect<Socket> + Send + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as tokio_postgres::tls::TlsConnect<Socket>>::Future: Send,
{
    let joining = async move {
        let (client, mut connection) = config.connect(tls).await?;
        let driver = tokio::spawn(async move {
            loop {
                match poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(message)) => heard(message),
                    Some(Err(error)) => return tracing::debug!(%error, "a connection to PostgreSQL was lost"),
                    None => return,
                }
            }
        });
        Ok((client, driver))
    };
    joining.boxed()
}
