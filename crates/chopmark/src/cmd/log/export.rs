//! `chopmark log export`.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chopmark_log::export::ExportWriter;
use chopmark_log::{Chain, EventLog, Position};
use chrono::Utc;
use tempfile::NamedTempFile;

use crate::cli::log::ExportArgs;
use crate::cmd::kept::{HELP, existing_log};
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::log::Care;

/// Records read at a time.
const PAGE: usize = 1_000;

/// Writes the whole log, as it is now, to a file or to standard output.
///
/// # Errors
/// The log cannot be read, the file is there already or cannot be written.
pub(super) async fn run(args: &ExportArgs, config: &Config) -> Result<(), Failure> {
    let log = existing_log(config, Care::BesideAServer).await?;
    let exported = if args.to == Path::new("-") {
        whole(&*log, io::stdout().lock(), "standard output").await
    } else {
        to_file(&*log, &args.to).await
    };
    log.close().await;
    let (chain, position) = exported?;
    crate::explain(&format!("{} records up to position {position}, chain {}\n", chain.records(), chain.to_hex()));
    Ok(())
}

/// Writes the whole log to a file that only its owner can read. It has its name once it is complete and on stable storage.
///
/// # Errors
/// The log cannot be read, the file is there already or cannot be written.
pub(crate) async fn to_file(log: &dyn EventLog, path: &Path) -> Result<(Chain, Position), Failure> {
    let name = path.display().to_string();
    if path.exists() {
        return Err(Failure::new(Reason::Usage, format!("{name} is there already"), "name another file, or remove it"));
    }
    let unwritable = "name a file in a folder that can be written and has room";
    let unfinished = beside(path).or_fail(Reason::Storage, &name, unwritable)?;
    let written = whole(log, unfinished.as_file(), &name).await?;
    let kept = unfinished.as_file().sync_all().and_then(|()| Ok(unfinished.persist_noclobber(path)?)).map(drop);
    kept.and_then(|()| sync_folder_of(path)).or_fail(Reason::Storage, &name, unwritable)?;
    Ok(written)
}

/// Writes everything that is in the log when this begins. Keeps a page in memory, and no more.
async fn whole(log: &dyn EventLog, out: impl Write, name: &str) -> Result<(Chain, Position), Failure> {
    let unreadable = "the log cannot be exported";
    let (unwritable, help) = (format!("{name} cannot be written"), "what was written so far is not whole");
    let end = log.head().await.or_fail(Reason::Storage, unreadable, HELP)?;
    let out = BufWriter::with_capacity(1024 * 1024, out);
    let mut writer = ExportWriter::begin(out, Utc::now()).or_fail(Reason::Storage, &unwritable, help)?;
    let mut position = Position::START;
    while position < end {
        let page = log.read_all(position, PAGE).await.or_fail(Reason::Storage, unreadable, HELP)?;
        for record in page.records.iter().take_while(|record| record.position <= end) {
            writer.record(record).or_fail(Reason::Storage, &unwritable, help)?;
        }
        if page.reached == position {
            break;
        }
        position = page.reached;
    }
    let (chain, _) = writer.finish().or_fail(Reason::Storage, &unwritable, help)?;
    Ok((chain, end))
}

/// A file in the same folder that only its owner can read.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".chopmark-").suffix(".unfinished").tempfile_in(folder_of(path))
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Makes the name of a file, or of a folder, durable.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    std::fs::File::open(folder_of(path))?.sync_all()
}
