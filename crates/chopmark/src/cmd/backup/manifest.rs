//! What a backup consists of.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{KEYS_FILE, VIEWS_FILE};

/// The file that says it.
const MANIFEST: &str = "manifest.json";
const FORMAT: &str = "chopmark-backup";
const VERSION: u32 = 1;

/// Bytes a manifest may have.
const BYTES_MAX: u64 = 64 * 1024;

/// What a backup consists of, and what each part must be.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: String,
    version: u32,
    /// The version of Chopmark that made it.
    chopmark: String,
    made_at: DateTime<Utc>,
    /// The log.
    pub(super) log: Log,
    /// Every file but this one.
    pub(super) files: Vec<Part>,
}

/// The log in a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Log {
    /// Its file.
    pub(super) file: String,
    /// Its last event.
    pub(super) position: String,
}

/// A file of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    /// Its name.
    pub(super) name: String,
    bytes: u64,
    sha256: String,
}

/// Why something is no backup that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoBackup {
    /// It cannot be read.
    #[error("{name}: {source}")]
    Io {
        /// Which file.
        name: String,
        /// What happened.
        source: io::Error,
    },
    /// Its manifest is none.
    #[error("{MANIFEST} is none of a backup: {0}")]
    Malformed(String),
    /// A newer version of Chopmark made it.
    #[error("it has version {0}, this version of chopmark restores {VERSION}")]
    Newer(u32),
    /// A file is not what was saved.
    #[error("{name} is not what was saved: {reason}")]
    Changed {
        /// Which file.
        name: String,
        /// How it shows.
        reason: &'static str,
    },
}

impl Manifest {
    /// Of the files in a folder, which are read for it.
    pub(super) fn of(folder: &Path, log: Log, files: &[String], made_at: DateTime<Utc>) -> io::Result<Self> {
        let part = |name: &String| {
            let (bytes, sha256) = digest(File::open(folder.join(name))?, &mut io::sink())?;
            Ok(Part { name: name.clone(), bytes, sha256 })
        };
        Ok(Self {
            format: FORMAT.into(),
            version: VERSION,
            chopmark: env!("CARGO_PKG_VERSION").into(),
            made_at,
            log,
            files: files.iter().map(part).collect::<io::Result<_>>()?,
        })
    }

    /// Writes it into the folder, and makes everything there durable.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut file = create_private(&folder.join(MANIFEST))?;
        file.write_all(format!("{:#}\n", self.to_json()).as_bytes())?;
        file.sync_all()?;
        self.files.iter().try_for_each(|part| File::open(folder.join(&part.name))?.sync_all())
    }

    /// Reads that of a folder.
    ///
    /// # Errors
    /// There is none, or a newer version made it.
    pub(super) fn read(folder: &Path) -> Result<Self, NoBackup> {
        let mut text = vec![];
        let read = File::open(folder.join(MANIFEST)).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut text));
        read.map_err(|source| NoBackup::Io { name: MANIFEST.into(), source })?;
        let malformed = |error: serde_json::Error| NoBackup::Malformed(error.to_string());
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(malformed)?;
        if value["format"] != FORMAT {
            return Err(NoBackup::Malformed("it does not say so".into()));
        }
        match value["version"].as_u64() {
            Some(version) if version == u64::from(VERSION) => serde_json::from_value(value).map_err(malformed),
            Some(newer) => Err(NoBackup::Newer(u32::try_from(newer).unwrap_or(u32::MAX))),
            None => Err(NoBackup::Malformed("it has no version".into())),
        }
    }

    /// The part of this name, if it has one.
    pub(super) fn part(&self, name: &str) -> Option<&Part> {
        self.files.iter().find(|part| part.name == name)
    }

    /// Looks at every file.
    ///
    /// # Errors
    /// One of them is not what was saved.
    pub(super) fn check(&self, folder: &Path) -> Result<(), NoBackup> {
        self.files.iter().try_for_each(|part| part.copy(folder, &mut io::sink()))
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self)
    }

    /// For people.
    pub(super) fn text(&self, folder: &Path) -> String {
        let has = |name| self.part(name).is_some();
        let mut parts = vec![format!("the log up to position {}", self.log.position)];
        parts.extend(has(VIEWS_FILE).then(|| "who was last seen".to_owned()));
        parts.extend(has(KEYS_FILE).then(|| "the signing keys".to_owned()));
        format!("{}: {}\n", folder.display(), parts.join(", "))
    }
}

impl Part {
    /// Copies it out of its folder, whatever else is there by that name.
    ///
    /// # Errors
    /// It is not what was saved, or cannot be read or written.
    pub(super) fn copy(&self, folder: &Path, to: &mut impl Write) -> Result<(), NoBackup> {
        let Self { name, bytes, sha256 } = self;
        if Path::new(name).file_name().is_none_or(|file_name| file_name != name.as_str()) {
            return Err(NoBackup::Malformed(format!("{name:?} is no name of a file")));
        }
        let copied = File::open(folder.join(name)).and_then(|file| digest(file, to));
        let (found, digest) = copied.map_err(|source| NoBackup::Io { name: name.clone(), source })?;
        let changed = |reason| Err(NoBackup::Changed { name: name.clone(), reason });
        match (found == *bytes, digest == *sha256) {
            (false, _) => changed("it is longer or shorter"),
            (true, false) => changed("its SHA-256 is another"),
            (true, true) => Ok(()),
        }
    }
}

/// Copies what is read, and says how much it is and its SHA-256 in hexadecimal.
fn digest(mut from: impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let (mut digest, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((bytes, hex::encode(digest.finalize()))),
            read => {
                digest.update(&buffer[..read]);
                to.write_all(&buffer[..read])?;
                bytes += read as u64;
            }
        }
    }
}

/// Copies a file into one that only its owner can read.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = create_private(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()
}

/// Creates a file, or empties it, that only its owner can read.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup() -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("log.db"), b"records").unwrap();
        let log = Log { file: "log.db".into(), position: "7".into() };
        let manifest = Manifest::of(folder.path(), log, &["log.db".into()], DateTime::UNIX_EPOCH).unwrap();
        manifest.write(folder.path()).unwrap();
        (folder, manifest)
    }

    #[test]
    fn a_backup_that_is_whole_says_so() {
        let (folder, _) = backup();
        let manifest = Manifest::read(folder.path()).unwrap();
        manifest.check(folder.path()).unwrap();
        assert_eq!((manifest.log.position.as_str(), manifest.files.len()), ("7", 1));
    }

    #[test]
    fn a_file_that_was_changed_cut_or_taken_away_is_noticed() {
        let (folder, manifest) = backup();
        for (other, hint) in [(&b"recordz"[..], "SHA-256"), (b"record", "shorter"), (b"", "shorter")] {
            std::fs::write(folder.path().join("log.db"), other).unwrap();
            let error = manifest.check(folder.path()).unwrap_err().to_string();
            assert!(error.contains("log.db") && error.contains(hint), "{error}");
        }
        std::fs::remove_file(folder.path().join("log.db")).unwrap();
        assert!(matches!(manifest.check(folder.path()), Err(NoBackup::Io { .. })));
    }

    #[test]
    fn a_manifest_that_names_files_elsewhere_is_refused() {
        let (folder, mut manifest) = backup();
        for name in ["../log.db", "/etc/passwd", "a/b", "..", ""] {
            manifest.files[0].name = name.into();
            assert!(matches!(manifest.check(folder.path()), Err(NoBackup::Malformed(_))), "{name:?}");
        }
    }

    #[test]
    fn what_is_no_manifest_is_told_from_one_of_a_newer_version() {
        let (folder, _) = backup();
        let path = folder.path().join(MANIFEST);
        for text in ["", "{}", "nonsense", "{\"format\":\"chopmark-backup\"}"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Manifest::read(folder.path()), Err(NoBackup::Malformed(_))), "{text:?}");
        }
        std::fs::write(&path, "{\"format\":\"chopmark-backup\",\"version\":2}").unwrap();
        assert!(matches!(Manifest::read(folder.path()), Err(NoBackup::Newer(2))));
    }
}
