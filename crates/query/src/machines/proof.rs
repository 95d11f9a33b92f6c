//! Who may give a machine's seat up: the machine, by its lease, or somebody with a token.

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderName};
use chopmark_domain::access::Role;
use chopmark_domain::ids::{Fingerprint, SellerId};
use chopmark_signing::PresentedLease;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::Query;
use crate::caller::Caller;
use crate::params;
use crate::problem::{Kind, Problem};

/// The header in which a machine shows its lease.
const LEASE_HEADER: HeaderName = HeaderName::from_static("chopmark-lease");

/// What was shown.
#[derive(Debug)]
pub(super) enum Proof {
    /// A lease of this very machine of this very license.
    Lease(PresentedLease),
    /// A token whose role suffices. Which licenses it reaches is not looked at yet.
    Token(Caller),
}

/// The machine that is to be freed, as the path names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) seller: Option<&'a SellerId>,
    pub(super) license: &'a str,
    pub(super) machine: &'a Fingerprint,
}

/// Reads what was shown. No license is looked up for this, so whoever shows nothing that holds learns nothing of any,
/// not by timing either.
pub(super) fn proof(
    request: &HttpRequest,
    in_parameter: Option<&str>,
    body: &[u8],
    query: &Query,
    named: Named<'_>,
    now: DateTime<Utc>,
) -> Result<Proof, Problem> {
    let in_body = lease_in(body)?;
    let Some(lease) = lease_header(request).or(in_parameter).or(in_body.as_deref()) else {
        return by_token(request, query);
    };
    let lease = query
        .leases
        .keys()
        .verify_lease(lease, now)
        .map_err(|error| Problem::new(Kind::LeaseRefused, format!("the lease proves nothing: {error}")))?;
    if !is_of(&lease, named) {
        let detail = "the lease is not that of this machine for this license; show the one of its own last check";
        return Err(Problem::new(Kind::LeaseRefused, detail));
    }
    Ok(Proof::Lease(lease))
}

fn by_token(request: &HttpRequest, query: &Query) -> Result<Proof, Problem> {
    if request.headers().contains_key(AUTHORIZATION) {
        return Ok(Proof::Token(Caller::of(request, query, Role::Support)?));
    }
    let detail = "show the machine's current lease as `Chopmark-Lease: <lease>`, or a token as `Authorization: Bearer \
                  <token>`";
    Err(Problem::new(Kind::TokenRequired, detail))
}

fn is_of(lease: &PresentedLease, named: Named<'_>) -> bool {
    let is_sellers = named.seller.is_none_or(|seller| seller.as_str() == lease.seller);
    let is_machines = lease.machine.as_deref() == Some(named.machine.as_str());
    is_sellers && is_machines && lease.license == named.license
}

/// `Chopmark-Lease: <lease>`, or one in `Authorization` where only usual headers pass: as `Lease <lease>`, as `Bearer
/// <lease>`, or bare. A token is no lease, and looks like none.
fn lease_header(request: &HttpRequest) -> Option<&str> {
    let text = |name| request.headers().get(name)?.to_str().ok().map(str::trim);
    let own = text(LEASE_HEADER).filter(|lease| !lease.is_empty());
    own.or_else(|| match text(AUTHORIZATION)?.split_once(' ') {
        Some((scheme, lease)) if scheme.eq_ignore_ascii_case("lease") => Some(lease.trim()),
        Some((scheme, lease)) if scheme.eq_ignore_ascii_case("bearer") => Some(lease.trim()).filter(looks_like_one),
        Some(_) => None,
        None => text(AUTHORIZATION).filter(looks_like_one),
    })
    .filter(|lease| !lease.is_empty())
}

/// Whether a text is in three parts like a compact JWS (RFC 7515). Tokens of this installation have no dots.
fn looks_like_one(text: &&str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes().filter(|byte| *byte == b'.').count() == 2 && text.bytes().all(allowed)
}

/// `{"lease": "<lease>"}`, or the lease as it is; the body may be absent.
fn lease_in(body: &[u8]) -> Result<Option<String>, Problem> {
    #[derive(Deserialize)]
    struct Shown {
        lease: Option<String>,
    }
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    if body.trim_ascii().is_empty() || text == "null" {
        return Ok(None);
    }
    let bare = text.trim_matches('"');
    if looks_like_one(&bare) {
        return Ok(Some(bare.to_owned()));
    }
    let Shown { lease } = params::object(body)?;
    Ok(lease.filter(|lease| !lease.is_empty()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_lease_is_found_wherever_it_may_stand() {
        let found = |name: &str, value: &str| {
            let request = TestRequest::default().insert_header((name, value)).to_http_request();
            lease_header(&request).map(str::to_owned)
        };
        assert_eq!(found("Chopmark-Lease", " a.b.c ").as_deref(), Some("a.b.c"));
        assert_eq!(found("Authorization", "Lease a.b.c").as_deref(), Some("a.b.c"));
        assert_eq!(found("Authorization", "lease a.b.c").as_deref(), Some("a.b.c"));
        assert_eq!(found("Authorization", "Bearer a.b.c").as_deref(), Some("a.b.c"));
        assert_eq!(found("Authorization", "a.b.c").as_deref(), Some("a.b.c"));
        for (name, value) in [
            ("Chopmark-Lease", ""),
            ("Authorization", "Lease "),
            ("Authorization", "Bearer cmk_0123"),
            ("Authorization", "Bearer a.b"),
            ("Authorization", "cmk_0123"),
            ("Authorization", "Basic a.b.c"),
        ] {
            assert_eq!(found(name, value), None, "{name}: {value}");
        }
        for body in [r#"{"lease":"a.b.c","later":1}"#, "a.b.c", " a.b.c\n", r#""a.b.c""#] {
            assert_eq!(lease_in(body.as_bytes()).unwrap().as_deref(), Some("a.b.c"), "{body}");
        }
        for body in ["", " ", "{}", "null"] {
            assert_eq!(lease_in(body.as_bytes()).unwrap(), None, "{body}");
        }
        for body in ["[]", r#"{"lease":7}"#, "a.b", "\u{e9}.b.c"] {
            assert!(lease_in(body.as_bytes()).is_err(), "{body}");
        }
        assert!(lease_in(&[0xff, b'.', b'.']).is_err());
    }

    #[test]
    fn a_lease_proves_its_own_machine_and_no_other() {
        let lease = |license: &str, machine: Option<&str>| PresentedLease {
            license: license.into(),
            seller: "acme".into(),
            machine: machine.map(Into::into),
            deployment: None,
            expires_at: Utc::now(),
        };
        let (acme, beta) = (SellerId::parse("acme").unwrap(), SellerId::parse("beta").unwrap());
        let machine = Fingerprint::parse("m1").unwrap();
        let named = Named { seller: None, license: "L1", machine: &machine };
        assert!(is_of(&lease("L1", Some("m1")), named));
        assert!(is_of(&lease("L1", Some("m1")), Named { seller: Some(&acme), ..named }));
        assert!(!is_of(&lease("L1", Some("m1")), Named { seller: Some(&beta), ..named }));
        assert!(!is_of(&lease("L1", Some("m2")), named));
        assert!(!is_of(&lease("L2", Some("m1")), named));
        assert!(!is_of(&lease("L1", None), named), "a lease of no machine frees none");
    }
}
