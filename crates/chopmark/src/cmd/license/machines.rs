//! `chopmark license machines` and `free`: who has a seat, and who gives it up.

use std::collections::HashMap;

use chopmark_commands::CommandError;
use chopmark_domain::ids::Fingerprint;
use chopmark_domain::license::{
    Command, FreedBy, HEARD_WITHIN, KnownLeases, Machine, Refusal, SeatUse, seat_taken_until,
};
use chopmark_projector::Found;
use chopmark_views::LastSeen;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::Desk;
use crate::cli::license::{FreeArgs, MachinesArgs};
use crate::cmd::kept::HELP;
use crate::cmd::operator;
use crate::cmd::text;
use crate::failure::{Failure, OrFail, Reason};

/// The most columns of a machine's name in the table: it is up to whoever activates a machine.
const NAME_COLUMNS: usize = 40;

pub(super) async fn machines(args: &MachinesArgs, desk: &Desk) -> Result<(), Failure> {
    let found = desk.find(&args.which).await?;
    let seen = desk.last_seen(&found).await;
    let machines: Vec<&Machine> = found.license.machines.iter().flat_map(|machines| machines.iter()).collect();
    let last_seen = |machine: &Machine| seen.get(machine.fingerprint.as_str()).copied();
    if args.json {
        let now = Utc::now();
        let line = |machine: &&Machine| format!("{}\n", as_json(machine, last_seen(machine), now));
        return crate::print(&machines.iter().map(line).collect::<String>());
    }
    if machines.is_empty() {
        return crate::print("no machine\n");
    }
    let now = Utc::now();
    let rows: Vec<Vec<String>> = machines.iter().map(|machine| row(machine, last_seen(machine), now)).collect();
    let table = text::table(&["FINGERPRINT", "NAME", "ACTIVATED", "LAST SEEN", "SEAT"], &rows);
    crate::print(&format!("{table}{}\n", seats(&found, now)))
}

/// E.g. `2 of 3 seats are taken`.
fn seats(found: &Found, now: DateTime<Utc>) -> String {
    let terms = found.terms.as_deref().map(|dated| &dated.terms);
    let SeatUse { used, limit } = SeatUse::of(&found.license, terms, now);
    let of = limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let noun = if limit.unwrap_or(used) == 1 { "seat is" } else { "seats are" };
    format!("{used}{of} {noun} taken")
}

fn row(machine: &Machine, seen: Option<LastSeen>, now: DateTime<Utc>) -> Vec<String> {
    let seat = match machine.taken_until {
        None => "taken".into(),
        Some(until) if now < until => format!("freed, taken until {}", text::time(until)),
        Some(_) => "free".into(),
    };
    vec![
        machine.fingerprint.to_string(),
        machine.name.as_deref().map_or_else(|| "-".into(), |name| text::cut(name, NAME_COLUMNS)),
        text::clock_time(machine.activated_at),
        seen.map_or_else(|| "-".into(), |seen| text::clock_time(seen.at)),
        seat,
    ]
}

/// A machine as `GET /v1/licenses/{id}/machines` shows it.
fn as_json(machine: &Machine, seen: Option<LastSeen>, now: DateTime<Utc>) -> Value {
    let mut shown = Map::new();
    let mut show = |name: &str, value: Option<Value>| shown.extend(value.map(|value| (name.to_owned(), value)));
    show("fingerprint", Some(machine.fingerprint.as_str().into()));
    show("name", machine.name.as_deref().map(Into::into));
    show("activated_at", Some(text::time(machine.activated_at).into()));
    show("active", Some(machine.is_active().into()));
    show("taken_until", machine.taken_until.filter(|until| now < *until).map(|until| text::time(until).into()));
    show("last_seen", seen.map(|seen| text::clock_time(seen.at).into()));
    show("lease_until", seen.and_then(|seen| seen.lease_until).map(|until| text::time(until).into()));
    shown.into()
}

pub(super) async fn free(args: &FreeArgs, desk: &Desk) -> Result<(), Failure> {
    let found = desk.find(&args.which).await?;
    let seen = desk.last_seen(&found).await.get(args.fingerprint.as_str()).copied();
    let now = Utc::now();
    let taken_until = if args.now { now } else { end_of_leases(&found, &args.fingerprint, seen, now) };
    let command = Command::FreeMachine { fingerprint: args.fingerprint.clone(), by: FreedBy::Operator, taken_until };
    let done = match desk.commands.license(&found.key, command, &operator::cause()).await {
        Err(CommandError::Refused(Refusal::UnknownMachine)) => return Err(unknown(args)),
        done => done.or_fail(Reason::Storage, format!("machine {}", args.fingerprint), HELP)?,
    };
    let machines = done.state.license().and_then(|license| license.machines.clone()).unwrap_or_default();
    // What was just freed is there.
    let machine = machines.get(args.fingerprint.as_str()).ok_or_else(|| unknown(args))?;
    if args.json {
        return crate::print(&format!("{}\n", as_json(machine, seen, now)));
    }
    let word = if done.appended > 0 { "freed" } else { "freed already" };
    crate::print(&match machine.taken_until.filter(|until| *until > now) {
        Some(until) => format!(
            "{word}: a lease may be good offline until {}, and its seat stays taken until then; --now gives it away at once\n",
            text::time(until)
        ),
        None => format!("{word}: its seat can be had\n"),
    })
}

fn unknown(args: &FreeArgs) -> Failure {
    let what = format!("license {} has no machine {}", args.which.license, args.fingerprint);
    let help = format!("list them: chopmark license machines {}", args.which.license);
    Failure::new(Reason::CheckFailed, what, help)
}

/// When the last lease ends that the machine can have. A server may be giving one out just now and not have noted it, so
/// the notes are not relied on. Of a machine that does not exist, `now`: freeing it is refused.
fn end_of_leases(found: &Found, machine: &Fingerprint, seen: Option<LastSeen>, now: DateTime<Utc>) -> DateTime<Utc> {
    let machines = found.license.machines.as_ref();
    let Some(machine) = machines.and_then(|machines| machines.get(machine.as_str())) else { return now };
    let terms = found.terms.as_deref().map(|dated| &dated.terms);
    let latest_end = seen.and_then(|seen| seen.lease_until);
    let known = KnownLeases { latest_end, noted_since: None, heard_within: HEARD_WITHIN };
    seat_taken_until(&found.license, terms, machine, known, now)
}

/// By fingerprint.
pub(super) type Seen = HashMap<String, LastSeen>;
