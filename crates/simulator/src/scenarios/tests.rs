//! The scenarios against a small seller in memory: an honest one passes them all, a flawed one does not.

mod seller;

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use seller::{Flaw, KEY, Seller};

use super::*;
use crate::message::{ExpireTime, KeyOrder, Wording};
use crate::report::{Quiet, Step};
use crate::sign::TimestampUnit;

fn context(seller: &Seller) -> Context<'static> {
    let keys = Keys { license_code: Some("code-key".into()), ..Keys::base(KEY.into()) };
    Context {
        api: Some(seller.url.clone()),
        orders: Some(seller.orders.clone()),
        desk: Some(seller.desk.clone()),
        token: Some("support-token".into()),
        image_product: Some("image".into()),
        patience: Duration::from_millis(200),
        ..Context::new(seller.url.clone(), "acme", keys, &Quiet)
    }
}

/// The context, with a product that the scenario can be played with.
fn context_for(scenario: Scenario, seller: &Seller) -> Context<'static> {
    let sku = match scenario {
        Scenario::Seats => "seats",
        Scenario::Online => "online",
        _ => return context(seller),
    };
    Context { product: Product { sku: sku.into(), quantity: 3, ..Product::default() }, ..context(seller) }
}

async fn fails(scenario: Scenario, flaw: Flaw) -> Report {
    let seller = Seller::start(Some(flaw));
    let report = scenario.play(&context_for(scenario, &seller)).await;
    assert!(!report.ok, "{flaw:?} is not seen by\n{report}");
    report
}

fn checks(report: &Report) -> Vec<String> {
    let findings = report.steps.iter().flat_map(|step| &step.findings);
    let json = findings.map(|finding| serde_json::to_value(finding).unwrap());
    json.map(|json| json["check"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_honest_seller_passes_every_scenario() {
    let seller = Seller::start(None);
    for scenario in Scenario::ALL {
        // The client that sellers link in believes no double, and the double keeps no books: both are played against the
        // real server.
        if matches!(scenario, Scenario::Storm | Scenario::Software | Scenario::Months) {
            continue;
        }
        let report = scenario.play(&context_for(scenario, &seller)).await;
        assert!(report.ok, "{report}");
        assert!(report.steps.len() >= 5, "{report}");
    }
}

#[tokio::test]
async fn every_way_of_writing_a_callback_is_understood() {
    let seller = Seller::start(None);
    let wording = Wording { keys: KeyOrder::Descending, expire_time: ExpireTime::Millis, ..Wording::default() };
    let style = Style { wording, timestamp: TimestampUnit::Seconds };
    let context = Context { style, ..context(&seller) };
    let report = Scenario::Lifecycle.play(&context).await;
    assert!(report.ok, "{report}");
}

#[tokio::test]
async fn without_an_api_and_orders_only_answers_are_judged() {
    let seller = Seller::start(None);
    let context = Context { api: None, orders: None, ..context(&seller) };
    for scenario in [Scenario::Lifecycle, Scenario::Duplicates, Scenario::Reorder] {
        let report = scenario.play(&context).await;
        assert!(report.ok, "{report}");
    }
    assert_eq!(seller.checks.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_new_instance_for_an_old_purchase_is_seen() {
    let report = fails(Scenario::Purchase, Flaw::NewInstanceEachTime).await;
    assert_eq!(checks(&report), ["other_instance"]);
    let report = fails(Scenario::Duplicates, Flaw::NewInstanceEachTime).await;
    let last = report.steps.iter().rfind(|step| !step.ok).unwrap();
    assert_eq!(last.detail, "8 different instances, 0 answers without one");
}

#[tokio::test]
async fn a_duplicate_that_counts_twice_is_seen() {
    let report = fails(Scenario::Duplicates, Flaw::CountsRefreshesTwice).await;
    let failed: Vec<_> = report.steps.iter().filter(|step| !step.ok).collect();
    assert_eq!(failed[0].name, "the renewal counted once", "{report}");
}

#[tokio::test]
async fn a_freeze_that_is_not_taken_up_is_seen() {
    let report = fails(Scenario::Lifecycle, Flaw::IgnoresFreezes).await;
    let failed = report.steps.iter().find(|step| !step.ok).unwrap();
    assert!(failed.detail.starts_with("code is VALID, must be FROZEN"), "{report}");
    fails(Scenario::Reorder, Flaw::IgnoresFreezes).await;
}

#[tokio::test]
async fn a_dial_test_that_reaches_licenses_or_asks_for_them_is_seen() {
    let report = fails(Scenario::Dialtest, Flaw::TakesTestsForReal).await;
    assert!(checks(&report).contains(&"result_code".to_owned()), "{report}");
    let found = report.steps.iter().find(|step| step.name == "no license came of it");
    assert!(found.is_some_and(|step| !step.ok), "{report}");
}

/// The first step that was not as it must be.
fn failed(report: &Report) -> (&str, &str) {
    let step = report.steps.iter().find(|step| !step.ok).unwrap();
    (&step.name, &step.detail)
}

#[tokio::test]
async fn more_machines_than_seats_are_seen() {
    let report = fails(Scenario::Seats, Flaw::GivesSeatsToAll).await;
    assert_eq!(failed(&report), ("machines race for the seats", "28 of 28 machines have a seat, must be 3"));
}

#[tokio::test]
async fn an_ecs_that_is_believed_wherever_it_is_is_seen() {
    let report = fails(Scenario::Image, Flaw::BelievesAnyEcs).await;
    let expected = ("its id comes from another project", "code is VALID, must be DEPLOYMENT_CONFLICT");
    assert_eq!(failed(&report), expected);
}

#[tokio::test]
async fn a_code_that_nobody_made_and_is_believed_is_seen() {
    let report = fails(Scenario::Codes, Flaw::BelievesAnyCode).await;
    assert_eq!(failed(&report), ("a code that nobody made", "code is VALID, must be NOT_FOUND"));
}

#[tokio::test]
async fn a_second_license_for_one_application_is_seen() {
    let report = fails(Scenario::Online, Flaw::MakesALicenseEachTime).await;
    assert_eq!(failed(&report), ("there is one license", "several licenses for one application"));
}

#[tokio::test]
async fn uploads_that_are_refused_at_first_are_waited_for() {
    let seller = Seller::start(None);
    seller.desk.uploads().refuse_first(3);
    let report = Scenario::Online.play(&context_for(Scenario::Online, &seller)).await;
    assert!(report.ok, "{report}");
}

#[tokio::test]
async fn a_scenario_that_lacks_something_says_what() {
    let seller = Seller::start(None);
    let bare = |scenario| {
        let context = Context { image_product: None, desk: None, ..context(&seller) };
        async move {
            let report = Scenario::play(scenario, &context).await;
            failed(&report).1.to_owned()
        }
    };
    assert!(bare(Scenario::Seats).await.contains("give it `seats` in the catalog"));
    assert!(bare(Scenario::Image).await.contains("--product"));
    assert!(bare(Scenario::Codes).await.contains("--open-api"));
    let online = Scenario::Online.play(&context(&seller)).await;
    assert!(failed(&online).1.contains("must be of kind `online_license`"), "{online}");
    for scenario in [Scenario::Seats, Scenario::Image, Scenario::Codes, Scenario::Online] {
        let report = scenario.play(&Context { api: None, ..context(&seller) }).await;
        assert_eq!(failed(&report), ("there is an API", "name it with --api"));
    }
}

#[tokio::test]
async fn a_header_in_other_letters_is_seen_on_every_answer() {
    let report = fails(Scenario::Purchase, Flaw::LowerCaseBodySign).await;
    assert_eq!(checks(&report), ["body_sign_name"; 4]);
}

#[tokio::test]
async fn an_outage_is_waited_out_with_bounded_attempts() {
    let seller = Seller::start(Some(Flaw::Busy));
    let mut options = outage::Options { purchases: 3, attempts: seller::BUSY_FOR + 1, pause: Duration::ZERO };
    let report = outage::play(&context(&seller), options).await;
    assert!(report.ok, "{report}");
    assert_eq!(report.acknowledged.len(), 3);
    assert!(report.steps[0].detail.ends_with("at attempt 4"), "{report}");

    let seller = Seller::start(Some(Flaw::Busy));
    options.attempts = 2;
    options.purchases = 1;
    let report = outage::play(&context(&seller), options).await;
    assert!(!report.ok);
    assert_eq!(report.steps[0].detail, "given up after 2 attempts; the last: 000005");
}

#[tokio::test]
async fn a_storm_counts_times_and_errors() {
    let seller = Seller::start(None);
    let options = storm::Options {
        connections: 4,
        count: 400,
        duplicates: 0.5,
        keep_acknowledged: true,
        ..storm::Options::default()
    };
    let report = storm::play(&context(&seller), options).await;
    assert!(report.ok, "{report}");
    let figures = report.storm.as_ref().unwrap();
    assert_eq!((figures.acknowledged, figures.latency.count), (400, 400));
    assert!(figures.duplicates > 0);
    assert_eq!(report.acknowledged.len() as u64, 400 - figures.duplicates);
    assert_eq!(seller.licenses() as u64, 400 - figures.duplicates);

    let seller = Seller::start(Some(Flaw::Busy));
    let report = storm::play(&context(&seller), options).await;
    assert!(!report.ok);
    let errors = &report.storm.unwrap().errors;
    assert_eq!(errors.values().sum::<u64>(), u64::from(seller::BUSY_FOR));
}

#[tokio::test]
async fn a_storm_with_a_rate_keeps_to_it() {
    let seller = Seller::start(None);
    let options = storm::Options { rate: 1000.0, connections: 2, count: 50, ..storm::Options::default() };
    let report = storm::play(&context(&seller), options).await;
    let figures = report.storm.unwrap();
    assert!(figures.seconds >= 0.049, "the last of 50 is due after 49 ms");
}

#[tokio::test]
async fn progress_sees_each_step_as_it_happens() {
    #[derive(Default)]
    struct Watch(Mutex<Vec<String>>);
    impl Progress for Watch {
        fn began(&self, scenario: &str) {
            self.0.lock().unwrap().push(scenario.into());
        }
        fn stepped(&self, step: &Step) {
            self.0.lock().unwrap().push(step.name.clone());
        }
    }
    let seller = Seller::start(None);
    let watch = Watch::default();
    let context = Context { progress: &watch, ..context(&seller) };
    let report = Scenario::Purchase.play(&context).await;
    let mut expected = vec!["purchase".to_owned()];
    expected.extend(report.steps.into_iter().map(|step| step.name));
    assert_eq!(*watch.0.lock().unwrap(), expected);
}

#[test]
fn scenarios_are_known_by_name() {
    for scenario in Scenario::ALL {
        assert_eq!(scenario.as_str().parse(), Ok(scenario));
    }
    let unknown = "rain".parse::<Scenario>().unwrap_err().to_string();
    for scenario in Scenario::ALL {
        assert!(unknown.contains(scenario.as_str()), "{unknown}");
    }
}
