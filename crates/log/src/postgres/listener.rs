//! Hearing of what others append.

use std::sync::Arc;
use std::time::Duration;

use chopmark_postgres::{Address, Connection, timely};
use tokio_postgres::AsyncMessage;

use super::error::ConnectError;
use super::link::CONNECT_TIMEOUT;
use super::reader::{self, end};
use super::tables::Tables;
use crate::record::Position;
use crate::wake::Head;

/// How often the end of the log is asked for: a notice may be lost.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Follows the end of the log on a connection of its own.
pub(super) struct Listener {
    pub(super) address: Address,
    pub(super) tables: Tables,
    pub(super) head: Arc<Head>,
}

impl Listener {
    /// Listens for ever. While nothing can be heard, whoever waits is told.
    pub(super) async fn run(self) {
        loop {
            if let Err(error) = self.listen().await {
                self.head.is_away(&error.to_string());
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Listens until the connection is lost.
    async fn listen(&self) -> Result<(), ConnectError> {
        let connection = timely(CONNECT_TIMEOUT, self.connect()).await?;
        let ask = self.tables.sql(reader::HEAD);
        loop {
            let asked = timely(ANSWER_TIMEOUT, async { Ok::<_, ConnectError>(connection.query_one(&ask, &[]).await?) });
            let head = end(&asked.await?, 0, Position::START).unwrap_or(Position::START);
            self.head.is_back();
            self.head.advance(head);
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn connect(&self) -> Result<Connection, ConnectError> {
        let head = Arc::clone(&self.head);
        let hear = move |message| {
            // What cannot be read is found by asking.
            if let AsyncMessage::Notification(notice) = message
                && let Ok(position) = notice.payload().parse()
            {
                head.advance(Position(position));
            }
        };
        let connection = self.address.connect_and_hear(hear).await?;
        self.tables.begin(&connection).await?;
        connection.batch_execute(&format!("LISTEN \"{}\"", self.tables.channel())).await?;
        Ok(connection)
    }
}
