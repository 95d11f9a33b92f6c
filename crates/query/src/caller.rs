//! Who is asking: a bearer token, its role and its sellers.

use actix_web::HttpRequest;
use actix_web::http::header;
use chopmark_domain::access::{Grant, Role};
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
        let token = bearer(request).ok_or_else(|| {
            Problem::new(Kind::TokenRequired, "send a token of this installation as `Authorization: Bearer <token>`")
        })?;
        let grant = query.index.grant(token).ok_or_else(|| {
            Problem::new(Kind::TokenUnknown, "this token is not known here; check it, or have a new one made")
        })?;
        Self::with(grant, needed)
    }

    fn with(grant: Grant, needed: Role) -> Result<Self, Problem> {
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
        Grant { id: "t".into(), hash: TokenHash::of("secret"), role, sellers: vec![] }
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
