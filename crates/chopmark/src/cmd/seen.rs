//! When machines and tokens were last seen, for those who look without a server.

use std::path::Path;

use chopmark_views::{Seen, ViewsError, ViewsMetrics};

use crate::failure::Complaint;

/// Reads something of the views. Where there are none yet, nobody was seen; where they cannot be read, standard error
/// says so, and what is shown is shown without.
pub(crate) async fn read<T: Default>(file: &Path, what: impl AsyncFnOnce(&Seen) -> Result<T, ViewsError>) -> T {
    let read = match open(file).await {
        Ok(Some(seen)) => what(&seen).await,
        Ok(None) => return T::default(),
        Err(error) => Err(error),
    };
    read.unwrap_or_else(|error| {
        crate::warn(&Complaint::new(format!("when who was last seen is not known: {error}"), "see: chopmark doctor"));
        T::default()
    })
}

/// Opens the views; `None` where there are none, since looking makes nothing.
///
/// # Errors
/// They cannot be read.
pub(crate) async fn open(file: &Path) -> Result<Option<Seen>, ViewsError> {
    if !file.exists() {
        return Ok(None);
    }
    let file = file.to_owned();
    let opened = tokio::task::spawn_blocking(move || Seen::open(&file, ViewsMetrics::unregistered())).await;
    opened.unwrap_or_else(|error| Err(ViewsError::NotRead { reason: error.to_string() })).map(Some)
}
