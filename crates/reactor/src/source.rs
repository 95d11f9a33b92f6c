//! Where the facts of orders come from.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_huawei::open_api::{OpenApi, OpenApiError, OrderAnswer};
use chrono::{DateTime, Utc};

/// Tells what an order is about.
#[async_trait]
pub trait OrderSource: Send + Sync + 'static {
    /// The facts of all lines of an order. `now` is the time, UTC.
    ///
    /// # Errors
    /// [`OpenApiError`]; its kind decides how soon the question is asked again.
    async fn query_order(&self, order: &OrderId, now: DateTime<Utc>) -> Result<OrderAnswer, OpenApiError>;
}

/// The source of each seller that has one.
pub type OrderSources = HashMap<SellerId, Arc<dyn OrderSource>>;

#[async_trait]
impl OrderSource for OpenApi {
    async fn query_order(&self, order: &OrderId, now: DateTime<Utc>) -> Result<OrderAnswer, OpenApiError> {
        Self::query_order(self, order, None, now).await
    }
}
