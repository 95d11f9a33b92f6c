//! Secrets: named in the configuration, found in the environment or in a file, never shown.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::document::Value;
use super::environment::Environment;
use super::reader::{Found, Reader, Section, Spot};

pub(super) const RELATIVE_TO_CONFIG: &str = "paths are relative to the folder of the configuration file";

const HOW_TO_WRITE: &str = "write one of { env = \"NAME\" }, { file = \"PATH\" } and { value = \"…\" }";

/// Where a secret is. Its `Debug` shows names, never values.
#[derive(Debug, Clone)]
pub(crate) enum SecretSource {
    /// Here.
    Value(SecretString),
    /// In an environment variable of this name.
    Variable(String),
    /// In a file; line ends at its end do not count.
    File(PathBuf),
}

/// Why there is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct SecretError {
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) mend: String,
}

impl SecretSource {
    /// The secret.
    ///
    /// # Errors
    /// The variable is not set, the file cannot be read, or nothing is in it.
    pub(crate) fn resolve(&self, environment: &Environment) -> Result<SecretString, SecretError> {
        let secret = match self {
            Self::Value(secret) => secret.clone(),
            Self::Variable(name) => from_variable(name, environment)?,
            Self::File(path) => from_file(path)?,
        };
        if secret.expose_secret().is_empty() {
            return Err(SecretError { what: self.emptiness(), mend: "put the secret there".into() });
        }
        Ok(secret)
    }

    fn emptiness(&self) -> String {
        match self {
            Self::Value(_) => "the secret is empty".into(),
            Self::Variable(name) => format!("the environment variable {name} is empty"),
            Self::File(path) => format!("the file {} is empty", path.display()),
        }
    }
}

fn from_variable(name: &str, environment: &Environment) -> Result<SecretString, SecretError> {
    match environment.text(name) {
        Ok(Some(secret)) => Ok(secret.into()),
        Ok(None) => Err(SecretError {
            what: format!("the environment variable {name} is not set"),
            mend: "set it for this process, or name the one that is set".into(),
        }),
        Err(reason) => Err(SecretError {
            what: format!("the environment variable {name} {reason}"),
            mend: "set it to text in UTF-8".into(),
        }),
    }
}

fn from_file(path: &Path) -> Result<SecretString, SecretError> {
    match std::fs::read_to_string(path) {
        Ok(content) => Ok(content.trim_end_matches(['\r', '\n']).into()),
        Err(error) => Err(SecretError {
            what: format!("the file {} cannot be read: {error}", path.display()),
            mend: format!("put it there and let Chopmark read it; {RELATIVE_TO_CONFIG}"),
        }),
    }
}

/// Reads and resolves a secret. A `CHOPMARK_…` variable set in its place is the secret itself.
pub(super) fn read(found: Found<'_>) -> Option<SecretString> {
    match found.into_unread_text() {
        Ok((spot, text, reader)) => resolve(&spot, &SecretSource::Value(text.into()), reader),
        Err(found) if matches!(found.value, Value::Table(_)) => {
            let reader = found.reader;
            let (spot, source) = source(found.section()?)?;
            resolve(&spot, &source, reader)
        }
        Err(found) => {
            found.refuse(format!("a secret is not written as {}", found.value.type_name()), HOW_TO_WRITE);
            None
        }
    }
}

fn resolve(spot: &Spot, source: &SecretSource, reader: &Reader<'_>) -> Option<SecretString> {
    match source.resolve(reader.environment) {
        Ok(secret) => Some(secret),
        Err(SecretError { what, mend }) => {
            spot.refuse(reader, what, mend);
            None
        }
    }
}

/// The one place that is named, with where its name is written.
fn source(mut section: Section<'_>) -> Option<(Spot, SecretSource)> {
    let (spot, reader) = (section.spot.clone(), section.reader);
    let value = section.take("value");
    let variable = section.take("env");
    let file = section.take("file");
    let unknown = section.finish();
    match (value, variable, file) {
        (Some(found), None, None) => Some((found.spot.clone(), SecretSource::Value(found.text()?.into()))),
        (None, Some(found), None) => Some((found.spot.clone(), SecretSource::Variable(found.text()?))),
        (None, None, Some(found)) => Some((found.spot.clone(), SecretSource::File(reader.folder.join(found.text()?)))),
        // The unknown key is the one that is missing.
        (None, None, None) if unknown > 0 => None,
        _ => {
            spot.refuse(reader, "exactly one of `env`, `file` and `value` is wanted", HOW_TO_WRITE);
            None
        }
    }
}
