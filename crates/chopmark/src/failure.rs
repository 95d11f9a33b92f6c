//! How a command ends when it does not succeed: what to say, and the exit code.

use std::fmt;
use std::process::ExitCode;

use crate::config::{ConfigError, SecretError};

/// Something to tell the user: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) help: String,
}

impl Complaint {
    /// Puts the two together.
    pub(crate) fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  help: {}", self.what, self.help)
    }
}

/// Why a command ends, as its exit code tells it. The numbers are documented in `chopmark --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A check failed or a difference was found: 1.
    CheckFailed,
    /// The command line or the configuration is wrong: 2.
    Usage,
    /// The data directory or the event log cannot be used: 3.
    Storage,
}

/// The end of a command that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{}", .complaints.iter().map(Complaint::to_string).collect::<Vec<_>>().join("\n"))]
pub(crate) struct Failure {
    /// Why.
    pub(crate) reason: Reason,
    /// What to say of it; nothing where the command has said it all.
    pub(crate) complaints: Vec<Complaint>,
}

impl Failure {
    /// One thing went wrong.
    pub(crate) fn new(reason: Reason, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { reason, complaints: vec![Complaint::new(what, help)] }
    }

    /// Says what it is about, too.
    #[must_use]
    pub(crate) fn of(mut self, subject: impl fmt::Display) -> Self {
        self.complaints.iter_mut().for_each(|complaint| complaint.what = format!("{subject}: {}", complaint.what));
        self
    }

    /// The exit code.
    #[must_use]
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.reason {
            Reason::CheckFailed => 1,
            Reason::Usage => 2,
            Reason::Storage => 3,
        })
    }
}

/// Turns an error into the end of a command.
pub(crate) trait OrFail<T> {
    /// Says what was being done and what to do about it; the error itself stands in between.
    ///
    /// # Errors
    /// The failure, where there was an error.
    fn or_fail(self, reason: Reason, doing: impl fmt::Display, help: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: std::error::Error> OrFail<T> for Result<T, E> {
    fn or_fail(self, reason: Reason, doing: impl fmt::Display, help: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(reason, format!("{doing}: {}", chain(&error)), help))
    }
}

/// An error with its sources, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { reason: Reason::Usage, complaints: error.complaints().collect() }
    }
}

impl From<SecretError> for Failure {
    fn from(SecretError { what, mend }: SecretError) -> Self {
        Self::new(Reason::Usage, what, mend)
    }
}
