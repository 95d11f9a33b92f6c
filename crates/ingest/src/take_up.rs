//! From a verified callback to a command, and from its outcome to an answer.

use chopmark_commands::CommandError;
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{InstanceId, LicenseCode, SellerId};
use chopmark_domain::license::{Command, License, LicenseRequested, Refusal, Standing, Status};
use chopmark_domain::order::{self, ChargingMode};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_huawei::answer::{Answer, InstanceInfo, ResultCode};
use chopmark_huawei::callback::{Callback, FreezeStatus};
use chopmark_log::Position;
use futures_util::future::try_join_all;

use crate::Ingest;
use crate::sellers::SellerDoor;

/// An answer, and the position that a check must have reached to agree with it.
pub(crate) struct TakenUp {
    pub(crate) answer: Answer,
    pub(crate) position: Option<Position>,
}

impl TakenUp {
    fn success(position: Option<Position>) -> Self {
        Self { answer: Answer::success(), position }
    }
}

impl Ingest {
    /// Does what a callback asks and says what to answer.
    pub(crate) async fn take_up(
        &self,
        seller: &SellerId,
        door: &SellerDoor,
        callback: &Callback,
        cause: &Cause,
    ) -> TakenUp {
        self.attempt(seller, door, callback, cause).await.unwrap_or_else(|error| {
            if !matches!(error, CommandError::Refused(_)) {
                tracing::error!(%seller, activity = callback.activity().as_str(), %error, "callback not taken up");
            }
            TakenUp { answer: refusal(&error), position: None }
        })
    }

    async fn attempt(
        &self,
        seller: &SellerId,
        door: &SellerDoor,
        callback: &Callback,
        cause: &Cause,
    ) -> Result<TakenUp, CommandError> {
        let instance = |id: &InstanceId| key(seller, LicenseId::Instance(id.clone()));
        let code = |code: &LicenseCode| key(seller, LicenseId::Code(code.clone()));
        match callback {
            Callback::NewInstance { order, .. } => {
                let (id, position) = self.commands.purchase(seller, order.clone(), cause).await?;
                Ok(TakenUp { answer: Answer::new_instance(&id), position })
            }
            Callback::QueryInstance { ids } => {
                let infos = self.infos(seller, door, ids).await?;
                if infos.is_empty() {
                    return Err(Refusal::Unknown.into());
                }
                Ok(TakenUp { answer: Answer::instances(infos), position: None })
            }
            Callback::ChangeInstanceCheck { instance: id, .. } => {
                self.commands.live_license(&instance(id)).await?;
                Ok(TakenUp::success(None))
            }
            Callback::OrderNotify { order } => {
                let command = order::Command::Notify(order.order_line_id.clone());
                Ok(TakenUp::success(self.commands.order(seller, &order.order_id, command, cause).await?.position))
            }
            Callback::RefreshInstance { instance: id, refreshed } => {
                self.on_license(&instance(id), Command::Refresh(refreshed.clone()), cause).await
            }
            Callback::UpgradeInstance { instance: id, upgraded } => {
                self.on_license(&instance(id), Command::Upgrade(upgraded.clone()), cause).await
            }
            Callback::UpdateInstanceStatus { instance: id, status } => {
                self.on_license(&instance(id), status_command(*status), cause).await
            }
            Callback::ReleaseInstance { instance: id, released } => {
                self.on_license(&instance(id), release_command(released), cause).await
            }
            Callback::RefreshLicenseCode { code: id, refreshed } => {
                self.on_license(&code(id), Command::Refresh(refreshed.clone()), cause).await
            }
            Callback::UpdateLicenseCodeStatus { code: id, status } => {
                self.on_license(&code(id), status_command(*status), cause).await
            }
            Callback::ReleaseLicenseCode { code: id, released } => {
                self.on_license(&code(id), release_command(released), cause).await
            }
            Callback::GetLicenseAsync { instance: id, requested } => {
                self.on_application(&instance(id), requested, cause).await
            }
        }
    }

    async fn on_license(&self, key: &LicenseKey, command: Command, cause: &Cause) -> Result<TakenUp, CommandError> {
        let unfreezes = matches!(command, Command::Unfreeze);
        let done = self.commands.license(key, command, cause).await?;
        if unfreezes && done.appended > 0 {
            self.mind_provisional_term(key, done.state.license());
        }
        Ok(TakenUp::success(done.position))
    }

    /// The license itself is uploaded by others. Until then the answer is `000004`, however often it is asked for: asking
    /// again starts nothing, and where uploading was given up, it is tried once more each day.
    async fn on_application(
        &self,
        key: &LicenseKey,
        requested: &LicenseRequested,
        cause: &Cause,
    ) -> Result<TakenUp, CommandError> {
        if requested.expires_at.is_none() && lacks_expiry(&self.commands.read_license(key).await?, requested) {
            let code = ResultCode::ExpiryRequired;
            return Ok(TakenUp { answer: Answer::failure(code, code.message()), position: None });
        }
        let done = self.commands.license(key, Command::RequestLicense(requested.clone()), cause).await?;
        let is_released = done.state.license().is_some_and(|license| license.status == Status::Released);
        let answer = match is_uploaded(&done.state, requested) {
            true => Answer::success(),
            // Whoever asks again after the release would wait for ever.
            false if is_released => return Err(Refusal::Released.into()),
            false => Answer::processing(),
        };
        Ok(TakenUp { answer, position: done.position })
    }

    /// Alerts where the marketplace lifted the freeze of what has expired as far as we know: its refresh is missing.
    fn mind_provisional_term(&self, key: &LicenseKey, license: Option<&License>) {
        if let Some(until) = license.and_then(License::provisional_until) {
            self.metrics.provisional_terms.with_label_values(&[key.seller.as_str()]).inc();
            tracing::warn!(seller = %key.seller, license = %key.id, %until, "unfrozen after its known expiry: valid for a provisional term");
        }
    }

    /// What `queryInstance` answers of those ids that exist.
    async fn infos(
        &self,
        seller: &SellerId,
        door: &SellerDoor,
        ids: &[InstanceId],
    ) -> Result<Vec<InstanceInfo>, CommandError> {
        let reads = ids.iter().map(|id| async move {
            let standing = self.commands.read_license(&key(seller, LicenseId::Instance(id.clone()))).await?;
            Ok::<_, CommandError>(standing.license().map(|license| info(door, id, license)))
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }
}

/// Whether a license for a period is applied for, and nobody said until when: neither the application nor anything
/// before it. What is not known to be for a period is taken on; so is what was taken on before.
fn lacks_expiry(standing: &Standing, requested: &LicenseRequested) -> bool {
    let Standing::Known(history) = standing else { return false };
    let is_for_a_period = || {
        let mut facts = history.orders().filter_map(|order| order.facts);
        facts.any(|facts| facts.charging_mode == ChargingMode::Period)
    };
    history.license.expires_at.is_none() && history.application(&requested.application).is_none() && is_for_a_period()
}

fn is_uploaded(standing: &Standing, requested: &LicenseRequested) -> bool {
    let Standing::Known(history) = standing else { return false };
    history.application(&requested.application).is_some_and(|progress| progress.uploaded)
}

/// What test traffic is answered: like real traffic, for any id, and without a trace in the log. A seller without a
/// secret has no ids of its own yet; a purchase is then answered with the marketplace's own name for it. An application
/// for a license is answered as one that is over: none is made, so none is to be waited for.
pub(crate) async fn echo(ingest: &Ingest, seller: &SellerId, door: &SellerDoor, callback: &Callback) -> Answer {
    match callback {
        Callback::NewInstance { order, business_id } => {
            match ingest.commands.purchase_id(seller, order.clone()).await {
                Ok(Some(id)) => Answer::new_instance(&id),
                Ok(None) => match InstanceId::parse(business_id) {
                    Ok(id) => Answer::new_instance(&id),
                    Err(_) => {
                        Answer::failure(ResultCode::IllegalParameter, "param is invalid: businessId is malformed")
                    }
                },
                Err(error) => refusal(&error),
            }
        }
        Callback::QueryInstance { ids } => Answer::instances(
            ids.iter()
                .map(|id| InstanceInfo { instance_id: id.clone(), app_info: door.app_infos.of_any(id) })
                .collect(),
        ),
        _ => Answer::success(),
    }
}

fn key(seller: &SellerId, id: LicenseId) -> LicenseKey {
    LicenseKey { seller: seller.clone(), id }
}

fn info(door: &SellerDoor, id: &InstanceId, license: &License) -> InstanceInfo {
    InstanceInfo { instance_id: id.clone(), app_info: door.app_infos.of(license.sku.as_ref(), id) }
}

fn status_command(status: FreezeStatus) -> Command {
    match status {
        FreezeStatus::Freeze => Command::Freeze,
        FreezeStatus::Unfreeze => Command::Unfreeze,
    }
}

fn release_command(released: &chopmark_domain::license::Released) -> Command {
    Command::Release { order_id: released.order_id.clone(), order_line_id: released.order_line_id.clone() }
}

/// The result code of a command that did not succeed. Anything uncertain is `000005`: the marketplace calls again, and
/// what was stored meanwhile is found.
fn refusal(error: &CommandError) -> Answer {
    match error {
        CommandError::Refused(refusal) => Answer::failure(code_of(*refusal), &refusal.to_string()),
        _ => Answer::failure(ResultCode::InternalError, "not stored yet, call again"),
    }
}

fn code_of(refusal: Refusal) -> ResultCode {
    match refusal {
        Refusal::Unknown | Refusal::Released | Refusal::Exists | Refusal::OtherKind => ResultCode::UnknownInstance,
        // Software and operators are refused so; no callback is.
        Refusal::NotUsable(_)
        | Refusal::MachineLimit { .. }
        | Refusal::UnknownMachine
        | Refusal::TooManyToday
        | Refusal::DeploymentConflict => ResultCode::InternalError,
    }
}

#[cfg(test)]
mod tests;
