//! Whether a log is what was written and sealed: every record is read once, in order.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use chopmark_commands::{CommandError, SealOnRecord};
use chopmark_domain::seal::Sealed;
use chopmark_domain::stream::Stream;
use chopmark_log::export::{ExportError, ExportReader};
use chopmark_log::{Audit, EventLog, Position, ReadError, Record, Revision, RevisionGap, StreamName, StreamNameError};
use chopmark_signing::{PublicKeys, SealError};
use chrono::{DateTime, Utc};

/// Records read at a time.
const PAGE: usize = 1_000;

/// What is not as it must be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Finding {
    /// The log cannot be read, or what is read is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The exported log cannot be read, or is not as it was written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A record is missing, or one is too many.
    #[error("record {number}: {gap}")]
    Gap {
        /// Which record, from 1.
        number: u64,
        /// What is wrong.
        gap: RevisionGap,
    },
    /// What is among the seals is none that this version knows.
    #[error(transparent)]
    NotASeal(#[from] CommandError),
    /// A seal is not of whom it must be, or was changed.
    #[error("seal {seal}: {source}")]
    Seal {
        /// Its place among the seals.
        seal: Revision,
        /// What is wrong.
        source: SealError,
    },
    /// Something was changed, added, removed or moved after it was sealed.
    #[error("the log is not what was sealed: records {} to {upto} are others than those that seal {seal} covers", .after + 1)]
    Changed {
        /// The first seal that does not fit.
        seal: Revision,
        /// Up to here, all is as it was sealed.
        after: u64,
        /// What it covers.
        upto: u64,
    },
    /// The log ends before what was sealed.
    #[error("the log is not what was sealed: it has {there} records, and seal {seal} covers {records}")]
    Shorter {
        /// The first seal that does not fit.
        seal: Revision,
        /// What it covers.
        records: u64,
        /// What is there.
        there: u64,
    },
    /// The name of the seals is none to this log.
    #[error(transparent)]
    Name(#[from] StreamNameError),
}

/// Whose seals are believed.
#[derive(Debug, Clone)]
pub(crate) enum Trust {
    /// Those that these keys signed.
    Keys(PublicKeys),
    /// Signatures are not looked at; the records must still be those that the seals tell of.
    Unsigned,
}

/// What was found where everything is as it must be.
#[derive(Debug)]
pub(crate) struct Report {
    /// Records.
    pub(crate) records: u64,
    /// The streams they are in.
    pub(crate) streams: usize,
    /// Their chain, in hexadecimal.
    pub(crate) chain: String,
    /// Seals that fit.
    pub(crate) seals: u64,
    /// Whether their signatures were looked at, and hold.
    pub(crate) is_signed: bool,
    /// What the last of them covers.
    pub(crate) covered: Option<Covered>,
}

/// How far seals reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Covered {
    /// In records, from the first on.
    pub(crate) records: u64,
    /// When the last of them was recorded, UTC.
    pub(crate) until: DateTime<Utc>,
}

/// Looks at a log up to where it ends now.
///
/// # Errors
/// The first thing that is not as it must be.
pub(crate) async fn log(log: &dyn EventLog, trust: &Trust) -> Result<Report, Finding> {
    let name = StreamName::new(&Stream::Seals.to_string())?;
    let mut seals = Seals::new(trust);
    loop {
        let page = log.read_stream(&name, Revision(seals.count), PAGE).await?;
        for record in &page {
            seals.add(record)?;
        }
        if page.is_empty() {
            break;
        }
    }
    let end = log.head().await?;
    let mut inspection = Inspection::new(seals);
    let mut position = Position::START;
    while position < end {
        let page = log.read_all(position, PAGE).await?;
        page.records
            .iter()
            .take_while(|record| record.position <= end)
            .try_for_each(|record| inspection.take(record))?;
        if page.reached == position {
            break;
        }
        position = page.reached;
    }
    inspection.finish()
}

/// Looks at an exported log. Reads it twice: a seal comes after what it covers, and is wanted before.
///
/// # Errors
/// The first thing that is not as it must be.
pub(crate) fn file(path: &Path, trust: &Trust) -> Result<Report, Finding> {
    let mut seals = Seals::new(trust);
    let mut reader = open(path)?;
    while let Some(record) = reader.next_record()? {
        if is_seal(&record) {
            seals.add(&record)?;
        }
    }
    let mut inspection = Inspection::new(seals);
    let mut reader = open(path)?;
    while let Some(record) = reader.next_record()? {
        inspection.take(&record)?;
    }
    inspection.finish()
}

/// An exported log, at its first record.
///
/// # Errors
/// It is none, or cannot be read.
pub(crate) fn open(path: &Path) -> Result<ExportReader<BufReader<File>>, ExportError> {
    let file = File::open(path).map_err(|source| ExportError::Io { line: 1, source })?;
    ExportReader::open(BufReader::with_capacity(1024 * 1024, file))
}

fn is_seal(record: &Record) -> bool {
    Stream::parse(record.stream.as_str()) == Some(Stream::Seals)
}

/// The seals of a log, each of them believed.
struct Seals<'t> {
    trust: &'t Trust,
    count: u64,
    all: Vec<SealOnRecord>,
}

impl<'t> Seals<'t> {
    fn new(trust: &'t Trust) -> Self {
        Self { trust, count: 0, all: vec![] }
    }

    fn add(&mut self, record: &Record) -> Result<(), Finding> {
        let mut seal = SealOnRecord::read(record)?;
        let Sealed { claims, seal: signed } = &mut seal.sealed;
        if let Trust::Keys(keys) = self.trust {
            let verified = keys.verify_seal(signed, claims);
            verified.map_err(|source| Finding::Seal { seal: record.revision, source })?;
        }
        // Signatures have said what they have to say.
        *signed = String::new();
        self.count += 1;
        self.all.push(seal);
        Ok(())
    }
}

/// All that is known of the records up to some place.
struct Inspection {
    audit: Audit,
    /// Seals whose place was not reached yet, the nearest first.
    ahead: VecDeque<SealOnRecord>,
    seals: u64,
    is_signed: bool,
    covered: Option<Covered>,
}

impl Inspection {
    fn new(seals: Seals<'_>) -> Self {
        let mut ahead = VecDeque::from(seals.all);
        ahead.make_contiguous().sort_by_key(|seal| seal.sealed.claims.records);
        let is_signed = matches!(seals.trust, Trust::Keys(_));
        Self { audit: Audit::default(), ahead, seals: 0, is_signed, covered: None }
    }

    fn take(&mut self, record: &Record) -> Result<(), Finding> {
        let number = self.audit.chain().records() + 1;
        self.audit.take(record).map_err(|gap| Finding::Gap { number, gap })?;
        while let Some(seal) = self.ahead.pop_front_if(|seal| seal.sealed.claims.records <= number) {
            self.compare(&seal, record)?;
            self.seals += 1;
            self.covered = Some(Covered { records: number, until: record.recorded_at });
        }
        Ok(())
    }

    /// The seal must tell of the records up to this one, the last that was taken.
    fn compare(&self, seal: &SealOnRecord, record: &Record) -> Result<(), Finding> {
        let claims = &seal.sealed.claims;
        let chain = self.audit.chain();
        let names_it = (claims.stream.as_str(), claims.revision, claims.id)
            == (record.stream.as_str(), record.revision.0, record.id);
        if names_it && (claims.records, claims.chain.0) == (chain.records(), chain.value()) {
            return Ok(());
        }
        let after = self.covered.map_or(0, |covered| covered.records);
        Err(Finding::Changed { seal: seal.revision, after, upto: chain.records() })
    }

    fn finish(mut self) -> Result<Report, Finding> {
        let chain = self.audit.chain();
        if let Some(seal) = self.ahead.pop_front() {
            let records = seal.sealed.claims.records;
            return Err(Finding::Shorter { seal: seal.revision, records, there: chain.records() });
        }
        Ok(Report {
            records: chain.records(),
            streams: self.audit.streams(),
            chain: chain.to_hex(),
            seals: self.seals,
            is_signed: self.is_signed,
            covered: self.covered,
        })
    }
}

#[cfg(test)]
mod tests;
