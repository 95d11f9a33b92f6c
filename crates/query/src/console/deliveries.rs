//! Deliveries: what is at risk and for how long it can still be saved, dial tests, and what was turned away.

mod shown;

use std::borrow::Borrow;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_domain::access::Role;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use self::shown::{Answer, Risk};
use super::frame::{Frame, Section, SellerChoice};
use super::licenses::read;
use super::links::Link;
use super::texts::Texts;
use super::visitor::{Turned, Visitor};
use super::{answered, response, show};
use crate::{Query, deliveries, params};

/// Deliveries of a page.
const PAGE: &str = "50";

/// Which deliveries are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tab {
    /// All of them.
    #[default]
    All,
    /// The seller's own tests.
    Tests,
    /// Those without a good signature.
    Rejected,
}

impl Tab {
    const ALL: [Self; 3] = [Self::All, Self::Tests, Self::Rejected];

    fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tests => "tests",
            Self::Rejected => "rejected",
        }
    }

    fn name(self, t: &'static Texts) -> &'static str {
        match self {
            Self::All => t.all_deliveries,
            Self::Tests => t.dial_tests,
            Self::Rejected => t.rejected,
        }
    }

    /// What to do where there are none.
    fn nothing(self, t: &'static Texts) -> &'static str {
        match self {
            Self::All => t.no_deliveries_yet,
            Self::Tests => t.no_dial_tests,
            Self::Rejected => t.no_rejected,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    tab: Tab,
    seller: String,
    order: String,
    subject: String,
    cursor: String,
}

impl Asked {
    fn link(&self, tab: impl Borrow<Tab>) -> String {
        self.page(*tab.borrow()).to_string()
    }

    fn page(&self, tab: Tab) -> Link {
        self.narrow(Link::to("/console/deliveries").with("tab", tab.code()))
    }

    fn narrow(&self, link: Link) -> Link {
        link.with("seller", &self.seller).with("order", self.order.trim()).with("subject", self.subject.trim())
    }

    /// The same question to the API.
    fn question(&self) -> Link {
        let narrowed = self.narrow(Link::to(""));
        let of_tab = match self.tab {
            Tab::All => narrowed,
            Tab::Tests => narrowed.with("test", "true"),
            Tab::Rejected => narrowed.with("authenticated", "false"),
        };
        of_tab.with("cursor", &self.cursor).with("limit", PAGE)
    }
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Page<'a> {
    frame: Frame,
    choice: SellerChoice,
    asked: &'a Asked,
    list: &'a Answer,
    risks: &'a [Risk],
    more: Option<String>,
    now: DateTime<Utc>,
}

/// What the marketplace delivered to this node.
pub(super) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    answered(&query, &request, listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Support)?;
    let asked: Asked = params::read(request.query_string())?;
    let (answer, _) = deliveries::written(query, &visitor.caller, asked.question().query()).await?;
    let list: Answer = read(&answer)?;
    let more = list.next_cursor.as_deref();
    let page = Page {
        frame: Frame::new(request, &visitor, Section::Deliveries),
        choice: SellerChoice::new(query, &visitor, &asked.seller),
        more: more.map(|cursor| asked.page(asked.tab).with("cursor", cursor).to_string()),
        risks: &list.at_risk,
        list: &list,
        asked: &asked,
        now: query.commands.now(),
    };
    Ok(response::page(StatusCode::OK, &page)?)
}
