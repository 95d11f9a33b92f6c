//! What is seen, and what is remembered of it.

use chrono::{DateTime, Utc};

/// Somebody who holds a license asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting<'a> {
    /// Whose license.
    pub seller: &'a str,
    /// Which license.
    pub license: &'a str,
    /// The machine's fingerprint; empty for a deployment itself.
    pub holder: &'a str,
    /// When, UTC; kept to the microsecond.
    pub at: DateTime<Utc>,
    /// The end of the lease that it went away with, if it did with one.
    pub lease_until: Option<DateTime<Utc>>,
}

/// A deployment was seen; it counts for the hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeploymentSighting<'a> {
    /// Whose product.
    pub seller: &'a str,
    /// The SKU.
    pub product: &'a str,
    /// The ECS that runs it.
    pub ecs: &'a str,
    /// How the marketplace charges for the ECS, as its metadata tells, if it does.
    pub charging_mode: Option<&'a str>,
    /// When, UTC.
    pub at: DateTime<Utc>,
}

/// When a holder was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSeen {
    /// The latest sighting, UTC, to the microsecond.
    pub at: DateTime<Utc>,
    /// The latest end of all the leases that it was given, UTC.
    pub lease_until: Option<DateTime<Utc>>,
}

/// A deployment that was seen in an hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenDeployment {
    /// The SKU.
    pub product: String,
    /// The ECS.
    pub ecs: String,
    /// How it was charged: what it said last within the hour. A sighting that says nothing takes nothing back.
    pub charging_mode: Option<String>,
}
