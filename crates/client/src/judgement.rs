//! From what is known to an answer. No I/O and no clock: this is where the rules are.

use crate::answer::{Answer, Contact, Denial, Facts};
use crate::clock::time;
use crate::code::Code;
use crate::lease::{Lease, Phase};
use crate::state::State;

/// Judges what is known at a time.
///
/// `lease` is the one that is kept, if it holds but for its end; `first_run_grace` is how long a program may run that
/// has never reached the server, seconds. In this order: a lease that has not ended says yes; a no of the server says
/// no; a lease that has ended says no; and what has never been told anything has its first run.
pub(crate) fn judge(state: &State, lease: Option<Lease>, now: i64, first_run_grace: i64, contact: Contact) -> Answer {
    let ended = match lease {
        Some(lease) => match lease.phase(now) {
            Ok(phase) => return yes(state, lease, phase, contact),
            Err(_) => true,
        },
        None => false,
    };
    if let Some(denial) = &state.denial {
        return no(denial.code(), denial.reason.clone(), contact);
    }
    if ended {
        let since = contact.unreachable_since;
        let reason = since.map_or_else(
            || "the last proof of the license has ended; the license server must be reached".to_owned(),
            |since| format!("the license server has not been reached since {}", since.format("%Y-%m-%dT%H:%M:%SZ")),
        );
        return no(Code::OfflineTooLong, reason, contact);
    }
    first_run(state, now, first_run_grace, contact)
}

fn no(code: Code, reason: String, contact: Contact) -> Answer {
    Answer::Denied(Denial { code, reason, contact })
}

fn yes(state: &State, lease: Lease, phase: Phase, contact: Contact) -> Answer {
    let told = state.told.as_ref();
    let in_grace_of_the_license = told.is_some_and(|told| told.code() == Code::Grace);
    let (code, reason) = match (phase, told) {
        (Phase::Grace, _) => not_renewed(state, &lease, &contact),
        (Phase::Current, Some(told)) => (told.code(), told.reason.clone()),
        (Phase::Current, None) => (Code::Valid, "licensed".to_owned()),
    };
    let facts = Facts {
        code,
        reason,
        entitlements: lease.entitlements,
        expires_at: told.and_then(|told| told.expires_at).map(time),
        renew_by: Some(time(lease.renew_by)),
        offline_until: time(lease.ends_at),
        contact,
    };
    if phase == Phase::Grace || in_grace_of_the_license { Answer::InGrace(facts) } else { Answer::Licensed(facts) }
}

/// Why a lease was not renewed in time: the server would not yet, or has not been reached.
fn not_renewed(state: &State, lease: &Lease, contact: &Contact) -> (Code, String) {
    match &state.denial {
        Some(denial) if contact.unreachable_since.is_none() => (denial.code(), denial.reason.clone()),
        _ => (Code::Offline, format!("the license server must be reached by {}", time(lease.ends_at))),
    }
}

/// A program that has never reached the server: it may just have been installed where the network is not up yet.
fn first_run(state: &State, now: i64, grace: i64, contact: Contact) -> Answer {
    let ends_at = state.first_asked.unwrap_or(now).saturating_add(grace);
    if now >= ends_at {
        return no(Code::NeverChecked, "the license server has never been reached".to_owned(), contact);
    }
    Answer::InGrace(Facts {
        code: Code::FirstRun,
        reason: format!("the license server must be reached by {}", time(ends_at)),
        entitlements: serde_json::Map::new(),
        expires_at: None,
        renew_by: None,
        offline_until: time(ends_at),
        contact,
    })
}
