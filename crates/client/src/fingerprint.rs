//! What a machine is known by.
//!
//! A fingerprint must stay the same as long as the machine is the same, or each restart takes another seat. What is
//! looked at, the first that can be had:
//!
//! 1. **In a container**: a random id, made once and kept in the state folder. `/etc/machine-id` is absent there, or the
//!    image's, or the host's, and hardware ids are the host's: none of them tells containers apart. Put the state
//!    folder on a volume, or each new container is a new machine.
//! 2. The system's id in the firmware (`/sys/class/dmi/id/product_uuid`; on an ECS it is the ECS id). It survives a new
//!    system on the same machine and differs between clones of a disk. As a rule only root may read it.
//! 3. `/etc/machine-id`, else `/var/lib/dbus/machine-id`.
//! 4. Elsewhere, and where none of these is to be had: a random id as in a container.
//!
//! What was chosen is kept in the state folder, so that a program that is run by root at one time and by somebody else
//! at another has one fingerprint. A folder copied to another machine is noticed by the machine id.
//!
//! The fingerprint is a digest over the product and that id: no hardware id leaves the machine, and two sellers cannot
//! compare their customers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::deadline::Deadline;
use crate::disk::SmallFile;

/// Characters a fingerprint may have.
const LENGTH_MAX: usize = 255;

/// The name of the file in the state folder.
const KEPT: &str = "chopmark-machine.json";

/// How long it may take; a quarter of it to get the lock.
const PATIENCE: Duration = Duration::from_secs(8);

/// Firmware ids that makers leave in by the thousand.
const MEANINGLESS: [&str; 3] = [
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "03000200-0400-0500-0006-000700080009",
];

/// What a machine is known by: 1 to 255 characters of `A-Za-z0-9._:-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

/// A text that cannot be a fingerprint, or a machine for which none can be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// The text is empty, too long or has other characters.
    #[error("a fingerprint has 1 to 255 characters of A-Z, a-z, 0-9, dot, underscore, colon and hyphen")]
    Impossible,
    /// A random id is needed, and the state folder cannot keep it.
    #[error("the state folder cannot keep the machine's id; make it writable: {0}")]
    NotKept(#[from] io::Error),
}

/// Where an id is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    Firmware,
    MachineId,
    Random,
}

/// What was chosen. Digests only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    origin: Origin,
    id: String,
    /// The digest of the machine id at that time.
    witness: Option<String>,
}

impl Fingerprint {
    /// A fingerprint of the seller's own making.
    ///
    /// # Errors
    /// [`FingerprintError::Impossible`].
    pub fn parse(text: impl Into<String>) -> Result<Self, FingerprintError> {
        let text = text.into();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        if text.is_empty() || text.len() > LENGTH_MAX || !text.bytes().all(allowed) {
            return Err(FingerprintError::Impossible);
        }
        Ok(Self(text))
    }

    /// What this machine, or this container, is known by: 32 hex digits that stay the same over restarts. In
    /// containers the state folder must be on a volume.
    ///
    /// # Errors
    /// [`FingerprintError::NotKept`] if a random id is needed and cannot be kept.
    pub fn of_this_machine(product: &str, state_dir: impl AsRef<Path>) -> Result<Self, FingerprintError> {
        let id =
            Machine::at(Path::new("/"), std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()).id(state_dir.as_ref())?;
        Ok(Self::of(product, &id))
    }

    fn of(product: &str, id: &str) -> Self {
        let digest = hex::encode(Sha256::digest(format!("chopmark fingerprint 1\n{product}\n{id}")));
        Self(digest.get(..32).unwrap_or(&digest).to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The machine as its files show it.
struct Machine {
    root: PathBuf,
    in_container: bool,
}

impl Machine {
    fn at(root: &Path, in_kubernetes: bool) -> Self {
        let marked = ["run/.containerenv", ".dockerenv"].iter().any(|mark| root.join(mark).exists());
        let groups = fs::read_to_string(root.join("proc/1/cgroup")).unwrap_or_default();
        let grouped = ["docker", "kubepods", "containerd", "libpod", "lxc"].iter().any(|by| groups.contains(by));
        Self { root: root.to_owned(), in_container: in_kubernetes || marked || grouped }
    }

    /// A digest of the machine's id, the same as last time if it is the same machine.
    fn id(&self, state_dir: &Path) -> Result<String, FingerprintError> {
        let file = SmallFile::new(state_dir.join(KEPT));
        let turn = file.turn(Deadline::after(PATIENCE));
        let kept = file.read().ok().flatten().and_then(|json| serde_json::from_slice::<Kept>(&json).ok());
        let found = self.look(kept.clone())?;
        if kept.as_ref() == Some(&found) {
            return Ok(found.id);
        }
        let json = serde_json::to_vec_pretty(&found).map_err(io::Error::from)?;
        match turn.and_then(|turn| turn.write(&json)) {
            // An id of the machine is found again next time, a random one is not.
            Err(error) if found.origin == Origin::Random => Err(error.into()),
            _ => Ok(found.id),
        }
    }

    fn look(&self, kept: Option<Kept>) -> io::Result<Kept> {
        let machine_id = ["etc/machine-id", "var/lib/dbus/machine-id"].iter().find_map(|path| self.text(path));
        let witness = machine_id.as_deref().map(digest);
        if self.in_container {
            return kept.filter(|kept| kept.origin == Origin::Random).map_or_else(Kept::random, Ok);
        }
        let firmware = self.text("sys/class/dmi/id/product_uuid").filter(|id| !MEANINGLESS.contains(&id.as_str()));
        if let Some(kept) = kept.filter(|kept| kept.witness == witness) {
            let read = match kept.origin {
                Origin::Firmware => firmware.as_deref(),
                Origin::MachineId => machine_id.as_deref(),
                Origin::Random => None,
            };
            // What can be read now is the truth; what cannot, because of who runs the program, was true then.
            let id = read.map_or_else(|| kept.id.clone(), digest);
            return Ok(Kept { id, ..kept });
        }
        match (firmware, machine_id) {
            (Some(id), _) => Ok(Kept { origin: Origin::Firmware, id: digest(&id), witness }),
            (None, Some(id)) => Ok(Kept { origin: Origin::MachineId, id: digest(&id), witness }),
            (None, None) => Kept::random(),
        }
    }

    /// A line of a file, in lower case, if it says anything.
    fn text(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.root.join(path)).ok()?.trim().to_lowercase();
        // systemd writes this into images that are to get their id at the first start.
        (!text.is_empty() && text != "uninitialized").then_some(text)
    }
}

impl Kept {
    fn random() -> io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { origin: Origin::Random, id: hex::encode(bytes), witness: None })
    }
}

fn digest(id: &str) -> String {
    hex::encode(Sha256::digest(format!("chopmark machine 1\n{id}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRMWARE: &str = "sys/class/dmi/id/product_uuid";

    /// A root folder with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        root
    }

    fn id(root: &tempfile::TempDir, state: &Path) -> String {
        Machine::at(root.path(), false).id(state).expect("an id")
    }

    #[test]
    fn a_machine_is_known_by_its_firmware_even_when_only_root_may_read_it() {
        let machine = root(&[(FIRMWARE, "AAAA-1\n"), ("etc/machine-id", "m1\n")]);
        let state = machine.path().join("state");
        let as_root = id(&machine, &state);
        assert_eq!(as_root, digest("aaaa-1"));
        fs::remove_file(machine.path().join(FIRMWARE)).expect("it was there");
        assert_eq!(id(&machine, &state), as_root, "as somebody else");
        fs::write(machine.path().join("etc/machine-id"), "m2").expect("a file");
        assert_ne!(id(&machine, &state), as_root, "a folder copied to another machine");
    }

    #[test]
    fn a_machine_first_seen_without_root_stays_known_by_its_machine_id() {
        let machine = root(&[("etc/machine-id", "m1\n"), (FIRMWARE, "00000000-0000-0000-0000-000000000000")]);
        let state = machine.path().join("state");
        let first = id(&machine, &state);
        fs::write(machine.path().join(FIRMWARE), "aaaa-1").expect("a file");
        assert_eq!(id(&machine, &state), first);
        fs::remove_dir_all(&state).expect("it was there");
        assert_ne!(id(&machine, &state), first);
    }

    #[test]
    fn containers_of_one_image_differ_and_each_stays_itself() {
        for mark in [(".dockerenv", ""), ("run/.containerenv", ""), ("proc/1/cgroup", "1:name=systemd:/kubepods/pod1")]
        {
            let image = root(&[mark, ("etc/machine-id", "m1"), (FIRMWARE, "aaaa-1")]);
            let (one, other) = (image.path().join("one"), image.path().join("other"));
            let first = id(&image, &one);
            assert_eq!(id(&image, &one), first, "{mark:?}");
            assert_ne!(id(&image, &other), first, "{mark:?}");
        }
    }

    #[test]
    fn a_random_id_that_cannot_be_kept_is_an_error_and_a_machines_own_is_not() {
        let container = root(&[(".dockerenv", ""), ("state", "a file where the folder should be")]);
        let state = container.path().join("state");
        assert!(matches!(Machine::at(container.path(), false).id(&state), Err(FingerprintError::NotKept(_))));
        let machine = root(&[("etc/machine-id", "m1"), ("state", "a file where the folder should be")]);
        assert_eq!(id(&machine, &machine.path().join("state")), digest("m1"));
    }

    #[test]
    fn a_fingerprint_shows_no_id_and_differs_by_product() {
        let (one, other) = (Fingerprint::of("a", "id"), Fingerprint::of("b", "id"));
        assert_ne!(one, other);
        assert!(one.as_str().len() == 32 && one.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(Fingerprint::parse("fa:16:3e.A_1-b").is_ok());
        for impossible in ["", "a b", "ü", "a/b", &"a".repeat(256)] {
            assert!(Fingerprint::parse(impossible).is_err(), "{impossible}");
        }
    }
}
