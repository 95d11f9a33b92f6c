//! One line: from gross to net, step by step, what it waits for, and the events behind it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_billing::report::lines::ExplainedLine;
use chopmark_domain::access::Role;
use chopmark_domain::settlement::marked::{Mark, Marked};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::facts::MOMENTS;
use super::steps::step;
use super::{desk, page_of, period_page, word};
use crate::console::frame::{Frame, Section};
use crate::console::licenses::history::Event;
use crate::console::licenses::read;
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, money, response, show as write};
use crate::problem::{Kind, Problem};
use crate::settlement::desk::of_report;
use crate::settlement::events::behind;
use crate::{Query, json, params};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    seller: String,
    id: String,
    done: String,
}

/// A condition of settlement: what it is called, and how it stands.
struct Condition {
    name: &'static str,
    state: String,
    is_estimate: bool,
}

/// A step from gross to net.
struct Amount {
    name: &'static str,
    amount: String,
    is_total: bool,
}

#[derive(Template)]
#[template(path = "settlement/line.html")]
struct Page {
    frame: Frame,
    line: ExplainedLine,
    kind: String,
    overview: String,
    period: Option<(String, String)>,
    amounts: Vec<Amount>,
    steps: Vec<String>,
    seller: String,
    conditions: Vec<Condition>,
    events: Vec<Event>,
    /// Where a license of this line may be found.
    position: String,
}

/// One line.
pub(crate) async fn show(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    answered(&query, &request, shown(&query, &request).await)
}

async fn shown(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Finance)?;
    let asked: Asked = params::read(request.query_string())?;
    let desk = desk(query, &visitor, &asked.seller).await?;
    let found = desk.billing().line(&desk.asking(), &asked.id).await.map_err(|error| of_report(&error))?;
    let line = found.value.ok_or_else(|| Problem::new(Kind::NoSuchLine, "no such line"))?;
    // The events as the API shows them, read from what it would send.
    let told = json::to_bytes(&behind(query, &line.shown.sources).await?);
    let frame = Frame::new(request, &visitor, Section::Settlement).with_done(Some(&asked.done));
    let page = Page {
        kind: frame.word("line-type", &word(&line.shown.line.line_type)),
        overview: page_of(&desk.seller, "/settlement").to_string(),
        period: line
            .shown
            .expected_period
            .map(|period| (money::month(period), period_page(&desk.seller, period).to_string())),
        amounts: amounts(&frame, &line),
        steps: line.explanation.iter().map(|shown| step(frame.language, &shown.step)).collect(),
        seller: desk.seller.to_string(),
        conditions: conditions(&frame, &line),
        events: read(&told)?,
        position: found.position.to_string(),
        line,
        frame,
    };
    Ok(response::page(StatusCode::OK, &page)?)
}

fn amounts(frame: &Frame, line: &ExplainedLine) -> Vec<Amount> {
    let t = frame.t;
    let Some(columns) = line.shown.columns else { return vec![] };
    let signed = [
        (t.gross, columns.sales),
        (t.voucher, -columns.voucher),
        (t.fee, -columns.fee),
        (t.tier_bonus, columns.tier_bonus),
        (t.tax, -columns.tax),
        (t.refunds, columns.refund),
        (t.adjustment, columns.adjustment),
    ];
    let steps = signed.into_iter().filter(|(name, amount)| *name == t.gross || !amount.is_zero());
    let steps = steps.map(|(name, amount)| Amount { name, amount: money::amount(amount), is_total: false });
    let net = Amount { name: t.net, amount: money::amount(columns.net), is_total: true };
    steps.chain([net]).collect()
}

fn conditions(frame: &Frame, line: &ExplainedLine) -> Vec<Condition> {
    let (t, of) = (frame.t, &line.shown.line);
    let missing = |what: &str| line.shown.missing.iter().any(|missing| word(missing) == what);
    let condition = |name, at: Option<Marked<DateTime<Utc>>>, what: &str| Condition {
        name,
        state: match at {
            Some(at) => write::time(at.value),
            None if missing(what) => t.not_told.into(),
            None => write::DASH.into(),
        },
        is_estimate: at.is_some_and(|at| at.mark == Mark::Estimate),
    };
    vec![
        condition(t.effective, of.effective_at, "effective_at"),
        condition(t.paid, of.paid_at, "paid_at"),
        condition(t.accepted_by_customer, of.supervision_done_at, "supervision_done_at"),
        condition(t.ready, of.settle_ready_at, "seller_certified"),
    ]
}

impl Page {
    /// The order line that facts can be stated of.
    fn stateable(&self) -> Option<(String, String)> {
        let line = &self.line.shown.line;
        Some((line.order_id.as_ref()?.to_string(), line.order_line_id.as_ref()?.to_string()))
    }

    /// What a moment is called.
    fn moment(&self, name: &str) -> &'static str {
        let t = self.frame.t;
        match name {
            "effective_at" => t.effective,
            "paid_at" => t.paid,
            _ => t.accepted_by_customer,
        }
    }

    fn id_of(&self, id: &Option<impl ToString>) -> String {
        id.as_ref().map_or_else(|| write::DASH.into(), ToString::to_string)
    }

    fn fee_ratio(&self) -> String {
        let ratio = self.line.shown.line.fee_ratio;
        ratio.map_or_else(|| write::DASH.into(), |ratio| money::percent(ratio.value()))
    }
}
