//! The marketplace as the reactor knows it: what it can be asked and what it can be given.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chopmark_domain::ids::{EventId, LicenseCode, OrderId, SellerId};
use chopmark_huawei::open_api::{CodeOutcome, OpenApi, OpenApiError, OrderAnswer, Upload};
use chrono::{DateTime, Utc};

/// One seller's access to the marketplace. `now` is the time at which a request is signed, UTC.
///
/// # Errors
/// Each gives an [`OpenApiError`] where the marketplace could not be asked, or said what this version cannot read; its
/// kind decides how soon it is asked again.
#[async_trait]
pub trait Marketplace: Send + Sync + 'static {
    /// The facts of all lines of an order (`order/query`).
    async fn query_order(&self, order: &OrderId, now: DateTime<Utc>) -> Result<OrderAnswer, OpenApiError>;

    /// Activates a code (`license/activate`).
    async fn activate_code(&self, code: &LicenseCode, now: DateTime<Utc>) -> Result<CodeOutcome, OpenApiError>;

    /// What the marketplace knows of a code (`license/heartbeat`).
    async fn query_code(&self, code: &LicenseCode, now: DateTime<Utc>) -> Result<CodeOutcome, OpenApiError>;

    /// Hands over the license that was applied for (`market-event/{event_id}/file`). The same again does no harm.
    async fn upload_license(
        &self,
        application: &EventId,
        upload: Upload<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), OpenApiError>;
}

/// The access of each seller that has one.
pub type Marketplaces = HashMap<SellerId, Arc<dyn Marketplace>>;

/// The interfaces, as metrics and causes name them.
pub(crate) mod api {
    pub(crate) const ORDER_QUERY: &str = "order/query";
    pub(crate) const CODE_ACTIVATION: &str = "license/activate";
    pub(crate) const CODE_QUERY: &str = "license/heartbeat";
    pub(crate) const LICENSE_UPLOAD: &str = "market-event/file";
}

#[async_trait]
impl Marketplace for OpenApi {
    async fn query_order(&self, order: &OrderId, now: DateTime<Utc>) -> Result<OrderAnswer, OpenApiError> {
        Self::query_order(self, order, None, now).await
    }

    async fn activate_code(&self, code: &LicenseCode, now: DateTime<Utc>) -> Result<CodeOutcome, OpenApiError> {
        Self::activate_code(self, code, now).await
    }

    async fn query_code(&self, code: &LicenseCode, now: DateTime<Utc>) -> Result<CodeOutcome, OpenApiError> {
        Self::query_code(self, code, now).await
    }

    async fn upload_license(
        &self,
        application: &EventId,
        upload: Upload<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), OpenApiError> {
        Self::upload_license(self, application, upload, now).await
    }
}
