//! Activating one code (topic 0070649244).

use chopmark_domain::ids::LicenseCode;
use chopmark_domain::license::{CodeState, Command};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_huawei::open_api::{CodeOutcome, ErrorKind, OpenApiError};
use chopmark_log::Position;

use super::failure::Failure;
use super::record::cause;
use super::{Memory, Office};
use crate::marketplace::api;

/// The marketplace took a code back that it had told of.
const GONE: &str = "the marketplace says that the code does not exist";

impl Office {
    /// Activates the code and takes up what the marketplace says of it then: the answer to an activation alone is an
    /// estimate. A code that is active already is as good.
    pub(super) async fn activate(&self, license: &LicenseKey, memory: &Memory) -> Result<Option<Position>, Failure> {
        let LicenseId::Code(code) = &license.id else {
            return Err(Failure::Held("only license codes are activated".into()));
        };
        let place = self.place(&license.seller, memory).await?;
        let activation = place.marketplace.activate_code(code, self.commands.now());
        match self.ask(place, api::CODE_ACTIVATION, activation).await? {
            CodeOutcome::Known { .. } | CodeOutcome::AlreadyActive => self.confirm(license, code, memory).await,
            CodeOutcome::NotReceivedYet => Err(Failure::refused("the buyer has not received the code yet")),
            CodeOutcome::NotExist => Err(Failure::refused(GONE)),
        }
    }

    async fn confirm(
        &self,
        license: &LicenseKey,
        code: &LicenseCode,
        memory: &Memory,
    ) -> Result<Option<Position>, Failure> {
        let place = self.place(&license.seller, memory).await?;
        let question = place.marketplace.query_code(code, self.commands.now());
        let CodeOutcome::Known { answer, kept_json } = self.ask(place, api::CODE_QUERY, question).await? else {
            return Err(Failure::refused(GONE));
        };
        let is_active = answer.state != CodeState::Inactive;
        let cause = cause(api::CODE_QUERY, Some(kept_json));
        let done = self.commands.license(license, Command::ConfirmCode(answer), &cause).await?;
        if is_active {
            return Ok(done.position);
        }
        // It may take the marketplace a moment to see its own change.
        let message = "activated, and the marketplace still calls the code inactive";
        Err(Failure::Untold(OpenApiError::new(ErrorKind::Transient, message)))
    }
}
