//! Signatures of the callback interface: the marketplace signs its requests, the seller signs its answers.
//! Both are HMAC-SHA256 under the access key, whose characters are used as they are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The signature of a request, carried as hexadecimal of either case in the query parameter `signature`
/// (请求认证说明, zh-cn_topic_0070649248; HTTP Body签名, zh-cn_topic_0070649476).
///
/// `timestamp` takes part exactly as it stands in the query string, `nonce` after percent-decoding. `payload` is the
/// body.
#[must_use]
pub fn request_signature(key: &[u8], nonce: &str, timestamp: &str, payload: &[u8]) -> [u8; 32] {
    let mut payload_hex = [0; 64];
    #[expect(clippy::expect_used, reason = "32 bytes are 64 digits")]
    hex::encode_to_slice(hmac_sha256(key, &[payload]), &mut payload_hex).expect("room for all digits");
    hmac_sha256(key, &[key, nonce.as_bytes(), timestamp.as_bytes(), &payload_hex])
}

/// The value of the header `Body-Sign` for an answer with exactly these bytes
/// (HTTP Body签名, zh-cn_topic_0070649157). The header's name must keep its case on the wire.
#[must_use]
pub fn body_sign_header(key: &[u8], body: &[u8]) -> String {
    let signature = STANDARD.encode(hmac_sha256(key, &[body]));
    format!("sign_type=\"HMAC-SHA256\", signature=\"{signature}\"")
}

/// Whether a `Body-Sign` header signs these bytes. Both published forms are fine: with and without a space after
/// `signature=`.
#[must_use]
pub fn check_body_sign(key: &[u8], body: &[u8], header: &str) -> bool {
    signature_in(header).is_some_and(|signature| signature.ct_eq(&hmac_sha256(key, &[body])).into())
}

/// The signature inside a `Body-Sign` header; `None` where the header is not of its form.
fn signature_in(header: &str) -> Option<Vec<u8>> {
    let rest = header.strip_prefix("sign_type=\"HMAC-SHA256\",")?.trim_start();
    let quoted = rest.strip_prefix("signature=")?.trim_start();
    let text = quoted.strip_prefix('"')?.strip_suffix('"')?;
    STANDARD.decode(text).ok()
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"test-access-key-0001";
    const SUCCESS: &[u8] = br#"{"resultCode":"000000","resultMsg":"success."}"#;

    #[test]
    fn an_answer_is_signed_as_published() {
        let instance =
            br#"{"resultCode":"000000","resultMsg":"success.","instanceId":"87b94795-0603-4e24-8ae5-69420d60e3c8"}"#;
        let vectors: [(&[u8], &[u8], &str); 3] = [
            (KEY, instance, "FGqWJoMsrKVpk6KKmBoxRPhcsFvJmqio1VqsAekCOWU="),
            (KEY, SUCCESS, "MTRk2q83clWO4HHLQUfXiUtDjSMcNYXSL1bfbmtOrjc="),
            (b"TEST-ACCESS-KEY-0001", SUCCESS, "QOeHFZj2Pv2RbT3BgK7dC240BJmZYzFLYN5sgD6+V2s="),
        ];
        for (key, body, signature) in vectors {
            let header = body_sign_header(key, body);
            assert_eq!(header, format!("sign_type=\"HMAC-SHA256\", signature=\"{signature}\""));
            assert!(check_body_sign(key, body, &header));
        }
    }

    #[test]
    fn a_space_after_the_equals_sign_is_fine_and_nothing_else_is() {
        let signature = "MTRk2q83clWO4HHLQUfXiUtDjSMcNYXSL1bfbmtOrjc=";
        let check = |header: String| check_body_sign(KEY, SUCCESS, &header);
        assert!(check(format!("sign_type=\"HMAC-SHA256\", signature= \"{signature}\"")));
        for header in [
            format!("signature=\"{signature}\""),
            format!("sign_type=\"HMAC-SHA1\", signature=\"{signature}\""),
            format!("sign_type=\"HMAC-SHA256\", signature={signature}"),
            format!("sign_type=\"HMAC-SHA256\", signature=\"{}\"", &signature[..20]),
            String::new(),
        ] {
            assert!(!check(header.clone()), "{header}");
        }
        assert!(!check_body_sign(KEY, b"{}", &body_sign_header(KEY, SUCCESS)), "other bytes");
        assert!(!check_body_sign(b"other", SUCCESS, &body_sign_header(KEY, SUCCESS)), "another key");
    }
}
