//! One period: what it comes to, and its lines.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_billing::report::lines::ShownLine;
use chopmark_billing::report::periods::PeriodView;
use chopmark_domain::access::Role;
use serde::Deserialize;

use super::bills::CATEGORIES;
use super::downloads::Files;
use super::{desk, line_page, page_of, period_page, word};
use crate::console::frame::{Frame, Section, SellerChoice};
use crate::console::links::Link;
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, money, response};
use crate::settlement::desk::{Desk, of_report, period as period_named};
use crate::settlement::lines::asked_by;
use crate::{Query, params};

/// Lines of a page.
const PAGE: &str = "50";
/// The kinds of line and the reasons to wait, as the API names them.
const LINE_TYPES: [&str; 9] =
    ["NEW", "RENEW", "CHANGE", "TRIAL_CONVERT", "USAGE", "PACKAGE", "REFUND", "DOWNGRADE", "ADJUSTMENT"];
const REASONS: [&str; 7] = [
    "NOT_EFFECTIVE",
    "UNPAID_CREDIT",
    "SUPERVISION_OPEN",
    "SELLER_NOT_CERTIFIED",
    "GUARANTEE_OPEN",
    "FACTS_MISSING",
    "RUN_NOT_REACHED",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    seller: String,
    #[serde(rename = "type")]
    line_type: String,
    sku: String,
    order: String,
    reason: String,
    estimated: String,
    recomputed: String,
    cursor: String,
    done: String,
}

impl Asked {
    /// The filters in an address of ours.
    fn narrow(&self, link: Link) -> Link {
        link.with("type", &self.line_type)
            .with("sku", self.sku.trim())
            .with("order", self.order.trim())
            .with("reason", &self.reason)
            .with("estimated", &self.estimated)
            .with("recomputed", &self.recomputed)
    }

    fn is_narrowed(&self) -> bool {
        !self.narrow(Link::to("")).query().is_empty()
    }

    /// The same question to the API.
    fn question(&self) -> Link {
        self.narrowing().with("cursor", &self.cursor).with("limit", PAGE)
    }

    /// The filters, as the API names them.
    fn narrowing(&self) -> Link {
        Link::to("")
            .with("line_type", &self.line_type)
            .with("sku", self.sku.trim())
            .with("order", self.order.trim())
            .with("blocked", &self.reason)
            .with("estimated", &self.estimated)
            .with("recomputed", &self.recomputed)
    }
}

/// A line in the list.
struct Row {
    link: String,
    shown: ShownLine,
}

#[derive(Template)]
#[template(path = "settlement/period.html")]
struct Page {
    frame: Frame,
    choice: SellerChoice,
    asked: Asked,
    /// `None` for lines whose period cannot be said.
    view: Option<PeriodView>,
    name: String,
    here: String,
    overview: String,
    reconciliation: String,
    closing: String,
    bills: String,
    rows: Vec<Row>,
    files: Vec<Files>,
    seller: String,
    more: Option<String>,
    position: String,
}

/// One period; `none` is those lines whose period cannot be said.
pub(crate) async fn show(query: web::Data<Query>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    answered(&query, &request, shown(&query, &request, &path).await)
}

async fn shown(query: &Query, request: &HttpRequest, path: &str) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Finance)?;
    let asked: Asked = params::read(request.query_string())?;
    let desk = desk(query, &visitor, &asked.seller).await?;
    let question = asked.question().with("period", path);
    let lines_asked = asked_by(&desk, question.query())?;
    let lines = desk.billing().lines(&desk.asking(), &lines_asked).await.map_err(|error| of_report(&error))?;
    let view = view_of(&desk, path).await?;
    let here = page_of(&desk.seller, &format!("/settlement/{path}"));
    let more = lines.value.next.as_ref().map(|next| asked.narrow(here.clone()).with("cursor", &hex::encode(next)));
    let frame = Frame::new(request, &visitor, Section::Settlement).with_done(Some(&asked.done));
    let beneath = |what: &str| page_of(&desk.seller, &format!("/settlement/{path}/{what}")).to_string();
    let page = Page {
        choice: SellerChoice::new(query, &visitor, desk.seller.as_str()),
        name: match path {
            "none" => frame.t.without_period.into(),
            path => money::month(period_named(path)?),
        },
        overview: page_of(&desk.seller, "/settlement").to_string(),
        reconciliation: beneath("reconciliation"),
        closing: beneath("close"),
        bills: page_of(&desk.seller, "/bills").with("period", path).to_string(),
        here: here.to_string(),
        more: more.map(|link| link.to_string()),
        files: vec![Files::of(&desk.seller, "lines", &asked.narrowing().with("period", path), frame.t.lines)],
        seller: desk.seller.to_string(),
        position: lines.position.to_string(),
        rows: lines.value.lines.into_iter().map(|shown| row(&desk, shown)).collect(),
        view,
        asked,
        frame,
    };
    Ok(response::page(StatusCode::OK, &page)?)
}

async fn view_of(desk: &Desk<'_>, path: &str) -> Result<Option<PeriodView>, Turned> {
    if path == "none" {
        return Ok(None);
    }
    let read = desk.billing().period(&desk.asking(), period_named(path)?).await;
    Ok(read.map_err(|error| of_report(&error))?.value)
}

fn row(desk: &Desk<'_>, shown: ShownLine) -> Row {
    Row { link: line_page(&desk.seller, &shown.line.line_id), shown }
}

impl Row {
    fn kind(&self, frame: &Frame) -> String {
        frame.word("line-type", &word(&self.shown.line.line_type))
    }

    fn sku(&self) -> &str {
        self.shown.line.sku_code.as_ref().map_or(crate::console::show::DASH, |sku| sku.as_str())
    }

    /// What it waits for, or where it is settled.
    fn state(&self, frame: &Frame) -> String {
        match self.shown.blocked.first() {
            Some(reason) => frame.word("reason", reason.code()),
            None => frame.t.settled.into(),
        }
    }

    fn net(&self) -> String {
        money::or_dash(&self.shown.line.settle_amount.map(|amount| amount.value))
    }

    fn sales(&self) -> String {
        money::or_dash(&self.shown.line.sales_amount.map(|amount| amount.value))
    }

    fn fee(&self) -> String {
        self.shown.columns.map_or_else(|| crate::console::show::DASH.into(), |columns| money::taken(columns.fee))
    }
}

impl Page {
    /// Whether a correction can be put on the period's bill.
    fn takes_adjustments(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.closed_at.is_none())
    }

    /// The period, as forms name it.
    fn code(&self) -> String {
        self.view.as_ref().map(|view| view.period.to_string()).unwrap_or_default()
    }

    /// Where the period's bills are compared, once there is a period.
    fn state(&self) -> String {
        self.view.as_ref().map(|view| word(&view.state)).unwrap_or_default()
    }
}

/// The page of a period, saying what was done.
pub(super) fn after(desk: &Desk<'_>, period: chopmark_domain::settlement::calendar::Period, done: &str) -> String {
    period_page(&desk.seller, period).with("done", done).to_string()
}
