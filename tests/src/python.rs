//! A Python of one's own, for the tests that hold us against programs written in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often packages are asked for: a registry may be away for a moment.
const TRIES: usize = 3;

const MISSING: &str = "This test needs Python with its venv module: on Debian, `apt-get install python3 python3-venv`.";

/// A Python with the packages of a requirements file, in a folder under `target/conformance`: made once, and again when
/// the file changes.
///
/// # Errors
/// There is no Python, or its packages cannot be had; the text says what to install.
pub fn environment(folder: &Path, requirements: &Path) -> Result<PathBuf, String> {
    let wanted = fs::read(requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let (python, made_for) = (folder.join("bin/python"), folder.join("made-for.txt"));
    if fs::read(&made_for).is_ok_and(|made_for| made_for == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder), MISSING)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    let failed: Vec<_> = (0..TRIES).map_while(|_| run(&mut install, "PyPI must be reached once.").err()).collect();
    if failed.len() == TRIES {
        return Err(failed.join("\n"));
    }
    fs::write(&made_for, wanted).map_err(|error| format!("{}: {error}", made_for.display()))?;
    Ok(python)
}

/// Runs a command to its good end, and gives what it printed.
///
/// # Errors
/// It could not be run, or ended badly: what it printed, and what may be missing.
pub fn run(command: &mut Command, missing: &str) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}. {missing}"))?;
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() {
        Ok(printed)
    } else {
        Err(format!("{command:?}: {}\n{printed}\n{missing}", output.status))
    }
}
