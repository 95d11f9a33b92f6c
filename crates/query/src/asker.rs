//! Who asks without a token: an address, and what it may do how often.

use std::net::IpAddr;
use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse, ResponseError};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{LicenseCode, SellerId, Sku};
use chopmark_domain::stream::LicenseKey;

use crate::Query;
use crate::limits::{Exceeded, Limits, network_of};
use crate::problem::{Kind, Problem};

/// Software somewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    limits: &'a Limits,
    address: IpAddr,
}

impl<'a> Asker<'a> {
    pub(crate) fn of(request: &HttpRequest, query: &'a Query) -> Self {
        Self { limits: &query.limits, address: query.limits.client_address(request) }
    }

    /// The cause of what it brings about. Events stand for ever, so they tell the network and not the address.
    pub(crate) fn cause(&self) -> Cause {
        Cause::Software { address: Some(network_of(self.address)) }
    }

    /// Counts a question about a license that exists.
    pub(crate) fn may_ask_about(&self, license: &LicenseKey) -> Result<(), Exceeded> {
        self.limits.checked(license.seller.as_str(), license.id.as_str(), Instant::now())
    }

    /// Counts the enrolment of a deployment. False: there are too many.
    pub(crate) fn may_enrol(&self, deployment: &LicenseKey, product: &Sku) -> bool {
        let (seller, ecs) = (deployment.seller.as_str(), deployment.id.as_str());
        self.limits.enrolled(seller, product.as_str(), ecs, self.address, Instant::now()).is_ok()
    }

    /// Counts a code that the marketplace is asked for. False: there are too many.
    pub(crate) fn may_have_looked_up(&self, seller: &SellerId, code: &LicenseCode) -> bool {
        self.limits.looked_up(seller.as_str(), code.as_str(), self.address, Instant::now()).is_ok()
    }

    /// Whether the log is told that this deployment seems to be used twice, or was told not long ago.
    pub(crate) fn may_warn_of_clone(&self, deployment: &LicenseKey) -> bool {
        self.limits.may_warn_of_clone(deployment.seller.as_str(), deployment.id.as_str(), Instant::now())
    }

    /// Where it asks from.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// Lets an answer go that tells a guesser something, and counts it.
    ///
    /// # Errors
    /// There were too many from this address.
    pub(crate) fn let_fail(&self, mut failure: HttpResponse) -> Result<HttpResponse, Exceeded> {
        let standing = self.limits.failed(self.address, Instant::now())?;
        standing.tell(failure.headers_mut());
        Ok(failure)
    }

    /// What is answered where there is a problem: that, or that there were too many from this address.
    pub(crate) fn refuse(&self, problem: &Problem) -> (Kind, HttpResponse) {
        let response = problem.error_response();
        if !counts(problem.kind()) {
            return (problem.kind(), response);
        }
        match self.let_fail(response) {
            Ok(response) => (problem.kind(), response),
            Err(exceeded) => (Kind::TooManyRequests, Problem::from(exceeded).error_response()),
        }
    }
}

/// Whether a problem counts as a failure of who asks: not found, not well-formed, not allowed.
fn counts(kind: Kind) -> bool {
    matches!(kind.status().as_u16(), 400 | 401 | 403 | 404 | 408 | 413)
}
