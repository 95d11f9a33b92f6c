//! The bills of a period against its lines: the differences first, and what somebody makes of them.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_billing::report::reconciliation::{BillCompared, ReconciliationAsked, ShownPair, WithoutBill};
use chopmark_domain::access::Role;
use chopmark_domain::settlement::reconciliation::Tolerance;
use serde::Deserialize;
use serde_json::{Value, json};

use super::downloads::Files;
use super::{desk, line_page, page_of, period_page};
use crate::console::forms::{self, Form};
use crate::console::frame::{Frame, Section};
use crate::console::links::Link;
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, money, response};
use crate::problem::Problem;
use crate::settlement::desk::{of_report, period as period_named};
use crate::settlement::reconciliation::record_judgement;
use crate::{Query, params};

/// Pairs of a page.
const PAGE: usize = 25;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    seller: String,
    /// `all`: what matches too.
    pairs: String,
    from: usize,
    done: String,
}

/// Lines and rows that belong together.
struct Pair {
    number: usize,
    shown: ShownPair,
    /// Each line with its page.
    lines: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "settlement/reconciliation.html")]
struct Page {
    frame: Frame,
    name: String,
    seller: String,
    here: String,
    overview: String,
    period: String,
    import: String,
    only_differences: String,
    all: String,
    shows_all: bool,
    bills_compared: Vec<BillCompared>,
    without_bill: Vec<WithoutBill>,
    pairs: Vec<Pair>,
    files: Vec<Files>,
    more: Option<String>,
    position: String,
}

/// The comparison.
pub(crate) async fn show(query: web::Data<Query>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    answered(&query, &request, shown(&query, &request, &path).await)
}

async fn shown(query: &Query, request: &HttpRequest, path: &str) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Finance)?;
    let asked: Asked = params::read(request.query_string())?;
    let desk = desk(query, &visitor, &asked.seller).await?;
    let period = period_named(path)?;
    let question = ReconciliationAsked { period, category: None, tolerance: Tolerance::default() };
    let _place = desk.place().await?;
    let compared = desk.billing().reconciliation(&desk.asking(), question).await.map_err(|error| of_report(&error))?;
    let shows_all = asked.pairs == "all";
    let page = compared.page(asked.from, PAGE, !shows_all);
    let only_differences = page_of(&desk.seller, &format!("/settlement/{period}/reconciliation"));
    let all = only_differences.clone().with("pairs", "all");
    let this = if shows_all { &all } else { &only_differences };
    let pairs = page.pairs.into_iter().enumerate().map(|(number, shown)| {
        let lines = shown.lines.iter().map(|line| (line.line_id.clone(), line_page(&desk.seller, &line.line_id)));
        Pair { number, lines: lines.collect(), shown }
    });
    let frame = Frame::new(request, &visitor, Section::Settlement).with_done(Some(&asked.done));
    let which = Link::to("").with("period", &period.to_string()).with("pairs", if shows_all { "all" } else { "" });
    let page = Page {
        files: vec![Files::of(&desk.seller, "reconciliation", &which, frame.t.reconciliation)],
        frame,
        name: money::month(period),
        seller: desk.seller.to_string(),
        here: format!("/console/settlement/{period}/reconciliation"),
        overview: page_of(&desk.seller, "/settlement").to_string(),
        period: period_page(&desk.seller, period).to_string(),
        import: page_of(&desk.seller, "/bills").with("period", path).to_string(),
        more: page.next.map(|next| this.clone().with("from", &next.to_string()).to_string()),
        pairs: pairs.collect(),
        only_differences: only_differences.to_string(),
        all: all.to_string(),
        shows_all,
        bills_compared: compared.bills(),
        position: compared.position.to_string(),
        without_bill: compared.without_bill,
    };
    Ok(response::page(StatusCode::OK, &page)?)
}

impl Pair {
    fn key_value(&self) -> Value {
        serde_json::to_value(&self.shown.key).unwrap_or_default()
    }

    /// What names it, for people.
    fn id(&self) -> String {
        self.key_value()["id"].as_str().unwrap_or_default().to_owned()
    }

    /// What names it, for the form.
    fn key(&self) -> String {
        self.key_value().to_string()
    }

    /// The product, as the bill calls it.
    fn product(&self) -> &str {
        self.shown.rows.iter().find_map(|row| row.product_name.as_deref()).unwrap_or_default()
    }
}

/// Accepts or disputes a difference.
pub(crate) async fn judge(
    query: web::Data<Query>,
    request: HttpRequest,
    path: web::Path<String>,
    payload: Payload,
) -> HttpResponse {
    let judged = judged(&query, &request, &path, payload).await;
    answered(&query, &request, judged)
}

async fn judged(query: &Query, request: &HttpRequest, path: &str, payload: Payload) -> Result<HttpResponse, Turned> {
    let form = Form::read(payload).await?;
    let visitor = Visitor::sending(request, query, Role::Finance, form.field(forms::SECRET))?;
    let desk = desk(query, &visitor, form.field("seller").unwrap_or_default()).await?;
    let field = |name: &str| form.field(name).unwrap_or_default();
    let key: Value = serde_json::from_str(field("key")).map_err(|_| Problem::malformed("`key` is none of the page"))?;
    let said = json!({
        "category": field("category"), "key": key, "currency": field("currency"), "judgement": field("judgement"),
        "note": field("note").trim(), "difference": form.field("difference"),
    });
    // The form says what a program would send, and is read as that is.
    record_judgement(query, &desk, period_named(path)?, params::object(said.to_string().as_bytes())?).await?;
    let done = if field("judgement") == "ACCEPTED" { "accepted" } else { "disputed" };
    let next = page_of(&desk.seller, &format!("/settlement/{path}/reconciliation")).with("done", done);
    Ok(response::see_other(&next.to_string(), &[]))
}
