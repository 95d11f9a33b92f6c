//! The book keeps its word: links lead somewhere, and reference pages name what exists, all of it and nothing else.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use chopmark_domain::license::Code;
use chopmark_domain::settlement::policy::Policy;
use chopmark_huawei::callback::Activity;
use chopmark_tests::repository::{code_of, files, is_test_file, read, root, tests_in};

/// A link in a page.
#[derive(Debug)]
struct Link {
    line: usize,
    target: String,
}

/// Lines that are not inside a fence, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// A line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

fn links(text: &str) -> Vec<Link> {
    let mut links = vec![];
    for (line, text) in prose(text) {
        // The text of a link may be code, so only the rest of the line is looked at without it.
        for (_, target) in text.match_indices("](").filter_map(|(at, _)| Some((at, text[at + 2..].split_once(')')?.0)))
        {
            links.push(Link { line, target: target.into() });
        }
        if let Some((_, target)) = without_code(text).split_once("]: ") {
            links.push(Link { line, target: target.trim().into() });
        }
    }
    links
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter_map(|(_, line)| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
            kept.map(|char| if char == ' ' { '-' } else { char }).collect()
        })
        .collect()
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// Where a link of a page leads within the repository: a path from the root and an anchor. `None` for other places.
fn local(page: &Path, link: &Link) -> Option<(PathBuf, Option<String>)> {
    if link.target.contains("://") || link.target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = match link.target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (link.target.as_str(), None),
    };
    let path = if path.is_empty() { page.to_owned() } else { normal(&page.parent()?.join(path)) };
    Some((path, anchor))
}

/// Every page with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let pages = files(".", "md").expect("the repository can be read").into_iter().map(|path| normal(&path));
    pages
        .map(|path| {
            let text = read(&path).expect("a readable page");
            (path, text)
        })
        .collect()
}

/// What stands first in the rows of a page's tables, between backticks.
fn first_column(page: &str) -> BTreeSet<String> {
    let text = read(page).unwrap_or_else(|error| panic!("{page}: {error}"));
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

fn names(names: impl IntoIterator<Item = impl Into<String>>) -> BTreeSet<String> {
    names.into_iter().map(Into::into).collect()
}

#[track_caller]
fn same(page: &str, documented: &BTreeSet<String>, existing: &BTreeSet<String>) {
    let missing: Vec<_> = existing.difference(documented).collect();
    let stale: Vec<_> = documented.difference(existing).collect();
    assert!(missing.is_empty(), "{page}: add a row for each of {missing:?}");
    assert!(stale.is_empty(), "{page}: these do not exist (any more), take them out: {stale:?}");
}

#[test]
fn every_link_leads_somewhere() {
    let mut complaints = vec![];
    for (page, text) in pages() {
        for link in links(&text) {
            let Some((path, anchor)) = local(&page, &link) else {
                continue;
            };
            let place = format!("{}:{}", page.display(), link.line);
            if !root().join(&path).exists() {
                complaints.push(format!("{place}: {} does not exist", path.display()));
            } else if let Some(anchor) = anchor
                && !read(&path).is_ok_and(|text| anchors(&text).contains(&anchor))
            {
                complaints.push(format!("{place}: {} has no heading for #{anchor}", path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

#[test]
fn every_page_of_the_book_is_linked_from_another() {
    let pages = pages();
    let linked: BTreeSet<PathBuf> = pages
        .iter()
        .flat_map(|(page, text)| {
            let targets = links(text).into_iter().filter_map(|link| Some(local(page, &link)?.0));
            targets.filter(|target| target != page).collect::<Vec<_>>()
        })
        .collect();
    let lost: Vec<_> =
        pages.iter().map(|(page, _)| page).filter(|page| page.starts_with("docs") && !linked.contains(*page)).collect();
    assert!(lost.is_empty(), "link these pages from docs/README.md or from the index beside them: {lost:?}");
}

#[test]
fn every_event_kind_is_in_the_reference() {
    let page = "docs/reference/events.md";
    let documented = first_column(page).into_iter().filter(|name| name.contains(".v")).collect();
    same(page, &documented, &names(chopmark_domain::event_kinds()));
}

#[test]
fn every_verdict_is_in_the_reference() {
    let page = "docs/guide/checks.md";
    let shouted = |name: &String| name.chars().all(|char| char.is_ascii_uppercase() || char == '_');
    let documented = first_column(page).into_iter().filter(shouted).collect();
    same(page, &documented, &names(Code::ALL.map(Code::as_str)));
}

#[test]
fn every_activity_is_on_the_protocol_page() {
    let page = "docs/protocol/callbacks.md";
    let documented = first_column(page);
    for activity in Activity::ALL {
        assert!(documented.contains(activity.as_str()), "{page}: add a row for {activity}");
    }
}

/// Schemas of a PostgreSQL are called as metrics are, and are none.
const SCHEMAS: [&str; 2] = ["chopmark_log", "chopmark_seen"];

#[test]
fn every_metric_is_in_the_reference() {
    let page = "docs/reference/metrics.md";
    let mut existing = BTreeSet::new();
    for path in files("crates", "rs").expect("crates/ can be read") {
        if !is_test_file(&path) {
            existing.extend(metrics_in(&read(&path).expect("a readable source file")));
        }
    }
    existing.retain(|name| !SCHEMAS.contains(&name.as_str()));
    let documented = first_column(page).into_iter().filter(|name| name.starts_with("chopmark_")).collect();
    same(page, &documented, &existing);
}

/// The keys of the default configuration, its examples included: `listen.api`, `seller.keys.base`.
fn configuration_keys() -> BTreeSet<String> {
    let default = read("crates/chopmark/src/config/default.toml").expect("the default configuration can be read");
    let uncommented = default.lines().map(|line| match line.strip_prefix('#') {
        Some(example) if !example.is_empty() && !example.starts_with(' ') => example,
        _ => line,
    });
    let table = uncommented.collect::<Vec<_>>().join("\n").parse().expect("the default configuration is TOML");
    let mut keys = BTreeSet::new();
    add_keys("", &table, &mut keys);
    keys
}

/// Adds the keys of a table, for secrets and values of several parts those of the whole. What a seller or product is made of is a list of one in the default.
fn add_keys(prefix: &str, table: &toml::Table, keys: &mut BTreeSet<String>) {
    /// Values that the page tells of as one.
    const VALUES: [&str; 6] = [
        "seller.app_info",
        "seller.open_api.access_key",
        "seller.open_api.secret_key",
        "seller.settlement.policy",
        "product.app_info",
        "product.entitlements",
    ];
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let example = value.as_array().and_then(|list| list.first()).filter(|_| prefix.is_empty());
        match example.unwrap_or(value) {
            toml::Value::Table(table) if !VALUES.contains(&key.as_str()) => add_keys(&key, table, keys),
            _ => drop(keys.insert(key)),
        }
    }
}

#[test]
fn every_configuration_key_is_in_the_reference() {
    let page = "docs/reference/configuration.md";
    let text = read(page).expect("the page can be read");
    let (_, keys) = text.split_once("\n## Keys\n").expect("a section about keys");
    let keys = keys.split("\n## ").next().unwrap_or_default();
    let rows = keys.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    // They have no default that an example could show, or one that fits the product of the others.
    let in_words = ["seller.open_api.base_url", "product.settlement.hourly_price", "product.settlement.partial_hour"];
    let is_told_of_in_words = |name: &str| in_words.contains(&name);
    let documented = rows.map(|(name, _)| name.to_owned());
    let documented = documented.filter(|name| !name.starts_with('[') && !is_told_of_in_words(name)).collect();
    same(page, &documented, &configuration_keys());
}

#[test]
fn every_switch_of_settlement_is_in_the_reference_with_its_default_first() {
    let page = "docs/reference/configuration.md";
    let text = read(page).expect("the page can be read");
    let (_, switches) = text.split_once("\n## Switches of settlement\n").expect("a section about switches");
    let rows = switches.split("\n## ").next().unwrap_or_default().lines();
    let rows: Vec<_> = rows.filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).collect();
    let policy = serde_json::to_value(Policy::default()).expect("plain data");
    let policy = policy.as_object().expect("an object");
    same(page, &names(rows.iter().map(|(name, _)| *name)), &names(policy.keys()));
    for (name, choices) in rows {
        if let Some(default) = policy.get(name).and_then(|value| value.as_str()) {
            assert!(choices.starts_with(&format!("`\"{default}\"`")), "{page}: {name} begins with {default}");
        }
    }
}

/// Names of metrics in a source file: texts that begin with `chopmark_`, outside of tests.
fn metrics_in(source: &str) -> Vec<String> {
    let tests = tests_in(&code_of(source));
    let texts = source.match_indices("\"chopmark_").filter(|(at, _)| !tests.iter().any(|range| range.contains(at)));
    texts
        .filter_map(|(at, _)| source[at + 1..].split_once('"'))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|char| char.is_ascii_lowercase() || char == '_'))
        .collect()
}

#[test]
fn links_and_anchors_are_read_as_github_reads_them() {
    let page = "# One `two`, three\n[a](b.md#c) and [`d`](e)\n```\n[no](no)\n```\n[f]: ../g\n";
    let targets: Vec<_> = links(page).into_iter().map(|link| (link.line, link.target)).collect();
    assert_eq!(targets, [(2, "b.md#c".into()), (2, "e".into()), (6, "../g".into())]);
    assert_eq!(anchors(page), names(["one-two-three"]));
    let link = Link { line: 1, target: "../a/./b.md#c".into() };
    assert_eq!(local(Path::new("docs/x/y.md"), &link), Some(("docs/a/b.md".into(), Some("c".into()))));
}
