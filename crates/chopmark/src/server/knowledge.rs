//! What a process knows of licenses: the index, who was seen, what is open, and what leases are signed with. All roles have
//! it but those that only take callbacks.

use std::sync::Arc;

use chopmark_log::EventLog;
use chopmark_projector::{LicenseIndex, Projector, ProjectorMetrics};
use chopmark_reactor::{Board, ReactorMetrics};
use chopmark_signing::{IssuerSettings, LeaseIssuer, SigningMetrics};
use chopmark_views::Seen;
use prometheus::Registry;

use super::background::Background;
use super::data_dir::DataDir;
use super::{keys, registered, seen};
use crate::cli::serve::Role;
use crate::config::Config;
use crate::failure::Failure;

/// What is known of licenses.
pub(super) struct Knowledge {
    /// Every license.
    pub(super) index: LicenseIndex,
    /// When machines, deployments and tokens were last seen.
    pub(super) seen: Seen,
    /// Signs leases.
    pub(super) leases: Arc<LeaseIssuer>,
    /// What is still to be done at the marketplace.
    pub(super) board: Board,
    /// What its counts are shown by.
    pub(super) reactor_metrics: ReactorMetrics,
}

impl Knowledge {
    /// Opens what is kept of it and begins to follow the log.
    ///
    /// # Errors
    /// Keys are missing or cannot be used, or what was last seen cannot be kept.
    pub(super) async fn gather(
        config: &Config,
        role: Role,
        data: &DataDir,
        log: &Arc<dyn EventLog>,
        registry: &Registry,
        background: &mut Background,
    ) -> Result<Self, Failure> {
        let leases = lease_issuer(config, role, data, registry)?;
        if config.keys.signing.is_empty() {
            background.run(|stop| keys::follow(data.signing_keys(), leases.clone(), stop));
        }
        let seen = seen::open(&config.views, registry).await?;
        if role.answers_questions() {
            seen.keep_watch();
        }
        let index = LicenseIndex::new();
        let metrics = registered(ProjectorMetrics::register(registry))?;
        let projector = Projector::new(Arc::clone(log), index.clone(), data.index_snapshot(), metrics);
        background.run(|stop| projector.run(stop));
        let reactor_metrics = registered(ReactorMetrics::register(registry))?;
        Ok(Self { index, seen, leases, board: Board::new(reactor_metrics.clone()), reactor_metrics })
    }
}

/// The issuer of leases, with the keys of the configuration or of the data folder.
fn lease_issuer(config: &Config, role: Role, data: &DataDir, registry: &Registry) -> Result<Arc<LeaseIssuer>, Failure> {
    let keys = keys::ensure(config, role, data)?;
    let settings = IssuerSettings { name: config.keys.issuer.clone(), cached_leases: config.limits.leases_cached };
    let metrics = registered(SigningMetrics::register(registry))?;
    Ok(Arc::new(LeaseIssuer::new(keys, settings, rand::random(), metrics)))
}
