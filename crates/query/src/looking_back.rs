//! Looking back: a moment of the log, and a license as it was then.

use std::sync::Arc;

use chopmark_commands::{CommandError, Commands, Cut, Told};
use chopmark_domain::catalog::Catalog;
use chopmark_domain::license::{License, Standing};
use chopmark_domain::stream::LicenseKey;
use chopmark_log::{EventLog, Position, ReadError, Record};
use chopmark_projector::Found;
use chrono::{DateTime, SubsecRound, Utc};

/// A moment: what the log held, and the time at which it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Everything up to here was in the log, and nothing after.
    pub(crate) position: Position,
    /// The time, UTC.
    pub(crate) at: DateTime<Utc>,
}

impl Moment {
    /// The present, to the millisecond.
    ///
    /// # Errors
    /// [`ReadError`]: the log cannot be read.
    pub(crate) async fn now(commands: &Commands) -> Result<Self, ReadError> {
        let at = commands.now().trunc_subsecs(3);
        Ok(Self { position: commands.log().head().await?, at })
    }

    /// The same, judged at a whole millisecond, which is as exact as answers show it.
    #[must_use]
    pub(crate) fn to_millis(self) -> Self {
        Self { at: self.at.trunc_subsecs(3), ..self }
    }

    /// A time, with all that had been recorded up to then.
    ///
    /// # Errors
    /// [`ReadError`]: the log cannot be read.
    pub(crate) async fn at(commands: &Commands, at: DateTime<Utc>) -> Result<Self, ReadError> {
        let last = last_while(commands.log().as_ref(), |record| record.recorded_at <= at).await?;
        Ok(Self { position: last.map_or(Position::START, |record| record.position), at })
    }

    /// A position, at the time when its event was recorded, or the last one before it; `None` where nothing had been.
    ///
    /// # Errors
    /// [`ReadError`]: the log cannot be read.
    pub(crate) async fn of_position(commands: &Commands, position: Position) -> Result<Option<Self>, ReadError> {
        let last = last_while(commands.log().as_ref(), |record| record.position <= position).await?;
        Ok(last.map(|record| Self { position, at: record.recorded_at }))
    }
}

/// The last record for which something holds that holds from the first record on and, once it does not, never again.
async fn last_while(log: &dyn EventLog, holds: impl Fn(&Record) -> bool) -> Result<Option<Record>, ReadError> {
    let (mut low, mut high) = (Position::START.0, log.head().await?.0);
    let mut last = None;
    while low < high {
        let middle = low + (high - low) / 2;
        match first_after(log, Position(middle)).await? {
            Some(record) if record.position.0 <= high && holds(&record) => {
                low = record.position.0;
                last = Some(record);
            }
            _ => high = middle,
        }
    }
    Ok(last)
}

async fn first_after(log: &dyn EventLog, mut position: Position) -> Result<Option<Record>, ReadError> {
    loop {
        let page = log.read_all(position, 1).await?;
        match page.records.into_iter().next() {
            None if !page.at_head => position = page.reached,
            first => return Ok(first),
        }
    }
}

/// What the log held of a license at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Recalled {
    pub(crate) key: LicenseKey,
    pub(crate) moment: Moment,
    /// Its events up to then.
    pub(crate) told: Vec<Told>,
    /// What they make.
    pub(crate) standing: Standing,
    /// The seller's catalog as it was then.
    pub(crate) catalog: Catalog,
}

impl Recalled {
    /// Reads a license as it was.
    pub(crate) async fn read(commands: &Commands, key: &LicenseKey, moment: Moment) -> Result<Self, CommandError> {
        let cut = Cut::Position(moment.position);
        let told = commands.history(key, cut).await?;
        let catalog = commands.catalog_at(&key.seller, cut).await?;
        let mut standing = Standing::default();
        for Told { record, event, metadata } in &told {
            standing.evolve(event, &metadata.cause, record.recorded_at);
        }
        Ok(Self { key: key.clone(), moment, told, standing, catalog })
    }

    /// The license; `None` where there was none yet.
    pub(crate) fn license(&self) -> Option<&License> {
        self.standing.license()
    }

    /// The same as the index shows the present; `None` where there was no license yet.
    pub(crate) fn found(&self) -> Option<Found> {
        let license = self.license()?.clone();
        let terms = license.sku.as_ref().and_then(|sku| self.catalog.terms_at(sku, self.moment.at));
        Some(Found { key: self.key.clone(), terms: terms.cloned().map(Arc::new), license })
    }
}
