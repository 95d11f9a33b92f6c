//! Commands about licenses and orders.

use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{InstanceId, OrderId, SellerId};
use chopmark_domain::license::{self, Command, InstanceAdopted, Refusal, Request, Standing, decide};
use chopmark_domain::order::{self, Order, OrderRef};
use chopmark_domain::purchase::PurchaseIdentity;
use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
use chopmark_log::Position;

use crate::error::CommandError;
use crate::transact::Guess;
use crate::{Commands, Done};

impl Commands {
    /// Runs a command on a license.
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::Refused`] where the rules say no.
    pub async fn license(
        &self,
        key: &LicenseKey,
        command: Command,
        cause: &Cause,
    ) -> Result<Done<Standing>, CommandError> {
        self.license_guess(key, Guess::Unknown, command, cause).await
    }

    async fn license_guess(
        &self,
        key: &LicenseKey,
        guess: Guess,
        command: Command,
        cause: &Cause,
    ) -> Result<Done<Standing>, CommandError> {
        let request = Request { now: self.now(), signature: cause.signature() };
        self.transact(&Stream::License(key.clone()), guess, cause, |standing: &Standing| {
            Ok(decide(&key.id, standing, command.clone(), request)?)
        })
        .await
    }

    /// `newInstance`: the purchase's instance, made now or long since.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn purchase(
        &self,
        seller: &SellerId,
        order: OrderRef,
        cause: &Cause,
    ) -> Result<(InstanceId, Option<Position>), CommandError> {
        let secret = self.ensure_secret(seller).await?;
        let id = PurchaseIdentity::OrderLine(order.clone()).instance_id(&secret);
        let key = LicenseKey { seller: seller.clone(), id: LicenseId::Instance(id.clone()) };
        let done = self.license_guess(&key, Guess::New, Command::Create { order }, cause).await?;
        match done.state {
            Standing::Adopted(adopted) => Ok((adopted, done.position)),
            Standing::Known(_) | Standing::Absent => Ok((id, done.position)),
        }
    }

    /// The instance id that a purchase has or would get, without making anything.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn purchase_id(&self, seller: &SellerId, order: OrderRef) -> Result<InstanceId, CommandError> {
        Ok(PurchaseIdentity::OrderLine(order).instance_id(&self.ensure_secret(seller).await?))
    }

    /// Takes an existing instance over. Where its purchase is known, a redelivery of that purchase answers this id
    /// from now on.
    ///
    /// # Errors
    /// [`Refusal::Exists`] where the id or the purchase has another license already.
    pub async fn adopt(
        &self,
        seller: &SellerId,
        instance: &InstanceId,
        adoption: InstanceAdopted,
        cause: &Cause,
    ) -> Result<Option<Position>, CommandError> {
        if let Some(purchase) = &adoption.purchase {
            let derived = purchase.instance_id(&self.ensure_secret(seller).await?);
            if derived != *instance {
                let key = LicenseKey { seller: seller.clone(), id: LicenseId::Instance(derived) };
                self.license(&key, Command::AdoptPurchase(instance.clone()), cause).await?;
            }
        }
        let key = LicenseKey { seller: seller.clone(), id: LicenseId::Instance(instance.clone()) };
        Ok(self.license(&key, Command::Adopt(adoption), cause).await?.position)
    }

    /// Runs a command on an order.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn order(
        &self,
        seller: &SellerId,
        order: &OrderId,
        command: order::Command,
        cause: &Cause,
    ) -> Result<Done<Order>, CommandError> {
        let stream = Stream::Order(seller.clone(), order.clone());
        self.transact(&stream, Guess::Unknown, cause, |state: &Order| Ok(state.decide(command.clone()))).await
    }

    /// What stands on a license's stream.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn read_license(&self, key: &LicenseKey) -> Result<Standing, CommandError> {
        Ok(self.read(&Stream::License(key.clone())).await?.state)
    }

    /// A license that the marketplace may ask about.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] where there is none, [`Refusal::Released`] where it has ended.
    pub async fn live_license(&self, key: &LicenseKey) -> Result<license::License, CommandError> {
        match self.read_license(key).await?.license() {
            None => Err(Refusal::Unknown.into()),
            Some(license) if license.status == license::Status::Released => Err(Refusal::Released.into()),
            Some(license) => Ok(license.clone()),
        }
    }

    /// What is known of an order.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn read_order(&self, seller: &SellerId, order: &OrderId) -> Result<Order, CommandError> {
        Ok(self.read(&Stream::Order(seller.clone(), order.clone())).await?.state)
    }
}
