//! `chopmark log import`.

use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chopmark_log::export::{ExportError, ExportReader};
use chopmark_log::{AppendError, Engine, LogMetrics, Position, Record};
use serde_json::Value;
use tempfile::NamedTempFile;

use super::inspect::{self, Report, Trust};
use super::{keys_in, verify};
use crate::cli::log::ImportArgs;
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::log::{Care, open_log};

/// What is handed to the log at once: so many records …
const BATCH_RECORDS: usize = 500;
/// … or so many bytes.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Records read at a time of what is there already.
const PAGE: usize = 1_000;

/// A log that does not answer is asked again so often, with so long in between.
const ATTEMPTS: u32 = 10;
const RETRY: Duration = Duration::from_secs(1);

/// How often it is said how far it is.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// Takes an exported log over into the log of the configuration.
///
/// # Errors
/// The file is not whole or not what was sealed, the log holds something else, or cannot be written.
pub(super) async fn run(args: &ImportArgs, config: &Config) -> Result<(), Failure> {
    let trust = if args.keys.is_empty() { Trust::Unsigned } else { Trust::Keys(keys_in(&args.keys)?) };
    let source = Source::of(&args.exported, config)?;
    // Everything is looked at before anything is written.
    inspect::file(source.path(), &trust).map_err(|finding| verify::failure(&finding).of(source.name()))?;
    let (report, known) = take_over(source.path(), config, &trust).await?;
    crate::print(&if args.json { format!("{}\n", as_json(&report, known)) } else { text(&report, known) })
}

/// Takes the records of a whole file over into the log of a configuration, and looks at the log afterwards. Also tells how
/// many of them were there before.
///
/// # Errors
/// The log holds something else, cannot be written, or is not what the file is.
pub(crate) async fn take_over(path: &Path, config: &Config, trust: &Trust) -> Result<(Report, u64), Failure> {
    let data = DataDir::at(&config.data_dir);
    // Nobody else may write to the log meanwhile. Of one that is elsewhere nobody here can see to that.
    let _lock = match config.log.is_remote() {
        true => None,
        false => Some(data.create().and_then(|()| data.lock())?),
    };
    let log = open_log(config, Care::BesideAServer, LogMetrics::unregistered()).await?;
    let taken = take(path, &*log).await;
    let inspected = match &taken {
        Ok(_) => Some(inspect::log(&*log, trust).await),
        Err(_) => None,
    };
    log.close().await;
    let (known, chain) = taken?;
    match inspected {
        Some(Ok(report)) if report.chain == chain => Ok((report, known)),
        Some(Err(finding)) => Err(verify::failure(&finding).of("the log, after the import")),
        _ => {
            let what = "the log is not what the file is: somebody else wrote to it during the import";
            Err(Failure::new(Reason::CheckFailed, what, "stop every server on it, empty it, and import again"))
        }
    }
}

/// Passes over what is there, and hands over the rest. How many were there, and the chain of the file.
async fn take(path: &Path, log: &dyn Engine) -> Result<(u64, String), Failure> {
    let name = path.display();
    let unreadable = |error: ExportError| {
        Failure::new(
            Reason::CheckFailed,
            format!("{name}: {error}"),
            "it was whole a moment ago: let nobody write to it",
        )
    };
    let mut file = inspect::open(path).map_err(unreadable)?;
    let known = pass_over(&mut file, log).await?;
    let (mut batch, mut bytes) = (vec![], 0);
    let mut said = Instant::now();
    loop {
        let record = file.next_record().map_err(unreadable)?;
        let is_over = record.is_none();
        if let Some(record) = record {
            bytes += record.data.len() + record.metadata.len();
            batch.push(record);
        }
        if !batch.is_empty() && (is_over || batch.len() >= BATCH_RECORDS || bytes >= BATCH_BYTES) {
            hand_over(std::mem::take(&mut batch), log).await?;
            bytes = 0;
        }
        if said.elapsed() >= SAY_EVERY {
            crate::explain(&format!("{} records\n", file.chain().records()));
            said = Instant::now();
        }
        if is_over {
            return Ok((known, file.chain().to_hex()));
        }
    }
}

/// What the log holds must be the beginning of the file: nothing, or what an import left that was interrupted.
async fn pass_over(file: &mut ExportReader<impl io::BufRead>, log: &dyn Engine) -> Result<u64, Failure> {
    let unreadable = "the log cannot be read";
    let help = "start what keeps it, and run this again";
    let mut position = Position::START;
    loop {
        let page = log.read_all(position, PAGE).await.or_fail(Reason::Storage, unreadable, help)?;
        for record in &page.records {
            let expected = file.next_record().ok().flatten();
            if !expected.is_some_and(|expected| is_same(&expected, record)) {
                return Err(holds_something_else(record));
            }
        }
        if page.at_head || page.reached == position {
            return Ok(file.chain().records());
        }
        position = page.reached;
    }
}

/// Positions are each log's own.
fn is_same(one: &Record, other: &Record) -> bool {
    Record { position: Position::START, ..one.clone() } == Record { position: Position::START, ..other.clone() }
}

fn holds_something_else(record: &Record) -> Failure {
    let Record { position, stream, revision, kind, .. } = record;
    let what = format!(
        "the log holds something else than the file: at position {position} revision {revision} of stream {stream}, {kind}"
    );
    Failure::new(Reason::CheckFailed, what, "import into a log that holds nothing; nothing was written")
}

async fn hand_over(batch: Vec<Record>, log: &dyn Engine) -> Result<(), Failure> {
    let help = "run the same again: what is there already is passed over";
    for _ in 1..ATTEMPTS {
        match log.import(batch.clone()).await {
            Err(error @ (AppendError::Unknown { .. } | AppendError::Unavailable { .. })) => {
                crate::explain(&format!("{error}; trying again\n"));
                tokio::time::sleep(RETRY).await;
            }
            settled => return settled.or_fail(Reason::Storage, "the import stopped", help).map(drop),
        }
    }
    log.import(batch).await.or_fail(Reason::Storage, "the import stopped", help).map(drop)
}

/// Where an exported log comes from.
enum Source {
    File(PathBuf),
    /// What came over standard input, which can be read only once, and is wanted three times.
    Spool(NamedTempFile),
}

impl Source {
    fn of(file: &Path, config: &Config) -> Result<Self, Failure> {
        if file != Path::new("-") {
            return Ok(Self::File(file.to_owned()));
        }
        DataDir::at(&config.data_dir).create()?;
        let help = "name a file, or make room in the data folder";
        Self::spool(&config.data_dir).or_fail(Reason::Storage, "standard input cannot be kept", help).map(Self::Spool)
    }

    fn spool(folder: &Path) -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix(".chopmark-").suffix(".import").tempfile_in(folder)?;
        io::copy(&mut BufReader::with_capacity(1024 * 1024, io::stdin().lock()), &mut file)?;
        file.flush()?;
        Ok(file)
    }

    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Spool(file) => file.path(),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Spool(_) => "standard input".into(),
        }
    }
}

fn text(report: &Report, known: u64) -> String {
    let imported = report.records - known;
    let before = if known > 0 { format!(", {known} were there before") } else { String::new() };
    format!("imported     {imported} records{before}\n{}", verify::text(report))
}

fn as_json(report: &Report, known: u64) -> Value {
    let mut json = verify::as_json(report);
    if let Value::Object(members) = &mut json {
        members.insert("imported".into(), (report.records - known).into());
        members.insert("there_before".into(), known.into());
    }
    json
}
