//! A batch as rows, in the order of their keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chopmark_postgres::Lent;
use tokio_postgres::types::ToSql;

use crate::memory::{Merge, merge_into};
use crate::store::{Batch, Charged, Holding, Hours, Micros, Used};

/// Rows in a statement. Whoever writes the same ones waits for no more than these.
const ROWS_AT_ONCE: usize = 5_000;

const SAW_HOLDERS: &str = "
INSERT INTO holders AS known (seller, license, holder, at, lease_until)
SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[])
ON CONFLICT (seller, license, holder) DO UPDATE SET
    at = greatest(known.at, excluded.at),
    lease_until = greatest(known.lease_until, excluded.lease_until)
WHERE excluded.at > known.at OR coalesce(excluded.lease_until > known.lease_until, excluded.lease_until IS NOT NULL)";

const SAW_TOKENS: &str = "
INSERT INTO tokens AS known (id, at) SELECT * FROM unnest($1::TEXT[], $2::BIGINT[])
ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE excluded.at > known.at";

/// As [`Charged`] merges.
const SAW_DEPLOYMENTS: &str = "
INSERT INTO deployment_hours AS known (hour, seller, product, ecs, charging_mode, at)
SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[])
ON CONFLICT (hour, seller, product, ecs) DO UPDATE SET charging_mode = excluded.charging_mode, at = excluded.at
WHERE (excluded.charging_mode IS NOT NULL, excluded.at, coalesce(excluded.charging_mode, ''))
    > (known.charging_mode IS NOT NULL, known.at, coalesce(known.charging_mode, ''))";

type Text<'a> = Cow<'a, str>;

/// Rows of one table, to be merged by one statement.
pub(super) enum Chunk<'a> {
    Holders(Vec<([Text<'a>; 3], Holding)>),
    Tokens(Vec<(Text<'a>, Micros)>),
    Deployments(Vec<((Hours, [Text<'a>; 3]), Charged)>),
}

/// A text without the one character that PostgreSQL does not take.
pub(super) fn storable(text: &str) -> Text<'_> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// The batch in as many statements as it takes. All who write go by the order of the keys, and so never wait crosswise.
pub(super) fn chunks(batch: &Batch) -> Vec<Chunk<'_>> {
    let holders = batch.holders.iter().map(|(called, seen)| (called.names.map(storable), *seen));
    let tokens = batch.tokens.iter().map(|(called, used)| (storable(called.names[0]), *used));
    let deployments = batch.hours.iter().map(|(called, charged)| {
        let [seller, ecs, product] = called.names.map(storable);
        ((called.hour, [seller, product, ecs]), charged.clone())
    });
    let tokens = in_order(tokens).into_iter().map(|tokens| tokens.into_iter().map(|(id, Used(at))| (id, at)).collect());
    let holders = in_order(holders).into_iter().map(Chunk::Holders);
    holders.chain(tokens.map(Chunk::Tokens)).chain(in_order(deployments).into_iter().map(Chunk::Deployments)).collect()
}

/// Each key once, in their order, so many at once. What differed only by what cannot be stored is merged here: no statement
/// may touch a row twice.
fn in_order<K: Ord, V: Merge>(rows: impl Iterator<Item = (K, V)>) -> Vec<Vec<(K, V)>> {
    let mut merged = BTreeMap::new();
    rows.for_each(|(key, value)| merge_into(&mut merged, key, value));
    let mut rows = merged.into_iter();
    let chunk = || Some(rows.by_ref().take(ROWS_AT_ONCE).collect::<Vec<_>>()).filter(|chunk| !chunk.is_empty());
    std::iter::from_fn(chunk).collect()
}

impl Chunk<'_> {
    pub(super) async fn merge(&self, client: &Lent) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::Holders(rows) => {
                let [sellers, licenses, holders] = names(rows, |(key, _)| key);
                let (at, until): (Vec<_>, Vec<_>) = rows.iter().map(|(_, seen)| (seen.at, seen.lease_until)).unzip();
                run(client, SAW_HOLDERS, &[&sellers, &licenses, &holders, &at, &until]).await
            }
            Self::Tokens(rows) => {
                let (ids, at): (Vec<_>, Vec<_>) = rows.iter().map(|(id, at)| (&**id, *at)).unzip();
                run(client, SAW_TOKENS, &[&ids, &at]).await
            }
            Self::Deployments(rows) => {
                let hours: Vec<_> = rows.iter().map(|((hour, _), _)| hour).collect();
                let [sellers, products, ecs] = names(rows, |((_, key), _)| key);
                let modes: Vec<_> = rows.iter().map(|(_, charged)| charged.mode.as_deref().map(storable)).collect();
                let at: Vec<_> = rows.iter().map(|(_, charged)| charged.at).collect();
                run(client, SAW_DEPLOYMENTS, &[&hours, &sellers, &products, &ecs, &modes, &at]).await
            }
        }
    }
}

/// Keys by columns.
fn names<'a, R>(rows: &'a [R], key: impl Fn(&'a R) -> &'a [Text<'a>; 3]) -> [Vec<&'a str>; 3] {
    std::array::from_fn(|at| rows.iter().map(|row| &*key(row)[at]).collect())
}

async fn run(client: &Lent, sql: &str, columns: &[&(dyn ToSql + Sync)]) -> Result<(), tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, columns).await.map(drop)
}
