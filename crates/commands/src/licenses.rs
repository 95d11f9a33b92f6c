//! Commands about licenses and orders.

use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{InstanceId, OrderId, SellerId};
use chopmark_domain::license::{self, Command, InstanceAdopted, Refusal, Request, Standing, decide};
use chopmark_domain::order::{self, Order, OrderRef};
use chopmark_domain::purchase::PurchaseIdentity;
use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
use chopmark_log::{Position, StreamName};

use crate::error::CommandError;
use crate::requests::StatusRequest;
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
        let stream = Stream::License(key.clone());
        let name = StreamName::new(&stream.to_string())?;
        let signature = request.signature.filter(|_| matches!(command, Command::Freeze | Command::Unfreeze));
        let status_request =
            signature.map(|signature| StatusRequest { key, stream: &name, signature, now: request.now });
        let was_answered = match &status_request {
            Some(status_request) => self.was_answered(status_request).await?,
            None => false,
        };
        let done: Done<Standing> = self
            .transact(&stream, guess, cause, |standing: &Standing| {
                if was_answered {
                    return Ok(vec![]);
                }
                Ok(decide(&key.id, standing, command.clone(), request)?)
            })
            .await?
            .into();
        if let Some(status_request) = status_request.filter(|_| done.appended == 0 && !was_answered) {
            self.remember(&status_request, &done.state, cause).await?;
        }
        Ok(done)
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

    /// The instance id that a purchase has or would get, without making anything. `None` where the seller has no
    /// secret yet: no id can be derived, and none was.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn purchase_id(&self, seller: &SellerId, order: OrderRef) -> Result<Option<InstanceId>, CommandError> {
        let Some(secret) = self.secret(seller).await? else { return Ok(None) };
        let derived = PurchaseIdentity::OrderLine(order).instance_id(&secret);
        let key = LicenseKey { seller: seller.clone(), id: LicenseId::Instance(derived.clone()) };
        match self.read_license(&key).await? {
            Standing::Adopted(adopted) => Ok(Some(adopted)),
            Standing::Known(_) | Standing::Absent => Ok(Some(derived)),
        }
    }

    /// Takes an existing instance over. Where its purchase is known, a redelivery of that purchase answers this id
    /// from now on.
    ///
    /// Both streams are asked before either is written. The instance is written first: should the process die in
    /// between, no purchase leads to an instance that does not exist, and adopting the same again completes it.
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
        let key = |id| LicenseKey { seller: seller.clone(), id: LicenseId::Instance(id) };
        let derived = match &adoption.purchase {
            Some(purchase) => Some(purchase.instance_id(&self.ensure_secret(seller).await?)),
            None => None,
        };
        let purchase = derived.filter(|derived| derived != instance).map(key);
        let adopt_purchase = Command::AdoptPurchase(instance.clone());
        if let Some(purchase) = &purchase {
            self.may(purchase, adopt_purchase.clone()).await?;
        }
        let adopted = self.license(&key(instance.clone()), Command::Adopt(adoption), cause).await?;
        if let Some(purchase) = &purchase {
            self.license(purchase, adopt_purchase, cause).await?;
        }
        Ok(adopted.position)
    }

    /// Refuses what the rules would refuse as things stand, and writes nothing.
    async fn may(&self, key: &LicenseKey, command: Command) -> Result<(), CommandError> {
        let request = Request { now: self.now(), signature: None };
        decide(&key.id, &self.read_license(key).await?, command, request)?;
        Ok(())
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
        let decide = |state: &Order| Ok(state.decide(command.clone()));
        Ok(self.transact(&stream, Guess::Unknown, cause, decide).await?.into())
    }

    /// What stands on a license's stream.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn read_license(&self, key: &LicenseKey) -> Result<Standing, CommandError> {
        self.read(&Stream::License(key.clone())).await
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
        self.read(&Stream::Order(seller.clone(), order.clone())).await
    }
}
