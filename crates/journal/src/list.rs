//! Reading deliveries back.

use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::Serialize;

use crate::delivery::Delivery;
use crate::row;

/// Which deliveries to list. The default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of these sellers: those that the asker may see. `None` for all.
    pub sellers: Option<Vec<String>>,
    /// Only of this seller.
    pub seller: Option<String>,
    /// Only of this activity.
    pub activity: Option<String>,
    /// Only about this instance or license code.
    pub subject: Option<String>,
    /// Only of this order.
    pub order: Option<String>,
    /// Only answered with this code.
    pub result_code: Option<String>,
    /// Only those that were answered `000000`, or only others.
    pub succeeded: Option<bool>,
    /// Only dial tests, or only others.
    pub test: Option<bool>,
    /// Only those whose signature was right, or only strangers'.
    pub authenticated: Option<bool>,
    /// Only from here on, UTC.
    pub since: Option<DateTime<Utc>>,
    /// Only before this, UTC.
    pub until: Option<DateTime<Utc>>,
}

/// When a seller was last called, by somebody who could sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastDelivery {
    /// The seller.
    pub seller: String,
    /// When, UTC.
    pub at: DateTime<Utc>,
}

/// Conditions with their values, for the place after `WHERE`.
#[derive(Default)]
struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn new(filter: &Filter, before: Option<i64>) -> Self {
        let mut all = Self::default();
        let micros = |at: DateTime<Utc>| at.timestamp_micros();
        all.add("id < ?", before);
        all.add("at >= ?", filter.since.map(micros));
        all.add("at < ?", filter.until.map(micros));
        all.add("seller = ?", filter.seller.clone());
        all.add("activity = ?", filter.activity.clone());
        all.add("subject = ?", filter.subject.clone());
        all.add("order_id = ?", filter.order.clone());
        all.add("result_code = ?", filter.result_code.clone());
        all.add("(result_code = '000000') = ?", filter.succeeded);
        all.add("test = ?", filter.test);
        match filter.authenticated {
            // Spelled as the index on strangers is.
            Some(true) => all.sql.push("authenticated".into()),
            Some(false) => all.sql.push("NOT authenticated".into()),
            None => {}
        }
        if let Some(sellers) = &filter.sellers {
            all.sql.push(format!("seller IN ({})", vec!["?"; sellers.len()].join(", ")));
            all.values.extend(sellers.iter().cloned().map(Value::from));
        }
        all
    }

    fn add(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.sql.push(condition.into());
            self.values.push(value.into());
        }
    }

    fn to_sql(&self) -> String {
        if self.sql.is_empty() { String::new() } else { format!("WHERE {}", self.sql.join(" AND ")) }
    }
}

pub(crate) fn list(
    connection: &Connection,
    filter: &Filter,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Delivery)>> {
    let conditions = Conditions::new(filter, before);
    let sql = format!("SELECT {} FROM deliveries {} ORDER BY id DESC LIMIT {limit}", row::COLUMNS, conditions.to_sql());
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(conditions.values), row::read)?;
    rows.collect()
}

pub(crate) fn last(connection: &Connection) -> rusqlite::Result<Vec<LastDelivery>> {
    let mut statement = connection
        .prepare_cached("SELECT seller, max(at) FROM deliveries WHERE authenticated GROUP BY seller ORDER BY seller")?;
    let rows = statement.query_map([], |row| {
        Ok(LastDelivery { seller: row.get(0)?, at: DateTime::from_timestamp_micros(row.get(1)?).unwrap_or_default() })
    })?;
    rows.collect()
}
