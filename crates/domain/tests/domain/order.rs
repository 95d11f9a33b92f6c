//! Orders: what is known of them, and what is still to be asked.

use chopmark_domain::order::{Command, Event, Order};

use crate::support::*;

/// Takes a command up; says whether it added something.
fn told(order: &mut Order, command: Command) -> bool {
    let events: Vec<Event> = order.decide(command);
    for event in &events {
        order.evolve(event);
    }
    !events.is_empty()
}

#[test]
fn everything_is_taken_up_once() {
    let line = || order("CS1").order_line_id;
    let lines = || vec![facts("CS1", "basic", 5, None)];
    let abandon = || Command::Abandon { reason: "401".into(), attempts: 60 };
    let mut order = Order::default();
    assert!(told(&mut order, Command::Notify(line())));
    assert!(!told(&mut order, Command::Notify(line())));
    assert!(told(&mut order, Command::Delay("timeout".into())));
    assert!(!told(&mut order, Command::Delay("timeout, again".into())), "only the first is worth an event");
    assert!(told(&mut order, abandon()));
    assert!(!told(&mut order, abandon()));
    assert!(told(&mut order, Command::RecordFacts(lines())));
    assert!(!told(&mut order, Command::RecordFacts(lines())));
    assert!(!order.abandoned, "an answer after all");
    assert_eq!(order.notified, [line()]);
}

#[test]
fn a_notification_of_a_line_whose_facts_are_known_adds_nothing() {
    let [known, other] = ["CS1", "CS1b"].map(|line| order(line).order_line_id);
    let mut order = Order::default();
    told(&mut order, Command::RecordFacts(vec![facts("CS1", "basic", 5, None)]));
    assert!(!told(&mut order, Command::Notify(known)));
    assert!(told(&mut order, Command::Notify(other)), "another line is news");
}

#[test]
fn facts_are_kept_by_line_and_the_newest_wins() {
    let mut order = Order::default();
    told(&mut order, Command::RecordFacts(vec![facts("CS1", "basic", 5, None)]));
    assert!(told(&mut order, Command::RecordFacts(vec![facts("CS1b", "other", 1, None)])));
    assert!(told(&mut order, Command::RecordFacts(vec![facts("CS1", "basic", 6, None)])));
    let known: Vec<_> = order.facts.values().map(|facts| facts.quantity).collect();
    assert_eq!(known, [Some(6), Some(1)]);
    assert!(!told(
        &mut order,
        Command::RecordFacts(vec![facts("CS1b", "other", 1, None), facts("CS1", "basic", 6, None)])
    ));
    assert!(!told(&mut order, Command::RecordFacts(vec![])), "no line, no news");
}
