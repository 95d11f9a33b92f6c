//! The statements. Engines differ in how they call types and lists; the rest is said once.
//!
//! Parameters are `$1`, `$2` … in the order of their first use, which is what both engines count by.

use std::fmt::Write as _;

use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_domain::settlement::bill::BillIdentity;

use crate::cell::Cell;
use crate::schema::{AHEAD, Kind, Layout};
use crate::store::{DocumentKey, LineQuery, PeriodFilter};

/// Which engine a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    fn type_name(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Sqlite, Kind::Text | Kind::Amount | Kind::Moment | Kind::Json) => "TEXT",
            (Self::Sqlite, Kind::Integer | Kind::Flag) => "INTEGER",
            // Compared byte by byte, as SQLite does, and as pages by line id need it.
            (Self::Postgres, Kind::Text) => "TEXT COLLATE \"C\"",
            (Self::Postgres, kind) => kind.postgres(),
        }
    }

    /// A condition: a column is one of the texts of a parameter.
    fn is_any_of(self, column: &str, parameter: usize) -> String {
        match self {
            Self::Sqlite => format!("{column} IN (SELECT value FROM json_each(${parameter}))"),
            Self::Postgres => format!("{column} = ANY(${parameter})"),
        }
    }

    /// The statements that create a table with its indexes.
    pub(crate) fn create(self, table: &Layout) -> String {
        let column = |column: &crate::schema::Column| {
            let constraint = if column.is_needed { " NOT NULL" } else { "" };
            format!("{} {}{constraint}", column.name, self.type_name(column.kind))
        };
        let columns: Vec<_> = table.columns.iter().map(column).collect();
        let strict = if self == Self::Sqlite { " STRICT" } else { "" };
        let name = table.name;
        let mut create = format!("CREATE TABLE {name} ({}){strict};\n", columns.join(", "));
        let key = table.key.join(", ");
        // Writing to a string does not fail.
        let _ = writeln!(create, "CREATE UNIQUE INDEX {name}_key ON {name} ({key});");
        for index in table.indexes {
            let only = if index.only.is_empty() { String::new() } else { format!(" WHERE {}", index.only) };
            let _ = writeln!(create, "CREATE INDEX {} ON {name} ({}){only};", index.name, index.on);
        }
        create
    }

    /// Writes rows, in place of those with the same keys: one row with SQLite, columns of rows with PostgreSQL.
    pub(crate) fn put(self, table: &Layout) -> String {
        let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        let values = (1..).zip(&table.columns);
        let values: Vec<_> = match self {
            Self::Sqlite => values.map(|(at, _)| format!("${at}")).collect(),
            Self::Postgres => values.map(|(at, column)| array(at, column.kind)).collect(),
        };
        let values = match self {
            Self::Sqlite => format!("VALUES ({})", values.join(", ")),
            Self::Postgres => format!("SELECT * FROM UNNEST({})", values.join(", ")),
        };
        let replaced: Vec<_> = names.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        format!(
            "INSERT INTO {} ({}) {values} ON CONFLICT ({}) DO UPDATE SET {}",
            table.name,
            names.join(", "),
            table.key.join(", "),
            replaced.join(", ")
        )
    }

    /// Takes rows away by the first parts of their keys, all of which are texts.
    pub(crate) fn take(self, table: &Layout, key_parts: usize) -> String {
        let key = table.key.get(..key_parts).unwrap_or(table.key);
        let parts = || (1..).zip(key);
        let name = table.name;
        match self {
            Self::Sqlite => {
                let conditions: Vec<_> = parts().map(|(at, part)| format!("{part} = ${at}")).collect();
                format!("DELETE FROM {name} WHERE {}", conditions.join(" AND "))
            }
            Self::Postgres => {
                let arrays: Vec<_> = parts().map(|(at, _)| array(at, Kind::Text)).collect();
                let names: Vec<_> = parts().map(|(at, _): (usize, _)| format!("k{at}")).collect();
                let conditions: Vec<_> = parts().map(|(at, part): (usize, _)| format!("{part} = k{at}")).collect();
                format!(
                    "DELETE FROM {name} USING UNNEST({}) AS keys ({}) WHERE {}",
                    arrays.join(", "),
                    names.join(", "),
                    conditions.join(" AND ")
                )
            }
        }
    }
}

impl Kind {
    /// What PostgreSQL calls it.
    pub(crate) fn postgres(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Integer => "BIGINT",
            Self::Amount => "NUMERIC",
            Self::Moment => "TIMESTAMPTZ",
            Self::Flag => "BOOLEAN",
            // Kept letter by letter, so that what is read back is what was written; `::jsonb` where that is needed.
            Self::Json => "JSON",
        }
    }
}

/// A column of rows as a parameter. Numbers and documents come as text: PostgreSQL reads them exactly.
fn array(at: usize, kind: Kind) -> String {
    match kind {
        Kind::Amount | Kind::Json => format!("${at}::TEXT[]::{}[]", kind.postgres()),
        _ => format!("${at}::{}[]", kind.postgres()),
    }
}

/// Moves the checkpoint on, if it is the expected one.
pub(crate) const MOVE_CHECKPOINT: &str = "UPDATE billing_checkpoint SET position = $1, work = $2, log = $3 \
                                          WHERE position = $4 AND work = $5 AND log = $6";

/// Asks for the checkpoint itself.
pub(crate) const CHECKPOINT: &str = "SELECT position, log AS name, work AS document FROM billing_checkpoint";

/// A question to the store. Its answers are rows of position, name and document.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) sql: String,
    pub(crate) cells: Vec<Cell>,
}

/// Conditions that are put together.
struct Conditions {
    dialect: Dialect,
    sql: Vec<String>,
    cells: Vec<Cell>,
}

impl Conditions {
    fn new(dialect: Dialect, seller: &SellerId) -> Self {
        Self { dialect, sql: vec!["seller = $1".into()], cells: vec![seller.as_str().into()] }
    }

    /// Adds a condition in which `$` stands for the value.
    fn and(&mut self, condition: &str, value: impl Into<Cell>) {
        self.cells.push(value.into());
        self.sql.push(condition.replace('$', &format!("${}", self.cells.len())));
    }

    fn and_if(&mut self, condition: &str, value: Option<impl Into<Cell>>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    fn and_any_of(&mut self, column: &str, texts: Vec<String>) {
        self.cells.push(Cell::AnyOf(texts));
        self.sql.push(self.dialect.is_any_of(column, self.cells.len()));
    }

    /// The rows of a table that meet them, in the order of a column if they are limited.
    ///
    /// It is one statement, so it sees one state of the views, and the position of that. There is a row without a
    /// document where there is nothing.
    fn of(mut self, table: &str, order: &str, limit: Option<usize>) -> Question {
        let limit = limit.map(|limit| {
            self.cells.push(limit.into());
            format!(" ORDER BY {order} LIMIT ${}", self.cells.len())
        });
        let sql = format!(
            "SELECT c.position, r.name, r.document FROM billing_checkpoint c LEFT JOIN (SELECT {order} AS place, \
             CAST({order} AS TEXT) AS name, CAST(document AS TEXT) AS document FROM {table} WHERE {}{}) r ON TRUE \
             ORDER BY r.place",
            self.sql.join(" AND "),
            limit.unwrap_or_default()
        );
        Question { sql, cells: self.cells }
    }
}

/// Lines by their ids.
pub(crate) fn lines(dialect: Dialect, query: &LineQuery) -> Question {
    let mut conditions = Conditions::new(dialect, &query.seller);
    match query.period {
        PeriodFilter::Any => {}
        PeriodFilter::In(period) => conditions.and("period = $", Cell::code(period)),
        PeriodFilter::None => conditions.sql.push("period IS NULL".into()),
    }
    // A line whose tab is not known is under the first one.
    conditions.and_if("COALESCE(product_category, 'generic') = $", query.category.map(Cell::code));
    conditions.and_if("line_type = $", query.line_type.map(Cell::code));
    conditions.and_if("sku_code = $", query.sku.as_ref().map(|sku| sku.as_str()));
    conditions.and_if("order_id = $", query.order_id.as_ref().map(OrderId::as_str));
    if query.recomputed {
        conditions.sql.push("recomputed".into());
    }
    if query.not_computed {
        conditions.sql.push("net IS NULL".into());
    }
    match query.estimated {
        None => {}
        Some(true) => conditions.sql.push("is_estimate".into()),
        Some(false) => conditions.sql.push("NOT is_estimate".into()),
    }
    if query.may_wait {
        conditions.sql.push("may_wait".into());
    }
    let mut table = "settlement_lines".to_owned();
    if let Some(from) = query.ready_from {
        conditions.sql.push("NOT may_wait".into());
        conditions.and("settle_ready_at >= $", from);
        // Few of many: SQLite, which knows no numbers, would rather go through all of them in their order.
        if dialect == Dialect::Sqlite {
            let _ = write!(table, " INDEXED BY {AHEAD}");
        }
    }
    conditions.and_if("line_id > $", query.after.as_ref());
    conditions.of(&table, "line_id", Some(query.limit))
}

/// One line.
pub(crate) fn line(dialect: Dialect, seller: &SellerId, line_id: &str) -> Question {
    let mut conditions = Conditions::new(dialect, seller);
    conditions.and("line_id = $", line_id);
    conditions.of("settlement_lines", "line_id", None)
}

/// The lines or rows of orders.
pub(crate) fn of_orders(dialect: Dialect, table: &str, order: &str, seller: &SellerId, orders: &[OrderId]) -> Question {
    let mut conditions = Conditions::new(dialect, seller);
    conditions.and_any_of("order_id", orders.iter().map(ToString::to_string).collect());
    conditions.of(table, order, None)
}

/// All of a small table that is a seller's.
pub(crate) fn all(dialect: Dialect, table: &str, order: &str, seller: &SellerId) -> Question {
    Conditions::new(dialect, seller).of(table, order, None)
}

/// Ages from a period on, or all.
pub(crate) fn ages(dialect: Dialect, seller: &SellerId, from: Option<impl serde::Serialize>) -> Question {
    let mut conditions = Conditions::new(dialect, seller);
    conditions.and_if("period >= $", from.map(Cell::code));
    conditions.of("settlement_ages", "period", None)
}

/// The bills of a period, or all.
pub(crate) fn bills(dialect: Dialect, seller: &SellerId, period: Option<impl serde::Serialize>) -> Question {
    let mut conditions = Conditions::new(dialect, seller);
    conditions.and_if("period = $", period.map(Cell::code));
    conditions.of("bills", "period", None)
}

/// Rows of a bill.
pub(crate) fn bill_rows(dialect: Dialect, identity: &BillIdentity, after_row: u32, limit: usize) -> Question {
    let mut conditions = Conditions::new(dialect, &identity.seller);
    conditions.and("period = $", Cell::code(identity.period));
    conditions.and("category = $", identity.category.code());
    conditions.and("file_row > $", after_row);
    conditions.of("bill_rows", "file_row", Some(limit))
}

/// Documents of a kind by their names.
pub(crate) fn documents(dialect: Dialect, seller: &SellerId, kind: &str, names: Vec<String>) -> Question {
    let mut conditions = Conditions::new(dialect, seller);
    conditions.and("kind = $", kind);
    conditions.and_any_of("name", names);
    conditions.of("billing_documents", "name", None)
}

/// Documents of a kind after a name.
pub(crate) fn documents_after(
    dialect: Dialect,
    seller: &SellerId,
    kind: &str,
    after: Option<&str>,
    limit: usize,
) -> Question {
    let mut conditions = Conditions::new(dialect, seller);
    conditions.and("kind = $", kind);
    conditions.and_if("name > $", after);
    conditions.of("billing_documents", "name", Some(limit))
}

/// The key of a document without its name.
pub(crate) type DocumentKind<'a> = (&'a SellerId, &'static str);

/// Keys by seller and kind.
pub(crate) fn by_kind(keys: &[DocumentKey]) -> std::collections::BTreeMap<DocumentKind<'_>, Vec<String>> {
    let mut kinds: std::collections::BTreeMap<DocumentKind<'_>, Vec<String>> = std::collections::BTreeMap::new();
    for key in keys {
        kinds.entry((&key.seller, key.kind)).or_default().push(key.name.clone());
    }
    kinds
}
