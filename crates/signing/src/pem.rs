//! Ed25519 keys as PEM: one PKCS#8 block for each, as `openssl genpkey -algorithm ed25519` writes them.

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use secrecy::SecretString;

use crate::key_ring::{KeyError, MAX_KEYS};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// More than a block needs: 48 bytes in base64 between two lines, 119 characters.
const BLOCK_BYTES: usize = 128;

/// The keys of a PEM text, in its order. Whatever stands between the blocks is a remark.
pub(crate) fn read(text: &str) -> Result<Vec<SigningKey>, KeyError> {
    let mut keys = vec![];
    let mut rest = text;
    while let Some((_, found)) = rest.split_once(BEGIN) {
        let number = keys.len() + 1;
        if number > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let (label, body) = found.split_once(DASHES).ok_or(KeyError::Unfinished { number })?;
        let end = format!("-----END {label}-----");
        let (body, after) = body.split_once(&end).ok_or(KeyError::Unfinished { number })?;
        if label != "PRIVATE KEY" {
            return Err(KeyError::Label { number, label: label.chars().take(40).collect() });
        }
        let block = format!("{BEGIN}{label}{DASHES}{body}{end}");
        keys.push(SigningKey::from_pkcs8_pem(&block).map_err(|source| KeyError::Malformed { number, source })?);
        rest = after;
    }
    if keys.is_empty() { Err(KeyError::Empty) } else { Ok(keys) }
}

/// The same keys as PEM. Only secret parts are written (PKCS#8 version 1), which every OpenSSL reads.
#[expect(clippy::expect_used, reason = "32 bytes always fit into a PKCS#8 block")]
pub(crate) fn write<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> SecretString {
    let mut text = String::with_capacity(MAX_KEYS * BLOCK_BYTES);
    for key in keys {
        let block = KeypairBytes { secret_key: key.to_bytes(), public_key: None };
        text.push_str(&block.to_pkcs8_pem(LineEnding::LF).expect("a PKCS#8 block"));
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// Made by `openssl genpkey -algorithm ed25519`, with the secret of RFC 8410, section 10.3.
    const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_is_written_as_openssl_writes_it() {
        let keys = read(OPENSSL).unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(write(&keys).expose_secret(), OPENSSL);
    }

    #[test]
    fn remarks_and_line_ends_of_another_system_do_not_matter() {
        let text = format!("# signs since May\n{OPENSSL}\nnext:\n{OPENSSL}").replace('\n', "\r\n");
        assert_eq!(read(&text).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_place() {
        let complaint = |text: &str| read(text).unwrap_err().to_string();
        assert!(complaint("").contains("no key"));
        assert!(complaint("-----BEGIN PRIVATE KEY").contains("block 1"));
        assert!(complaint(&format!("{OPENSSL}-----BEGIN PRIVATE KEY-----\nMC4C")).contains("block 2"));
        assert!(complaint(&OPENSSL.replace("PRIVATE", "EC PRIVATE")).contains("EC PRIVATE KEY"));
        assert!(complaint(&OPENSSL.replace("MC4C", "MC5C")).contains("block 1"));
        // X25519 (RFC 8410): of the same length, for another use.
        assert!(complaint(&OPENSSL.replace("YDK2Vw", "YDK2Vu")).contains("block 1"));
        assert!(matches!(read(&OPENSSL.repeat(MAX_KEYS + 1)), Err(KeyError::TooMany)));
    }
}
