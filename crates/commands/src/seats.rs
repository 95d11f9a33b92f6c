//! Commands about machines.

use std::sync::Arc;

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::Fingerprint;
use chopmark_domain::license::{Command, Request, SeatRequest, Standing, decide};
use chopmark_domain::stream::{LicenseKey, Stream};

use crate::error::CommandError;
use crate::transact::Guess;
use crate::{Commands, Done};

impl Commands {
    /// A seat for a machine. However many ask at once, no more get one than there are. `a_day` bounds the activations
    /// of one license within 24 hours; twice its seats are taken at least.
    ///
    /// # Errors
    /// [`CommandError::Refused`] where the license cannot be used or has no seat left.
    pub async fn activate_machine(
        &self,
        key: &LicenseKey,
        fingerprint: Fingerprint,
        name: Option<String>,
        a_day: u32,
        cause: &Cause,
    ) -> Result<Done<Standing>, CommandError> {
        let now = self.now();
        let catalog = self.catalog(&key.seller).await?;
        let terms_of = |standing: &Standing| -> Option<Arc<ProductTerms>> {
            let dated = catalog.terms_at(standing.license()?.sku.as_ref()?, now)?;
            Some(Arc::new(dated.terms.clone()))
        };
        let stream = Stream::License(key.clone());
        let decided = self
            .transact(&stream, Guess::Unknown, cause, |standing: &Standing| {
                let request = SeatRequest {
                    fingerprint: fingerprint.clone(),
                    name: name.clone(),
                    terms: terms_of(standing),
                    a_day,
                };
                let command = Command::ActivateMachine(request);
                Ok(decide(&key.id, standing, command, Request { now, signature: None })?)
            })
            .await?;
        Ok(decided.into())
    }
}
