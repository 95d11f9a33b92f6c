//! Machines: `PUT` takes a seat for one, `DELETE` gives it up, `GET` lists them.
//!
//! A program asks for its seat itself, with nothing but the license's id. To give a seat up takes the machine's lease,
//! or a token: otherwise whoever has seen an id could stop the customer's machines.

pub(crate) mod activate;
pub(crate) mod free;
pub(crate) mod list;
mod proof;

use actix_web::HttpResponse;
use chopmark_commands::CommandError;
use chopmark_domain::ids::Fingerprint;

pub(crate) use self::activate::activate;
pub(crate) use self::free::free;
pub(crate) use self::list::list;
use crate::Query;
use crate::asker::Asker;
use crate::problem::{Kind, Problem};

fn fingerprint(text: &str) -> Result<Fingerprint, Problem> {
    Fingerprint::parse(text).map_err(|error| Problem::malformed(format!("the path's fingerprint: {error}")))
}

/// What is told to software, which has no sellers.
fn no_such_license() -> Problem {
    Problem::new(Kind::NoSuchLicense, "there is no license with this id; check it")
}

fn ambiguous() -> Problem {
    let detail = "several sellers have a license with this id; name one with `seller`";
    Problem::new(Kind::LicenseAmbiguous, detail)
}

fn no_such_machine() -> Problem {
    Problem::new(Kind::NoSuchMachine, "the license has no machine with this fingerprint; check it")
}

/// What is told where the log does not take a command.
fn not_done(error: &CommandError) -> Problem {
    tracing::error!(%error, "a machine's seat cannot be recorded");
    Problem::new(Kind::Unavailable, "this cannot be recorded now; try again, and see the server's log")
}

/// Lets an answer go to whoever asks without a token, and counts it.
fn send(query: &Query, asker: &Asker<'_>, answer: Result<HttpResponse, Problem>) -> HttpResponse {
    let response = answer.unwrap_or_else(|problem| asker.refuse(&problem).1);
    query.metrics.answered("machine", response.status().as_u16());
    response
}
