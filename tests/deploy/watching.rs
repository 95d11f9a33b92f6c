//! Alerts, the dashboard and the pages for whoever is called.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::{of_repository, run};

const ALERTS: &str = "deploy/prometheus/alerts.yml";
const RUNBOOKS: &str = "docs/operations/runbooks";
/// By when an alert must speak that calls somebody, in minutes from the start of its test. What it is about begins in the
/// sixth.
const SPEAKS_BY: u32 = 15;

fn read(path: &str) -> String {
    fs::read_to_string(of_repository(path)).unwrap()
}

/// An alert as it stands in the file.
struct Alert {
    name: String,
    calls_somebody: bool,
    runbook: String,
}

/// The alerts. The file is YAML that promtool reads; every alert in it has the same few lines.
fn alerts() -> Vec<Alert> {
    let text = read(ALERTS);
    let blocks: Vec<_> = text.split("- alert: ").skip(1).collect();
    let alerts = blocks.into_iter().map(|block| {
        let name = block.lines().next().unwrap().trim().to_owned();
        let runbook = block.lines().find_map(|line| line.trim().strip_prefix("runbook_url: "));
        let runbook = runbook.unwrap_or_else(|| panic!("{name} has no runbook_url")).trim_matches('"');
        let page = runbook.strip_prefix("{{ $externalLabels.runbooks }}/");
        let page = page.unwrap_or_else(|| panic!("{name}: the runbook is not in the folder of runbooks: {runbook}"));
        Alert { calls_somebody: block.contains("severity: page"), runbook: page.to_owned(), name }
    });
    alerts.collect()
}

/// `ChopmarkOrdersAtRisk` is told of in `orders-at-risk.md`.
fn page_of(alert: &str) -> String {
    let words = alert.strip_prefix("Chopmark").unwrap().chars().enumerate();
    let page: String = words
        .flat_map(|(at, char)| {
            let hyphen = (char.is_ascii_uppercase() && at > 0).then_some('-');
            hyphen.into_iter().chain([char.to_ascii_lowercase()])
        })
        .collect();
    page + ".md"
}

#[test]
fn prometheus_takes_the_alerts_and_its_configuration_and_every_alert_speaks_when_it_must() {
    let promtool =
        |words: &[&str]| run(Command::new("promtool").args(words).current_dir(of_repository("deploy/prometheus")));
    promtool(&["check", "rules", "alerts.yml"]);
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["test", "rules", "alerts.test.yml", "alerts.long.test.yml"]);
}

#[test]
fn every_alert_is_tested_and_those_that_call_somebody_speak_before_the_marketplace_gives_up() {
    let tests = read("deploy/prometheus/alerts.test.yml") + &read("deploy/prometheus/alerts.long.test.yml");
    for alert in alerts() {
        let fires = format!("exp_samples: [{{ labels: 'ALERTS{{alertname=\"{}\", alertstate=\"firing\"", alert.name);
        assert!(tests.contains(&fires), "{}: no test sees it fire", alert.name);
        let tests_of: Vec<_> = tests.split("- name: ").filter(|test| test.starts_with(&alert.name)).collect();
        let minutes = tests_of.iter().filter_map(|test| {
            let before = test.split("exp_samples: [{").next()?;
            before.rsplit("eval_time: ").next()?.split('m').next()?.trim().parse::<u32>().ok()
        });
        let earliest = minutes.min().unwrap();
        assert!(!alert.calls_somebody || earliest <= SPEAKS_BY, "{} is tested at {earliest} min only", alert.name);
    }
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let alerts = alerts();
    assert!(alerts.len() > 20, "the alerts are found");
    for alert in &alerts {
        assert_eq!(alert.runbook, page_of(&alert.name), "{}", alert.name);
        let page = fs::read_to_string(of_repository(RUNBOOKS).join(&alert.runbook));
        let page = page.unwrap_or_else(|error| panic!("{RUNBOOKS}/{}: {error}", alert.runbook));
        for heading in ["## How long you have", "## Look", "## Do"] {
            assert!(page.contains(heading), "{}: no section {heading}", alert.runbook);
        }
        assert!(page.contains(&format!("`{}`", alert.name)), "{} does not name its alert", alert.runbook);
    }
    let pages =
        fs::read_dir(of_repository(RUNBOOKS)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<_> = pages.filter(|page| page != "README.md").collect();
    let wanted: BTreeSet<_> = alerts.into_iter().map(|alert| alert.runbook).collect();
    assert_eq!(pages, wanted, "runbooks, and alerts that lead to them");
}

/// Names of metrics in a text, without what Prometheus adds to those of histograms.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let names = text.match_indices("chopmark_").map(|(at, _)| {
        let end =
            text[at..].find(|char: char| !char.is_ascii_lowercase() && char != '_').map_or(text.len(), |end| at + end);
        &text[at..end]
    });
    let bare =
        names.map(|name| ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name));
    bare.map(str::to_owned).collect()
}

/// The metrics of the reference page, which another test holds to the code.
fn documented() -> BTreeSet<String> {
    let page = read("docs/reference/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("chopmark_")).collect()
}

#[test]
fn alerts_and_the_dashboard_name_metrics_that_exist_and_the_dashboard_shows_them_all() {
    let documented = documented();
    let dashboard = metrics_in(&read("deploy/grafana/dashboard.json"));
    let missing: Vec<_> = documented.difference(&dashboard).collect();
    assert!(missing.is_empty(), "the dashboard does not show {missing:?}");
    let tests = metrics_in(&read("deploy/prometheus/alerts.test.yml"));
    for (place, named) in [("dashboard", dashboard), ("alerts", metrics_in(&read(ALERTS))), ("tests of alerts", tests)]
    {
        let unknown: Vec<_> = named.difference(&documented).collect();
        assert!(unknown.is_empty(), "the {place} name what does not exist: {unknown:?}");
    }
}

#[test]
fn pages_about_operations_name_metrics_that_exist() {
    let documented = documented();
    let pages =
        ["docs/operations", RUNBOOKS].into_iter().flat_map(|folder| fs::read_dir(of_repository(folder)).unwrap());
    let pages: Vec<_> = pages.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    assert!(pages.len() > 30, "the pages are found");
    for page in pages {
        let unknown: Vec<_> =
            metrics_in(&fs::read_to_string(&page).unwrap()).difference(&documented).cloned().collect();
        assert!(unknown.is_empty(), "{} names what does not exist: {unknown:?}", page.display());
    }
}

/// Panels of the dashboard, but for those that are headings.
fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row").collect()
}

#[test]
fn what_the_dashboard_asks_is_what_prometheus_understands() {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/dashboard.json")).unwrap();
    let targets = panels(&dashboard).into_iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let questions: Vec<_> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(questions.len() > 30, "the questions are found");
    // promtool reads questions in rules only; JSON is YAML.
    let rules = questions.iter().enumerate().map(|(at, question)| {
        serde_json::json!({ "record": format!("question_{at}"), "expr": question.replace("$__rate_interval", "1m") })
    });
    let rules = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules.collect::<Vec<_>>() }] });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    fs::write(&file, rules.to_string()).unwrap();
    run(Command::new("promtool").args(["check", "rules"]).arg(&file));
}

#[test]
fn panels_of_the_dashboard_stand_side_by_side_and_say_which_source_they_ask() {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/dashboard.json")).unwrap();
    let all = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = all.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), all.len(), "each panel has an id of its own");
    let mut taken = BTreeSet::new();
    for panel in all {
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{}: out of the grid", panel["title"]);
        for cell in (place("y")..place("y") + place("h"))
            .flat_map(|y| (place("x")..place("x") + place("w")).map(move |x| (x, y)))
        {
            assert!(taken.insert(cell), "{}: stands on another panel", panel["title"]);
        }
    }
    for panel in panels(&dashboard) {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
    }
}

#[test]
fn the_scraped_targets_are_the_nodes_of_the_cluster() {
    let (scraped, compose) = (read("deploy/prometheus/prometheus.yml"), read("deploy/compose/cluster.yaml"));
    for (role, nodes) in
        [("ingest", ["ingest-1", "ingest-2"].as_slice()), ("query", &["query-1", "query-2"]), ("worker", &["worker-1"])]
    {
        for node in nodes {
            let service =
                compose.split(&format!("\n  {node}:\n    <<:")).nth(1).unwrap_or_else(|| panic!("{node} is a service"));
            let address = service.split("ipv4_address: ").nth(1).unwrap().lines().next().unwrap();
            let target = scraped.split(&format!("\"{address}:9090\"")).nth(1);
            let labels = target.unwrap_or_else(|| panic!("{node} at {address} is not scraped")).lines().nth(1).unwrap();
            assert!(labels.contains(&format!("role: {role}")), "{node} is scraped as {labels}");
        }
    }
}
