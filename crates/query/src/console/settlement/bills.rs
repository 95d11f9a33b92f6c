//! Bills: the forms that bring one, or transaction details, and those that were imported.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_billing::report::periods::BillShown;
use chopmark_domain::access::Role;
use serde::Deserialize;

use super::{desk, page_of};
use crate::console::frame::{Frame, Section, SellerChoice};
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, money, response};
use crate::settlement::desk::{Desk, of_report};
use crate::{Query, params};

/// The tabs of the marketplace's bills, as the API names them.
pub(super) const CATEGORIES: [&str; 4] = ["generic", "selected", "joint_operation", "huawei_self_service"];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    seller: String,
    period: String,
    category: String,
    done: String,
}

impl Asked {
    /// What a form asked for, to be filled in again.
    pub(super) fn of(seller: &str, period: &str, category: &str) -> Self {
        Self { seller: seller.into(), period: period.into(), category: category.into(), done: String::new() }
    }
}

/// A bill that was imported.
struct Row {
    period: String,
    link: String,
    category: &'static str,
    currency: String,
    shown: BillShown,
}

#[derive(Template)]
#[template(path = "settlement/bills.html")]
struct Page {
    frame: Frame,
    choice: SellerChoice,
    asked: Asked,
    bills: Vec<Row>,
    error: Option<String>,
}

/// The form, and the bills that were imported.
pub(crate) async fn show(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    answered(&query, &request, shown(&query, &request).await)
}

async fn shown(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Finance)?;
    let asked: Asked = params::read(request.query_string())?;
    let desk = desk(query, &visitor, &asked.seller).await?;
    page(query, request, &visitor, &desk, asked, None).await
}

/// The page with the forms; after a file that cannot be read, with what is wrong with it.
pub(super) async fn page(
    query: &Query,
    request: &HttpRequest,
    visitor: &Visitor,
    desk: &Desk<'_>,
    asked: Asked,
    error: Option<String>,
) -> Result<HttpResponse, Turned> {
    let overview = desk.billing().periods(&desk.asking()).await.map_err(|error| of_report(&error))?.value;
    let tabs = overview.periods.into_iter().rev().flat_map(|period| {
        let of = period.period;
        period.tabs.into_iter().map(move |tab| (of, tab))
    });
    let bills = tabs.filter_map(|(period, tab)| {
        let link = page_of(&desk.seller, &format!("/settlement/{period}/reconciliation")).to_string();
        let (category, currency) = (tab.category.code(), tab.currency.to_string());
        Some(Row { period: money::month(period), link, category, currency, shown: tab.bill? })
    });
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut frame = Frame::new(request, visitor, Section::Bills).with_done(Some(&asked.done));
    frame.here = page_of(&desk.seller, "/bills").to_string();
    let choice = SellerChoice::new(query, visitor, desk.seller.as_str());
    Ok(response::page(status, &Page { frame, choice, asked, bills: bills.collect(), error })?)
}
