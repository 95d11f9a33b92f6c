//! Why a job is still open after an attempt.

use chopmark_commands::CommandError;
use chopmark_huawei::open_api::{ErrorKind, OpenApiError};

/// Why a job is still open after an attempt.
pub(super) enum Failure {
    /// The seller has no open API.
    NoOpenApi,
    /// It waits for the next event that has to do with it.
    Waits(&'static str),
    /// Something on our side that a person must see to.
    Held(String),
    /// The marketplace did not tell, or did not do it.
    Untold(OpenApiError),
    /// The log did not take or give something, or the rules refused.
    Log(CommandError),
    /// Everything went well and the job is open nonetheless.
    Unchanged,
}

/// A first question that was cut short.
pub(super) fn late() -> OpenApiError {
    OpenApiError::new(ErrorKind::Transient, "no answer in the time of a first question")
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Log(error)
    }
}

impl Failure {
    /// The marketplace says no.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::Untold(OpenApiError::new(ErrorKind::Refused, message))
    }

    /// Whether it may pass by itself.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Untold(error) => error.kind == ErrorKind::Transient,
            Self::Log(error) => !matches!(error, CommandError::Refused(_)),
            Self::NoOpenApi | Self::Waits(_) | Self::Held(_) | Self::Unchanged => false,
        }
    }

    pub(super) fn reason(&self) -> String {
        match self {
            Self::NoOpenApi => "the seller has no open_api".into(),
            Self::Waits(what) => (*what).into(),
            Self::Held(what) => what.clone(),
            Self::Untold(error) => error.to_string(),
            Self::Log(error) => error.to_string(),
            Self::Unchanged => "all is known, and a license does not take it".into(),
        }
    }
}
