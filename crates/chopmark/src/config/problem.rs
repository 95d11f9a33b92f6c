//! What is wrong with a configuration: the key, where it is written, what is wrong, and the mend.

use std::fmt;
use std::sync::Arc;

use crate::failure::Complaint;

/// Where a value was written. Orders as one reads: the lines of a file, then the environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A file as a whole.
    File(Arc<str>),
    /// A line of a file.
    Line {
        /// The file, as it was named.
        file: Arc<str>,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.write_str(file),
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it is written.
    pub(crate) place: Place,
    /// The key's path, e.g. `product[0].grace_days`; empty where the file is no TOML.
    pub(crate) key: String,
    /// What is wrong. Never shows a value that may be a secret.
    pub(crate) what: String,
    /// What to do.
    pub(crate) mend: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, what, .. } = self;
        if key.is_empty() { write!(f, "{place}: {what}") } else { write!(f, "{place}: {key}: {what}") }
    }
}

/// Everything that is wrong with a configuration, in the order it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// At least one.
    pub(crate) problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        Self { problems }
    }

    /// What to tell the user, one complaint for each problem.
    pub(crate) fn complaints(&self) -> impl Iterator<Item = Complaint> {
        self.problems.iter().map(|problem| Complaint::new(problem.to_string(), problem.mend.as_str()))
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}{problem} ({})", problem.mend)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
