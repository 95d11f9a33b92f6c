//! The form of everything signed here: JWS in compact serialization (RFC 7515, section 7.1) by Ed25519 (RFC 8037).

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{NO_PAD, URL_SAFE_NO_PAD};

use crate::key::Key;

/// base64url without padding, by the widest instructions that this processor has: most of a lease is written by it.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64URL: LazyLock<base64::engine::Simd> = LazyLock::new(|| base64::engine::Simd::url_safe(NO_PAD));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static BASE64URL: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

/// `typ` of a lease.
pub(crate) const LEASE: &str = "chopmark-lease+jwt";
/// `typ` of a license document.
pub(crate) const LICENSE: &str = "chopmark-license+jwt";
/// `typ` of a seal over the log.
pub(crate) const SEAL: &str = "chopmark-seal+jwt";
/// `typ` of a key's word for another key.
pub(crate) const ENDORSEMENT: &str = "chopmark-key+jwt";

/// Characters of a signature with the dot before it.
const SIGNATURE_CHARS: usize = 1 + 86;

/// The first part of what a key signs, its dot included. Only the payload differs from one to the next.
pub(crate) fn header(key: &Key, typ: &str) -> String {
    let json = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{typ}"}}"#, key.kid());
    let mut header = URL_SAFE_NO_PAD.encode(json);
    header.push('.');
    header
}

/// Header and payload: what is signed.
pub(crate) fn unsigned(header: &str, payload: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(header.len() + chars(payload.len()) + SIGNATURE_CHARS);
    text.extend_from_slice(header.as_bytes());
    push(&mut text, payload);
    text
}

/// The whole, with its signature.
pub(crate) fn signed(mut unsigned: Vec<u8>, signature: &[u8; 64]) -> String {
    unsigned.push(b'.');
    push(&mut unsigned, signature);
    #[expect(clippy::expect_used, reason = "letters, digits, `-`, `_` and dots")]
    String::from_utf8(unsigned).expect("base64url")
}

/// Adds bytes in base64url.
pub(crate) fn push(text: &mut Vec<u8>, bytes: &[u8]) {
    let begin = text.len();
    text.resize(begin + chars(bytes.len()), 0);
    #[expect(clippy::expect_used, reason = "there is room for just as many characters")]
    BASE64URL.encode_slice(bytes, &mut text[begin..]).expect("room");
}

/// Characters of so many bytes in base64url.
fn chars(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// All in one: what a key says of a type.
pub(crate) fn sign(key: &Key, typ: &str, payload: &[u8]) -> String {
    let unsigned = unsigned(&header(key, typ), payload);
    let signature = key.sign(&unsigned);
    signed(unsigned, &signature)
}
