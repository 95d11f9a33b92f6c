//! Status requests that were answered and changed nothing, remembered so that they change nothing later either.
//!
//! A process alone remembers them [itself](crate::answered), until the license's next event takes the memory along. Of
//! several processes none knows what another answered; there they are put on record before they are answered.

use chopmark_domain::cause::{Cause, RequestSignature};
use chopmark_domain::license::Standing;
use chopmark_domain::requests::Requests;
use chopmark_domain::stream::{LicenseKey, Stream};
use chopmark_log::StreamName;
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::error::CommandError;
use crate::transact::Guess;

/// A request to freeze or unfreeze a license.
pub(crate) struct StatusRequest<'a> {
    pub(crate) key: &'a LicenseKey,
    pub(crate) stream: &'a StreamName,
    pub(crate) signature: RequestSignature,
    pub(crate) now: DateTime<Utc>,
}

impl Commands {
    /// Whether this very request was answered before and changed nothing.
    pub(crate) async fn was_answered(&self, request: &StatusRequest<'_>) -> Result<bool, CommandError> {
        let StatusRequest { key, stream, signature, now } = request;
        if !self.is_among_others {
            return Ok(self.answered.contains(stream, *signature, *now));
        }
        let requests: Requests = self.read(&Stream::Requests((*key).clone())).await?;
        Ok(requests.contains(*signature, *now))
    }

    /// Remembers that it changed nothing, unless the license itself remembers it.
    pub(crate) async fn remember(
        &self,
        request: &StatusRequest<'_>,
        standing: &Standing,
        cause: &Cause,
    ) -> Result<(), CommandError> {
        let StatusRequest { key, stream, signature, now } = request;
        if !self.is_among_others {
            self.answered.remember(stream, *signature, *now);
            return Ok(());
        }
        if matches!(standing, Standing::Known(history) if history.has_answered(*signature, *now)) {
            return Ok(());
        }
        let answer = |requests: &Requests| Ok(requests.answer(*signature, *now));
        self.transact(&Stream::Requests((*key).clone()), Guess::Unknown, cause, answer).await.map(drop)
    }
}
