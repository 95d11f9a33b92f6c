//! A store that several processes share, for tests: in a PostgreSQL of Debian's, or of whoever names one.

use std::sync::Arc;
use std::time::Duration;

use chopmark_postgres::testing::TestSchema;
use secrecy::SecretString;

use crate::postgres::Postgres;
use crate::seen::Bounds;
use crate::{Seen, ViewsMetrics};

/// A store of its own, in a server that all tests of a process share.
#[derive(Debug)]
pub struct SharedStore(TestSchema);

impl SharedStore {
    /// An empty one. Starts the server if nobody has; not for threads that run futures.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it starts a server")]
    pub fn new() -> Self {
        Self(TestSchema::new())
    }

    /// The same on a server of one's own.
    #[must_use]
    pub fn at(url: String) -> Self {
        Self(TestSchema::at(url))
    }

    /// Opens it, as one more process would. It writes when it is told to, so that a test knows what is written.
    ///
    /// # Panics
    /// The URL of the server is not understood.
    #[must_use]
    pub fn open(&self) -> Seen {
        let bounds = Bounds { every: Duration::from_hours(1), ..Bounds::default() };
        Seen::over(Arc::new(self.store()), bounds, ViewsMetrics::unregistered()).expect("a thread")
    }

    pub(crate) fn store(&self) -> Postgres {
        let url = SecretString::from(self.0.url());
        Postgres::connect_later(&url, self.0.name()).expect("a URL that is understood")
    }

    /// Lets a time pass for the store, in seconds: all that it knows of is longer ago.
    ///
    /// # Panics
    /// The server cannot be reached, or nothing was written yet.
    pub async fn lets_pass(&self, seconds: u32) {
        let client = self.0.client().await.expect("the server");
        let earlier = format!("- make_interval(secs => {seconds})");
        let sql = format!(
            "UPDATE watch SET up_since = up_since {earlier}, up_until = up_until {earlier}, lost_at = lost_at {earlier};
             UPDATE watchers SET complete_to = complete_to {earlier};"
        );
        client.batch_execute(&sql).await.expect("tables");
    }
}
