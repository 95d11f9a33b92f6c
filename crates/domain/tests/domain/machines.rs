//! Machines and their seats.

use chopmark_domain::catalog::Seats;
use chopmark_domain::license::{
    Code, Command, FreedBy, HEARD_WITHIN, KnownLeases, Question, Refusal, SeatUse, Verdict, judge, seat_taken_until,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::*;

const THREE: Seats = Seats::Fixed(3);

fn taken(life: &Life) -> u32 {
    life.license().seats_used(life.now)
}

fn code(life: &Life, machine: &str, of: Seats) -> Code {
    let (terms, question) = (seats(of), Question { machine: Some(machine), ..Question::default() });
    let Verdict { code, .. } = judge(life.license(), Some(&terms), question, life.now);
    code
}

#[test]
fn no_more_machines_are_activated_than_there_are_seats() {
    let mut life = Life::bought();
    let outcomes: Vec<_> = (0..100).map(|n| life.deliver(activate(&format!("m{n}"), THREE)).is_ok()).collect();
    assert_eq!(outcomes.iter().filter(|ok| **ok).count(), 3);
    assert_eq!(life.deliver(activate("late", THREE)), Err(Refusal::MachineLimit { limit: 3 }));
    assert_eq!(life.deliver(activate("m0", THREE)), Ok(vec![]), "one that has a seat has it");
    assert_eq!((code(&life, "m0", THREE), code(&life, "late", THREE)), (Code::Valid, Code::MachineNotActivated));
    let terms = seats(THREE);
    let verdict = judge(life.license(), Some(&terms), Question::default(), life.now);
    assert_eq!(verdict.seats, Some(SeatUse { used: 3, limit: Some(3) }));
}

#[test]
fn a_freed_seat_stays_taken_until_its_longest_lease_has_ended() {
    let mut life = seated(&["a", "b", "c"]).given(free("a", FreedBy::Customer, day(8)));
    assert_eq!(taken(&life), 3);
    assert_eq!(code(&life, "a", THREE), Code::MachineNotActivated, "it has no seat any more");
    assert!(life.deliver(activate("d", THREE)).is_err());
    let mut back = life.clone();
    assert_eq!(back.deliver(activate("a", THREE)), Ok(vec!["machine_activated.v1"]), "its own seat is its own");
    assert_eq!(taken(&back), 3);
    let mut life = life.at(day(8));
    assert_eq!(taken(&life), 2);
    assert!(life.deliver(activate("d", THREE)).is_ok());
}

/// Until when the seat of `a`, activated on day 0, is taken if it is freed on a day; a lease lasts 8 days.
fn taken_until(life: &Life, known: KnownLeases, now: DateTime<Utc>) -> DateTime<Utc> {
    let machine = life.license().machines.as_ref().unwrap().get("a").unwrap();
    seat_taken_until(life.license(), Some(&seats(THREE)), machine, known, now)
}

#[test]
fn a_seat_is_free_when_the_last_lease_that_is_known_has_ended() {
    let until = |latest_end, now| {
        let known = KnownLeases { latest_end, noted_since: Some(day(-1)), ..KnownLeases::default() };
        taken_until(&seated(&["a"]), known, now)
    };
    assert_eq!(until(None, day(3)), day(3), "it never had a lease");
    assert_eq!(until(Some(day(7)), day(3)), day(7));
    assert_eq!(until(Some(day(2)), day(3)), day(3), "it has ended already");
}

#[test]
fn a_lease_that_may_be_out_and_is_not_noted_counts_as_out() {
    let until = |latest_end, noted_since, now| {
        let known = KnownLeases { latest_end, noted_since: Some(noted_since), ..KnownLeases::default() };
        taken_until(&seated(&["a"]), known, now)
    };
    assert_eq!(until(Some(day(7)), day(2), day(3)), day(10), "an earlier process may have given one out on day 2");
    assert_eq!(until(Some(day(11)), day(2), day(3)), day(11), "one that is known does not get shorter");
    assert_eq!(until(None, day(2), day(20)), day(20), "whatever it was, it has ended");
    assert_eq!(until(None, day(44), day(44)), day(45), "no lease reaches beyond the license and its grace");
    let nothing = KnownLeases::default();
    assert_eq!(taken_until(&seated(&["a"]), nothing, day(3)), day(11), "without notes, one may be given out just now");
    let unheard = KnownLeases { heard_within: HEARD_WITHIN, ..nothing };
    let longest = day(11) + HEARD_WITHIN;
    assert_eq!(taken_until(&seated(&["a"]), unheard, day(3)), longest, "nor where others have not heard of it yet");
    let within_a_second = day(3) + TimeDelta::milliseconds(999);
    assert_eq!(taken_until(&seated(&["a"]), nothing, within_a_second), day(11), "leases are of whole seconds");
    let life = seated(&["a"]);
    let machine = life.license().machines.as_ref().unwrap().get("a").unwrap();
    let until = seat_taken_until(life.license(), None, machine, nothing, day(3));
    assert_eq!(until, day(11), "a product that is not known lasts as long as one that says nothing");
}

#[test]
fn freeing_again_changes_nothing_unless_an_operator_gives_the_seat_away_sooner() {
    let mut life = seated(&["a"]).given(free("a", FreedBy::Customer, day(8)));
    assert_eq!(life.deliver(free("a", FreedBy::Customer, day(1))), Ok(vec![]));
    assert_eq!(life.deliver(free("a", FreedBy::Lapse, day(1))), Ok(vec![]));
    assert_eq!(life.deliver(free("a", FreedBy::Operator, day(9))), Ok(vec![]));
    assert_eq!(life.deliver(free("a", FreedBy::Operator, day(0))), Ok(vec!["machine_freed.v1"]));
    assert_eq!(taken(&life), 0);
    assert_eq!(life.deliver(free("z", FreedBy::Operator, day(0))), Err(Refusal::UnknownMachine));
}

#[test]
fn a_seat_is_vacated_sooner_than_was_said_and_never_later() {
    let vacate = |machine, until| Command::VacateSeat { fingerprint: fingerprint(machine), taken_until: day(until) };
    let mut life = seated(&["a", "b"]).given(free("a", FreedBy::Customer, day(8)));
    assert_eq!(life.deliver(vacate("a", 9)), Ok(vec![]));
    assert_eq!(life.deliver(vacate("b", 1)), Ok(vec![]), "it was not freed, or is back");
    assert_eq!(life.deliver(vacate("a", 3)), Ok(vec!["machine_freed.v1"]));
    assert_eq!(life.deliver(vacate("z", 3)), Err(Refusal::UnknownMachine));
    assert_eq!((taken(&life), taken(&life.at(day(3)))), (2, 1));
}

#[test]
fn activations_of_a_license_within_a_day_are_bounded_by_twice_its_seats_at_least() {
    let churn = |life: &mut Life, of, turns: usize| {
        (0..turns)
            .filter(|n| {
                let done = life.deliver(activate(&format!("m{n}"), of)).is_ok();
                done && life.deliver(free(&format!("m{n}"), FreedBy::Operator, life.now)).is_ok()
            })
            .count()
    };
    let mut life = Life::bought();
    assert_eq!(churn(&mut life, Seats::Fixed(1), 9), 4);
    assert_eq!(life.deliver(activate("m9", Seats::Fixed(1))), Err(Refusal::TooManyToday));
    let mut life = life.at(day(1));
    assert_eq!(churn(&mut life, Seats::Fixed(1), 9), 4, "a day later again");
    assert_eq!(churn(&mut Life::bought(), Seats::Fixed(5), 20), 10);
}

#[test]
fn seats_bought_by_the_piece_follow_the_amount() {
    let mut life = Life::bought();
    let seated = (0..9).filter(|n| life.deliver(activate(&format!("m{n}"), Seats::Quantity)).is_ok()).count();
    assert_eq!(seated, 5, "five pieces were bought");
    let life = life.given(upgrade("CS2")).given(apply("CS2", facts("CS2", "basic", 3, None)));
    assert_eq!(code(&life, "m2", Seats::Quantity), Code::Valid);
    assert_eq!(code(&life, "m3", Seats::Quantity), Code::MachineLimit, "the last ones go without");
    let life = life.given(free("m0", FreedBy::Operator, day(0)));
    assert_eq!(code(&life, "m3", Seats::Quantity), Code::Valid, "as soon as one of the first makes room");
}

#[test]
fn a_license_that_cannot_be_used_seats_nobody_new() {
    for (stop, code) in
        [(Command::Freeze, Code::Frozen), (Command::Block("abuse".into()), Code::Blocked), (release(), Code::Released)]
    {
        let mut life = seated(&["a"]).given(stop);
        assert_eq!(life.deliver(activate("b", THREE)), Err(Refusal::NotUsable(code)));
        assert!(life.deliver(free("a", FreedBy::Customer, day(1))).is_ok(), "leaving is always possible");
    }
    assert_eq!(Life::bought().at(day(46)).deliver(activate("a", THREE)), Err(Refusal::NotUsable(Code::Expired)));
    assert_eq!(Life::of_instance().deliver(activate("a", THREE)), Err(Refusal::Unknown));
}

#[test]
fn an_operator_blocks_and_unblocks_once() {
    let mut life = Life::bought();
    assert_eq!(life.deliver(Command::Unblock), Ok(vec![]));
    assert_eq!(life.deliver(Command::Block("abuse".into())), Ok(vec!["license_blocked.v1"]));
    assert_eq!(life.deliver(Command::Block("again".into())), Ok(vec![]));
    assert_eq!(life.deliver(Command::Unfreeze), Ok(vec![]), "the marketplace does not lift it");
    assert_eq!(code(&life, "a", THREE), Code::Blocked);
    assert_eq!(life.deliver(Command::Unblock), Ok(vec!["license_unblocked.v1"]));
    assert_eq!(life.given(release()).deliver(Command::Block("late".into())), Err(Refusal::Released));
}

/// Machines as someone keeps them who writes every seat on a card with the day until which it is taken.
#[derive(Default)]
struct Cards(Vec<(&'static str, Option<DateTime<Utc>>)>);

impl Cards {
    fn taken(&self, now: DateTime<Utc>) -> usize {
        self.0.iter().filter(|(_, until)| until.is_none_or(|until| now < until)).count()
    }

    fn has(&self, machine: &str) -> bool {
        self.0.iter().any(|(name, until)| *name == machine && until.is_none())
    }
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Activate(&'static str),
    Free(&'static str, i64),
    Wait,
}

fn any_move() -> impl Strategy<Value = Move> {
    let machine = || select(vec!["a", "b", "c", "d", "e"]);
    prop_oneof![
        4 => machine().prop_map(Move::Activate),
        3 => (machine(), 0..4_i64).prop_map(|(machine, days)| Move::Free(machine, days)),
        1 => Just(Move::Wait),
    ]
}

proptest! {
    #[test]
    fn seats_are_counted_as_on_cards(moves in prop::collection::vec(any_move(), 1..40)) {
        let (mut life, mut cards) = (Life::bought(), Cards::default());
        let mut today = 0;
        for step in moves {
            let now = life.now;
            match step {
                Move::Wait => {
                    today += 1;
                    life = life.at(day(today));
                }
                Move::Free(machine, days) => {
                    let known = cards.0.iter_mut().find(|(name, until)| *name == machine && until.is_none());
                    let freed = life.deliver(free(machine, FreedBy::Customer, day(today + days)));
                    if let Some((_, until)) = known {
                        *until = Some(day(today + days));
                        prop_assert_eq!(freed, Ok(vec!["machine_freed.v1"]));
                    } else {
                        prop_assert!(matches!(freed, Ok(kinds) if kinds.is_empty()) || freed_nothing(&life, machine));
                    }
                }
                Move::Activate(machine) => {
                    let own = cards.0.iter().any(|(name, until)| *name == machine && until.is_some_and(|until| now < until));
                    let room = own || cards.taken(now) < 3;
                    let outcome = life.deliver(activate(machine, THREE));
                    if outcome == Err(Refusal::TooManyToday) {
                        continue;
                    }
                    let expected = if cards.has(machine) {
                        Ok(vec![])
                    } else if room {
                        cards.0.retain(|(name, _)| *name != machine);
                        cards.0.push((machine, None));
                        Ok(vec!["machine_activated.v1"])
                    } else {
                        Err(Refusal::MachineLimit { limit: 3 })
                    };
                    prop_assert_eq!(outcome, expected);
                }
            }
            prop_assert_eq!(taken(&life) as usize, cards.taken(life.now));
            prop_assert!(taken(&life) <= 3);
            for machine in ["a", "b", "c", "d", "e"] {
                prop_assert_eq!(life.license().has_machine(machine), cards.has(machine));
            }
        }
    }
}

/// Freeing was refused, since the machine is not there.
fn freed_nothing(life: &Life, machine: &str) -> bool {
    !life.license().has_machine(machine)
}
