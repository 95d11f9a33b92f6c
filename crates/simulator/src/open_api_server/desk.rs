//! The marketplace's side of the open API: its books, its failures, its counts.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;

use super::faults::{Fault, Faults};
use super::interface::{Counters, Interface};
use super::{Credentials, authentic, failure, licenses, refusal};
use crate::codes::Codes;
use crate::orders::Orders;
use crate::uploads::Uploads;

/// Where sellers ask: what the open API answers from, and what it was asked. Clones share it.
#[derive(Debug, Clone)]
pub struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    credentials: Credentials,
    orders: Orders,
    codes: Codes,
    uploads: Uploads,
    faults: Faults,
    counters: Counters,
}

impl Desk {
    pub(super) fn new(credentials: Credentials, orders: Orders) -> Self {
        let (codes, uploads) = (Codes::default(), Uploads::default());
        let (faults, counters) = (Faults::default(), Counters::default());
        Self(Arc::new(Inner { credentials, orders, codes, uploads, faults, counters }))
    }

    /// The order book.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.0.orders
    }

    /// The book of license codes; empty at first.
    #[must_use]
    pub fn codes(&self) -> &Codes {
        &self.0.codes
    }

    /// What sellers handed over.
    #[must_use]
    pub fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    /// Makes the next calls fail, whatever they call.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Makes the next calls of one interface fail; those ordered for all come first.
    #[must_use]
    pub fn faults_of(&self, interface: Interface) -> &Faults {
        &self.0.counters.of(interface).faults
    }

    /// How many calls there were, failed ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        Interface::ALL.into_iter().map(|interface| self.calls_of(interface)).sum()
    }

    /// How many calls of one interface there were, failed ones included.
    #[must_use]
    pub fn calls_of(&self, interface: Interface) -> u64 {
        self.0.counters.of(interface).calls()
    }

    /// Counts a call, fails it if that was ordered, and refuses it if it is not the seller's.
    pub(super) async fn admit(
        &self,
        interface: Interface,
        request: &HttpRequest,
        body: &[u8],
    ) -> Result<(), HttpResponse> {
        let counter = self.0.counters.of(interface);
        counter.count();
        self.0.faults.released().await;
        counter.faults.released().await;
        match self.0.faults.next().or_else(|| counter.faults.next()) {
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(fault) => return Err(failure(interface, &fault)),
            None => {}
        }
        authentic::check(request, body, &self.0.credentials, Utc::now()).map_err(|problem| {
            match interface.is_about_licenses() {
                true => licenses::error(StatusCode::UNAUTHORIZED, "APIGW.0301", &problem.to_string()),
                false => refusal(StatusCode::UNAUTHORIZED, "MKT.0154", &problem.to_string()),
            }
        })
    }
}
