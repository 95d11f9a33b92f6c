//! What can be wrong with a log in PostgreSQL.

use chopmark_postgres::PostgresError;

use super::tables::FORMAT;
use crate::event_log::ReadError;
use crate::record::Position;

/// Why a log in PostgreSQL cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is not right, or the server cannot be reached or does not obey.
    #[error(transparent)]
    Postgres(PostgresError),
    /// The tables are of another version of this program.
    #[error(
        "the event log in schema {schema} is of format {found}, this program knows format {FORMAT}: run the version of it \
         that made the log, or a newer one"
    )]
    Format {
        /// The schema.
        schema: String,
        /// The format found.
        found: i32,
    },
    /// The database cannot keep every text.
    #[error(
        "the database keeps text as {encoding}: make one that keeps every text, by CREATE DATABASE name ENCODING 'UTF8' \
         TEMPLATE template0"
    )]
    Encoding {
        /// How it keeps it.
        encoding: String,
    },
}

impl<E: Into<PostgresError>> From<E> for ConnectError {
    fn from(error: E) -> Self {
        Self::Postgres(error.into())
    }
}

impl ConnectError {
    /// Whether it may be mended by waiting: what the URL says is right, and no tables of another kind were found.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Postgres(error) => !matches!(
                error,
                PostgresError::Url { .. } | PostgresError::Authorities { .. } | PostgresError::Schema { .. }
            ),
            Self::Format { .. } | Self::Encoding { .. } => false,
        }
    }

    /// What a read after `position` is told.
    pub(super) fn to_read_error(&self, position: Position) -> ReadError {
        let reason = self.to_string();
        match self {
            Self::Postgres(error) if error.is_damage() => ReadError::Damaged { position, reason },
            _ => ReadError::Unavailable { reason },
        }
    }
}
