//! Limits: who guesses is slowed down, who is licensed hardly ever notices that there are any.
//!
//! | limited | by | above it |
//! | --- | --- | --- |
//! | failures: what was not found, not well-formed, not allowed | address | 429 instead of that answer; a success is still answered |
//! | checks | license | 429 |
//! | enrolments | deployment, address, product | answered, not recorded |
//! | codes looked up at the marketplace | address, seller | answered from what is known |
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

pub use self::quota::{Exceeded, Standing};

use self::address::{client_address, counted_as};
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
pub struct Limits {
    trusted_proxies: Vec<IpNet>,
    failures: Quota,
    licenses: Bursts,
    enrolments_of_deployment: Quota,
    enrolments_of_address: Quota,
    enrolments_of_product: Quota,
    lookups_of_address: Quota,
    lookups_of_seller: Quota,
}

impl Limits {
    /// Limits of which nothing is used up. Moments before `now` count as `now`.
    #[must_use]
    pub fn new(settings: LimitSettings, now: Instant) -> Self {
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
            lookups_of_address: quota("lookups-of-address", settings.code_lookups_per_address_and_minute, MINUTE),
            lookups_of_seller: quota("lookups-of-seller", settings.code_lookups_per_seller_and_minute, MINUTE),
            trusted_proxies: settings.trusted_proxies,
        }
    }

    /// Where a request comes from: the peer, unless it is a trusted proxy that names somebody else.
    #[must_use]
    pub fn client_address(&self, request: &HttpRequest) -> IpAddr {
        client_address(request, &self.trusted_proxies)
    }

    /// Counts a failure. All of an IPv6 network (/64) are one address.
    ///
    /// # Errors
    /// [`Exceeded`]: there were too many, this one is not counted. Answer with its [problem](Exceeded::problem) instead,
    /// so that who guesses learns nothing.
    pub fn failed(&self, address: IpAddr, now: Instant) -> Result<Standing, Exceeded> {
        self.failures.spend(&counted_as(address), now)
    }

    /// How an address stands, without counting.
    ///
    /// # Errors
    /// [`Exceeded`]: its next failure would be one too many.
    pub fn failures(&self, address: IpAddr, now: Instant) -> Result<Standing, Exceeded> {
        self.failures.peek(&counted_as(address), now)
    }

    /// Counts a check of a license that exists.
    ///
    /// # Errors
    /// [`Exceeded`]: too many checks of this very license.
    pub fn checked(&self, seller: &str, license: &str, now: Instant) -> Result<(), Exceeded> {
        self.licenses.spend(&(seller, license), now)
    }

    /// Counts a deployment first seen, or enrolled anew.
    ///
    /// # Errors
    /// [`Exceeded`]: do not record it.
    pub fn enrolled(
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
    /// # Errors
    /// [`Exceeded`]: do not look it up.
    pub fn looked_up(&self, seller: &str, address: IpAddr, now: Instant) -> Result<(), Exceeded> {
        self.lookups_of_address.spend(&counted_as(address), now)?;
        self.lookups_of_seller.spend(&seller, now)?;
        Ok(())
    }
}
