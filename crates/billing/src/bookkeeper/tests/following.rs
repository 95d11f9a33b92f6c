//! A bookkeeper at its log: what it waits for, what it goes on after, and what it stops at.

use std::sync::Arc;

use async_trait::async_trait;
use chopmark_log::{
    AppendError, Appended, EventLog, Expected, NewEvent, Page, Position, ReadError, Record, Revision, StreamName,
};
use rust_decimal::Decimal;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Fate};
use super::shop::Shop;
use crate::bookkeeper::Bookkeeper;
use crate::metrics::BillingMetrics;
use crate::rebuild::rebuild;
use crate::store::BillingStore;
use crate::verify::{VerifyError, verify};

/// A log of records that a test hands over.
struct Told(watch::Sender<Vec<Record>>);

impl Told {
    fn of(shop: &Shop) -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(shop.records.clone())))
    }

    fn goes_on_as(&self, shop: &Shop) {
        self.0.send_replace(shop.records.clone());
    }
}

#[async_trait]
impl EventLog for Told {
    async fn append(&self, _: &StreamName, _: Expected, _: Vec<NewEvent>) -> Result<Appended, AppendError> {
        Err(AppendError::Unavailable { reason: "only read".into() })
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        let records = self.0.borrow();
        let of_stream = records.iter().filter(|record| record.stream == *stream && record.revision >= from);
        Ok(of_stream.take(limit).cloned().collect())
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let all = self.0.borrow();
        let records: Vec<_> = all.iter().filter(|record| record.position > after).take(limit).cloned().collect();
        let reached = records.last().map_or(after, |record| record.position);
        Ok(Page { at_head: all.last().is_none_or(|last| last.position <= reached), records, reached })
    }

    async fn head(&self) -> Result<Position, ReadError> {
        Ok(self.0.borrow().last().map_or(Position::START, |record| record.position))
    }

    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        let mut records = self.0.subscribe();
        let grown = records.wait_for(|records| records.last().is_some_and(|last| last.position > after)).await;
        grown.map(|_| ()).map_err(|error| ReadError::Unavailable { reason: error.to_string() })
    }
}

fn one_sale() -> Shop {
    let mut shop = Shop::new("2024-05-02T00:00:00Z");
    shop.sell("i-1", "a", Decimal::new(100, 0));
    shop
}

fn one_sale_under_new_terms() -> Shop {
    let mut shop = one_sale();
    shop.product("Example", 2, Decimal::new(7, 2));
    shop
}

fn position(shop: &Shop) -> Position {
    shop.records.last().unwrap().position
}

#[tokio::test]
async fn what_was_appended_is_in_the_views_once_its_position_is_reached() {
    let (mut shop, desk) = (one_sale(), Desk::new());
    let log = Told::of(&shop);
    let bookkeeper = Bookkeeper::new(log.clone(), desk.store.clone(), BillingMetrics::unregistered());
    let (progress, stop) = (bookkeeper.progress(), CancellationToken::new());
    let running = tokio::spawn(bookkeeper.run(stop.clone()));
    assert!(progress.reached(position(&shop)).await);
    assert_eq!(desk.lines().await.len(), 1);
    shop.sell("i-2", "b", Decimal::new(100, 0));
    log.goes_on_as(&shop);
    assert!(progress.reached(position(&shop)).await);
    assert_eq!(desk.lines().await.len(), 2);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_it_has_in_hand_and_the_work_that_it_makes() {
    let (shop, desk) = (one_sale_under_new_terms(), Desk::new());
    let busy = desk.store.disk.lock().await;
    let bookkeeper = Bookkeeper::new(Told::of(&shop), desk.store.clone(), BillingMetrics::unregistered());
    let stop = CancellationToken::new();
    let running = tokio::spawn(bookkeeper.run(stop.clone()));
    desk.store.begun.subscribe().wait_for(|begun| *begun == 1).await.unwrap();
    stop.cancel();
    drop(busy);
    running.await.unwrap();
    let checkpoint = desk.store.checkpoint().await.unwrap();
    assert_eq!((checkpoint.position, checkpoint.work.as_str()), (position(&shop), ""));
    assert!(*desk.store.begun.borrow() > 1, "the terms made work of their own");
}

#[tokio::test]
async fn told_to_stop_it_waits_only_so_long_for_a_store_that_hangs() {
    let (shop, desk) = (one_sale(), Desk::new());
    let _hangs = desk.store.disk.lock().await;
    let bookkeeper = Bookkeeper::new(Told::of(&shop), desk.store.clone(), BillingMetrics::unregistered());
    let stop = CancellationToken::new();
    let running = tokio::spawn(bookkeeper.run(stop.clone()));
    desk.store.begun.subscribe().wait_for(|begun| *begun == 1).await.unwrap();
    tokio::time::pause();
    stop.cancel();
    running.await.unwrap();
    assert_eq!(desk.store.checkpoint().await.unwrap().position, Position::START);
}

#[tokio::test]
async fn where_another_process_wrote_it_goes_on_from_there_and_nothing_counts_twice() {
    let (mut shop, desk) = (one_sale(), Desk::new());
    let log = Told::of(&shop);
    let bookkeeper = Bookkeeper::new(log.clone(), desk.store.clone(), BillingMetrics::unregistered());
    let (progress, stop) = (bookkeeper.progress(), CancellationToken::new());
    let running = tokio::spawn(bookkeeper.run(stop.clone()));
    assert!(progress.reached(position(&shop)).await);
    shop.sell("i-2", "b", Decimal::new(100, 0));
    desk.fold(&shop.records, 1_024, 500).await;
    shop.sell("i-3", "c", Decimal::new(100, 0));
    log.goes_on_as(&shop);
    assert!(progress.reached(position(&shop)).await);
    assert_eq!(desk.lines().await.len(), 3);
    desk.adds_up().await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn it_stands_still_at_an_event_of_a_newer_version_with_all_that_came_before() {
    let (mut shop, desk) = (one_sale(), Desk::new());
    shop.add_raw("order-acme/a", "order_facts_recorded.v9", b"{}".to_vec());
    shop.sell("i-2", "b", Decimal::new(100, 0));
    let bookkeeper = Bookkeeper::new(Told::of(&shop), desk.store.clone(), BillingMetrics::unregistered());
    let (progress, stop) = (bookkeeper.progress(), CancellationToken::new());
    let running = tokio::spawn(bookkeeper.run(stop.clone()));
    assert!(!progress.reached(position(&shop)).await);
    assert!(progress.stands_still());
    assert_eq!(desk.lines().await.len(), 1);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn views_of_another_log_are_made_anew() {
    let (shop, desk) = (one_sale(), Desk::new());
    let mut other = Shop::new("2024-05-02T00:00:00Z");
    for n in 0..9 {
        other.sell(&format!("j-{n}"), &format!("x{n}"), Decimal::new(100, 0));
    }
    desk.fold(&other.records, 1_024, 500).await;
    let bookkeeper = Bookkeeper::new(Told::of(&shop), desk.store.clone(), BillingMetrics::unregistered());
    let (progress, stop) = (bookkeeper.progress(), CancellationToken::new());
    let running = tokio::spawn(bookkeeper.run(stop.clone()));
    assert!(progress.reached(position(&shop)).await);
    assert_eq!(desk.text().await, Desk::of(&shop.records).await.text().await);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_rebuild_makes_the_same_views_and_tells_how_far_it_is() {
    let (shop, desk) = (one_sale(), Desk::new());
    desk.fold(&one_sale().records, 1, 1).await;
    let mut told = vec![];
    let rebuilt = rebuild(Told::of(&shop), desk.store.clone(), None, |so_far| told.push(so_far)).await.unwrap();
    assert_eq!((rebuilt.position, rebuilt.events), (position(&shop), shop.records.len() as u64));
    assert_eq!(told.last().map(|so_far| (so_far.position, so_far.until)), Some((position(&shop), position(&shop))));
    assert_eq!(desk.text().await, Desk::of(&shop.records).await.text().await);
}

#[tokio::test]
async fn comparing_finds_what_is_not_as_the_log_says() {
    let (shop, desk) = (one_sale(), Desk::of(&one_sale().records).await);
    let fresh = Desk::new();
    let report = verify(Told::of(&shop), desk.store.as_ref(), fresh.store.clone(), |_| ()).await.unwrap();
    assert!(report.is_equal() && report.compared > 1, "{report:?}");
    let mut other = Shop::new("2024-05-02T00:00:00Z");
    other.sell("i-1", "a", Decimal::new(101, 0));
    let report = verify(Told::of(&other), desk.store.as_ref(), fresh.store.clone(), |_| ()).await.unwrap();
    assert_eq!((report.differing, report.differences.len()), (3, 3), "the line, its period and its age: {report:?}");
}

#[tokio::test]
async fn views_that_a_killed_server_left_half_drawn_up_are_no_difference_and_are_compared_once_it_went_on() {
    let (shop, desk, fresh) = (one_sale_under_new_terms(), Desk::new(), Desk::new());
    desk.is_dealt(vec![Fate::DiesAfter]);
    desk.clerk().await.take_up(&shop.records).await.unwrap_err();
    let compared = verify(Told::of(&shop), desk.store.as_ref(), fresh.store.clone(), |_| ()).await;
    assert!(matches!(compared, Err(VerifyError::Unfinished { position: at }) if at == position(&shop)), "{compared:?}");
    desk.clerk().await.finish_work().await.unwrap();
    let report = verify(Told::of(&shop), desk.store.as_ref(), fresh.store.clone(), |_| ()).await.unwrap();
    assert!(report.is_equal(), "{report:?}");
}

#[test]
fn the_metrics_have_names_that_are_free() {
    let registry = prometheus::Registry::new();
    BillingMetrics::register(&registry).unwrap();
    assert_eq!(registry.gather().len(), 5);
}
