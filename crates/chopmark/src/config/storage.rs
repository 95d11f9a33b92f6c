//! Where the event log and the views are kept.

use std::path::{Path, PathBuf};

use super::reader::Found;

const LOG_FILE: &str = "log.db";
const VIEWS_FILE: &str = "views.db";

/// The event log's file.
pub(super) fn read_log(found: Found<'_>, data_dir: &Path) -> Option<PathBuf> {
    Some(data_dir.join(read_url(found, LOG_FILE)?))
}

/// The views' file.
pub(super) fn read_views(found: Found<'_>, data_dir: &Path) -> Option<PathBuf> {
    Some(data_dir.join(read_url(found, VIEWS_FILE)?))
}

fn read_url(found: Found<'_>, usual_file: &str) -> Option<PathBuf> {
    let mut section = found.section()?;
    let file = section.required("url", "url = \"sqlite:\"", |found| {
        found.parsed(
            |url| sqlite_file(url).map(|file| PathBuf::from(file.unwrap_or(usual_file))),
            format!("write \"sqlite:\" for the file {usual_file} under data_dir, or \"sqlite:PATH\""),
        )
    });
    section.finish();
    file
}

/// The path of a `sqlite:` URL; `Ok(None)` where it names none.
fn sqlite_file(url: &str) -> Result<Option<&str>, String> {
    // Messages name the scheme alone: a URL may hold a password.
    match url.split_once(':') {
        Some(("sqlite", rest)) => Ok(Some(rest.strip_prefix("//").unwrap_or(rest)).filter(|path| !path.is_empty())),
        Some((scheme @ ("postgres" | "postgresql" | "esdb" | "kurrentdb"), _)) => {
            Err(format!("this version keeps events and views in SQLite only, not in {scheme}:"))
        }
        Some((scheme, _)) => Err(format!("{scheme}: is not known here")),
        None => Err("this is no URL".into()),
    }
}
