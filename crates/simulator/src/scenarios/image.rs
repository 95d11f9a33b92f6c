//! An image product: there are no callbacks for it, so the program in the image tells what its ECS is.

use std::time::Instant;

use serde_json::Value;

use super::Context;
use super::play::Play;
use super::wanted::Wanted;
use crate::checks::{Checks, Ecs, Question};
use crate::report::Report;

/// Plays it.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("image", context);
    if play.needs_api()
        && let Some(product) = product(&mut play)
    {
        enrol(&mut play, &product).await;
    }
    play.finish()
}

fn product(play: &mut Play<'_>) -> Option<String> {
    let product = play.context.image_product.clone();
    if product.is_none() {
        let problem = "name one with --product: the SKU of a product of kind `image` in the catalog".to_owned();
        play.conclude("there is an image product", Err(problem), Instant::now());
    }
    product
}

async fn enrol(play: &mut Play<'_>, product: &str) {
    let ecs = Ecs::fresh();
    let Some(first) = secret(play, "an ECS is seen for the first time", product, &ecs).await else { return };
    let enrolled = ecs.with_secret(&first);
    known(play, "it comes back with its secret", product, &enrolled).await;

    let conflict = Wanted::deployment_conflict();
    let elsewhere = Ecs { project_id: "0123456789abcdef0123456789abcdef".into(), ..ecs.clone() };
    play.wants("its id comes from another project", &Question::deployment(product, &elsewhere), &conflict).await;
    let stolen = elsewhere.with_secret(&first);
    play.wants("even with its secret", &Question::deployment(product, &stolen), &conflict).await;
    let region = Ecs { region_id: "ap-southeast-3".into(), ..ecs.clone() };
    play.wants("its id comes from another region", &Question::deployment(product, &region), &conflict).await;
    known(play, "the ECS itself goes on", product, &enrolled).await;

    let Some(second) = secret(play, "its system is installed again", product, &ecs).await else { return };
    known(play, "it comes back with the new secret", product, &ecs.with_secret(&second)).await;
    let copied = secret(play, "the ended secret comes back: a clone, and yet good", product, &enrolled).await;
    let secrets = [Some(first), Some(second), copied];
    let differ = secrets.iter().enumerate().all(|(at, secret)| !secrets.iter().skip(at + 1).any(|next| next == secret));
    let outcome = if differ { Ok("three secrets".into()) } else { Err("a secret was given twice".into()) };
    play.conclude("each enrolment has a secret of its own", outcome, Instant::now());
    reported(play, &ecs).await;
}

/// An enrolment: good, and a new secret comes with it.
async fn secret(play: &mut Play<'_>, name: &str, product: &str, ecs: &Ecs) -> Option<String> {
    let secret = |verdict: &Value| verdict["enrolment_secret"].as_str().map(ToOwned::to_owned);
    let judge = |verdict: &Value| match (Wanted::valid().contradiction(verdict), secret(verdict)) {
        (Some(contradiction), _) => Err(contradiction),
        (None, None) => Err("there is no enrolment_secret".into()),
        (None, Some(_)) => Ok("enrolled".into()),
    };
    let verdict = play.ask(name, &Question::deployment(product, ecs), judge).await?;
    secret(&verdict)
}

/// No enrolment: good, and the secret stays.
async fn known(play: &mut Play<'_>, name: &str, product: &str, ecs: &Ecs) {
    let judge = |verdict: &Value| match (Wanted::valid().contradiction(verdict), &verdict["enrolment_secret"]) {
        (Some(contradiction), _) => Err(contradiction),
        (None, Value::Null) => Ok("VALID".into()),
        (None, _) => Err("it was enrolled anew".into()),
    };
    play.ask(name, &Question::deployment(product, ecs), judge).await;
}

/// What people see of it, where there is a token to look with.
async fn reported(play: &mut Play<'_>, ecs: &Ecs) {
    let Some(token) = play.context.token.clone() else { return };
    let show = async |checks: &mut Checks| checks.show(&ecs.uuid, &token).await;
    play.request("the clone is reported to people", show, |answer| {
        match answer.json["deployment"]["clone_suspected"] == true {
            true => Ok("clone_suspected".into()),
            false => Err(format!("HTTP {} without clone_suspected", answer.status)),
        }
    })
    .await;
}
