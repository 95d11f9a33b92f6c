//! Getting the facts of one order, and taking them to whoever waits for them.

use chopmark_domain::ids::OrderLineId;
use chopmark_domain::license;
use chopmark_domain::order::{self, Order, OrderRef};
use chopmark_domain::stream::LicenseKey;
use chopmark_log::Position;

use super::failure::Failure;
use super::record::cause;
use super::{Memory, Office};
use crate::marketplace::api;
use crate::open_work::{OpenOrder, OrderKey};

impl Office {
    /// Gets them and takes them along. On success the fold has seen all of it.
    pub(super) async fn get_facts(&self, key: &OrderKey, open: &OpenOrder, memory: &mut Memory) -> Result<(), Failure> {
        let known = self.commands.read_order(&key.seller, &key.order_id).await?;
        memory.is_delayed = known.delayed;
        let is_known = |order: &Order| open.lines.keys().all(|line| order.facts.contains_key(line));
        let (order, recorded) = if is_known(&known) { (known, None) } else { self.ask_facts(key, memory).await? };
        let delivered = self.deliver(key, open, &order).await?;
        self.wait_for_fold(delivered.max(recorded)).await;
        match open.lines.keys().find(|line| !order.facts.contains_key(line)) {
            Some(line) => Err(Failure::refused(format!("the marketplace's answer has no line {line}"))),
            None => Ok(()),
        }
    }

    /// Asks the marketplace and records what it says.
    async fn ask_facts(&self, key: &OrderKey, memory: &Memory) -> Result<(Order, Option<Position>), Failure> {
        let place = self.place(&key.seller, memory).await?;
        let question = place.marketplace.query_order(&key.order_id, self.commands.now());
        let answer = self.ask(place, api::ORDER_QUERY, question).await?;
        for warning in &answer.warnings {
            tracing::warn!(seller = %key.seller, order = %key.order_id, warning, "an answer of the marketplace is odd");
        }
        let record = order::Command::RecordFacts(answer.lines);
        let cause = cause(api::ORDER_QUERY, Some(answer.kept_json));
        let done = self.commands.order(&key.seller, &key.order_id, record, &cause).await?;
        Ok((done.state, done.position))
    }

    /// Takes the facts to every license that waits. One that does not take them keeps no other from it.
    async fn deliver(&self, key: &OrderKey, open: &OpenOrder, order: &Order) -> Result<Option<Position>, Failure> {
        let mut last = Ok(None);
        for (line, waiting) in &open.lines {
            let Some(facts) = order.facts.get(line) else { continue };
            for id in &waiting.licenses {
                let license = LicenseKey { seller: key.seller.clone(), id: id.clone() };
                let apply = license::Command::ApplyOrderFacts { order: order_ref(key, line), facts: facts.clone() };
                match self.commands.license(&license, apply, &cause(api::ORDER_QUERY, None)).await {
                    Ok(done) => last = last.map(|last: Option<Position>| last.max(done.position)),
                    Err(error) => last = Err(error.into()),
                }
            }
        }
        last
    }
}

fn order_ref(key: &OrderKey, line: &OrderLineId) -> OrderRef {
    OrderRef { order_id: key.order_id.clone(), order_line_id: line.clone() }
}
