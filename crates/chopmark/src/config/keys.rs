//! What leases are signed with.

use secrecy::SecretString;

use super::reader::Found;
use super::secret;

/// What leases are signed with, and in whose name.
#[derive(Debug)]
pub(crate) struct KeysConfig {
    /// Ed25519 keys, PKCS#8 in PEM; the first one signs. Empty: they are made and kept in the data folder.
    pub(crate) signing: Vec<SecretString>,
    /// The `iss` of leases.
    pub(crate) issuer: String,
}

/// The longest issuer, in characters: every lease carries it.
const ISSUER_MAX: usize = 128;

pub(super) fn read(found: Found<'_>) -> Option<KeysConfig> {
    let mut section = found.section()?;
    // All are read before the first problem ends it.
    let signing = section.optional("signing", signing);
    let issuer = section.required("issuer", "issuer = \"chopmark\"", |found| {
        found.parsed(issuer, "write a name or the address of your license server")
    });
    section.finish();
    Some(KeysConfig { signing: signing?.unwrap_or_default(), issuer: issuer? })
}

fn signing(found: Found<'_>) -> Option<Vec<SecretString>> {
    // No key named would mean that new ones are made, which no program trusts.
    let mend = "name at least one key, or take the line out: then the keys are made and kept in the data folder";
    let keys: Vec<_> = found.some_elements(mend)?.into_iter().map(secret::read).collect();
    keys.into_iter().collect()
}

fn issuer(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=ISSUER_MAX => Ok(text.into()),
        0 => Err("the issuer is empty".into()),
        length => Err(format!("the issuer has {length} characters; at most {ISSUER_MAX} are allowed")),
    }
}
