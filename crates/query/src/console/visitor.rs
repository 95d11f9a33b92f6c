//! Who looks at a page.

use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::header;
use chopmark_domain::access::{Grant, Role, TokenStatus};
use chopmark_domain::ids::SellerId;

use super::cookies;
use super::links::Link;
use super::sessions::Session;
use crate::Query;
use crate::caller::Caller;
use crate::problem::Problem;

/// The cookie that names a session.
pub(super) const COOKIE: &str = "chopmark-session";

/// Somebody who is logged in, and whose token is still good and reaches as far as the page wants.
#[derive(Debug)]
pub(super) struct Visitor {
    /// What the token may do.
    pub(super) caller: Caller,
    /// The session.
    pub(super) session: Session,
}

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Turned {
    /// Nobody is logged in: to the login, and from there on to this page.
    ToLogin {
        /// The page that was asked for.
        next: String,
    },
    /// There is no seller to show anything of.
    NothingYet,
    /// A form that is none of the session's pages, or of a session that is over.
    StaleForm,
    /// Something else is wrong.
    Away(Problem),
}

impl From<Problem> for Turned {
    fn from(problem: Problem) -> Self {
        Self::Away(problem)
    }
}

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToLogin { .. } => f.write_str("nobody is logged in"),
            Self::NothingYet => f.write_str("there is no seller"),
            Self::StaleForm => f.write_str("a form of no page of this session"),
            Self::Away(problem) => problem.fmt(f),
        }
    }
}

impl Visitor {
    /// The visitor of a page that wants a role. The token is looked at each time: one that was taken back or has expired
    /// ends the session.
    pub(super) fn of(request: &HttpRequest, query: &Query, needed: Role) -> Result<Self, Turned> {
        query.must_be_ready()?;
        let (session, grant) = logged_in(request, query).ok_or_else(|| Turned::ToLogin { next: page_of(request) })?;
        query.seen.saw_token(&grant.id, query.commands.now());
        Ok(Self { caller: Caller::with(grant, needed)?, session })
    }

    /// The same for a form that was sent: it must carry the session's secret.
    pub(super) fn sending(
        request: &HttpRequest,
        query: &Query,
        needed: Role,
        secret: Option<&str>,
    ) -> Result<Self, Turned> {
        must_be_own_page(request)?;
        let visitor = Self::of(request, query, needed)?;
        if !secret.is_some_and(|secret| visitor.session.form_secret.is(secret)) {
            return Err(Turned::StaleForm);
        }
        Ok(visitor)
    }

    /// Whether the settlement views are open to the visitor.
    pub(super) fn sees_money(&self) -> bool {
        self.caller.role() >= Role::Finance
    }

    /// The sellers that the visitor may see, in the order of their ids.
    pub(super) fn sellers(&self, query: &Query) -> Vec<SellerId> {
        let mut sellers = self.caller.sellers().map_or_else(|| query.index.sellers(), <[SellerId]>::to_vec);
        sellers.sort();
        sellers.dedup();
        sellers
    }

    /// The seller that a page is about: the one named, or else the first.
    pub(super) fn seller(&self, query: &Query, named: &str) -> Result<Option<SellerId>, Problem> {
        let seller = crate::params::given("seller", Some(named), SellerId::parse)?;
        self.caller.must_cover(seller.as_ref())?;
        Ok(seller.or_else(|| self.sellers(query).into_iter().next()))
    }
}

/// The session that a request names, with the token behind it, if that is still good.
pub(super) fn logged_in(request: &HttpRequest, query: &Query) -> Option<(Session, Grant)> {
    let cookie = cookies::read(request, COOKIE)?;
    let now = query.commands.now();
    let session = query.console.sessions.used(cookie, now)?;
    let access = query.index.access();
    let is_its = |grant: &&Grant| grant.id == session.token && grant.hash == session.hash;
    match access.grants().iter().find(is_its) {
        Some(grant) if access.status(grant, now) == TokenStatus::Active => Some((session, grant.clone())),
        _ => {
            query.console.sessions.end(cookie);
            None
        }
    }
}

/// The page to come back to after the login; what was sent in a form is not sent again.
fn page_of(request: &HttpRequest) -> String {
    if request.method().is_safe() {
        Link::to(request.path()).with_query(request.query_string()).to_string()
    } else {
        "/console".into()
    }
}

/// Forms come from pages of ours. Browsers say where a request comes from; who says nothing is no browser.
pub(super) fn must_be_own_page(request: &HttpRequest) -> Result<(), Turned> {
    let said = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_own = match (said("sec-fetch-site"), said(header::ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            origin.split_once("://").is_some_and(|(_, host)| Some(host) == said(header::HOST.as_str()))
        }
        (None, None) => true,
    };
    if is_own { Ok(()) } else { Err(Turned::StaleForm) }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_form_of_another_site_is_refused_whatever_it_carries() {
        let own = |headers: &[(&str, &str)]| {
            let request = headers.iter().fold(TestRequest::post(), |request, header| request.insert_header(*header));
            must_be_own_page(&request.to_http_request()).is_ok()
        };
        let host = ("host", "chopmark.example");
        assert!(own(&[host]));
        assert!(own(&[host, ("sec-fetch-site", "same-origin"), ("origin", "https://chopmark.example")]));
        assert!(own(&[host, ("origin", "https://chopmark.example")]));
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "https://elsewhere.example"),
            ("origin", "https://chopmark.example:8443"),
            ("origin", "null"),
        ] {
            assert!(!own(&[host, (name, value)]), "{name}: {value}");
        }
    }
}
