//! What the marketplace tried to tell and could not.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, Row};
use serde::Serialize;

/// So long the marketplace repeats a purchase that did not succeed, then it unsubscribes the customer (新购商品,
/// zh-cn_topic_0070649013). What failed before is no longer at risk, but lost.
pub const RETRY_WINDOW: TimeDelta = TimeDelta::hours(3);

/// So many are told; whoever has that many at risk needs no longer list.
const MOST: usize = 1_000;

/// Success, and "being processed": what was asked for follows on its own (调用结果码说明 of 在线开通License接入指南).
const TAKEN_UP: [&str; 2] = ["000000", "000004"];

/// Deliveries to one effect of which the latest was not answered `000000` or `000004`. Each delivery of an order must end well for
/// the customer to get what was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtRisk {
    /// The seller.
    pub seller: String,
    /// The activity.
    pub activity: Option<String>,
    /// The instance or license code.
    pub subject: Option<String>,
    /// The order.
    pub order: Option<String>,
    /// The line of that order: each is a purchase of its own.
    pub order_line: Option<String>,
    /// The latest answer.
    pub result_code: String,
    /// When the first of the failed deliveries came, UTC.
    pub since: DateTime<Utc>,
    /// When the latest came, UTC.
    pub latest: DateTime<Utc>,
    /// How many failed in a row.
    pub attempts: u32,
}

/// Told to use the index on failures: to find the least id, SQLite would look at all deliveries.
const FIRST_FAILURE: &str = "SELECT min(id) FROM deliveries INDEXED BY failures \
    WHERE authenticated AND NOT test AND result_code <> '000000' AND at >= ?1 \
    AND coalesce(activity, '') NOT IN ('queryInstance', 'changeInstanceCheck')";

const FROM_THERE: &str = "SELECT seller, activity, subject, order_id, order_line, result_code, at FROM deliveries \
    WHERE authenticated AND NOT test AND id >= ?1 AND at >= ?2 \
    AND coalesce(activity, '') NOT IN ('queryInstance', 'changeInstanceCheck') ORDER BY id";

pub(crate) fn at_risk(connection: &Connection, since: DateTime<Utc>) -> rusqlite::Result<Vec<AtRisk>> {
    let since = since.timestamp_micros();
    let first = connection.prepare_cached(FIRST_FAILURE)?.query_row([since], |row| row.get::<_, Option<i64>>(0))?;
    let Some(first) = first else {
        return Ok(vec![]);
    };
    let mut failing = HashMap::new();
    let mut statement = connection.prepare_cached(FROM_THERE)?;
    let mut rows = statement.query([first, since])?;
    while let Some(row) = rows.next()? {
        let latest = read(row)?;
        let effect = latest.effect();
        if TAKEN_UP.contains(&latest.result_code.as_str()) {
            failing.remove(&effect);
            continue;
        }
        let AtRisk { since, attempts, .. } = *failing.get(&effect).unwrap_or(&latest);
        failing.insert(effect, AtRisk { since, attempts: attempts + 1, ..latest });
    }
    let mut all: Vec<_> = failing.into_values().collect();
    all.sort_by_cached_key(|risk| (risk.since, risk.effect()));
    all.truncate(MOST);
    Ok(all)
}

type Effect = (String, Option<String>, Option<String>, Option<String>, Option<String>);

impl AtRisk {
    /// By what deliveries to one effect are told from others.
    fn effect(&self) -> Effect {
        let Self { seller, activity, subject, order, order_line, .. } = self.clone();
        (seller, activity, subject, order, order_line)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<AtRisk> {
    let at = DateTime::from_timestamp_micros(row.get(6)?).unwrap_or_default();
    Ok(AtRisk {
        seller: row.get(0)?,
        activity: row.get(1)?,
        subject: row.get(2)?,
        order: row.get(3)?,
        order_line: row.get(4)?,
        result_code: row.get(5)?,
        since: at,
        latest: at,
        attempts: 0,
    })
}
