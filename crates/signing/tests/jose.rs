//! What is signed here is read by an independent JOSE library (`jsonwebtoken`) over independent cryptography (`ring`),
//! with nothing but the published keys.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that meets the unexpected fails")]

use std::sync::Once;

use chopmark_signing::{
    DocumentClaims, Holder, IssuerSettings, KeyRing, LeaseIssuer, LeaseRequest, SigningMetrics, Term, license_document,
};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header};
use serde_json::{Value, json};

/// Ed25519 by `ring`, in the place that `jsonwebtoken` has for it.
struct ByRing(Vec<u8>);

impl Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &self.0);
        key.verify(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |_, key| Ok(Box::new(ByRing(key.try_get_as_bytes()?.to_vec()))),
    key_utils: KeyUtils::new_unimplemented(),
};

fn verify(jws: &str, key: &Jwk, validation: &Validation) -> Result<TokenData<Value>, Error> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| PROVIDER.install_default().expect("the first provider"));
    decode(jws, &DecodingKey::from_jwk(key)?, validation)
}

/// The key that a JWS names, from a published set.
fn named<'a>(jws: &str, set: &'a JwkSet) -> &'a Jwk {
    set.find(&decode_header(jws).unwrap().kid.unwrap()).expect("a published key")
}

fn published(keys: &KeyRing) -> JwkSet {
    serde_json::from_value(serde_json::to_value(keys.jwks()).unwrap()).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::generate([[1; 32], [2; 32]]).unwrap()
}

fn issuer(keys: KeyRing) -> LeaseIssuer {
    let settings = IssuerSettings { name: "chopmark".into(), cached_leases: 100 };
    LeaseIssuer::new(keys, settings, [9; 16], SigningMetrics::unregistered())
}

fn request(entitlements: &Value, now: DateTime<Utc>) -> LeaseRequest<'_, Value> {
    LeaseRequest {
        seller: "acme",
        license: "10e758d0-31ad-4c4b-8f1b-81d03469a10e",
        product: Some("a63ee5c9-0000"),
        holder: Some(Holder::Machine("build-7")),
        entitlements: Some(entitlements),
        term: Term {
            lease_seconds: 86_400,
            offline_grace_seconds: 604_800,
            not_beyond: Some(now + TimeDelta::days(30)),
            facts_pending: false,
        },
    }
}

/// What software that checks a lease asks for.
fn for_lease() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&["chopmark"]);
    validation.set_audience(&["a63ee5c9-0000"]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "sub", "aud"]);
    validation.sub = Some("10e758d0-31ad-4c4b-8f1b-81d03469a10e".into());
    validation.validate_nbf = true;
    validation
}

#[test]
fn a_lease_is_an_ordinary_jwt_with_exactly_the_claims_of_a_lease() {
    let issuer = issuer(ring());
    let now = Utc::now();
    let entitlements = json!({"reports": true, "users": 20, "greeting": "\"你好\"\n"});
    let jws = issuer.issue(&request(&entitlements, now), now).unwrap().jws;
    let set: JwkSet = serde_json::from_slice(&issuer.jwks_json()).unwrap();

    let TokenData { header, claims, .. } = verify(&jws, named(&jws, &set), &for_lease()).unwrap();
    assert_eq!(header.typ.as_deref(), Some("chopmark-lease+jwt"));
    assert_eq!(header.kid.as_deref(), Some(issuer.keys().signing().kid().as_str()));
    let iat = now.timestamp();
    let expected = json!({
        "iss": "chopmark", "sub": "10e758d0-31ad-4c4b-8f1b-81d03469a10e", "aud": "a63ee5c9-0000", "seller": "acme",
        "machine": "build-7", "entitlements": entitlements, "iat": iat, "nbf": iat, "renew_by": iat + 86_400,
        "exp": iat + 691_200, "jti": claims["jti"],
    });
    assert_eq!(claims, expected);
    assert_eq!(claims["jti"].as_str().map(str::len), Some(22));
}

#[test]
fn what_is_not_known_is_absent() {
    let now = Utc::now();
    let request = LeaseRequest::<Value> {
        product: None,
        holder: Some(Holder::Deployment("b7a1")),
        entitlements: None,
        ..request(&Value::Null, now)
    };
    let keys = ring();
    let set = published(&keys);
    let jws = issuer(keys).issue(&request, now).unwrap().jws;
    let mut validation = for_lease();
    validation.aud = None;
    validation.set_required_spec_claims(&["exp"]);
    let claims = verify(&jws, named(&jws, &set), &validation).unwrap().claims;
    let names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["iss", "sub", "seller", "deployment", "iat", "nbf", "renew_by", "exp", "jti"]);
}

#[test]
fn another_key_another_product_or_another_word_is_refused_by_the_library_too() {
    let keys = ring();
    let set = published(&keys);
    let now = Utc::now();
    let entitlements = json!({});
    let jws = issuer(keys).issue(&request(&entitlements, now), now).unwrap().jws;
    let (signing, next) = (&set.keys[0], &set.keys[1]);
    assert!(verify(&jws, signing, &for_lease()).is_ok());
    assert!(verify(&jws, next, &for_lease()).is_err());
    let mut other_product = for_lease();
    other_product.set_audience(&["another"]);
    assert!(verify(&jws, signing, &other_product).is_err());
    let (signed, signature) = jws.rsplit_once('.').unwrap();
    assert!(verify(&format!("{signed}A.{signature}"), signing, &for_lease()).is_err());
}

#[test]
fn leases_of_the_former_key_are_verified_with_the_keys_published_after_a_rotation() {
    let issuer = issuer(ring());
    let now = Utc::now();
    let entitlements = json!({});
    let former = issuer.issue(&request(&entitlements, now), now).unwrap();
    issuer.replace_keys(ring().rotate([3; 32]).unwrap());
    let set: JwkSet = serde_json::from_slice(&issuer.jwks_json()).unwrap();
    let next = issuer.issue(&request(&entitlements, now), now).unwrap();

    assert!(next.fresh, "a new key signs anew");
    for lease in [&former, &next] {
        assert!(verify(&lease.jws, named(&lease.jws, &set), &for_lease()).is_ok());
        assert!(issuer.keys().verify_lease(&lease.jws, now).is_ok());
    }
    assert_eq!(decode_header(&next.jws).unwrap().kid.as_deref(), set.keys[0].common.key_id.as_deref());
    assert_ne!(decode_header(&former.jws).unwrap().kid, decode_header(&next.jws).unwrap().kid);
}

/// Trusts a key and, through endorsements alone, the keys that it leads to.
fn trusted_from(root: &str, keys: &KeyRing) -> Vec<String> {
    let set = published(keys);
    let endorsements = keys.jwks().keys.into_iter().flat_map(|key| key.endorsements);
    let mut plain = Validation::new(Algorithm::EdDSA);
    plain.set_required_spec_claims::<&str>(&[]);
    plain.validate_exp = false;
    let mut trusted = vec![root.to_owned()];
    for endorsement in endorsements {
        let header = decode_header(&endorsement).unwrap();
        assert_eq!(header.typ.as_deref(), Some("chopmark-key+jwt"));
        let endorser = named(&endorsement, &set);
        let said = verify(&endorsement, endorser, &plain).unwrap().claims;
        if endorser.common.key_id.as_deref() == Some(root) {
            trusted.push(said["kid"].as_str().unwrap().to_owned());
        }
    }
    trusted.sort_unstable();
    trusted
}

#[test]
fn whoever_trusts_the_first_key_is_led_to_the_third() {
    let root = ring().signing().kid().to_string();
    let after_two_rotations = ring().rotate([3; 32]).unwrap().rotate([4; 32]).unwrap();
    let mut all: Vec<_> = after_two_rotations.keys().map(|key| key.kid().to_string()).collect();
    assert_eq!(all.len(), 4);
    all.sort_unstable();
    assert_eq!(trusted_from(&root, &after_two_rotations), all);
}

#[test]
fn the_published_document_is_always_the_same() {
    let text = serde_json::to_string(&ring().jwks()).unwrap();
    assert_eq!(text, serde_json::to_string(&ring().jwks()).unwrap());
    assert!(text.starts_with(r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":""#), "{text}");
    assert_eq!(ring().jwks().keys.iter().map(|key| key.endorsements.len()).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn a_license_document_says_what_was_bought_and_for_which_machine() {
    let begins = Utc::now() - TimeDelta::days(1);
    let entitlements = json!({"users": 5});
    let document = |fingerprint, expires_at| {
        let claims = DocumentClaims {
            issuer: "chopmark",
            license: "CS1-1",
            product: Some("sku-1"),
            seller: "acme",
            event_id: "e-1",
            fingerprint,
            not_before: begins,
            expires_at,
            entitlements: Some(&entitlements),
        };
        license_document(&ring(), &claims).unwrap()
    };
    let ends = begins + TimeDelta::days(365);
    let jws = document(Some("0A:1B"), Some(ends));
    assert_eq!(jws, document(Some("0A:1B"), Some(ends)), "the same again is the same document");

    let mut validation = for_lease();
    validation.set_audience(&["sku-1"]);
    validation.sub = Some("CS1-1".into());
    let set = published(&ring());
    let TokenData { header, claims, .. } = verify(&jws, named(&jws, &set), &validation).unwrap();
    assert_eq!(header.typ.as_deref(), Some("chopmark-license+jwt"));
    let expected = json!({
        "iss": "chopmark", "sub": "CS1-1", "aud": "sku-1", "seller": "acme", "event_id": "e-1", "fingerprint": "0A:1B",
        "entitlements": {"users": 5}, "iat": begins.timestamp(), "nbf": begins.timestamp(), "exp": ends.timestamp(),
    });
    assert_eq!(claims, expected);

    validation.set_required_spec_claims(&["sub"]);
    let claims = |jws: String| verify(&jws, named(&jws, &set), &validation).unwrap().claims;
    let unbound = claims(document(None, None));
    assert!(["exp", "fingerprint", "fingerprint_sha256"].iter().all(|name| unbound.get(name).is_none()));
    let (short, long) = ("界".repeat(128), "界".repeat(129));
    assert_eq!(claims(document(Some(&short), None))["fingerprint"], short);
    let hashed = claims(document(Some(&long), None));
    assert_eq!(hashed["fingerprint_sha256"], "953d0e14d2a29f978821774e47fd275698fbdc19964a2e3d92652a505d30b077");
    assert!(hashed.get("fingerprint").is_none());
    assert!(claims(document(Some("line\nbreak"), None)).get("fingerprint").is_none());
}
