//! The systemd units.

use std::fs;
use std::process::Command;

use crate::{of_repository, run};

/// Where the units expect the binary.
const INSTALLED: &str = "/usr/local/bin/chopmark";
/// Tenths of the exposure, of 100, that systemd may find in a unit.
const EXPOSURE: &str = "15";

#[test]
fn units_are_ones_that_systemd_takes_and_finds_little_exposed() {
    let folder = tempfile::tempdir().unwrap();
    for (file, name) in [
        ("chopmark.service", "chopmark.service"),
        ("chopmark@.service", "chopmark@ingest.service"),
        ("chopmark@.service", "chopmark@query.service"),
        ("chopmark@.service", "chopmark@worker.service"),
    ] {
        let text = fs::read_to_string(of_repository("deploy/systemd").join(file)).unwrap();
        assert!(text.contains(INSTALLED), "{file}");
        // It looks whether the program is there.
        let unit = folder.path().join(name);
        fs::write(&unit, text.replace(INSTALLED, env!("CARGO_BIN_EXE_chopmark"))).unwrap();
        let complaints = run(Command::new("systemd-analyze").arg("verify").arg(&unit));
        assert_eq!(complaints, "", "{name}");
        let mut security = Command::new("systemd-analyze");
        security.args(["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE]).arg(&unit);
        run(&mut security);
    }
}

#[test]
fn roles_of_the_units_are_roles_of_the_command() {
    let help = run(Command::new(env!("CARGO_BIN_EXE_chopmark")).args(["serve", "--help"]));
    for role in ["all", "ingest", "query", "worker"] {
        assert!(help.contains(&format!("- {role}:")), "{help}");
    }
}
