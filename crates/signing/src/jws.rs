//! The form of everything signed here: JWS in compact serialization (RFC 7515, section 7.1) by Ed25519 (RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::key::Key;

/// `typ` of a lease.
pub(crate) const LEASE: &str = "chopmark-lease+jwt";
/// `typ` of a license document.
pub(crate) const LICENSE: &str = "chopmark-license+jwt";
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
pub(crate) fn unsigned(header: &str, payload: &[u8]) -> String {
    let mut text = String::with_capacity(header.len() + payload.len().div_ceil(3) * 4 + SIGNATURE_CHARS);
    text.push_str(header);
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    text
}

/// The whole, with its signature.
pub(crate) fn signed(mut unsigned: String, signature: &[u8; 64]) -> String {
    unsigned.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut unsigned);
    unsigned
}

/// All in one: what a key says of a type.
pub(crate) fn sign(key: &Key, typ: &str, payload: &[u8]) -> String {
    let unsigned = unsigned(&header(key, typ), payload);
    let signature = key.sign(unsigned.as_bytes());
    signed(unsigned, &signature)
}
