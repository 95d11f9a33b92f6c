//! Who is asking: a bearer token, its role and its sellers.

use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::header;
use chopmark_domain::access::{Grant, Role};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::SellerId;

use crate::Query;
use crate::problem::{Kind, Problem};

/// Someone with a token that is known and whose role suffices.
#[derive(Debug)]
pub(crate) struct Caller(Grant);

impl Caller {
    /// Reads the token of a request. Tokens are in the index, so it must be ready.
    pub(crate) fn of(request: &HttpRequest, query: &Query, needed: Role) -> Result<Self, Problem> {
        query.must_be_ready()?;
        let grant = granted(request, query).map_err(|problem| {
            // Who tries tokens out is slowed down like everybody who guesses.
            let address = query.limits.client_address(request);
            query.limits.failed(address, Instant::now()).map_or_else(Problem::from, |_| problem)
        })?;
        query.seen.saw_token(&grant.id, query.commands.now());
        Self::with(grant, needed)
    }

    /// Somebody whose token is known, if its role suffices.
    pub(crate) fn with(grant: Grant, needed: Role) -> Result<Self, Problem> {
        if grant.role < needed {
            let detail = "this token's role does not reach so far; ask for one with a higher role";
            return Err(Problem::new(Kind::Forbidden, detail));
        }
        Ok(Self(grant))
    }

    /// Whether a seller is among those of the token.
    pub(crate) fn covers(&self, seller: &SellerId) -> bool {
        self.0.covers(seller)
    }

    /// The only sellers that this caller may see; `None` means all.
    pub(crate) fn sellers(&self) -> Option<&[SellerId]> {
        (!self.0.sellers.is_empty()).then_some(self.0.sellers.as_slice())
    }

    /// Whether a token's sellers are all among those of this caller's. Empty means all of the installation.
    pub(crate) fn reaches_all(&self, sellers: &[SellerId]) -> bool {
        self.0.sellers.is_empty() || (!sellers.is_empty() && sellers.iter().all(|seller| self.covers(seller)))
    }

    /// What the token may do.
    pub(crate) fn role(&self) -> Role {
        self.0.role
    }

    /// The name of the token.
    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// The cause of what this caller brings about.
    pub(crate) fn cause(&self) -> Cause {
        Cause::Operator { actor: self.0.id.clone() }
    }

    /// Asks for one seller's things.
    pub(crate) fn must_cover(&self, seller: Option<&SellerId>) -> Result<(), Problem> {
        match seller {
            Some(seller) if !self.covers(seller) => Err(Problem::new(
                Kind::Forbidden,
                "this token does not reach that seller; leave `seller` out, or ask for a token that does",
            )),
            _ => Ok(()),
        }
    }
}

fn granted(request: &HttpRequest, query: &Query) -> Result<Grant, Problem> {
    let token = bearer(request).ok_or_else(|| {
        Problem::new(Kind::TokenRequired, "send a token of this installation as `Authorization: Bearer <token>`")
    })?;
    query.index.grant(token, query.commands.now()).ok_or_else(|| {
        let detail = "this token is not known here, has expired or was taken back; have a new one made";
        Problem::new(Kind::TokenUnknown, detail)
    })
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use chopmark_domain::access::TokenHash;

    use super::*;

    fn grant(role: Role) -> Grant {
        Grant { id: "t".into(), hash: TokenHash::of("secret"), role, sellers: vec![], expires_at: None }
    }

    #[test]
    fn a_role_does_all_that_lesser_roles_do_and_no_more() {
        let reaches = |role, needed| Caller::with(grant(role), needed).is_ok();
        assert!(reaches(Role::Support, Role::Support));
        assert!(reaches(Role::Admin, Role::Finance));
        assert!(!reaches(Role::Support, Role::Finance));
        let problem = Caller::with(grant(Role::Finance), Role::Admin).unwrap_err();
        assert_eq!(problem.kind(), Kind::Forbidden);
    }

    #[test]
    fn a_token_of_some_sellers_reaches_no_token_of_all() {
        let seller = |id: &str| SellerId::parse(id).unwrap();
        let of = |ids: &[&str]| ids.iter().map(|id| seller(id)).collect::<Vec<_>>();
        let caller = |ids: &[&str]| Caller(Grant { sellers: of(ids), ..grant(Role::Admin) });
        assert!(caller(&[]).reaches_all(&of(&[])) && caller(&[]).reaches_all(&of(&["acme"])));
        assert!(caller(&["acme", "beta"]).reaches_all(&of(&["beta"])));
        assert!(!caller(&["acme"]).reaches_all(&of(&["acme", "beta"])));
        assert!(!caller(&["acme"]).reaches_all(&of(&[])), "no seller named means all");
    }

    #[test]
    fn only_a_bearer_token_is_a_token() {
        let token = |value: &str| {
            let request = TestRequest::default().insert_header((header::AUTHORIZATION, value)).to_http_request();
            bearer(&request).map(str::to_owned)
        };
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer  abc ").as_deref(), Some("abc"));
        for value in ["", "abc", "Basic abc", "Bearer", "Bearer "] {
            assert_eq!(token(value), None, "{value}");
        }
    }
}
