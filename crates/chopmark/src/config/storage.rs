//! Where the event log and the views are kept.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::document::Value;
use super::reader::Found;
use super::secret;

const LOG_FILE: &str = "log.db";
const VIEWS_FILE: &str = "views.db";
const BILLING_FILE: &str = "billing.db";

/// Where views are kept. What was last seen stays in SQLite in any case: it is of this machine, and losing it loses
/// nothing that matters.
#[derive(Debug, Clone)]
pub(crate) enum ViewsAt {
    /// In files.
    Sqlite {
        /// What was last seen.
        views_file: PathBuf,
        /// The views of settlement.
        billing_file: PathBuf,
    },
    /// The views of settlement in PostgreSQL.
    Postgres {
        /// Where; holds a password.
        url: SecretString,
        /// What was last seen.
        views_file: PathBuf,
    },
}

impl ViewsAt {
    /// The file of what was last seen.
    #[must_use]
    pub(crate) fn views_file(&self) -> &Path {
        match self {
            Self::Sqlite { views_file, .. } | Self::Postgres { views_file, .. } => views_file,
        }
    }
}

/// The event log's file.
pub(super) fn read_log(found: Found<'_>, data_dir: &Path) -> Option<PathBuf> {
    let mut section = found.section()?;
    let mend = format!("write \"sqlite:\" for the file {LOG_FILE} under data_dir, or \"sqlite:PATH\"");
    let file =
        section.required("url", "url = \"sqlite:\"", |found| found.parsed(|url| at(url).and_then(At::log_file), mend));
    section.finish();
    Some(data_dir.join(file?))
}

/// Where views are.
pub(super) fn read_views(found: Found<'_>, data_dir: &Path) -> Option<ViewsAt> {
    let mut section = found.section()?;
    let views = section.required("url", "url = \"sqlite:\"", |found| read_views_url(found, data_dir));
    section.finish();
    views
}

fn read_views_url(found: Found<'_>, data_dir: &Path) -> Option<ViewsAt> {
    const MEND: &str = "write \"sqlite:\" for the files views.db and billing.db under data_dir, \"sqlite:PATH\" for \
                        another views.db with billing.db beside it, or \"postgres://…\"";
    let (spot, reader) = (found.spot.clone(), found.reader);
    let is_plain = matches!(found.value, Value::Text(_));
    let url = if is_plain { found.text()?.into() } else { secret::read(found)? };
    let views = match at(url.expose_secret()) {
        Ok(At::Sqlite(file)) => sqlite_views(data_dir, file).map_err(|what| (what, MEND)),
        Ok(At::Postgres) => postgres_views(&url, is_plain, data_dir),
        Err(what) => Err((what, MEND)),
    };
    views.map_err(|(what, mend)| spot.refuse(reader, what, mend)).ok()
}

fn sqlite_views(data_dir: &Path, file: Option<&str>) -> Result<ViewsAt, String> {
    let views_file = data_dir.join(file.unwrap_or(VIEWS_FILE));
    let billing_file = views_file.with_file_name(BILLING_FILE);
    if billing_file == views_file {
        return Err(format!("{BILLING_FILE} is the file of the views of settlement, beside this one"));
    }
    Ok(ViewsAt::Sqlite { views_file, billing_file })
}

fn postgres_views(url: &SecretString, is_plain: bool, data_dir: &Path) -> Result<ViewsAt, (String, &'static str)> {
    const FORM: &str = "write it like postgres://USER@HOST/DATABASE";
    const SECRET: &str = "write url = { env = \"NAME\" } or { file = \"PATH\" }, and put the whole URL there";
    let parsed = Url::parse(url.expose_secret()).map_err(|error| (format!("this is no URL: {error}"), FORM))?;
    let asks = parsed.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("password"));
    if is_plain && (parsed.password().is_some() || asks) {
        return Err(("a URL with a password is a secret, and stands in no configuration file".into(), SECRET));
    }
    Ok(ViewsAt::Postgres { url: url.clone(), views_file: data_dir.join(VIEWS_FILE) })
}

/// What a URL names.
enum At<'u> {
    /// A file, or the usual one.
    Sqlite(Option<&'u str>),
    Postgres,
}

impl At<'_> {
    fn log_file(self) -> Result<PathBuf, String> {
        match self {
            Self::Sqlite(file) => Ok(PathBuf::from(file.unwrap_or(LOG_FILE))),
            Self::Postgres => Err("this version keeps events in SQLite only, not in postgres:".into()),
        }
    }
}

fn at(url: &str) -> Result<At<'_>, String> {
    // Messages name the scheme alone: a URL may hold a password.
    match url.split_once(':') {
        Some(("sqlite", rest)) => {
            Ok(At::Sqlite(Some(rest.strip_prefix("//").unwrap_or(rest)).filter(|path| !path.is_empty())))
        }
        Some(("postgres" | "postgresql", _)) => Ok(At::Postgres),
        Some((scheme @ ("esdb" | "kurrentdb"), _)) => Err(format!("this version keeps nothing in {scheme}:")),
        Some((scheme, _)) => Err(format!("{scheme}: is not known here")),
        None => Err("this is no URL".into()),
    }
}
