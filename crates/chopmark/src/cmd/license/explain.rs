//! `chopmark license explain`: the walk over the codes, and where it ended.

use chopmark_projector::Found;
use chopmark_query::{Kind, Problem, explain_license};
use serde_json::{Map, Value, json};

use super::Desk;
use crate::cli::license::ExplainArgs;
use crate::cmd::kept::HELP;
use crate::cmd::text;
use crate::cmd::text::{plain, table};
use crate::failure::{Failure, Reason};

pub(super) async fn explain(args: &ExplainArgs, desk: &Desk) -> Result<(), Failure> {
    let index = desk.index().await?;
    let found = super::find(&index, &args.which)?;
    let question = question(args, &found);
    let explained = explain_license(&desk.commands, &index, &found.key, &question).await;
    let explained = explained.map_err(|problem| failure(&problem))?;
    crate::print(&if args.json { format!("{explained:#}\n") } else { walk(&explained) })
}

/// What the check asked, as far as it is said. A deployment asks as it is on record.
fn question(args: &ExplainArgs, found: &Found) -> Value {
    let mut question = Map::new();
    let mut product = args.product.clone();
    if let Some(deployment) = &found.license.deployment {
        let (project, region) = (&deployment.facts.project_id, &deployment.facts.region_id);
        let claim = json!({ "uuid": found.key.id.as_str(), "project_id": project, "region_id": region });
        question.insert("deployment".into(), claim);
        product = product.or_else(|| found.license.sku.clone());
    }
    question.extend(product.map(|product| ("product".into(), json!(product))));
    question.extend(args.machine.as_ref().map(|machine| ("machine".into(), json!({ "fingerprint": machine }))));
    question.extend(args.position.map(|position| ("position".into(), position.to_string().into())));
    question.extend(args.at.map(|at| ("at".into(), text::exact_time(at).into())));
    question.into()
}

fn failure(problem: &Problem) -> Failure {
    match problem.kind() {
        Kind::MalformedRequest => {
            Failure::new(Reason::Usage, problem.to_string(), "hand over what stands in the answer of the check")
        }
        _ => Failure::new(Reason::Storage, problem.to_string(), HELP),
    }
}

/// The verdict, how it came about, and by which events.
fn walk(explained: &Value) -> String {
    let elements = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut said = format!("{}: {}\n\n", plain(&explained["code"]), plain(&explained["reason"]));
    let because = &explained["because"];
    for step in elements(&because["looked_at"]) {
        let mark = if step["applies"] == true { '→' } else { '–' };
        said += &format!("  {mark} {:<22} {}\n", plain(&step["code"]), plain(&step["says"]));
    }
    let event =
        |event: &Value| ["recorded_at", "revision", "kind", "position"].map(|name| plain(&event[name])).to_vec();
    let events: Vec<Vec<String>> = elements(&because["events"]).iter().map(event).collect();
    if !events.is_empty() {
        said += &format!("\ndecided by\n{}", indented(&table(&["RECORDED", "REVISION", "EVENT", "POSITION"], &events)));
    }
    let catalog = &because["catalog_version"];
    let catalog = if catalog.is_null() { String::new() } else { format!(", by version {catalog} of the catalog") };
    let (position, at) = (plain(&explained["position"]), plain(&explained["checked_at"]));
    said + &format!("\nat position {position}, judged on {at}{catalog}\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
