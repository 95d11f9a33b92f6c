//! What holds for every life a license can have: rules 3, 4, 7 and 8 of the design.

use chopmark_domain::codec::StoredEvent;
use chopmark_domain::license::{
    Command, Event, InstanceAdopted, License, Question, Refreshed, Refusal, Scene, Standing, Status, Terms, judge,
};
use chopmark_domain::order::{OrderFacts, OrderRef};
use chopmark_domain::purchase::PurchaseIdentity;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::model::{Model, Outcome};
use crate::support::*;

/// One step of a story.
#[derive(Debug, Clone)]
enum Step {
    /// A command in a request of its own.
    New(Command),
    /// An earlier step's request, bit by bit the same.
    Again(Index),
}

fn any_moment() -> impl Strategy<Value = DateTime<Utc>> {
    select(vec![-40, -1, 0, 1, 2, 20, 30, 60, 400]).prop_map(day)
}

fn any_order() -> impl Strategy<Value = &'static str> {
    select(vec!["CS1", "CS2", "CS3", "CS4"])
}

fn any_scene() -> impl Strategy<Value = Scene> {
    select(vec![Scene::TrialToFormal, Scene::Renewal, Scene::RenewalChange, Scene::UnsubscribeRenewalPeriod])
}

fn any_refresh() -> impl Strategy<Value = Refreshed> {
    (any_scene(), any_order(), any_moment(), prop::option::of(Just("yearly"))).prop_map(
        |(scene, name, expires_at, product)| Refreshed {
            scene,
            order: order(name),
            expires_at,
            product_id: product.map(product_id),
        },
    )
}

/// Facts as the open API may give them for an order: the product or its amount may be missing; an expiry is always
/// there or never, since corrections do not take one away.
fn any_facts(name: &'static str) -> impl Strategy<Value = OrderFacts> {
    (prop::option::of(select(vec!["basic", "large"])), prop::option::of(1..4_u32), any_moment()).prop_map(
        move |(bought, quantity, expiry)| OrderFacts {
            sku: bought.map(sku),
            quantity,
            ..facts(name, "any", 0, (name != "CS4").then_some(expiry))
        },
    )
}

fn any_application() -> impl Strategy<Value = Command> {
    any_order().prop_flat_map(|name| any_facts(name).prop_map(move |facts| apply(name, facts)))
}

fn any_adoption() -> impl Strategy<Value = Command> {
    let status = select(vec![Status::Active, Status::Frozen]);
    (prop::option::of(any_order()), status, prop::option::of(any_moment()), any::<bool>()).prop_map(
        |(purchase, status, expires_at, knows_product)| {
            Command::Adopt(InstanceAdopted {
                purchase: purchase.map(|name| PurchaseIdentity::OrderLine(order(name))),
                terms: Terms {
                    sku: knows_product.then(|| sku("adopted")),
                    quantity: knows_product.then_some(9),
                    expires_at,
                    ..Terms::default()
                },
                status,
            })
        },
    )
}

/// A callback or facts: what can happen once a license lives.
fn any_event_of_life() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => any_refresh().prop_map(Command::Refresh),
        2 => any_order().prop_map(upgrade),
        3 => Just(Command::Freeze),
        3 => Just(Command::Unfreeze),
        1 => Just(release()),
        4 => any_application(),
    ]
}

/// An instance keeps one purchase, so every creation names the same order.
fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => Just(create("CS1")),
        1 => any_adoption(),
        16 => any_event_of_life(),
    ]
}

fn any_gap() -> impl Strategy<Value = TimeDelta> {
    select(vec![0, 1, 149, 150, 151, 3_600, 86_400, 3 * 86_400, 20 * 86_400]).prop_map(TimeDelta::seconds)
}

fn any_story() -> impl Strategy<Value = Vec<(Step, TimeDelta)>> {
    let step = prop_oneof![
        5 => any_command().prop_map(Step::New),
        1 => any::<Index>().prop_map(Step::Again),
    ];
    prop::collection::vec((step, any_gap()), 1..24)
}

/// A license with a past: bought, adopted, or a code, and then a few things more.
fn any_life() -> impl Strategy<Value = Life> {
    let begun = prop_oneof![
        2 => Just(Life::of_instance().given(create("CS1"))),
        1 => any_adoption().prop_map(|adoption| Life::of_instance().given(adoption)),
        1 => Just(Life::of_code().given(Command::Freeze)),
    ];
    (begun, prop::collection::vec((any_event_of_life(), any_gap()), 0..12)).prop_map(|(mut life, past)| {
        for (command, gap) in past {
            life.now += gap;
            let _ = life.deliver(command);
        }
        life
    })
}

fn outcome(result: &Result<Vec<&'static str>, Refusal>) -> Outcome {
    match result {
        Ok(events) if events.is_empty() => Outcome::NothingNew,
        Ok(_) => Outcome::Added,
        Err(Refusal::Unknown) => Outcome::Unknown,
        Err(Refusal::Released) => Outcome::Released,
        Err(Refusal::Exists) => Outcome::Exists,
        Err(refusal) => panic!("no command of these stories is refused so: {refusal}"),
    }
}

/// Verdicts now and at every later moment that may matter.
fn verdicts(license: &License, now: DateTime<Utc>) -> Vec<String> {
    (0..120)
        .map(|half_days| now + TimeDelta::hours(12 * half_days))
        .map(|at| format!("{:?}", judge(license, None, Question::default(), at)))
        .collect()
}

/// What a customer can tell of a license. Its count of events and the time of its last unfreezing do not belong there.
fn visible(life: &Life) -> (License, Vec<String>) {
    let license = life.license();
    let told = License { revision: 0, unfrozen_at: None, ..license.clone() };
    (told, verdicts(license, life.now))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, max_global_rejects: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_life_goes_as_the_model_says(story in any_story(), is_code: bool) {
        let mut life = if is_code { Life::of_code() } else { Life::of_instance() };
        let mut model = Model::new(is_code);
        let mut requests: Vec<(Command, u32)> = vec![];
        for (number, (step, gap)) in (0..).zip(story) {
            life.now += gap;
            let (command, request) = match step {
                Step::New(command) => (command, number),
                Step::Again(_) if requests.is_empty() => continue,
                Step::Again(index) => index.get(&requests).clone(),
            };
            requests.push((command.clone(), request));
            let expected = model.take(&command, life.now, request);
            let given = life.deliver_as(command.clone(), signature(request));
            prop_assert_eq!(outcome(&given), expected, "{:?} at {}", command, life.now);
            if let Some(license) = life.standing.license() {
                let expiry = license.expires_at.map(|expiry| (expiry, license.expiry_approximate));
                let product = (license.sku.clone().map(String::from), license.quantity);
                prop_assert_eq!(license.status, model.status());
                prop_assert_eq!(expiry, model.expiry(), "after {:?}", command);
                prop_assert_eq!(product, model.product(), "after {:?}", command);
                for days in [0, 1, 3, 14, 15, 16, 60] {
                    let at = life.now + TimeDelta::days(days);
                    let may_run = judge(license, None, Question::default(), at).code.is_valid();
                    prop_assert_eq!(may_run, model.usable(at), "{} days after {:?}", days, command);
                }
            }
        }
    }

    /// Rule 4. Status changes are told apart from redeliveries by their request alone (rule 3), so of those the last
    /// one counts, and an UNFREEZE only up to the next expiry; facts that were corrected since are not what is known any
    /// more.
    #[test]
    fn redelivering_what_was_taken_up_changes_nothing_at_any_later_time(
        mut life in any_life(),
        past in prop::collection::vec((any_event_of_life(), any_gap()), 0..12),
        picks in prop::collection::vec((any::<Index>(), any_gap()), 1..12),
    ) {
        let mut taken: Vec<Command> = vec![];
        for (command, gap) in past {
            life.now += gap;
            if life.deliver(command.clone()).is_ok_and(|events| !events.is_empty()) {
                taken.push(command);
            }
        }
        settle(&mut life);
        let status_change = |command: &Command| matches!(command, Command::Freeze | Command::Unfreeze);
        let last_status = taken.iter().rev().find(|command| status_change(command)).cloned();
        taken.retain(|command| !status_change(command) && !matches!(command, Command::ApplyOrderFacts { .. }));
        taken.extend(last_status);
        taken.extend(known_facts(&life));
        prop_assume!(!taken.is_empty());
        let license = life.license().clone();
        for (pick, gap) in picks {
            life.now += gap;
            let command = pick.get(&taken).clone();
            if command == Command::Unfreeze && license.expired(life.now) && license.provisional_until().is_none() {
                continue;
            }
            let given = life.deliver(command.clone());
            let refused = license.status == Status::Released && command == Command::Unfreeze;
            prop_assert!(refused || given == Ok(vec![]), "{:?} gave {:?}", command, given);
            prop_assert_eq!(life.license(), &license);
        }
    }

    /// Rule 3: the same request within its window, however the state has moved.
    #[test]
    fn an_identical_request_within_its_window_changes_nothing(
        mut life in any_life(),
        command in any_event_of_life(),
        meanwhile in prop::collection::vec(any_event_of_life(), 0..6),
        seconds in 0..150_i64,
    ) {
        prop_assume!(!matches!(command, Command::ApplyOrderFacts { .. }));
        prop_assume!(life.deliver_as(command.clone(), signature(7)).is_ok_and(|events| !events.is_empty()));
        for other in meanwhile {
            let _ = life.deliver(other);
        }
        let known = life.license().clone();
        life.now += TimeDelta::seconds(seconds);
        prop_assert_eq!(life.deliver_as(command, signature(7)), Ok(vec![]));
        prop_assert_eq!(life.license(), &known);
    }

    /// Rule 4. Left out: an UNFREEZE of what is not frozen that is news under one of the two expiries only, together with
    /// a refresh that leaves the license expired: whether it had ended when it was unfrozen is then the whole question.
    #[test]
    fn refresh_and_unfreeze_commute(life in any_life(), refreshed in any_refresh()) {
        let license = life.license();
        let lifts = license.status == Status::Frozen;
        let is_news = |expiry| expiry <= life.now && license.unfrozen_at.is_none_or(|at| at < expiry);
        let is_news_before = license.expires_at.is_some_and(is_news);
        prop_assume!(lifts || refreshed.expires_at > life.now || is_news_before == is_news(refreshed.expires_at));
        let tell = |first: Command, second: Command| {
            let mut life = life.clone();
            let mut outcomes = [life.deliver(first).is_ok(), life.deliver(second).is_ok()];
            outcomes.sort_unstable();
            (outcomes, life)
        };
        let refresh = Command::Refresh(refreshed);
        let (one_way, refreshed_first) = tell(refresh.clone(), Command::Unfreeze);
        let (other_way, unfrozen_first) = tell(Command::Unfreeze, refresh);
        prop_assert_eq!(one_way, other_way);
        prop_assert_eq!(visible(&refreshed_first), visible(&unfrozen_first));
        if lifts {
            prop_assert_eq!(refreshed_first.license(), unfrozen_first.license());
        }
    }

    /// Rule 7.
    #[test]
    fn facts_in_any_order_of_arrival_give_the_terms_of_the_callbacks_order(
        callbacks in prop::collection::vec(
            prop_oneof![any_refresh().prop_map(Command::Refresh), any_order().prop_map(upgrade)], 0..6),
        facts in prop::collection::vec(any_order().prop_flat_map(|name| any_facts(name).prop_map(move |f| (name, f))), 1..6),
        interleaving in prop::collection::vec(any::<Index>(), 6),
        is_adopted: bool,
    ) {
        let begin = if is_adopted {
            Command::Adopt(InstanceAdopted {
                purchase: Some(PurchaseIdentity::OrderLine(order("CS1"))),
                ..adoption(Terms::default(), Status::Active)
            })
        } else {
            create("CS1")
        };
        let mut one_each = facts;
        one_each.sort_by_key(|(name, _)| *name);
        one_each.dedup_by_key(|(name, _)| *name);
        let begun = Life::of_instance().given(begin);
        let mut in_order = callbacks.iter().cloned().fold(begun.clone(), Life::given);
        for (name, facts) in &one_each {
            in_order = in_order.given(apply(name, facts.clone()));
        }
        // The same, each order's facts thrown in somewhere; those that came before their callback come once more.
        let mut mixed: Vec<Command> = callbacks;
        for ((name, facts), index) in one_each.iter().zip(&interleaving) {
            mixed.insert(index.index(mixed.len() + 1), apply(name, facts.clone()));
        }
        let mut shuffled = mixed.into_iter().fold(begun, Life::given);
        for (name, facts) in one_each.iter().rev() {
            shuffled = shuffled.given(apply(name, facts.clone()));
        }
        prop_assert_eq!(visible(&in_order), visible(&shuffled));
    }

    /// Rule 8.
    #[test]
    fn before_facts_a_purchase_is_valid_with_what_is_known(
        callbacks in prop::collection::vec(prop_oneof![any_order().prop_map(upgrade), Just(Command::Unfreeze)], 0..6),
        days in 0..10_000_i64,
    ) {
        let life = callbacks.into_iter().fold(Life::of_instance().given(create("CS1")), Life::given);
        let verdict = judge(life.license(), None, Question { product: Some(&sku("any")), ..Question::default() }, day(days));
        prop_assert_eq!(verdict.code.as_str(), "VALID");
        prop_assert!(!life.license().facts_known());
    }

    #[test]
    fn a_release_is_the_end(mut life in any_life(), later in prop::collection::vec((any_command(), any_gap()), 0..12)) {
        life = life.given(release());
        for (command, gap) in later {
            life.now += gap;
            let _ = life.deliver(command);
            prop_assert_eq!(life.license().status, Status::Released);
        }
    }

    #[test]
    fn nothing_but_purchase_and_adoption_brings_an_instance_to_life(
        commands in prop::collection::vec(any_event_of_life(), 1..12),
    ) {
        let mut life = Life::of_instance();
        for command in commands {
            prop_assert_eq!(life.deliver(command), Err(Refusal::Unknown));
            prop_assert_eq!(&life.standing, &Standing::Absent);
        }
    }

    #[test]
    fn a_corrected_expiry_of_the_same_order_is_a_new_cause(
        life in any_life(), refreshed in any_refresh(), corrected in any_moment(),
    ) {
        prop_assume!(corrected != refreshed.expires_at && life.license().status != Status::Released);
        let mut life = life.given(Command::Refresh(refreshed.clone()));
        let other = Refreshed { expires_at: corrected, ..refreshed.clone() };
        let heard_before = life.clone().deliver(Command::Refresh(other.clone())) == Ok(vec![]);
        life = life.given(Command::Refresh(other));
        if !heard_before {
            prop_assert_eq!(life.license().expires_at, Some(corrected));
        }
        prop_assert_eq!(life.deliver(Command::Refresh(refreshed)), Ok(vec![]));
    }

    #[test]
    fn every_event_of_a_life_reads_back_as_it_was_written(life in any_life(), command in any_command()) {
        let request = chopmark_domain::license::Request { now: life.now, signature: None };
        let decided = chopmark_domain::license::decide(&life.id, &life.standing, command, request);
        for event in decided.unwrap_or_default() {
            prop_assert_eq!(Event::decode(event.kind(), &event.encode()).unwrap(), event);
        }
    }
}

/// What the license holds for the facts of the orders it names.
fn known_facts(life: &Life) -> Vec<Command> {
    let Standing::Known(history) = &life.standing else {
        return vec![];
    };
    let known = history.orders().filter_map(|named| {
        let order: OrderRef = named.order.clone();
        Some(Command::ApplyOrderFacts { order, facts: named.facts?.clone() })
    });
    known.collect()
}

/// Tells the facts that are known once more, as the reactor does for a callback that names an order already known.
fn settle(life: &mut Life) {
    for command in known_facts(life) {
        life.deliver(command).expect("facts of a known license");
    }
}
