//! A race of machines for the seats of a license: exactly as many win as there are seats, and a seat given up stays taken
//! as long as a lease of its machine may be used offline.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Context;
use super::play::Play;
use super::wanted::Wanted;
use crate::checks::{Answer, CheckError, Checks, Question};
use crate::report::Report;
use crate::url::Url;

/// So many machines more than seats race for them.
const MORE: u64 = 25;

/// Each machine has a connection of its own.
const MOST_SEATS: u64 = 500;

/// Plays it.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("seats", context);
    if play.needs_api() {
        let order = play.purchase();
        if let Some(license) = play.buy("a customer buys", &order).await
            && let Some(limit) = limit(&mut play, &license).await
        {
            let race = race(&mut play, &license, limit).await;
            after(&mut play, &license, &race).await;
        }
    }
    play.finish()
}

async fn limit(play: &mut Play<'_>, license: &str) -> Option<u64> {
    let sku = play.context.product.sku.clone();
    let seats = |verdict: &Value| verdict["license"]["seats"]["limit"].as_u64();
    let judge = |verdict: &Value| match seats(verdict) {
        Some(limit @ 1..=MOST_SEATS) => Ok(format!("{limit} seats")),
        Some(limit) => Err(format!("product {sku} has {limit} seats: give it 1 to {MOST_SEATS} in the catalog")),
        None => Err(format!("product {sku} counts no machines: give it `seats` in the catalog, and serve its orders")),
    };
    let verdict = play.ask("the product counts machines", &Question::license(license), judge).await?;
    seats(&verdict)
}

/// How a race went, by the fingerprints of the machines.
#[derive(Default)]
struct Race {
    seated: Vec<String>,
    refused: Vec<String>,
}

async fn race(play: &mut Play<'_>, license: &str, limit: u64) -> Race {
    let began = Instant::now();
    let mut race = Race::default();
    let mut problem = None;
    for (fingerprint, outcome) in run(play.context, license, limit + MORE).await {
        match outcome {
            Ok(answer) if answer.status == 201 => race.seated.push(fingerprint),
            Ok(answer) if is_full(&answer) => race.refused.push(fingerprint),
            Ok(answer) => problem = Some(in_words(&answer)),
            Err(error) => problem = Some(error.to_string()),
        }
    }
    let detail = format!("{} of {} machines have a seat", race.seated.len(), limit + MORE);
    let outcome = match problem {
        Some(problem) => Err(format!("{detail}; one was answered {problem}")),
        None if race.seated.len() as u64 == limit => Ok(detail),
        None => Err(format!("{detail}, must be {limit}")),
    };
    play.conclude("machines race for the seats", outcome, began);
    race
}

async fn run(context: &Context<'_>, license: &str, machines: u64) -> Vec<(String, Result<Answer, CheckError>)> {
    let Some(api) = &context.api else { return vec![] };
    let start = Arc::new(Barrier::new(usize::try_from(machines).unwrap_or(usize::MAX)));
    let mut running = JoinSet::new();
    for number in 0..machines {
        let fingerprint = format!("{}-{number}", Uuid::new_v4().simple());
        running.spawn(machine(checks(context, api), license.to_owned(), fingerprint, Arc::clone(&start)));
    }
    running.join_all().await
}

fn checks(context: &Context<'_>, api: &Url) -> Checks {
    Checks::new(api, &context.seller, context.tls.clone())
}

async fn machine(
    mut checks: Checks,
    license: String,
    fingerprint: String,
    start: Arc<Barrier>,
) -> (String, Result<Answer, CheckError>) {
    start.wait().await;
    let answer = checks.activate(&license, &fingerprint, Some("race")).await;
    (fingerprint, answer)
}

/// What holds after the race.
async fn after(play: &mut Play<'_>, license: &str, race: &Race) {
    let Some(first) = race.seated.first() else { return };
    let asked = |fingerprint: &str| Question::license(license).on(fingerprint);
    let verdict = play.wants("a machine with a seat is good", &asked(first), &Wanted::valid()).await;
    if let Some(refused) = race.refused.first() {
        play.wants("a machine without one is not", &asked(refused), &Wanted::machine_not_activated()).await;
    }
    let again = async |checks: &mut Checks| checks.activate(license, first, None).await;
    play.request("a machine takes the seat it has", again, |answer| status(answer, 200)).await;
    let Some(lease) = verdict.and_then(|verdict| Some(verdict["lease"].as_str()?.to_owned())) else {
        let problem = "the verdict has no lease".to_owned();
        return play.conclude("the machine has a lease", Err(problem), Instant::now());
    };
    give_up(play, license, race, &lease).await;
}

async fn give_up(play: &mut Play<'_>, license: &str, race: &Race, lease: &str) {
    let [first, others @ ..] = race.seated.as_slice() else { return };
    if let Some(other) = others.first() {
        let foreign = async |checks: &mut Checks| checks.free(license, other, lease).await;
        let judge = |answer: &Answer| match answer.status {
            400..500 => Ok(in_words(answer)),
            _ => Err(format!("{}, must be refused", in_words(answer))),
        };
        play.request("another machine's lease frees no seat", foreign, judge).await;
    }
    let own = async |checks: &mut Checks| checks.free(license, first, lease).await;
    play.request("a machine gives its seat up", own, |answer| status(answer, 204)).await;
    let freed = Question::license(license).on(first);
    play.wants("it is good no longer", &freed, &Wanted::machine_not_activated()).await;
    let newcomer = async |checks: &mut Checks| checks.activate(license, "newcomer", None).await;
    let judge = |answer: &Answer| match is_full(answer) {
        true => Ok(in_words(answer)),
        false => Err(format!("{}, must be 409 MACHINE_LIMIT", in_words(answer))),
    };
    play.request("its seat is taken until its lease has ended", newcomer, judge).await;
}

fn status(answer: &Answer, wanted: u16) -> Result<String, String> {
    match answer.status == wanted {
        true => Ok(in_words(answer)),
        false => Err(format!("{}, must be {wanted}", in_words(answer))),
    }
}

fn is_full(answer: &Answer) -> bool {
    answer.status == 409 && answer.code() == "MACHINE_LIMIT"
}

fn in_words(answer: &Answer) -> String {
    let detail = answer.json["detail"].as_str().unwrap_or_default();
    format!("{} {} {detail}", answer.status, answer.code()).trim_end().to_owned()
}
