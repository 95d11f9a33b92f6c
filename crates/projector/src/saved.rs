//! The index as a snapshot file.

use std::path::Path;

use chopmark_log::snapshot::{self, SnapshotError};
use chopmark_log::{Anchor, EventLog, Position, ReadError};

use crate::state::State;

/// The name of this fold in its snapshots.
pub const FOLD: &str = "license-index";

/// The version of what snapshots hold. It grows whenever the state, its form or the meaning of an event changes;
/// a snapshot of another version is not used, and the log is folded from its start.
pub const FOLD_VERSION: u32 = 4;

/// How the snapshot is called in a data folder.
pub const SNAPSHOT_FILE: &str = "license-index.snapshot";

pub(crate) fn save(path: &Path, state: &State) -> Result<Position, SnapshotError> {
    snapshot::save(path, FOLD, FOLD_VERSION, state.position, state)?;
    Ok(state.position)
}

/// The state, or why there is none.
pub(crate) fn read(path: &Path) -> Result<State, SnapshotError> {
    let (position, state) = snapshot::read::<State>(path, FOLD, FOLD_VERSION)?;
    state.restore(position).ok_or_else(|| SnapshotError::Damaged { path: path.to_owned() })
}

/// The state, if there is one that can be used.
pub(crate) fn load(path: &Path) -> Result<Option<State>, SnapshotError> {
    snapshot::usable(read(path))
}

/// Whether a log has the event that a state folded last, where it was. One that was put back from a backup may lack it.
pub(crate) async fn is_of(anchor: Option<&Anchor>, log: &dyn EventLog) -> Result<bool, ReadError> {
    match anchor {
        Some(anchor) => anchor.is_in(log).await,
        None => Ok(true),
    }
}

/// Types of the domain whose form is made for JSON, as JSON inside of a snapshot.
pub(crate) mod as_json {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        let json = serde_json::to_string(value).map_err(serde::ser::Error::custom)?;
        json.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let json = String::deserialize(deserializer)?;
        serde_json::from_str(&json).map_err(serde::de::Error::custom)
    }
}
