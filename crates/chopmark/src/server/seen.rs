//! Where it is kept who was last seen.

use chopmark_views::{Seen, ViewsError, ViewsMetrics};

use super::registered;
use crate::config::ViewsAt;
use crate::failure::{Failure, OrFail, Reason};
use prometheus::Registry;

/// Opens the store of a server. A file that is damaged is begun anew; a PostgreSQL that is away is waited for.
///
/// # Errors
/// The file is foreign or cannot be written, or the URL cannot be right.
pub(super) async fn open(views: &ViewsAt, registry: &Registry) -> Result<Seen, Failure> {
    let metrics = registered(ViewsMetrics::register(registry))?;
    match views {
        ViewsAt::Sqlite { views_file, .. } => {
            let help = "it holds only when machines were last seen: it may be moved away, and begins anew";
            let path = views_file.clone();
            let opened = tokio::task::spawn_blocking(move || Seen::open_or_begin_anew(&path, metrics)).await;
            opened.or_fail(Reason::Storage, "the views", help)?.or_fail(Reason::Storage, "the views", help)
        }
        ViewsAt::Postgres { url } => {
            let help = "write views.url like postgres://USER@HOST/DATABASE";
            Seen::connect_later(url, metrics).or_fail(Reason::Usage, "views.url", help)
        }
    }
}

/// Opens the store that is there, to look at; `None` where there is none yet, since looking makes no file.
///
/// # Errors
/// It cannot be read.
pub(crate) async fn open_kept(views: &ViewsAt) -> Result<Option<Seen>, ViewsError> {
    match views {
        ViewsAt::Sqlite { views_file, .. } if !views_file.exists() => Ok(None),
        ViewsAt::Sqlite { views_file, .. } => {
            let file = views_file.clone();
            let opened = tokio::task::spawn_blocking(move || Seen::open(&file, ViewsMetrics::unregistered())).await;
            opened.unwrap_or_else(|error| Err(ViewsError::NotRead { reason: error.to_string() })).map(Some)
        }
        ViewsAt::Postgres { url } => Seen::connect_later(url, ViewsMetrics::unregistered()).map(Some),
    }
}
