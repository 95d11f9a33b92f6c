//! What is taken before it is refused.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::reader::{Found, Section};

/// What a listener takes before it refuses or hangs up.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Bytes of a callback's body.
    pub(crate) callback_body_bytes: usize,
    /// Bytes of a check's body.
    pub(crate) api_body_bytes: usize,
    /// Connections open at a time, on each listener.
    pub(crate) connections: usize,
    /// Within which a request's head must have arrived.
    pub(crate) request: Duration,
    /// How long a connection may be idle between two requests.
    pub(crate) keep_alive: Duration,
    /// Given to running requests at shutdown.
    pub(crate) shutdown: Duration,
    /// Deliveries the delivery journal remembers.
    pub(crate) journal_deliveries: usize,
    /// Failing checks a minute of one address.
    pub(crate) failures_per_minute: u32,
    /// Checks of one license at once; they are had again within a minute.
    pub(crate) license_burst: u32,
    /// Codes a minute that the marketplace is asked for on behalf of one address.
    pub(crate) code_lookups_per_address: u32,
    /// Codes a minute that the marketplace is asked for on behalf of one seller.
    pub(crate) code_lookups_per_seller: u32,
    /// Machines that one license may activate within 24 hours; twice its seats are taken at least.
    pub(crate) activations_a_day: u32,
    /// Enrolments of one deployment within 24 hours that are recorded.
    pub(crate) enrolments_a_day: u32,
    /// Enrolments an hour of one address that are recorded.
    pub(crate) enrolments_per_address: u32,
    /// Enrolments an hour of one product that are recorded.
    pub(crate) enrolments_per_product: u32,
    /// Leases remembered, so that they need not be signed again.
    pub(crate) leases_cached: usize,
    /// Memory for answers to checks that are given again, MiB.
    pub(crate) answers_mib: u32,
}

const BODY_BYTES: RangeInclusive<i64> = 1024..=16 * 1024 * 1024;

pub(super) fn read(found: Found<'_>) -> Option<Limits> {
    let mut section = found.section()?;
    let callback_body_bytes = amount(&mut section, "callback_body_bytes", BODY_BYTES);
    let api_body_bytes = amount(&mut section, "api_body_bytes", BODY_BYTES);
    let connections = amount(&mut section, "connections", 1..=1_000_000);
    let request = seconds(&mut section, "request_seconds", 1..=300);
    let keep_alive = seconds(&mut section, "keep_alive_seconds", 1..=3600);
    let shutdown = seconds(&mut section, "shutdown_seconds", 1..=300);
    let journal_deliveries = amount(&mut section, "journal_deliveries", 1000..=10_000_000);
    let failures_per_minute = number(&mut section, "failures_per_minute", 1..=1_000_000);
    let license_burst = number(&mut section, "license_burst", 10..=1_000_000);
    let code_lookups_per_address = number(&mut section, "code_lookups_per_address", 1..=1_000_000);
    let code_lookups_per_seller = number(&mut section, "code_lookups_per_seller", 1..=1_000_000);
    let activations_a_day = number(&mut section, "activations_a_day", 1..=1_000_000);
    let enrolments_a_day = number(&mut section, "enrolments_a_day", 1..=100);
    let enrolments_per_address = number(&mut section, "enrolments_per_address", 1..=1_000_000);
    let enrolments_per_product = number(&mut section, "enrolments_per_product", 1..=10_000_000);
    let leases_cached = amount(&mut section, "leases_cached", 1_000..=100_000_000);
    let answers_mib = number(&mut section, "answers_mib", 1..=65_536);
    section.finish();
    Some(Limits {
        callback_body_bytes: callback_body_bytes?,
        api_body_bytes: api_body_bytes?,
        connections: connections?,
        request: request?,
        keep_alive: keep_alive?,
        shutdown: shutdown?,
        journal_deliveries: journal_deliveries?,
        failures_per_minute: failures_per_minute?,
        license_burst: license_burst?,
        code_lookups_per_address: code_lookups_per_address?,
        code_lookups_per_seller: code_lookups_per_seller?,
        activations_a_day: activations_a_day?,
        enrolments_a_day: enrolments_a_day?,
        enrolments_per_address: enrolments_per_address?,
        enrolments_per_product: enrolments_per_product?,
        leases_cached: leases_cached?,
        answers_mib: answers_mib?,
    })
}

fn amount(section: &mut Section<'_>, key: &'static str, range: RangeInclusive<i64>) -> Option<usize> {
    section.required(key, &format!("{key} = {}", range.end()), |found| found.whole(range.clone()))
}

fn seconds(section: &mut Section<'_>, key: &'static str, range: RangeInclusive<i64>) -> Option<Duration> {
    section
        .required(key, &format!("{key} = {}", range.end()), |found| found.whole(range.clone()))
        .map(Duration::from_secs)
}

fn number(section: &mut Section<'_>, key: &'static str, range: RangeInclusive<i64>) -> Option<u32> {
    section.required(key, &format!("{key} = {}", range.end()), |found| found.whole(range.clone()))
}
