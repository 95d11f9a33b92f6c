//! An event as it is shown: one line, and nothing in it that is secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chopmark_domain::event_kinds;
use chopmark_log::Record;
use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::cmd::text::cut;

/// Columns of data that a line shows.
const DATA_COLUMNS: usize = 100;

/// What stands in the place of what is not shown.
const WITHHELD: &str = "(withheld)";

/// Members of an event's data that are not for every eye, by kind: secrets, what proves that somebody knows one, and
/// licenses, which whoever holds them can use.
const SECRETS: [(&str, &str); 4] = [
    ("seller_secret_created.v1", "secret"),
    ("token_created.v1", "hash"),
    ("deployment_enrolled.v1", "secret"),
    ("license_issued.v1", "document"),
];

/// Every kind that this version knows. Of others it cannot know what is secret in them.
fn is_known(kind: &str) -> bool {
    event_kinds().any(|known| known == kind)
}

/// For people: time, position, stream with revision, kind, and the beginning of the data.
pub(super) fn text(record: &Record) -> String {
    let at = record.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let Record { position, stream, revision, kind, .. } = record;
    let data = cut(&data(record).to_string(), DATA_COLUMNS);
    // What is in a stranger's event must not speak to the terminal.
    let line = format!("{at}  {position:>8}  {stream} {revision}  {kind}  {data}");
    line.chars().map(|letter| if letter.is_control() { '·' } else { letter }).collect::<String>() + "\n"
}

/// For machines: one object a line.
pub(super) fn json(record: &Record) -> String {
    let shown = json!({
        "position": record.position.to_string(),
        "stream": record.stream.as_str(),
        "revision": record.revision.0,
        "id": record.id,
        "kind": record.kind,
        "recorded_at": record.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "data": data(record),
        "metadata": if is_known(&record.kind) { value(&record.metadata) } else { WITHHELD.into() },
    });
    format!("{shown}\n")
}

fn data(record: &Record) -> Value {
    if !is_known(&record.kind) {
        return WITHHELD.into();
    }
    let mut data = value(&record.data);
    if let Value::Object(members) = &mut data {
        for (_, name) in SECRETS.iter().filter(|(kind, _)| *kind == record.kind) {
            if let Some(member) = members.get_mut(*name) {
                *member = WITHHELD.into();
            }
        }
    }
    data
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| json!({ "base64": STANDARD.encode(bytes) }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chopmark_log::{Position, Revision, StreamName};
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn record(kind: &str, data: &[u8]) -> Record {
        Record {
            id: Uuid::nil(),
            stream: StreamName::new("seller-acme").unwrap(),
            revision: Revision(0),
            position: Position(7),
            kind: kind.into(),
            data: data.to_vec(),
            metadata: b"{\"cause\":{\"source\":\"system\"}}".to_vec(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn of_no_kind_of_event_anything_secret_is_shown() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/tests/fixtures/v1");
        let mut withheld = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let data = std::fs::read(&path).unwrap();
            let record = record(name.split('+').next().unwrap(), &data);
            let (line, object) = (text(&record), json(&record));
            let stored: Value = serde_json::from_slice(&data).unwrap();
            for member in ["secret", "hash", "document", "password", "key"] {
                let Some(secret) = stored.get(member).and_then(Value::as_str) else { continue };
                assert!(!line.contains(secret) && !object.contains(secret), "{name} shows its {member}");
                withheld += 1;
            }
            assert!(object.contains("\"source\":\"system\""), "{name} is known: {object}");
        }
        assert!(withheld >= SECRETS.len(), "every kind with a secret has a fixture");
    }

    #[test]
    fn of_a_kind_that_is_not_known_nothing_is_shown() {
        let record = record("seller_secret_changed.v9", b"{\"new_secret\":\"hush\"}");
        assert!(!text(&record).contains("hush") && !json(&record).contains("hush"));
    }

    #[test]
    fn a_line_is_one_line_and_does_not_speak_to_the_terminal() {
        let odd = record("license_blocked.v1", "{\"reason\":\"\u{9b}2J\u{7f}\u{85}\"}".as_bytes());
        let line = text(&odd);
        assert!(line.ends_with('\n') && !line.trim_end().chars().any(char::is_control), "{line:?}");
        assert!(
            line.starts_with("1970-01-01T00:00:00.000000Z         7  seller-acme 0  license_blocked.v1  {"),
            "{line}"
        );
        let binary = record("license_blocked.v1", b"\xff");
        assert!(json(&binary).contains("{\"base64\":\"/w==\"}"));
    }
}
