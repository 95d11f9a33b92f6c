//! The views made anew from a log of purchases, renewals, upgrades and refunds.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use chopmark_billing::rebuild;
use chopmark_domain::cause::Cause;
use chopmark_domain::license::{self, InstanceCreated, Refreshed, Released, Scene, Upgraded};
use chopmark_domain::order::{self, FactsRecorded, OrderRef, Stated};
use chopmark_domain::settlement::books::Part;
use chopmark_domain::settlement::statement::{Statement, Subject};
use chopmark_domain::stream::Stream;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, Expected, LogMetrics, NewEvent, Position, StreamName};
use chrono::TimeDelta;
use tokio::task::JoinSet;

use super::place::Place;
use super::shop::{License, Order, Shop};
use crate::cli::bench::Measurement;
use crate::cmd::bench::figure::{Figure, Round, micros};
use crate::cmd::bench::population::{callback, event};

/// Licenses whose events are appended at once while filling.
const AT_ONCE: usize = 512;

/// Records read at a time, as in a rebuild.
const PAGE: usize = 1_024;

/// Events that a license has, in sixteenths: two for each of its orders, and one that states facts of the first.
const EVENTS_OF_SIXTEEN: usize = 62;

/// A log of about so many events.
pub(super) async fn fill(folder: &Path, shop: &Shop, events: usize) -> anyhow::Result<Arc<SqliteLog>> {
    let path = folder.join("settlement.db");
    let log = Arc::new(SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered())?);
    let catalog = shop.catalog_events.iter().map(|defined| event(defined, &Cause::System)).collect();
    append(&log, &Stream::Seller(shop.seller.clone()), catalog).await?;
    let licenses = events * 16 / EVENTS_OF_SIXTEEN;
    let mut tasks = JoinSet::new();
    for n in 0..licenses {
        if tasks.len() >= AT_ONCE {
            tasks.join_next().await.transpose()?.transpose()?;
        }
        let (log, streams) = (Arc::clone(&log), streams(shop, &shop.license(n, licenses)?));
        tasks.spawn(async move {
            for (stream, events) in streams {
                append(&log, &stream, events).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(log)
}

async fn append(log: &SqliteLog, stream: &Stream, events: Vec<NewEvent>) -> anyhow::Result<()> {
    log.append(&StreamName::new(&stream.to_string())?, Expected::NoStream, events).await?;
    Ok(())
}

/// The events of a license: its own, and those of its orders.
fn streams(shop: &Shop, License { id, orders }: &License) -> Vec<(Stream, Vec<NewEvent>)> {
    let of_license = orders.iter().map(|order| event(&named(order), &callback(&order.reference))).collect();
    let of_order = orders.iter().map(|order| {
        let answer = Cause::OpenApi { api: "order/query".into(), answer: None };
        let facts = order::Event::from(FactsRecorded { lines: vec![order.facts.clone()] });
        let stated = order.stated.clone().map(|facts| {
            let OrderRef { order_id, order_line_id } = order.reference.clone();
            let subject = Subject::OrderLine { order_id, order_line_id };
            event(&order::Event::from(Stated { statement: Statement { subject, facts } }), &Cause::System)
        });
        let stream = Stream::Order(shop.seller.clone(), order.reference.order_id.clone());
        (stream, [event(&facts, &answer)].into_iter().chain(stated).collect())
    });
    [(Stream::instance(&shop.seller, id), of_license)].into_iter().chain(of_order).collect()
}

/// What a callback says of an order.
fn named(Order { part, reference, at, .. }: &Order) -> license::Event {
    let order = reference.clone();
    match part {
        Part::Renewal => {
            let expires_at = *at + TimeDelta::days(40);
            Refreshed { scene: Scene::Renewal, order, expires_at, product_id: None }.into()
        }
        Part::Change => Upgraded { order }.into(),
        Part::Release => Released { order_id: Some(order.order_id), order_line_id: Some(order.order_line_id) }.into(),
        _ => InstanceCreated { order }.into(),
    }
}

/// Makes the views anew, and only reads the same log. Once: it is as long as many rounds of anything else.
pub(super) async fn measure(place: &Place, log: Arc<dyn EventLog>) -> anyhow::Result<Figure> {
    let (events, seconds) = read(log.as_ref()).await?;
    let base = Round::new(events, seconds, micros());
    let started = Instant::now();
    let rebuilt = rebuild(log, Arc::clone(&place.store), None, |_| ()).await?;
    let ours = Round::new(rebuilt.events, started.elapsed().as_secs_f64(), micros());
    anyhow::ensure!(rebuilt.events == events, "a rebuild took up {} events of {events}", rebuilt.events);
    Ok(Figure::of_rounds(
        Measurement::Settlement,
        format!("billing_rebuild_{}", place.engine),
        "making the billing views anew from the log: purchases, renewals, upgrades and refunds with their facts",
        "only reading the same records",
        "events a second",
        &[(ours, base)],
    ))
}

async fn read(log: &dyn EventLog) -> anyhow::Result<(u64, f64)> {
    let started = Instant::now();
    let (mut events, mut at) = (0, Position::START);
    loop {
        let page = log.read_all(at, PAGE).await?;
        events += u64::try_from(page.records.len())?;
        at = page.reached;
        if page.at_head {
            return Ok((events, started.elapsed().as_secs_f64()));
        }
    }
}
