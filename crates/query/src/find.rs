//! The license that a path names, for those who present a token.

use chopmark_commands::CommandError;
use chopmark_domain::ids::SellerId;
use chopmark_log::Position;
use chopmark_projector::{Found, LookUp};
use chrono::{DateTime, Utc};

use crate::Query;
use crate::caller::Caller;
use crate::problem::{Kind, Problem};

/// Finds a license among the sellers of a token, be it an instance, a code or a deployment. One of another seller does
/// not exist: it is answered like an id that nobody has, after the same work.
pub(crate) fn find(
    query: &Query,
    caller: &Caller,
    seller: Option<&SellerId>,
    id: &str,
    now: DateTime<Utc>,
) -> Result<(Position, Found), Problem> {
    let LookUp { position, found, ambiguous } = look_up(query, caller, seller, id, now);
    if ambiguous {
        let detail = "several sellers have a license with this id; name one with `seller`";
        return Err(Problem::new(Kind::LicenseAmbiguous, detail));
    }
    Ok((position, found.ok_or_else(Problem::no_such_license)?))
}

fn look_up(query: &Query, caller: &Caller, seller: Option<&SellerId>, id: &str, now: DateTime<Utc>) -> LookUp {
    let look_up = |seller: Option<&SellerId>| query.index.look_up_any(seller, id, None, now);
    let nothing = || LookUp { position: query.progress.position(), found: None, ambiguous: false };
    let is_out_of_reach = seller.is_some_and(|seller| !caller.covers(seller));
    let looked = match (seller.filter(|_| !is_out_of_reach), caller.sellers()) {
        (Some(seller), _) => look_up(Some(seller)),
        (None, None) => look_up(None),
        // Of a seller out of reach nothing is looked up, and yet no less: time must not tell either.
        (None, Some(sellers)) => {
            let mut found = sellers.iter().map(|seller| look_up(Some(seller))).filter(is_something);
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => LookUp { ambiguous: true, ..nothing() },
                (Some(one), None) => one,
                (None, _) => nothing(),
            }
        }
    };
    if is_out_of_reach { nothing() } else { looked }
}

fn is_something(looked: &LookUp) -> bool {
    looked.found.is_some() || looked.ambiguous
}

/// What is told where a stream cannot be read.
pub(crate) fn unreadable(error: &CommandError) -> Problem {
    tracing::error!(%error, "the event log cannot be read");
    Problem::new(Kind::Unavailable, "the event log cannot be read now; try again, and see the server's log")
}
