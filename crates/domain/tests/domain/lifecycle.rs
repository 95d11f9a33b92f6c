//! Given, when, then: the whole life of instances and license codes.

use chopmark_domain::license::{
    Command, InstanceAdopted, OrderRole, PROVISIONAL_TERM, Question, Refreshed, Refusal, Scene, Standing, Status,
    Terms, judge,
};
use chopmark_domain::order::OrderFacts;
use chopmark_domain::purchase::PurchaseIdentity;
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::*;

fn code(life: &Life) -> &'static str {
    judge(life.license(), None, Question::default(), life.now).code.as_str()
}

/// What a license amounts to: SKU, quantity, expiry and whether that is approximate.
fn terms(life: &Life) -> (Option<&str>, Option<u32>, Option<DateTime<Utc>>, bool) {
    let license = life.license();
    (license.sku.as_ref().map(|sku| sku.as_str()), license.quantity, license.expires_at, license.expiry_approximate)
}

#[test]
fn a_purchase_is_valid_before_its_facts_are_known() {
    let life = Life::of_instance().given(create("CS1"));
    assert_eq!(life.events(), ["instance_created"]);
    assert_eq!(life.license().status, Status::Active);
    assert!(!life.license().facts_known());
    assert_eq!(code(&life.at(day(3650))), "VALID", "our ignorance punishes nobody");
}

#[test]
fn the_facts_of_a_purchase_become_its_terms_and_its_expiry_is_approximate() {
    let life = Life::bought();
    assert_eq!(life.events(), ["instance_created", "order_facts_applied"]);
    assert_eq!(terms(&life), (Some("basic"), Some(5), Some(day(30)), true));
}

#[test]
fn a_trial_becomes_a_purchase_with_what_the_conversion_order_says() {
    let trial = Life::of_instance().given(create("CS1")).given(apply("CS1", facts("CS1", "trial", 1, Some(day(7)))));
    let formal = trial.given(refresh(Scene::TrialToFormal, "CS2", day(372)));
    assert_eq!(terms(&formal), (Some("trial"), Some(1), Some(day(372)), false));
    let formal = formal.given(apply("CS2", facts("CS2", "basic", 10, Some(day(365)))));
    assert_eq!(
        terms(&formal),
        (Some("basic"), Some(10), Some(day(372)), false),
        "the refresh knows the expiry better than the order"
    );
}

#[test]
fn a_renewal_moves_the_expiry_and_nothing_else() {
    let life =
        Life::bought().given(renewal("CS2", day(60))).given(apply("CS2", facts("CS2", "other", 99, Some(day(61)))));
    assert_eq!(terms(&life), (Some("basic"), Some(5), Some(day(60)), false));
}

#[test]
fn a_renewal_with_change_takes_the_new_specification_from_its_order() {
    let life = Life::bought()
        .given(refresh(Scene::RenewalChange, "CS2", day(60)))
        .given(apply("CS2", facts("CS2", "small", 2, Some(day(61)))));
    assert_eq!(terms(&life), (Some("small"), Some(2), Some(day(60)), false));
}

#[test]
fn a_cancelled_renewal_moves_the_expiry_back() {
    let life = Life::bought()
        .given(renewal("CS2", day(60)))
        .given(refresh(Scene::UnsubscribeRenewalPeriod, "CS3", day(30)))
        .given(apply("CS3", facts("CS3", "other", 99, Some(day(90)))));
    assert_eq!(terms(&life), (Some("basic"), Some(5), Some(day(30)), false));
}

#[test]
fn a_cancellation_may_name_the_renewal_that_it_cancels() {
    let life =
        Life::bought().given(renewal("CS2", day(60))).given(refresh(Scene::UnsubscribeRenewalPeriod, "CS2", day(30)));
    assert_eq!(life.license().expires_at, Some(day(30)));
}

#[test]
fn a_renewal_for_another_period_brings_its_product_id() {
    let yearly = Command::Refresh(Refreshed {
        scene: Scene::Renewal,
        order: order("CS2"),
        expires_at: day(395),
        product_id: Some(product_id("basic-yearly")),
    });
    let life = Life::bought();
    assert_eq!(life.product_id(), Some("basic-monthly"));
    let life = life.given(yearly).given(apply("CS2", facts("CS2", "basic", 5, Some(day(396)))));
    assert_eq!(life.product_id(), Some("basic-yearly"));
    let life = life.given(renewal("CS3", day(760))).given(apply("CS3", facts("CS3", "basic", 5, Some(day(761)))));
    assert_eq!(life.product_id(), Some("basic-yearly"), "a renewal that names none keeps it");
}

#[test]
fn an_upgrade_changes_what_was_bought_and_leaves_the_expiry() {
    let life = Life::bought().given(upgrade("CS2")).given(apply("CS2", facts("CS2", "large", 50, Some(day(400)))));
    assert_eq!(terms(&life), (Some("large"), Some(50), Some(day(30)), true));
}

#[test]
fn facts_that_leave_something_out_leave_it_as_it_was() {
    let sparse = OrderFacts { sku: None, product_id: None, quantity: Some(7), ..facts("CS2", "basic", 0, None) };
    let life = Life::bought().given(upgrade("CS2")).given(apply("CS2", sparse));
    assert_eq!(terms(&life), (Some("basic"), Some(7), Some(day(30)), true));
}

#[test]
fn freeze_unfreeze_freeze_are_three_events_and_freeze_freeze_is_one() {
    let mut life = Life::bought();
    let mut told = |command| life.deliver(command).unwrap().len();
    assert_eq!(told(Command::Freeze), 1);
    assert_eq!(told(Command::Freeze), 0);
    assert_eq!(told(Command::Unfreeze), 1);
    assert_eq!(told(Command::Unfreeze), 0);
    assert_eq!(told(Command::Freeze), 1);
    assert_eq!(life.license().status, Status::Frozen);
}

#[test]
fn a_refresh_never_unfreezes() {
    let life = Life::bought().given(Command::Freeze).given(renewal("CS2", day(60)));
    assert_eq!(life.license().status, Status::Frozen);
    assert_eq!(code(&life), "FROZEN");
}

#[test]
fn a_renewal_of_a_frozen_license_works_in_either_order() {
    let frozen = Life::bought().at(day(40)).given(Command::Freeze);
    let refreshed_first = frozen.clone().given(renewal("CS2", day(70))).given(Command::Unfreeze);
    let unfrozen_first = frozen.given(Command::Unfreeze).given(renewal("CS2", day(70)));
    assert_eq!(refreshed_first.license(), unfrozen_first.license());
    assert_eq!(code(&refreshed_first), "VALID");
}

#[test]
fn an_unfreeze_after_the_known_expiry_opens_a_provisional_term() {
    let unfrozen = Life::bought().at(day(40)).given(Command::Freeze).at(day(100)).given(Command::Unfreeze);
    let end = day(100) + PROVISIONAL_TERM;
    assert_eq!(unfrozen.license().provisional_until(), Some(end));
    for (now, expected) in [(day(100), "GRACE"), (end - TimeDelta::seconds(1), "GRACE"), (end, "EXPIRED")] {
        assert_eq!(code(&unfrozen.clone().at(now)), expected, "at {now}");
    }
    let renewed = unfrozen.at(day(101)).given(renewal("CS2", day(130)));
    assert_eq!(renewed.license().provisional_until(), None, "the refresh that had to come ends it");
    assert_eq!(code(&renewed), "VALID");
}

#[test]
fn an_unfreeze_of_what_only_our_clock_ended_opens_a_provisional_term_once() {
    let mut life = Life::bought().at(day(100));
    assert_eq!(code(&life), "EXPIRED");
    assert_eq!(life.deliver(Command::Unfreeze).unwrap().len(), 1);
    assert_eq!(code(&life), "GRACE");
    assert_eq!(life.deliver(Command::Unfreeze).unwrap().len(), 0);
    life.now = day(110);
    assert_eq!(life.deliver(Command::Unfreeze).unwrap().len(), 0, "a late redelivery");
    assert_eq!(code(&life), "EXPIRED", "a redelivery does not prolong the term");
}

#[test]
fn each_expiry_may_have_its_provisional_term() {
    let mut life = Life::bought().at(day(100)).given(Command::Unfreeze).given(renewal("CS2", day(130))).at(day(200));
    assert_eq!(code(&life), "EXPIRED");
    assert_eq!(life.deliver(Command::Unfreeze).unwrap().len(), 1);
    assert_eq!(code(&life), "GRACE");
    life.now = day(210);
    assert_eq!(life.deliver(Command::Unfreeze).unwrap().len(), 0);
    assert_eq!(code(&life), "EXPIRED");
}

#[test]
fn facts_without_a_product_are_known_facts() {
    let nameless = OrderFacts { sku: None, product_id: None, ..facts("CS1", "any", 5, Some(day(30))) };
    let life = Life::of_instance().given(create("CS1")).given(apply("CS1", nameless));
    assert_eq!(terms(&life), (None, Some(5), Some(day(30)), true));
    assert!(life.license().facts_known());
}

#[test]
fn an_unfreeze_of_a_running_license_says_nothing_new() {
    let mut life = Life::bought();
    assert_eq!(life.deliver(Command::Unfreeze).unwrap().len(), 0);
    let mut pending = Life::of_instance().given(create("CS1"));
    assert_eq!(pending.deliver(Command::Unfreeze).unwrap().len(), 0);
}

#[test]
fn a_release_is_final() {
    let mut life = Life::bought().given(release());
    let known = life.license().clone();
    for (command, outcome) in [
        (release(), Ok(vec![])),
        (Command::Release { order_id: Some(order("CS9").order_id), order_line_id: None }, Ok(vec![])),
        (create("CS1"), Ok(vec![])),
        (Command::Freeze, Ok(vec![])),
        (Command::Unfreeze, Err(Refusal::Released)),
        (renewal("CS2", day(60)), Err(Refusal::Released)),
        (upgrade("CS2"), Err(Refusal::Released)),
        (Command::Adopt(adoption(Terms::default(), Status::Active)), Err(Refusal::Exists)),
    ] {
        assert_eq!(life.deliver(command.clone()), outcome, "{command:?}");
        assert_eq!(*life.license(), known, "{command:?}");
    }
    let late = life.given(apply("CS1", facts("CS1", "basic", 6, Some(day(30)))));
    assert_eq!(late.license().status, Status::Released, "late facts revive nobody");
}

#[test]
fn what_was_taken_up_before_the_release_is_still_a_redelivery_after_it() {
    let mut life = Life::bought().given(renewal("CS2", day(60))).given(upgrade("CS3")).given(release()).at(day(200));
    for command in [renewal("CS2", day(60)), upgrade("CS3"), create("CS1")] {
        assert_eq!(life.deliver(command), Ok(vec![]));
    }
}

#[test]
fn an_unknown_instance_comes_to_life_only_by_purchase_or_adoption() {
    for command in [
        renewal("CS1", day(60)),
        upgrade("CS1"),
        Command::Freeze,
        Command::Unfreeze,
        release(),
        apply("CS1", facts("CS1", "basic", 1, None)),
    ] {
        let mut life = Life::of_instance();
        assert_eq!(life.deliver(command.clone()), Err(Refusal::Unknown), "{command:?}");
        assert_eq!(life.standing, Standing::Absent);
    }
}

#[test]
fn a_license_code_comes_to_life_with_whatever_names_it_first() {
    for (command, events, status) in [
        (renewal("CS1", day(60)), vec!["code_seen", "refreshed"], Status::Active),
        (Command::Freeze, vec!["code_seen", "frozen"], Status::Frozen),
        (Command::Unfreeze, vec!["code_seen"], Status::Active),
        (release(), vec!["code_seen", "released"], Status::Released),
        (upgrade("CS1"), vec!["code_seen", "upgraded"], Status::Active),
    ] {
        let life = Life::of_code().given(command.clone());
        assert_eq!(life.events(), events, "{command:?}");
        assert_eq!(life.license().status, status, "{command:?}");
        let count = events.len();
        assert_eq!(life.given(command).events().len(), count, "redelivered");
    }
    let mut unnamed = Life::of_code();
    assert_eq!(
        unnamed.deliver(apply("CS1", facts("CS1", "basic", 1, None))),
        Err(Refusal::Unknown),
        "facts of an order are no word of the marketplace about this code"
    );
}

#[test]
fn a_license_code_learns_its_product_from_its_renewal() {
    let life =
        Life::of_code().given(renewal("CS1", day(60))).given(apply("CS1", facts("CS1", "code-sku", 3, Some(day(61)))));
    assert_eq!(terms(&life), (Some("code-sku"), Some(3), Some(day(60)), false));
}

#[test]
fn an_adopted_instance_stands_as_it_was() {
    let known = Terms {
        sku: Some(sku("basic")),
        product_id: None,
        quantity: Some(4),
        expires_at: Some(day(10)),
        expiry_approximate: true,
    };
    let adopted = adoption(known, Status::Frozen);
    let mut life = Life::of_instance().given(Command::Adopt(adopted.clone()));
    assert_eq!(terms(&life), (Some("basic"), Some(4), Some(day(10)), true));
    assert_eq!(life.license().status, Status::Frozen);
    let changed = adoption(Terms::default(), Status::Frozen);
    life = life.given(Command::Unfreeze);
    assert_eq!(life.deliver(Command::Adopt(adopted)), Ok(vec![]), "the same import again");
    assert_eq!(life.deliver(Command::Adopt(changed)), Err(Refusal::Exists));
}

#[test]
fn what_was_known_at_adoption_is_newer_than_the_order_of_the_purchase() {
    let adopt = |terms| {
        Life::of_instance()
            .given(Command::Adopt(InstanceAdopted {
                purchase: Some(PurchaseIdentity::OrderLine(order("CS1"))),
                terms,
                status: Status::Active,
            }))
            .given(apply("CS1", facts("CS1", "basic", 5, Some(day(30)))))
    };
    let known = Terms { sku: Some(sku("large")), quantity: Some(50), expires_at: Some(day(300)), ..Terms::default() };
    assert_eq!(terms(&adopt(known)), (Some("large"), Some(50), Some(day(300)), false));
    assert_eq!(
        terms(&adopt(Terms::default())),
        (Some("basic"), Some(5), Some(day(30)), true),
        "the order fills what the seller did not know"
    );
}

#[test]
fn an_adoption_without_a_purchase_waits_for_no_order() {
    let mut life = Life::of_instance().given(Command::Adopt(adoption(Terms::default(), Status::Active)));
    assert_eq!(life.deliver(apply("CS1", facts("CS1", "basic", 5, None))), Ok(vec![]));
    let Standing::Known(history) = &life.standing else { panic!("an adopted instance is a license") };
    assert_eq!(history.orders().count(), 0);
}

#[test]
fn the_purchase_of_an_adopted_instance_leads_to_it_and_is_no_license_itself() {
    let to = instance_id("from-before");
    let mut life = Life::of_instance().given(Command::AdoptPurchase(to.clone()));
    assert_eq!(life.events(), ["purchase_adopted"]);
    assert_eq!(life.standing, Standing::Adopted(to.clone()));
    assert_eq!(life.standing.license(), None);
    for (command, outcome) in [
        (create("CS1"), Ok(vec![])),
        (Command::AdoptPurchase(to), Ok(vec![])),
        (Command::AdoptPurchase(instance_id("another")), Err(Refusal::Exists)),
        (Command::Adopt(adoption(Terms::default(), Status::Active)), Err(Refusal::Exists)),
        (Command::Freeze, Err(Refusal::Unknown)),
        (renewal("CS1", day(60)), Err(Refusal::Unknown)),
        (release(), Err(Refusal::Unknown)),
        (apply("CS1", facts("CS1", "basic", 5, None)), Err(Refusal::Unknown)),
    ] {
        assert_eq!(life.deliver(command.clone()), outcome, "{command:?}");
    }
    assert_eq!(
        Life::bought().deliver(Command::AdoptPurchase(instance_id("from-before"))),
        Err(Refusal::Exists),
        "a purchase that made a license already cannot be adopted away"
    );
}

#[test]
fn facts_that_come_late_do_not_undo_newer_truth() {
    let life = Life::of_instance()
        .given(create("CS1"))
        .given(renewal("CS2", day(60)))
        .given(upgrade("CS3"))
        .given(apply("CS3", facts("CS3", "large", 50, None)))
        .given(apply("CS1", facts("CS1", "basic", 5, Some(day(30)))));
    assert_eq!(terms(&life), (Some("large"), Some(50), Some(day(60)), false));
}

#[test]
fn facts_of_an_order_nobody_named_change_nothing() {
    let mut life = Life::bought();
    assert_eq!(life.deliver(apply("CS7", facts("CS7", "other", 1, None))), Ok(vec![]));
}

#[test]
fn an_order_that_is_named_again_takes_its_facts_again() {
    // The guide's own example renews with the order of the purchase.
    let mut life = Life::bought().given(upgrade("CS2"));
    life =
        life.given(apply("CS2", facts("CS2", "large", 50, None))).given(refresh(Scene::RenewalChange, "CS1", day(60)));
    let known = apply("CS1", facts("CS1", "basic", 5, Some(day(30))));
    assert_eq!(life.deliver(known.clone()).unwrap().len(), 1, "for the second callback");
    assert_eq!(terms(&life), (Some("basic"), Some(5), Some(day(60)), false));
    assert_eq!(life.deliver(known), Ok(vec![]));
}

#[test]
fn corrected_facts_are_taken_up() {
    let life = Life::bought().given(apply("CS1", facts("CS1", "basic", 6, Some(day(31)))));
    assert_eq!(terms(&life), (Some("basic"), Some(6), Some(day(31)), true));
}

#[test]
fn the_orders_of_a_license_are_told_in_order_of_arrival() {
    let life = Life::bought().given(renewal("CS3", day(60))).given(upgrade("CS2"));
    let Standing::Known(history) = &life.standing else { panic!("bought") };
    let told: Vec<_> =
        history.orders().map(|named| (named.order.order_id.as_str(), named.role, named.facts.is_some())).collect();
    assert_eq!(
        told,
        [
            ("CS1", OrderRole::Purchase, true),
            ("CS3", OrderRole::Refresh(Scene::Renewal), false),
            ("CS2", OrderRole::Upgrade, false),
        ]
    );
}

#[test]
fn the_key_of_a_refresh_is_scene_order_line_expiry_and_product() {
    let known = Refreshed { scene: Scene::Renewal, order: order("CS2"), expires_at: day(60), product_id: None };
    let mut other_line = known.clone();
    other_line.order.order_line_id = order("CS2b").order_line_id;
    let changed = [
        Refreshed { scene: Scene::RenewalChange, ..known.clone() },
        Refreshed { order: order("CS3"), ..known.clone() },
        Refreshed { expires_at: day(61), ..known.clone() },
        Refreshed { product_id: Some(product_id("yearly")), ..known.clone() },
        other_line,
    ];
    let mut life = Life::bought().given(Command::Refresh(known.clone()));
    for other in changed {
        assert_eq!(life.deliver(Command::Refresh(other.clone())).unwrap().len(), 1, "a new cause: {other:?}");
    }
    assert_eq!(life.deliver(Command::Refresh(known)), Ok(vec![]));
}

#[test]
fn the_same_request_again_changes_nothing_even_after_the_state_has_moved() {
    let mut life = Life::bought();
    let freeze = signature(1);
    assert_eq!(life.deliver_as(Command::Freeze, freeze).unwrap().len(), 1);
    life = life.given(Command::Unfreeze);
    assert_eq!(life.deliver_as(Command::Freeze, freeze), Ok(vec![]), "the very same request");
    assert_eq!(life.license().status, Status::Active);
    life = life.given(release());
    assert_eq!(life.deliver_as(Command::Freeze, freeze), Ok(vec![]));
    life.now = day(1);
    assert_eq!(life.deliver(Command::Unfreeze), Err(Refusal::Released));
}

#[test]
fn a_whole_life_redelivered_at_its_end_changes_nothing() {
    let story = [
        create("CS1"),
        apply("CS1", facts("CS1", "trial", 1, Some(day(7)))),
        refresh(Scene::TrialToFormal, "CS2", day(37)),
        apply("CS2", facts("CS2", "basic", 5, Some(day(36)))),
        upgrade("CS3"),
        apply("CS3", facts("CS3", "large", 50, None)),
        renewal("CS4", day(67)),
        apply("CS4", facts("CS4", "large", 50, Some(day(66)))),
        refresh(Scene::RenewalChange, "CS5", day(97)),
        apply("CS5", facts("CS5", "small", 2, Some(day(96)))),
        refresh(Scene::UnsubscribeRenewalPeriod, "CS6", day(67)),
        apply("CS6", facts("CS6", "small", 2, None)),
        release(),
    ];
    let mut life = story.iter().cloned().fold(Life::of_instance(), Life::given);
    let known = life.clone();
    assert_eq!(known.events().len(), story.len(), "each step is one event");
    for later in [day(0), day(1), day(500)] {
        life.now = later;
        for command in &story {
            assert_eq!(life.deliver(command.clone()), Ok(vec![]), "{command:?} at {later}");
        }
    }
    assert_eq!(life.license(), known.license());
}
