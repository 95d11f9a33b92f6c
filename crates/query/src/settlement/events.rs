//! The events behind a line, and what is behind each of them.

use chopmark_billing::report::lines::Behind;
use chopmark_commands::CommandError;
use chopmark_domain::cause::Metadata;
use chopmark_log::{Position, Record};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::find::unreadable;
use crate::json::ExactTime;
use crate::problem::Problem;
use crate::{Query, params};

/// Events of one line that are shown; the sources name all of them.
const EVENTS: usize = 50;

/// An event that a line is known from.
#[derive(Serialize, ToSchema)]
#[schema(as = EventBehindLine)]
pub(crate) struct EventBehind {
    /// Its place in the log.
    #[schema(pattern = "^[0-9]{1,20}$", example = "1274")]
    position: String,
    /// What happened, with a version.
    #[schema(example = "order_facts_recorded.v1")]
    kind: String,
    /// The stream that it is on.
    stream: String,
    /// When the log took it.
    recorded_at: ExactTime,
    /// The event as stored; of an imported file only the row that is meant.
    #[schema(value_type = Object)]
    data: Value,
    /// What is behind it: by `source` the signed request of a callback (`body`, `signature`, `timestamp`, `nonce`,
    /// `key_id`, `signed_form`, `received_at`), the answer of the open API (`api`, `answer`), an operator (`actor`), an
    /// imported file (`actor`, `file_name`, `sha256`), or the system.
    #[schema(value_type = Object)]
    cause: Value,
}

/// The events of these sources, in their order.
pub(crate) async fn behind(query: &Query, sources: &[Behind]) -> Result<Vec<EventBehind>, Problem> {
    let mut events = vec![];
    for source in sources.iter().take(EVENTS) {
        let Some(position) = params::position(&source.position).filter(|position| *position > Position::START) else {
            continue;
        };
        let page = query.commands.log().read_all(Position(position.0 - 1), 1).await;
        let page = page.map_err(|error| unreadable(&CommandError::from(error)))?;
        let record = page.records.into_iter().find(|record| record.position == position);
        events.extend(record.map(|record| event(source, &record)));
    }
    Ok(events)
}

fn event(source: &Behind, record: &Record) -> EventBehind {
    // What was stored as an event is JSON.
    let data: Value = serde_json::from_slice(&record.data).unwrap_or_default();
    let metadata: Option<Metadata> = serde_json::from_slice(&record.metadata).ok();
    let cause = metadata.and_then(|metadata| serde_json::to_value(&metadata.cause).ok());
    EventBehind {
        position: record.position.to_string(),
        kind: record.kind.clone(),
        stream: record.stream.to_string(),
        recorded_at: ExactTime(record.recorded_at),
        data: source.row.and_then(|row| only_row(&data, row)).unwrap_or(data),
        cause: cause.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
    }
}

/// One row of an event that lists many.
fn only_row(data: &Value, row: u32) -> Option<Value> {
    data["rows"].as_array()?.iter().find(|listed| listed["row"] == row).cloned()
}
