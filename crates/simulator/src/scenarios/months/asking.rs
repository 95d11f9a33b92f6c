//! What a clerk of the seller does with the API: imports files, asks for views, and compares them with the books.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::{Value, json};

use super::planted::{Difference, Planted};
use super::shop::Shop;
use crate::checks::Answer;
use crate::finance::{Accounts, Body, Month, Settled};

/// Lines and pairs on a page; there are fewer of all.
const PAGE: &str = "500";

/// Between two looks at views that are not yet as they must be.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(25);

/// A clerk with access to the accounts.
pub(super) struct Clerk {
    accounts: Accounts,
}

impl Clerk {
    pub(super) fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }

    /// The months in which anything was sold.
    pub(super) async fn months(&mut self) -> Result<BTreeSet<String>, String> {
        let answer = self.get("periods", &[]).await?;
        let periods = answer["periods"].as_array().into_iter().flatten();
        Ok(periods.filter_map(|period| period["period"].as_str().map(str::to_owned)).collect())
    }

    /// Transaction details: a look changes nothing, and the import takes every row.
    pub(super) async fn imports(&mut self, shop: &mut Shop<'_, '_>, name: &str, file: &[u8]) {
        let began = Instant::now();
        let outcome = self.import("transactions", &[], name, file).await;
        shop.play.conclude(&format!("{name} is imported"), outcome, began);
    }

    /// The same file again is known.
    pub(super) async fn imports_nothing_new(&mut self, shop: &mut Shop<'_, '_>, name: &str, file: &[u8]) {
        let began = Instant::now();
        let answer = self.upload("transactions", &[], name, file, true).await;
        let outcome = answer.and_then(|answer| wants(&answer["taken_up_before"], &json!(true), "taken_up_before"));
        shop.play.conclude(&format!("{name} again changes nothing"), outcome, began);
    }

    /// A bill.
    pub(super) async fn bills(&mut self, shop: &mut Shop<'_, '_>, month: Month, name: &str, file: &[u8]) {
        let began = Instant::now();
        let month = month.to_string();
        let outcome = self.import("bills", &[("period", &month), ("category", "generic")], name, file).await;
        shop.play.conclude(&format!("{name} is imported"), outcome, began);
    }

    async fn import(&mut self, what: &str, query: &[(&str, &str)], name: &str, file: &[u8]) -> Result<String, String> {
        let preview = self.upload(what, query, name, file, false).await?;
        wants(&preview["committed"], &json!(false), "committed, at a look")?;
        let taken = self.upload(what, query, name, file, true).await?;
        wants(&taken["committed"], &json!(true), "committed")?;
        Ok(format!("{} rows", taken["file"]["rows"]))
    }

    async fn upload(
        &mut self,
        what: &str,
        query: &[(&str, &str)],
        name: &str,
        file: &[u8],
        commit: bool,
    ) -> Result<Value, String> {
        let commit = commit.to_string();
        let query = [query, &[("file_name", name), ("commit", &commit)]].concat();
        let answer = self.accounts.post(what, &query, Body::File(file)).await;
        good(what, answer.map_err(|error| error.to_string())?)
    }

    /// Every line of a month, with its amount, and no other; and what they come to.
    pub(super) async fn lines(&mut self, shop: &mut Shop<'_, '_>, month: Month) {
        let lines = shop.books.lines().into_iter().filter(|line| line.month == Some(month));
        let wanted: BTreeMap<_, _> = lines.map(|line| (line.sold.name().to_owned(), line.settled())).collect();
        let look = async |clerk: &mut Self| {
            let found = clerk.lines_of(&month.to_string()).await?;
            for (name, amount) in &wanted {
                let Some(line) = found.get(name) else { return Err(format!("{name} is missing")) };
                let shown = line["settle_amount"]["value"].as_str().unwrap_or("nothing");
                if !amount.is(shown) {
                    return Err(format!("{name} comes to {shown}, must be {amount}"));
                }
            }
            if let Some(name) = found.keys().find(|name| !wanted.contains_key(*name)) {
                return Err(format!("{name} is there, and must not be"));
            }
            let total = clerk.get(&format!("periods/{month}"), &[]).await?["tabs"][0]["exact"].clone();
            let sum: Settled = wanted.values().copied().sum();
            match total.as_str() {
                Some(total) if sum.is(total) => Ok(format!("{} lines, {total} together", found.len())),
                _ => Err(format!("together they come to {total}, must be {sum}")),
            }
        };
        self.until(shop, &format!("the lines of {month}"), look).await;
    }

    /// A line that is on no bill yet, and why.
    pub(super) async fn waits(&mut self, shop: &mut Shop<'_, '_>, what: &str, reason: &str) {
        let line = shop.line(what);
        let look = async |clerk: &mut Self| {
            let order = line.rsplit_once('-').map_or(line.as_str(), |(order, _)| order).to_owned();
            let answer = clerk.get("lines", &[("order", &order)]).await?;
            wants(&answer["lines"][0]["blocked"][0], &json!(reason), "what it waits for")
        };
        self.until(shop, &format!("{what}: it waits"), look).await;
    }

    async fn lines_of(&mut self, month: &str) -> Result<BTreeMap<String, Value>, String> {
        let answer = self.get("lines", &[("period", month), ("limit", PAGE)]).await?;
        let mut found = BTreeMap::new();
        for line in answer["lines"].as_array().into_iter().flatten() {
            let name = line["order_line_id"].as_str().or(line["sku_code"].as_str()).unwrap_or_default();
            if found.insert(name.to_owned(), line.clone()).is_some() {
                return Err(format!("{name} is there twice"));
            }
        }
        Ok(found)
    }

    /// Every planted difference, with its cause, and no other.
    pub(super) async fn reconciled(&mut self, shop: &mut Shop<'_, '_>, planted: &Planted) {
        let month = planted.bill.month.to_string();
        let mut wanted = planted.differences.clone();
        wanted.sort();
        let look = async |clerk: &mut Self| {
            let answer = clerk.get(&format!("reconciliation/{month}"), &[("limit", PAGE)]).await?;
            let pairs: Vec<_> = answer["pairs"].as_array().into_iter().flatten().collect();
            let mut found: Vec<_> = pairs.iter().filter(|pair| pair["outcome"] != "MATCHED").map(shown).collect();
            found.sort();
            let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
            if let Some(missed) = wanted.iter().find(|difference| !found.contains(difference)) {
                return Err(format!("not found: {missed}; found: {}", found.join(", ")));
            }
            match found.iter().find(|difference| !wanted.contains(difference)) {
                Some(other) => Err(format!("found, and not planted: {other}")),
                None => Ok(format!("{} differences, {} alike", found.len(), pairs.len() - found.len())),
            }
        };
        self.until(shop, &format!("the bill of {month} against its lines"), look).await;
    }

    /// The month is closed.
    pub(super) async fn closes(&mut self, shop: &mut Shop<'_, '_>, month: Month) {
        let began = Instant::now();
        let answer = self.accounts.post(&format!("periods/{month}/close"), &[], Body::None).await;
        let outcome = answer.map_err(|error| error.to_string()).and_then(|answer| good("close", answer));
        let outcome = outcome.map(|closed| format!("{} lines", closed["lines"]));
        shop.play.conclude(&format!("{month} is closed"), outcome, began);
    }

    /// What a closed month would be corrected by: this line by this amount, and nothing else.
    pub(super) async fn proposed(&mut self, shop: &mut Shop<'_, '_>, month: Month, line: &str, amount: &str) {
        let look = async |clerk: &mut Self| {
            let answer = clerk.get(&format!("periods/{month}/close"), &[]).await?;
            let proposals = answer["proposals"].as_array().map(Vec::as_slice).unwrap_or_default();
            match proposals {
                [proposal] => {
                    wants(&proposal["line_id"], &json!(line), "the line")?;
                    wants(&proposal["amount"], &json!(amount), "the amount")
                }
                other => Err(format!("{} adjustments are proposed, must be one", other.len())),
            }
        };
        self.until(shop, "the correction becomes a proposed adjustment", look).await;
    }

    /// A line of a closed month still says what it said.
    pub(super) async fn stands(&mut self, shop: &mut Shop<'_, '_>, month: Month, line: &str, amount: &str) {
        let look = async |clerk: &mut Self| {
            let found = clerk.lines_of(&month.to_string()).await?;
            let shown = found.get(line).and_then(|line| line["settle_amount"]["value"].as_str()).unwrap_or("nothing");
            let shown = if shown.contains('.') { shown.trim_end_matches('0').trim_end_matches('.') } else { shown };
            if shown == amount { Ok(shown.to_owned()) } else { Err(format!("{shown}, must be {amount}")) }
        };
        self.until(shop, "the closed line stands as it was", look).await;
    }

    async fn get(&mut self, view: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let answer = self.accounts.get(view, query).await;
        good(view, answer.map_err(|error| error.to_string())?)
    }

    /// Looks until all is as it must be, or patience ends.
    async fn until(
        &mut self,
        shop: &mut Shop<'_, '_>,
        name: &str,
        look: impl AsyncFn(&mut Self) -> Result<String, String>,
    ) {
        let began = Instant::now();
        let outcome = loop {
            let outcome = look(self).await;
            if outcome.is_ok() || began.elapsed() >= shop.play.context.patience {
                break outcome;
            }
            tokio::time::sleep(PAUSE).await;
        };
        shop.play.conclude(name, outcome, began);
    }
}

/// A pair as a difference is written.
fn shown(pair: &&Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("absent").to_owned();
    let (outcome, cause) = (text(&pair["outcome"]), text(&pair["causes"][0]["code"]));
    format!("{outcome} {}:{} {cause}", text(&pair["key"]["by"]), text(&pair["key"]["id"]))
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}:{} {}", self.outcome, self.by, self.id, self.cause)
    }
}

fn good(what: &str, answer: Answer) -> Result<Value, String> {
    if (200..300).contains(&answer.status) {
        return Ok(answer.json);
    }
    Err(format!("{what}: HTTP status {}: {}", answer.status, answer.json))
}

fn wants(found: &Value, wanted: &Value, what: &str) -> Result<String, String> {
    if found == wanted { Ok(format!("{what}: {found}")) } else { Err(format!("{what} is {found}, must be {wanted}")) }
}
