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
    let signing: Vec<_> = section.elements("signing").into_iter().map(secret::read).collect();
    let issuer = section.required("issuer", "issuer = \"chopmark\"", |found| {
        found.parsed(issuer, "write a name or the address of your license server")
    });
    section.finish();
    Some(KeysConfig { signing: signing.into_iter().collect::<Option<_>>()?, issuer: issuer? })
}

fn issuer(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=ISSUER_MAX => Ok(text.into()),
        0 => Err("the issuer is empty".into()),
        length => Err(format!("the issuer has {length} characters; at most {ISSUER_MAX} are allowed")),
    }
}
