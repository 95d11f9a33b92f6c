//! Codes that the marketplace tells of, and online licenses that it asks for.

use chopmark_domain::catalog::Seats;
use chopmark_domain::license::{
    Activation, Code, CodeAnswer, CodeState, Command, Errand, Question, Refusal, Standing, Status, judge,
};

use crate::support::*;

fn confirm(state: CodeState, days: Option<i64>) -> Command {
    Command::ConfirmCode(answer(state, days.map(day)))
}

fn code(life: &Life) -> Code {
    judge(life.license(), None, Question::default(), life.now).code
}

#[test]
fn a_code_begins_when_the_marketplace_knows_it_and_is_pending_until_activated() {
    let mut life = Life::of_code();
    assert_eq!(life.deliver(confirm(CodeState::Inactive, None)), Ok(vec!["license_code_confirmed.v1"]));
    assert_eq!(code(&life), Code::Pending);
    assert_eq!(life.deliver(confirm(CodeState::Inactive, None)), Ok(vec![]), "nothing new");
    assert_eq!(life.deliver(confirm(CodeState::Alive, Some(365))), Ok(vec!["license_code_confirmed.v1"]));
    assert_eq!(code(&life), Code::Valid);
    assert_eq!(life.license().expires_at, Some(day(365)));
    assert!(!life.license().expiry_approximate, "the query is authoritative");
}

#[test]
fn only_a_code_is_confirmed_and_only_the_marketplace_begins_one() {
    assert_eq!(Life::of_instance().deliver(confirm(CodeState::Alive, None)), Err(Refusal::Unknown));
    assert_eq!(Life::of_code().deliver(activate("m", Seats::Fixed(1))), Err(Refusal::Unknown));
    assert_eq!(Life::of_code().deliver(Command::Block("guess".into())), Err(Refusal::Unknown));
}

#[test]
fn the_answer_does_not_lift_a_freeze_and_a_release_is_final() {
    let frozen = Life::of_code().given(confirm(CodeState::Alive, Some(30))).given(Command::Freeze);
    let frozen = frozen.given(confirm(CodeState::Alive, Some(60)));
    assert_eq!((code(&frozen), frozen.license().expires_at), (Code::Frozen, Some(day(60))));
    let mut gone = frozen.given(confirm(CodeState::Released, None));
    assert_eq!(gone.license().status, Status::Released);
    assert_eq!(gone.deliver(confirm(CodeState::Alive, Some(90))), Ok(vec![]));
}

#[test]
fn what_was_alive_is_not_taken_back_by_an_unclear_word() {
    let mut life = Life::of_code().given(confirm(CodeState::Alive, Some(365)));
    assert_eq!(life.deliver(confirm(CodeState::Inactive, None)), Ok(vec![]));
    assert_eq!(code(&life), Code::Valid);
    let mut named = Life::of_code().given(renewal("CS1", day(30)));
    assert_eq!(named.deliver(confirm(CodeState::Inactive, None)), Ok(vec![]), "a callback named it: it is active");
}

#[test]
fn a_code_called_expired_without_a_date_ends_with_the_grace_that_begins_then() {
    let mut life = Life::of_code().given(confirm(CodeState::Alive, None)).at(day(10));
    assert_eq!(life.deliver(confirm(CodeState::Expired, None)), Ok(vec!["license_code_confirmed.v1"]));
    assert_eq!((code(&life), life.license().expires_at), (Code::Grace, Some(day(10))));
    let mut life = life.at(day(11));
    assert_eq!(life.deliver(confirm(CodeState::Expired, None)), Ok(vec![]), "the same again each day is no news");
    assert_eq!(code(&life.at(day(25))), Code::Expired);
    let known = Life::of_code().given(confirm(CodeState::Alive, Some(5))).at(day(10));
    let known = known.given(confirm(CodeState::Expired, None));
    assert_eq!(known.license().expires_at, Some(day(5)), "what is known to have passed keeps its date");
    let first = Life::of_code().given(confirm(CodeState::Expired, None));
    assert_eq!((code(&first), first.license().expires_at), (Code::Grace, Some(day(0))));
}

#[test]
fn an_answer_that_leaves_something_out_is_no_news_and_one_that_adds_something_is() {
    let told = CodeAnswer { quantity: Some(2), ..answer(CodeState::Alive, Some(day(365))) };
    let mut life = Life::of_code().given(Command::ConfirmCode(told.clone()));
    assert_eq!(life.deliver(confirm(CodeState::Alive, None)), Ok(vec![]));
    let more = CodeAnswer { quantity: Some(3), ..told };
    assert_eq!(life.deliver(Command::ConfirmCode(more)), Ok(vec!["license_code_confirmed.v1"]));
}

#[test]
fn the_order_a_code_names_tells_the_product_and_the_answer_keeps_the_expiry() {
    let bought = CodeAnswer { order: Some(order("CS1")), ..answer(CodeState::Alive, Some(day(365))) };
    let mut life = Life::of_code().given(Command::ConfirmCode(bought));
    assert_eq!(
        life.deliver(apply("CS1", facts("CS1", "basic", 2, Some(day(360))))),
        Ok(vec!["license_order_facts_applied.v1"])
    );
    let license = life.license();
    assert_eq!(
        (license.sku.clone(), license.quantity, license.expires_at),
        (Some(sku("basic")), Some(2), Some(day(365)))
    );
    let life = life.given(renewal("CS2", day(800))).given(confirm(CodeState::Alive, Some(700)));
    assert_eq!(life.license().expires_at, Some(day(700)), "the last word counts");
}

#[test]
fn a_code_that_a_callback_named_first_is_active() {
    let life = Life::of_code().given(renewal("CS1", day(30)));
    assert_eq!((code(&life), life.license().activation), (Code::Valid, Activation::Done));
}

#[test]
fn an_application_gets_one_license_however_often_it_is_made() {
    let mut life = Life::bought();
    let (first, other) = (application("ev-1", Some("board|cpu")), application("ev-1", None));
    assert_eq!(life.deliver(request_license("ev-1", Some("board|cpu"))), Ok(vec!["license_requested.v1"]));
    assert_eq!(life.deliver(request_license("ev-1", Some("board|cpu"))), Ok(vec![]));
    let issue = |document: &str| Command::IssueLicense { application: first.clone(), document: document.into() };
    assert_eq!(life.deliver(Command::ConfirmUpload(first.clone())), Ok(vec![]), "nothing was made yet");
    assert_eq!(life.deliver(issue("one")), Ok(vec!["license_issued.v1"]));
    assert_eq!(life.deliver(issue("another")), Ok(vec![]), "there is never a second one");
    assert_eq!(life.deliver(Command::ConfirmUpload(first.clone())), Ok(vec!["license_uploaded.v1"]));
    assert_eq!(life.deliver(Command::ConfirmUpload(first.clone())), Ok(vec![]));
    let Standing::Known(history) = &life.standing else { panic!("a license") };
    let progress = history.application(&first).unwrap();
    assert_eq!((progress.document, progress.uploaded), (Some("one"), true));
    assert!(history.application(&other).is_none(), "the device is part of what was applied for");
    assert_eq!(life.license().activation, Activation::Done);
}

#[test]
fn applications_end_with_the_license_and_unknown_ones_are_refused() {
    let mut released = Life::bought().given(request_license("ev-1", None)).given(release());
    assert_eq!(released.deliver(request_license("ev-2", None)), Err(Refusal::Released));
    assert_eq!(released.deliver(request_license("ev-1", None)), Ok(vec![]), "taken up before");
    assert_eq!(Life::of_instance().deliver(request_license("ev-1", None)), Err(Refusal::Unknown));
    let unknown = Command::ConfirmUpload(application("ev-9", None));
    assert_eq!(Life::bought().deliver(unknown), Err(Refusal::Unknown));
}

#[test]
fn a_late_errand_is_put_on_record_once_and_each_giving_up() {
    let mut life = Life::of_code().given(confirm(CodeState::Inactive, None));
    let delay = || Command::DelayErrand { errand: Errand::Activate, reason: "away".into() };
    let abandon = || Command::AbandonErrand { errand: Errand::Activate, reason: "away".into(), attempts: 9 };
    assert_eq!(life.deliver(delay()), Ok(vec!["license_errand_delayed.v1"]));
    assert_eq!(life.deliver(delay()), Ok(vec![]));
    assert_eq!(life.deliver(abandon()), Ok(vec!["license_errand_abandoned.v1"]));
    assert_eq!(code(&life), Code::Pending);
}
