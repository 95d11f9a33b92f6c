//! Records of another log, taken over as they are.

use std::time::Duration;

use chopmark_postgres::{PostgresError, timely};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::batch::{Failed, unsigned};
use super::link::{Link, Linked};
use super::row::{content_checksum, whole};
use crate::event_log::AppendError;
use crate::record::{Position, Record, Revision};

/// Calls the function that does it: create.sql.
pub(super) const IMPORT: &str = "SELECT place, head FROM {schema}.import($1, $2, $3, $4, $5, $6, $7, $8)";

/// How long one part may take: nobody waits for its answer as the marketplace does.
pub(super) const IMPORT_TIMEOUT: Duration = Duration::from_secs(60);

/// A part has no further record once it has this many …
const PART_RECORDS_MAX: usize = 512;
/// … or this many bytes.
const PART_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the functions raise.
const CONFLICT: &str = "CM001";
const TOO_OLD: &str = "CM002";

/// Where imported records came to stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Imported {
    /// The last of them.
    pub(super) last: Position,
    /// The end of the log.
    pub(super) head: Position,
}

/// The first records, as many as one transaction takes.
pub(super) fn part(records: &[Record]) -> &[Record] {
    let mut bytes = 0_usize;
    let fits = records.iter().take(PART_RECORDS_MAX).take_while(|record| {
        let has_room = bytes < PART_BYTES_MAX;
        bytes = bytes.saturating_add(record.data.len()).saturating_add(record.metadata.len());
        has_room
    });
    records.get(..fits.count()).unwrap_or_default()
}

/// Stores the records of a part that are not there yet, all or none.
pub(super) async fn import(link: &Link, records: &[Record]) -> Result<Imported, AppendError> {
    let unavailable = |reason| AppendError::Unavailable { reason };
    let linked = link.get().await.map_err(|error| unavailable(error.to_string()))?;
    let imported = timely(IMPORT_TIMEOUT, async { Ok(call(&linked, records).await?) }).await;
    match imported.and_then(|row| Ok(where_they_stand(&row)?)) {
        Ok(imported) => Ok(imported),
        Err(error) => match refused(&error, records) {
            Some(refused) => Err(refused),
            None => {
                link.lost(&linked).await;
                Err(Failed::of(&error).to_append_error())
            }
        },
    }
}

async fn call(linked: &Linked, records: &[Record]) -> Result<Row, tokio_postgres::Error> {
    fn column<'r, T>(records: &'r [Record], of: impl Fn(&'r Record) -> T) -> Vec<T> {
        records.iter().map(of).collect()
    }
    let parameters: [&(dyn ToSql + Sync); 8] = [
        &column(records, |record| record.stream.as_str()),
        &column(records, |record| whole(record.revision.0)),
        &column(records, |record| record.id),
        &column(records, |record| record.kind.as_str()),
        &column(records, |record| record.recorded_at.timestamp_micros()),
        &column(records, checksum_of_record),
        &column(records, |record| record.metadata.as_slice()),
        &column(records, |record| record.data.as_slice()),
    ];
    linked.connection.query_one(&linked.statements.import, &parameters).await
}

fn checksum_of_record(record: &Record) -> i64 {
    let Record { stream, revision, id, kind, metadata, data, .. } = record;
    content_checksum(stream.as_str(), whole(revision.0), *id, kind, metadata, data)
}

fn where_they_stand(row: &Row) -> Result<Imported, tokio_postgres::Error> {
    Ok(Imported { last: Position(unsigned(row.try_get(0)?)), head: Position(unsigned(row.try_get(1)?)) })
}

/// What the function refused, if that is what the error says.
fn refused(error: &PostgresError, records: &[Record]) -> Option<AppendError> {
    let PostgresError::Failed(failed) = error else { return None };
    let said = failed.as_db_error()?;
    let (which, last) = said.detail()?.split_once(' ')?;
    let record = records.get(which.parse::<usize>().ok()?.checked_sub(1)?)?;
    match said.code().code() {
        CONFLICT => Some(AppendError::Conflict {
            stream: record.stream.clone(),
            current: last.parse::<u64>().ok().map(Revision),
        }),
        TOO_OLD => {
            let at = record.recorded_at.to_rfc3339();
            let reason = format!("event {} was recorded {at}, before what the log ends with", record.id);
            Some(AppendError::Invalid { reason })
        }
        _ => None,
    }
}
