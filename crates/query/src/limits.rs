//! Limits: who guesses is slowed down, who is licensed hardly ever notices that there are any.
//!
//! | limited | by | above it |
//! | --- | --- | --- |
//! | failures: what was not found, not well-formed, not allowed | address | 429 instead of that answer; a success is still answered |
//! | checks | license | 429 |
//! | enrolments | deployment, address, product | answered, not recorded |
//! | codes looked up at the marketplace | address, seller | answered from what is known, as a failure |
//! | warnings of a clone in the log | deployment | counted, not logged |
//!
//! All are kept in memory, each process its own. All memory is bounded, and time is passed in.

mod address;
mod burst;
mod quota;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use ipnet::IpNet;

pub(crate) use self::address::network_of;
pub(crate) use self::quota::{Exceeded, Standing};

use self::address::{came_by_tls, client_address, counted_as};
use self::burst::Bursts;
use self::quota::{Policy, Quota};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// How much is allowed. Each is also how much may come at once; it comes back evenly over its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// Failures of an address in a minute.
    pub failures_per_minute: u32,
    /// Checks of one license at once; all come back within a minute.
    pub license_burst: u32,
    /// Enrolments of one deployment in a day.
    pub enrolments_per_deployment_and_day: u32,
    /// Enrolments from one address in an hour.
    pub enrolments_per_address_and_hour: u32,
    /// Enrolments for one product in an hour.
    pub enrolments_per_product_and_hour: u32,
    /// Codes that one address may have looked up at the marketplace in a minute.
    pub code_lookups_per_address_and_minute: u32,
    /// Codes that are looked up at the marketplace for one seller in a minute, whoever asks.
    pub code_lookups_per_seller_and_minute: u32,
    /// Proxies whose word is taken for where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            failures_per_minute: 60,
            license_burst: 1_000,
            enrolments_per_deployment_and_day: 10,
            enrolments_per_address_and_hour: 100,
            enrolments_per_product_and_hour: 10_000,
            code_lookups_per_address_and_minute: 10,
            code_lookups_per_seller_and_minute: 120,
            trusted_proxies: vec![],
        }
    }
}

/// All limits of the API. One for all its workers; every call takes well under a microsecond.
#[derive(Debug)]
pub(crate) struct Limits {
    trusted_proxies: Vec<IpNet>,
    failures: Quota,
    licenses: Bursts,
    enrolments_of_deployment: Quota,
    enrolments_of_address: Quota,
    enrolments_of_product: Quota,
    lookups_of_code: Quota,
    lookups_of_address: Quota,
    lookups_of_seller: Quota,
    clone_warnings: Quota,
}

impl Limits {
    /// Limits of which nothing is used up. Moments before `now` count as `now`.
    #[must_use]
    pub(crate) fn new(settings: LimitSettings, now: Instant) -> Self {
        let quota = |name, quota, window| Quota::new(Policy::new(name, quota, window), now);
        Self {
            failures: quota("failures", settings.failures_per_minute, MINUTE),
            licenses: Bursts::new(Policy::new("license", settings.license_burst, MINUTE), now),
            enrolments_of_deployment: quota(
                "enrolments-of-deployment",
                settings.enrolments_per_deployment_and_day,
                DAY,
            ),
            enrolments_of_address: quota("enrolments-of-address", settings.enrolments_per_address_and_hour, HOUR),
            enrolments_of_product: quota("enrolments-of-product", settings.enrolments_per_product_and_hour, HOUR),
            lookups_of_code: quota("lookups-of-code", 1, MINUTE),
            lookups_of_address: quota("lookups-of-address", settings.code_lookups_per_address_and_minute, MINUTE),
            lookups_of_seller: quota("lookups-of-seller", settings.code_lookups_per_seller_and_minute, MINUTE),
            clone_warnings: quota("clone-warnings", 1, MINUTE),
            trusted_proxies: settings.trusted_proxies,
        }
    }

    /// Where a request comes from: the peer, unless it is a trusted proxy that names somebody else.
    #[must_use]
    pub(crate) fn client_address(&self, request: &HttpRequest) -> IpAddr {
        client_address(request, &self.trusted_proxies)
    }

    /// Whether a request came by TLS: to this listener, or to a trusted proxy that says so.
    #[must_use]
    pub(crate) fn came_by_tls(&self, request: &HttpRequest) -> bool {
        came_by_tls(request, &self.trusted_proxies)
    }

    /// Counts a failure. All of an IPv6 network (/64) are one address.
    ///
    /// # Errors
    /// [`Exceeded`]: there were too many, this one is not counted. Answer with its [problem](Exceeded::problem) instead,
    /// so that who guesses learns nothing.
    pub(crate) fn failed(&self, address: IpAddr, now: Instant) -> Result<Standing, Exceeded> {
        self.failures.spend(&counted_as(address), now)
    }

    /// Counts a check of a license that exists.
    ///
    /// # Errors
    /// [`Exceeded`]: too many checks of this very license.
    pub(crate) fn checked(&self, seller: &str, license: &str, now: Instant) -> Result<(), Exceeded> {
        self.licenses.spend(seller, license, now)
    }

    /// Counts a deployment first seen, or enrolled anew.
    ///
    /// # Errors
    /// [`Exceeded`]: do not record it.
    pub(crate) fn enrolled(
        &self,
        seller: &str,
        product: &str,
        deployment: &str,
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Exceeded> {
        // The narrowest first: nobody uses up what all share once their own is gone.
        self.enrolments_of_deployment.spend(&(seller, deployment), now)?;
        self.enrolments_of_address.spend(&counted_as(address), now)?;
        self.enrolments_of_product.spend(&(seller, product), now)?;
        Ok(())
    }

    /// Counts the lookup of a code at the marketplace.
    ///
    /// One that was let through within the last minute, whoever asked, is looked up already or was just now: all who ask
    /// share that one question, so asking again uses nothing up. Many machines behind one address may begin with one code
    /// at once, and who guesses names another code each time.
    ///
    /// # Errors
    /// [`Exceeded`]: do not look it up.
    pub(crate) fn looked_up(&self, seller: &str, code: &str, address: IpAddr, now: Instant) -> Result<(), Exceeded> {
        if self.lookups_of_code.peek(&(seller, code), now).is_err() {
            return Ok(());
        }
        self.lookups_of_address.spend(&counted_as(address), now)?;
        self.lookups_of_seller.spend(&seller, now)?;
        // Only what was let through: a code that was not is no cheaper the next time. Who was here first in this very
        // moment has asked, and the second one shares the question.
        let _ = self.lookups_of_code.spend(&(seller, code), now);
        Ok(())
    }

    /// Whether the log may be told of a clone of this deployment: once a minute, however often it asks.
    pub(crate) fn may_warn_of_clone(&self, seller: &str, deployment: &str, now: Instant) -> bool {
        self.clone_warnings.spend(&(seller, deployment), now).is_ok()
    }
}
