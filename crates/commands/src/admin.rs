//! Commands about sellers and access.

use std::collections::HashMap;
use std::sync::RwLock;

use chopmark_domain::access::{Access, Grant};
use chopmark_domain::catalog::{self, Catalog, ProductTerms};
use chopmark_domain::cause::Cause;
use chopmark_domain::hours::{Day, Hours, HoursClosed};
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::purchase::SellerSecret;
use chopmark_domain::settlement::terms::SellerTerms;
use chopmark_domain::stream::Stream;
use chopmark_log::Position;
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::error::CommandError;
use crate::transact::Guess;

/// Secrets already read. A seller's secret never changes.
pub(crate) type Secrets = RwLock<HashMap<SellerId, SellerSecret>>;

/// What [`Commands::apply_catalog`] did.
#[derive(Debug, Clone, PartialEq)]
pub struct AppliedCatalog {
    /// The events appended; none when the catalog was as wanted.
    pub events: Vec<catalog::Event>,
    /// The position of the seller's last event.
    pub position: Option<Position>,
}

impl Commands {
    /// The seller's secret, made now if there is none. When two make one at once, the loser takes the winner's.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn ensure_secret(&self, seller: &SellerId) -> Result<SellerSecret, CommandError> {
        if let Some(secret) = self.remembered_secret(seller) {
            return Ok(secret);
        }
        let fresh = SellerSecret::new(rand::random());
        let decided = self
            .transact(&Stream::Seller(seller.clone()), Guess::Unknown, &Cause::System, |catalog: &Catalog| {
                Ok(catalog.create_secret(fresh.clone()))
            })
            .await?;
        let secret = decided.state.secret.ok_or_else(|| CommandError::NoSecret { seller: seller.clone() })?;
        self.secrets.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(seller.clone(), secret.clone());
        Ok(secret)
    }

    /// The seller's secret, if there is one; none is made.
    pub(crate) async fn secret(&self, seller: &SellerId) -> Result<Option<SellerSecret>, CommandError> {
        match self.remembered_secret(seller) {
            None => Ok(self.catalog(seller).await?.secret),
            known => Ok(known),
        }
    }

    fn remembered_secret(&self, seller: &SellerId) -> Option<SellerSecret> {
        self.secrets.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(seller).cloned()
    }

    /// A seller's catalog.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn catalog(&self, seller: &SellerId) -> Result<Catalog, CommandError> {
        self.read(&Stream::Seller(seller.clone())).await
    }

    /// Brings a seller's catalog to the wanted terms from a moment on; appends nothing where it is as wanted. `terms` is
    /// how the seller is settled.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn apply_catalog(
        &self,
        seller: &SellerId,
        terms: &SellerTerms,
        wanted: &[(Sku, ProductTerms)],
        effective_at: DateTime<Utc>,
        cause: &Cause,
    ) -> Result<AppliedCatalog, CommandError> {
        self.ensure_secret(seller).await?;
        let decided = self
            .transact(&Stream::Seller(seller.clone()), Guess::Unknown, cause, |catalog: &Catalog| {
                Ok(catalog.apply(terms, wanted, effective_at))
            })
            .await?;
        Ok(AppliedCatalog { events: decided.events, position: decided.position })
    }

    /// All tokens.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn access(&self) -> Result<Access, CommandError> {
        self.read(&Stream::Access).await
    }

    /// Makes a token known; nothing happens if it is.
    ///
    /// # Errors
    /// [`CommandError::Token`] where another token has the name.
    pub async fn create_token(&self, grant: Grant, cause: &Cause) -> Result<Option<Position>, CommandError> {
        let create = |access: &Access| Ok(access.create(grant.clone())?);
        Ok(self.transact(&Stream::Access, Guess::Unknown, cause, create).await?.position)
    }

    /// Takes a token back; nothing happens if it was.
    ///
    /// # Errors
    /// [`CommandError::Token`] where there is none of that name.
    pub async fn revoke_token(&self, id: &str, cause: &Cause) -> Result<Option<Position>, CommandError> {
        let revoke = |access: &Access| Ok(access.revoke(id)?);
        Ok(self.transact(&Stream::Access, Guess::Unknown, cause, revoke).await?.position)
    }

    /// The hours of a day that are closed.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn hours(&self, seller: &SellerId, day: Day) -> Result<Hours, CommandError> {
        self.read(&Stream::Hours(seller.clone(), day)).await
    }

    /// Closes an hour; nothing happens if it is closed. The position is that of the day's last event.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn close_hour(
        &self,
        seller: &SellerId,
        closing: HoursClosed,
        cause: &Cause,
    ) -> Result<Option<Position>, CommandError> {
        let stream = Stream::Hours(seller.clone(), Day::of(closing.hour.start()));
        let close = |hours: &Hours| Ok(hours.close(closing.clone()));
        Ok(self.transact(&stream, Guess::Unknown, cause, close).await?.position)
    }
}
