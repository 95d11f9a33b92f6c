//! What lines and rows are matched by.
//!
//! Sales by their order line, refunds by the line they give back (S15 shows it on refund rows), consumption by product,
//! since a bill sums it up for the month (S7). Where an export only shows order numbers, which is all that S15 promises,
//! the lines of an order are matched together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::elsewhere::Elsewhere;
use crate::settlement::bill::BillRow;
use crate::settlement::line::SettlementLine;
use crate::settlement::product::LineType;

/// What lines and rows have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "by", content = "id", rename_all = "snake_case")]
pub enum Key {
    /// An order line that is sold, changed or downgraded.
    Line(String),
    /// Everything that is given back of an order line.
    RefundOf(String),
    /// Consumption of a product in the month: its SKU, or its product id.
    Usage(String),
    /// Corrections: of an order line, or of nothing in particular.
    Adjustment(String),
    /// A whole order, where the bill names no lines.
    Order(String),
    /// Something that nothing can be matched with.
    Unnamed(String),
}

/// What is known of the names of things, from both sides, so that each side may leave some of them out.
pub(super) struct Keys {
    /// Refunds' own lines, to the lines they give back.
    originals: BTreeMap<String, String>,
    /// Lines with negative amounts that are no refunds.
    downgrades: BTreeSet<String>,
    /// Product ids, to SKUs.
    skus: BTreeMap<String, String>,
    /// Keys of rows that name more than their order.
    named: BTreeSet<Key>,
    /// Orders of rows that name nothing else.
    orders: BTreeSet<String>,
}

impl Keys {
    pub(super) fn of(lines: &[SettlementLine], rows: &[BillRow], elsewhere: Elsewhere<'_>) -> Self {
        let lines = || lines.iter().chain(elsewhere.lines.iter().map(|found| &found.line));
        let all_rows = || rows.iter().chain(elsewhere.rows.iter().map(|found| &found.row));
        let refunds = lines().map(|line| (&line.order_line_id, &line.original_order_line_id));
        let refunds = refunds.chain(all_rows().map(|row| (&row.order_line_id, &row.original_order_line_id)));
        let refunds = refunds.filter_map(|(own, original)| Some((own.as_ref()?, original.as_ref()?)));
        let products = lines().map(|line| (&line.product_id, &line.sku_code));
        let products = products.chain(all_rows().map(|row| (&row.product_id, &row.sku_code)));
        let products = products.filter_map(|(product, sku)| Some((product.as_ref()?, sku.as_ref()?)));
        let downgrades = lines().filter(|line| line.line_type == LineType::Downgrade);
        let mut keys = Self {
            originals: least(refunds.map(|(own, original)| (own.to_string(), original.to_string()))),
            downgrades: downgrades.filter_map(|line| line.order_line_id.as_ref()).map(ToString::to_string).collect(),
            skus: least(products.map(|(product, sku)| (product.to_string(), sku.to_string()))),
            named: BTreeSet::new(),
            orders: BTreeSet::new(),
        };
        for row in rows {
            match keys.of_row(row) {
                Key::Order(order) => drop(keys.orders.insert(order)),
                key => drop(keys.named.insert(key)),
            }
        }
        keys
    }

    pub(super) fn of_line(&self, line: &SettlementLine) -> Key {
        let own = line.order_line_id.as_ref().map(ToString::to_string);
        let key = match line.line_type {
            LineType::Usage => self.usage(line.sku_code.as_ref(), line.product_id.as_ref()),
            LineType::Adjustment => Some(Key::Adjustment(own.unwrap_or_default())),
            LineType::Refund => {
                let original = line.original_order_line_id.as_ref().map(ToString::to_string);
                original.or_else(|| own.map(|own| self.original(own))).map(Key::RefundOf)
            }
            _ => own.map(Key::Line),
        };
        let of_order = line.order_id.as_ref().map(|order| Key::Order(order.to_string()));
        let of_order = of_order.filter(|key| matches!(key, Key::Order(order) if self.orders.contains(order)));
        match (key, of_order) {
            (Some(key), _) if self.named.contains(&key) => key,
            (_, Some(of_order)) => of_order,
            (Some(key), None) => key,
            (None, None) => Key::Unnamed(line.line_id.clone()),
        }
    }

    pub(super) fn of_row(&self, row: &BillRow) -> Key {
        let own = row.order_line_id.as_ref().map(ToString::to_string);
        let of_order = || row.order_id.as_ref().map(|order| Key::Order(order.to_string()));
        let key = match &row.original_order_line_id {
            _ if row.line_type == Some(LineType::Adjustment) => Some(Key::Adjustment(own.unwrap_or_default())),
            _ if row.is_usage() => self.usage(row.sku_code.as_ref(), row.product_id.as_ref()).or_else(of_order),
            Some(original) => Some(Key::RefundOf(original.to_string())),
            None => own.map(|own| self.by_own_line(row, own)).or_else(of_order),
        };
        key.unwrap_or_else(|| Key::Unnamed(format!("row {}", row.row)))
    }

    /// A row with a negative amount gives something back, unless we know its line to be a downgrade.
    fn by_own_line(&self, row: &BillRow, own: String) -> Key {
        let gives_back = match row.line_type {
            Some(line_type) => line_type == LineType::Refund,
            None => self.originals.contains_key(&own) || row.settle_amount.is_sign_negative(),
        };
        if gives_back && !self.downgrades.contains(&own) { Key::RefundOf(self.original(own)) } else { Key::Line(own) }
    }

    fn original(&self, own: String) -> String {
        self.originals.get(&own).cloned().unwrap_or(own)
    }

    fn usage(&self, sku: Option<&impl ToString>, product: Option<&impl ToString>) -> Option<Key> {
        let product = product.map(ToString::to_string);
        let sku = sku.map(ToString::to_string);
        let known = || product.as_ref().and_then(|product| self.skus.get(product).cloned());
        sku.or_else(known).or_else(|| product.clone()).map(Key::Usage)
    }
}

/// A map in which of several values for a name the least one stands, whatever their order.
fn least(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        let entry = map.entry(name).or_insert_with(|| value.clone());
        if value < *entry {
            *entry = value;
        }
    }
    map
}
