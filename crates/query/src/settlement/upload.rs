//! Files as request bodies.

use std::time::Duration;

use actix_web::web::Payload;
use chopmark_billing::report::file::{MappingAsked, Upload, UploadError};
use chopmark_domain::cause::Cause;
use chopmark_tables::{Limits, TableError};

use super::desk::{Desk, of_report};
use crate::body;
use crate::problem::{Kind, Problem};

/// How long a file may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);
/// Characters of a file's name.
const NAME_CHARACTERS: usize = 200;
/// Rows that a refusal tells of.
const TOLD: usize = 5;

/// Reads a file of at most what is read of one.
pub(super) async fn read(payload: Payload, file_name: Option<&str>, mapping: Option<&str>) -> Result<Upload, Problem> {
    let file_name = name(file_name)?;
    let bytes = body::read_within(payload, Limits::default().bytes, PATIENCE).await?.to_vec();
    let mapping = match mapping.filter(|name| !name.is_empty()) {
        Some(name) => MappingAsked::Named(name.into()),
        None => MappingAsked::Proposed,
    };
    Ok(Upload { file_name, bytes, mapping })
}

pub(crate) fn name(given: Option<&str>) -> Result<String, Problem> {
    let name = given.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("unnamed");
    if name.chars().count() > NAME_CHARACTERS || name.contains(char::is_control) {
        let detail = format!("parameter `file_name`: at most {NAME_CHARACTERS} characters in one line");
        return Err(Problem::malformed(detail));
    }
    Ok(name.to_owned())
}

/// Why a file cannot be looked at.
pub(crate) fn of_upload(error: &UploadError) -> Problem {
    match error {
        UploadError::Table(TableError::TooLarge { .. }) => Problem::new(Kind::BodyTooLarge, error.to_string()),
        UploadError::Table(_) => Problem::new(Kind::FileRefused, error.to_string()),
        UploadError::NoMapping { .. } => Problem::malformed(format!("parameter `mapping`: {error}")),
        UploadError::Report(error) => of_report(error),
    }
}

/// Nothing of a file is taken because of what is wrong with it.
pub(crate) fn refused(problems: &[chopmark_billing::report::file::ProblemShown], more: usize) -> Problem {
    let told = problems.iter().take(TOLD).map(|problem| match (problem.row, &problem.column) {
        (Some(row), Some(column)) => format!("row {row}, column {column:?}: {}", problem.problem),
        (Some(row), None) => format!("row {row}: {}", problem.problem),
        _ => problem.problem.clone(),
    });
    let rest = (problems.len() + more).saturating_sub(TOLD);
    let rest = if rest == 0 { String::new() } else { format!("; and {rest} more") };
    let detail = format!(
        "nothing was taken: {}{rest}; without `commit` the answer lists them",
        told.collect::<Vec<_>>().join("; ")
    );
    Problem::new(Kind::FileRefused, detail)
}

/// The cause of what a file states.
pub(crate) fn cause(desk: &Desk<'_>, file_name: &str, sha256: &str) -> Cause {
    Cause::Import { actor: desk.caller.id().into(), file_name: file_name.into(), sha256: sha256.into() }
}
