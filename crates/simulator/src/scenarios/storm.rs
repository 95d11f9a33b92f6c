//! Very many purchases, each of its own order, over many connections.

mod figures;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

pub use figures::Figures;
use worker::{Tally, Work, Worker};

use super::Context;
use super::play::Play;
use super::wanted::Wanted;
use crate::message::OrderLine;
use crate::report::{Report, Step};

/// How hard it blows.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Deliveries a second; 0 means as fast as answers come. With a rate, a delivery's time counts from when it was
    /// due, so that waiting behind a slow answer is not forgotten.
    pub rate: f64,
    /// Connections at once.
    pub connections: usize,
    /// Deliveries in all.
    pub count: u64,
    /// Which share of the deliveries, 0 to 1, repeats an earlier purchase, signed anew.
    pub duplicates: f64,
    /// Keep every acknowledged purchase in [`Report::acknowledged`].
    pub keep_acknowledged: bool,
}

impl Default for Options {
    /// 10,000 deliveries over 64 connections as fast as they go, one of a hundred a duplicate.
    fn default() -> Self {
        Self { rate: 0.0, connections: 64, count: 10_000, duplicates: 0.01, keep_acknowledged: false }
    }
}

/// Plays it. Requests are signed as they are sent: a signature is good for 60 s.
pub async fn play(context: &Context<'_>, options: Options) -> Report {
    let mut play = Play::begin("storm", context);
    let prefix = format!("{}S", OrderLine::fresh().order_id);
    if let Some(orders) = &context.orders {
        orders.register_series(&prefix, play.purchase());
    }
    let began = Instant::now();
    let work = Arc::new(Work::new(prefix, options));
    let tally = blow(context, &work).await;
    let elapsed = began.elapsed();
    let figures = Figures::new(&tally, options.connections, elapsed);
    play.note(Step {
        name: "purchases acknowledged".into(),
        ok: figures.errors.is_empty(),
        detail: format!("{} of {} deliveries", figures.acknowledged, options.count),
        millis: super::play::millis(elapsed),
        findings: vec![],
    });
    if let Some(last) = &tally.last {
        play.check("the last license of them", &last.instance, &Wanted::usable()).await;
    }
    Report { storm: Some(figures), acknowledged: tally.kept, ..play.finish() }
}

async fn blow(context: &Context<'_>, work: &Arc<Work>) -> Tally {
    let mut workers = JoinSet::new();
    for _ in 0..work.options.connections.max(1) {
        let worker = Worker::new(context.marketplace(), context.style, Arc::clone(work));
        workers.spawn(worker.work());
    }
    let mut tally = Tally::default();
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            _ = tick.tick() => advance(context, &work.done, work.options.count),
            joined = workers.join_next() => match joined {
                Some(Ok(part)) => tally.merge(part),
                // A worker neither panics nor is it cancelled; if it did, its deliveries would be missing in the count.
                Some(Err(_)) => {}
                None => break,
            },
        }
    }
    advance(context, &work.done, work.options.count);
    tally
}

fn advance(context: &Context<'_>, done: &AtomicU64, count: u64) {
    context.progress.advanced(done.load(Ordering::Relaxed), count);
}
