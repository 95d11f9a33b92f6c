//! When machines and tokens were last seen, for those who look without a server.

use chopmark_views::{Seen, ViewsError};

use crate::config::ViewsAt;
use crate::failure::Complaint;
use crate::server::seen::open_kept;

/// Reads something of the views. Where there are none yet, nobody was seen; where they cannot be read, standard error
/// says so, and what is shown is shown without.
pub(crate) async fn read<T: Default>(views: &ViewsAt, what: impl AsyncFnOnce(&Seen) -> Result<T, ViewsError>) -> T {
    let read = match open_kept(views).await {
        Ok(Some(seen)) => what(&seen).await,
        Ok(None) => return T::default(),
        Err(error) => Err(error),
    };
    read.unwrap_or_else(|error| {
        crate::warn(&Complaint::new(format!("when who was last seen is not known: {error}"), "see: chopmark doctor"));
        T::default()
    })
}
