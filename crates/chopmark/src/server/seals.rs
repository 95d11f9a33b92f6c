//! Seals over the log, signed as leases are.

use std::sync::Arc;

use chopmark_domain::seal::{SealClaims, Sealed};
use chopmark_signing::{KeyRing, PublicKeys, seal};
use chopmark_upkeep::Sealer;

/// Seals with the keys that there are at the time: a rotation goes on with the next seal.
pub(crate) struct SignedSeals<K>(pub(crate) K);

impl<K: Fn() -> Arc<KeyRing> + Send + Sync + 'static> Sealer for SignedSeals<K> {
    fn seal(&self, claims: &SealClaims) -> String {
        #[expect(clippy::expect_used, reason = "texts and numbers by name: they serialise")]
        seal(&self.0(), claims).expect("plain data serialises")
    }

    fn knows(&self, sealed: &Sealed) -> bool {
        PublicKeys::from(&*self.0()).verify_seal(&sealed.seal, &sealed.claims).is_ok()
    }
}
