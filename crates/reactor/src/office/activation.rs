//! Activating one code (topic 0070649244).

use chopmark_commands::CommandError;
use chopmark_domain::ids::LicenseCode;
use chopmark_domain::license::{CodeAnswer, CodeState, Command};
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
    /// Activates the code and takes up what the marketplace says of it then: the expiry in the answer to an activation
    /// is an estimate, and is not put on record. A code that is active already is as good.
    pub(super) async fn activate(&self, license: &LicenseKey, memory: &Memory) -> Result<Option<Position>, Failure> {
        let LicenseId::Code(code) = &license.id else {
            return Err(Failure::Held("only license codes are activated".into()));
        };
        let place = self.place(&license.seller, memory).await?;
        let activation = place.marketplace.activate_code(code, self.commands.now());
        match self.ask(place, api::CODE_ACTIVATION, activation).await? {
            CodeOutcome::Known { answer, kept_json } if answer.order.is_some() => {
                let answer = CodeAnswer { expires_at: None, ..answer };
                let taken_up = self.take_up(license, answer, api::CODE_ACTIVATION, kept_json).await?;
                Ok(self.confirm_if_told(license, code, memory).await.or(taken_up))
            }
            CodeOutcome::Known { .. } | CodeOutcome::AlreadyActive => self.confirm(license, code, memory).await,
            CodeOutcome::NotReceivedYet => Err(Failure::refused("the buyer has not received the code yet")),
            CodeOutcome::NotExist => Err(Failure::refused(GONE)),
        }
    }

    /// The same as [`Self::confirm`] for a code that is on record as active. What is not told now, the question of
    /// another day brings.
    async fn confirm_if_told(&self, license: &LicenseKey, code: &LicenseCode, memory: &Memory) -> Option<Position> {
        self.confirm(license, code, memory).await.unwrap_or_else(|failure| {
            let reason = failure.reason();
            tracing::warn!(seller = %license.seller, %code, reason, "a code is activated, and not told of at once");
            None
        })
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
        if answer.state == CodeState::Inactive {
            // It may take the marketplace a moment to see its own change.
            let message = "activated, and the marketplace still calls the code inactive";
            return Err(Failure::Untold(OpenApiError::new(ErrorKind::Transient, message)));
        }
        Ok(self.take_up(license, answer, api::CODE_QUERY, kept_json).await?)
    }

    async fn take_up(
        &self,
        license: &LicenseKey,
        answer: CodeAnswer,
        api: &str,
        kept_json: String,
    ) -> Result<Option<Position>, CommandError> {
        let command = Command::ConfirmCode(answer);
        Ok(self.commands.license(license, command, &cause(api, Some(kept_json))).await?.position)
    }
}
