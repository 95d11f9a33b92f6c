//! What went wrong, in words for whoever must mend it.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::error::{DbError, Severity, SqlState};

/// Why PostgreSQL did not do what it was asked for. No text of it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The URL says something that is not understood.
    #[error("the URL is not understood ({what}); write postgres://user:password@host/database?sslmode=require")]
    Url {
        /// What it was.
        what: String,
    },
    /// The file of `sslrootcert` cannot be used.
    #[error("the authorities in {} cannot be used: {reason}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A text that is no name for a schema.
    #[error("{name:?} is no name for a schema: at most 63 small letters, digits and _")]
    Schema {
        /// The text.
        name: String,
    },
    /// There is no connection to be had now.
    #[error("no connection to PostgreSQL: {reason}")]
    NoConnection {
        /// Why.
        reason: String,
    },
    /// Nothing came back in time. What was asked for may still be done.
    #[error("PostgreSQL does not answer in time")]
    TimedOut,
    /// PostgreSQL refused, or the connection was lost.
    #[error("{}", in_words(.0))]
    Failed(#[from] tokio_postgres::Error),
}

impl PostgresError {
    /// What PostgreSQL calls it, where it said so itself.
    #[must_use]
    pub fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Failed(error) => error.code(),
            _ => None,
        }
    }

    /// Whether the server says that it refused: what was asked for was not done, and the connection goes on. Anything else
    /// ends a connection, and leaves open what was done before.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        error.as_db_error().and_then(DbError::parsed_severity) == Some(Severity::Error)
    }

    /// Whether it tells that what is stored is not what was written.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self.code(), Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED))
    }
}

fn in_words(error: &tokio_postgres::Error) -> String {
    let Some(said) = error.as_db_error() else {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        return format!("PostgreSQL: {error}{}", cause.unwrap_or_default());
    };
    let detail = said.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("PostgreSQL says {}{detail}", said.message())
}

/// Waits for work no longer than `limit`. The server gives up by itself; where the network is gone, nobody says so.
///
/// # Errors
/// Those of the work, and [`PostgresError::TimedOut`].
pub async fn timely<T, E: From<PostgresError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(PostgresError::TimedOut.into()))
}
