//! Looking back: what a stream said at an earlier moment, and what stood behind each of its events.

use chopmark_domain::catalog::Catalog;
use chopmark_domain::cause::Metadata;
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{self, License};
use chopmark_domain::stream::{LicenseKey, Stream};
use chopmark_log::{Position, Record, StreamName};
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::error::CommandError;
use crate::fold::Fold;

/// Up to where a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// All of it.
    Now,
    /// What the log held up to this position, itself included.
    Position(Position),
    /// What had been recorded up to this time, UTC, itself included.
    Time(DateTime<Utc>),
}

impl Cut {
    fn takes(self, record: &Record) -> bool {
        match self {
            Self::Now => true,
            Self::Position(position) => record.position <= position,
            Self::Time(time) => record.recorded_at <= time,
        }
    }
}

/// An event of a license as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The record, with the exact JSON.
    pub record: Record,
    /// What happened.
    pub event: license::Event,
    /// What caused it.
    pub metadata: Metadata,
}

impl Commands {
    /// The events of a license up to a cut, in order; none where there was no license yet.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn history(&self, key: &LicenseKey, until: Cut) -> Result<Vec<Told>, CommandError> {
        let records = self.records(&Stream::License(key.clone()), until).await?;
        records.into_iter().map(told).collect()
    }

    /// A license as it was at a cut; `None` where there was none yet.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn license_at(&self, key: &LicenseKey, cut: Cut) -> Result<Option<License>, CommandError> {
        let mut license = None;
        for Told { event, .. } in self.history(key, cut).await? {
            match &mut license {
                None => license = License::begin(&event),
                Some(license) => license.evolve(&event),
            }
        }
        Ok(license)
    }

    /// A seller's catalog as it was at a cut.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn catalog_at(&self, seller: &SellerId, cut: Cut) -> Result<Catalog, CommandError> {
        let stream = Stream::Seller(seller.clone());
        let records = self.records(&stream, cut).await?;
        Catalog::fold(&StreamName::new(&stream.to_string())?, &records)
    }

    async fn records(&self, stream: &Stream, until: Cut) -> Result<Vec<Record>, CommandError> {
        let mut records = self.read_whole(&StreamName::new(&stream.to_string())?).await?;
        records.retain(|record| until.takes(record));
        Ok(records)
    }
}

fn told(record: Record) -> Result<Told, CommandError> {
    let event = license::Event::decode(&record.kind, &record.data)
        .map_err(|source| CommandError::Decode { stream: record.stream.clone(), source })?;
    let metadata = crate::fold::metadata(&record)?;
    Ok(Told { record, event, metadata })
}
