//! The suite notices a store that breaks its promises.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::ViewsError;
use crate::sqlite::testing::SqlitePlace;
use crate::store::{Batch, Charged, Deployment, Holding, Hours, Notes, Store, Used, Watcher};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    TakesTheLastWord,
    MixesSellersUp,
    LosesALease,
    CountsSilence,
    FoldsNames,
    LosesTheLastOne,
    ForgetsAWholeLicense,
    BeginsAnew,
    KeepsToItself,
}

struct BrokenPlace(SqlitePlace, Fault);

/// With a place of its own, for one that keeps to itself.
struct Broken(Arc<dyn Store>, Fault, #[expect(dead_code, reason = "the file lives as long")] SqlitePlace);

impl Place for BrokenPlace {
    fn open(&self) -> Arc<dyn Store> {
        let own = SqlitePlace::new();
        let store = if self.1 == Fault::KeepsToItself { own.open() } else { self.0.open() };
        Arc::new(Broken(store, self.1, own))
    }
}

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        self.1 == fault
    }
}

impl Store for Broken {
    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    fn write(&self, batch: &Batch, watcher: Option<&Watcher>) -> Result<(), ViewsError> {
        if self.is(Fault::TakesTheLastWord) {
            for (called, _) in batch.holders.iter() {
                let [seller, license, holder] = called.names;
                self.0.forget(seller, license, holder)?;
            }
        }
        self.0.write(batch, watcher)
    }

    fn notes(&self, watcher: Option<Uuid>) -> Result<Notes, ViewsError> {
        let mut notes = self.0.notes(watcher)?;
        if self.is(Fault::BeginsAnew) {
            notes.begun = Utc::now().timestamp_micros();
        }
        Ok(notes)
    }

    fn holders(&self, seller: &str, license: &str) -> Result<Vec<(String, Holding)>, ViewsError> {
        let mut holders = self.0.holders(seller, license)?;
        match self.1 {
            Fault::MixesSellersUp => holders.extend(self.0.holders("other", license)?),
            Fault::LosesALease => holders.iter_mut().for_each(|(_, holding)| holding.lease_until = None),
            Fault::FoldsNames => holders.iter_mut().for_each(|(name, _)| *name = name.to_lowercase()),
            Fault::LosesTheLastOne if holders.len() > 5_000 => drop(holders.pop()),
            _ => {}
        }
        Ok(holders)
    }

    fn tokens(&self) -> Result<Vec<(String, Used)>, ViewsError> {
        self.0.tokens()
    }

    fn hour(&self, seller: &str, hour: Hours) -> Result<Vec<(Deployment, Charged)>, ViewsError> {
        let mut deployments = self.0.hour(seller, hour)?;
        if self.is(Fault::CountsSilence) {
            deployments
                .iter_mut()
                .filter(|(_, charged)| charged.at > at(2).timestamp_micros())
                .for_each(|(_, charged)| charged.mode = None);
        }
        Ok(deployments)
    }

    fn forget(&self, seller: &str, license: &str, holder: &str) -> Result<(), ViewsError> {
        if self.is(Fault::ForgetsAWholeLicense) {
            for (other, _) in self.0.holders(seller, license)? {
                self.0.forget(seller, license, &other)?;
            }
        }
        self.0.forget(seller, license, holder)
    }

    fn forget_hours_before(&self, hour: Hours) -> Result<(), ViewsError> {
        self.0.forget_hours_before(hour)
    }

    fn close(&self, leaving: Option<Uuid>) {
        self.0.close(leaving);
    }
}

async fn fails(promise: impl Future<Output = ()> + Send + 'static) -> bool {
    tokio::spawn(promise).await.is_err_and(|error| error.is_panic())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_fails_a_store_that_breaks_a_promise() {
    let place = |fault| BrokenPlace(SqlitePlace::new(), fault);
    let mut overlooked = vec![];
    macro_rules! noticed_by {
        ($($fault:ident: $promise:ident,)+) => {
            $(let broken = place(Fault::$fault);
            if !fails(async move { $promise(&broken).await }).await {
                overlooked.push(Fault::$fault);
            })+
        };
    }
    noticed_by! {
        TakesTheLastWord: in_whatever_order_and_however_often_it_is_written_it_comes_to_the_same,
        MixesSellersUp: sellers_are_walls,
        LosesALease: what_one_process_wrote_the_other_tells,
        CountsSilence: an_hour_tells_each_deployment_once_and_sorted_until_it_is_forgotten,
        FoldsNames: names_of_every_kind_are_kept_and_stay_apart,
        LosesTheLastOne: a_batch_of_many_is_written_whole,
        ForgetsAWholeLicense: a_forgotten_holder_is_unknown_wherever_it_was_remembered_until_it_is_seen_again,
        BeginsAnew: the_store_knows_since_when_it_is_kept,
        KeepsToItself: what_one_process_wrote_the_other_tells,
    }
    assert_eq!(overlooked, []);
}
