//! Where what is known is kept: one small file, and memory while that cannot be written.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::deadline::Deadline;
use crate::disk::SmallFile;
use crate::lease::Subject;
use crate::state::State;

/// The state of one installation.
pub(crate) struct Store {
    file: SmallFile,
    /// What could not be written. While it is `None`, the file is the truth, since other processes write to it too.
    unwritten: Mutex<Option<(State, String)>>,
}

impl Store {
    /// The state for a product and what it is licensed by; each has its own file.
    pub(crate) fn new(folder: &Path, product: &str, subject: &Subject) -> Self {
        let (kind, id) = match subject {
            Subject::License { id, .. } => ("license", id),
            Subject::Deployment { uuid } => ("deployment", uuid),
        };
        let digest = hex::encode(Sha256::digest(format!("{product}\n{kind}\n{id}")));
        let name = format!("chopmark-{}.json", digest.get(..16).unwrap_or(&digest));
        Self { file: SmallFile::new(folder.join(name)), unwritten: Mutex::new(None) }
    }

    /// What is known now. A file that cannot be read or is damaged is as good as none.
    pub(crate) fn load(&self) -> State {
        let unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        match &*unwritten {
            Some((state, _)) => state.clone(),
            None => self.read().ok().flatten().unwrap_or_default(),
        }
    }

    /// Changes what is known and writes it, if it has changed. Returns what came of the change. Where others write for
    /// too long, what is known stays in memory.
    pub(crate) fn update<T>(&self, deadline: Deadline, change: impl FnOnce(&mut State) -> T) -> T {
        // First the turn, which may be waited for: nobody waits in turn for whoever waits.
        let turn = self.file.turn(deadline);
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let on_disk = turn.as_ref().map_err(say).and_then(|turn| match self.read() {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                // Kept aside rather than deleted; if even that fails, writing over it will do.
                let _ = turn.put_aside();
                Ok(None)
            }
            read => read.map_err(|error| say(&error)),
        });
        let known = unwritten.take().map(|(state, _)| state);
        let kept = on_disk.as_ref().ok().and_then(Clone::clone);
        // Without a turn the file can still be read, it only cannot be written.
        let mut state = known.or_else(|| kept.clone()).or_else(|| self.read().ok().flatten()).unwrap_or_default();
        let result = change(&mut state);
        if kept.as_ref() == Some(&state) {
            return result;
        }
        let written = on_disk.and_then(|_| turn.map_err(|error| say(&error))).and_then(|turn| {
            let json = serde_json::to_vec_pretty(&state).map_err(|error| error.to_string())?;
            turn.write(&json).map_err(|error| say(&error))
        });
        *unwritten = written.err().map(|why| (state, why));
        result
    }

    /// Why the last change could not be written.
    pub(crate) fn not_kept(&self) -> Option<String> {
        let unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.as_ref().map(|(_, why)| why.clone())
    }

    fn read(&self) -> io::Result<Option<State>> {
        let Some(json) = self.file.read()? else {
            return Ok(None);
        };
        serde_json::from_slice(&json).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

fn say(error: &io::Error) -> String {
    error.to_string()
}
