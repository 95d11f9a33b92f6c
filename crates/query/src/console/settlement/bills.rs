//! Bills: the form that brings one, the look at it before anything is taken, and those that were imported.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_billing::report::file::{BillPreview, ChangedRowShown, MappingAsked, Upload, UploadError};
use chopmark_billing::report::periods::BillShown;
use chopmark_domain::access::Role;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::product::Category;
use serde::Deserialize;

use super::uploads::Looked;
use super::{desk, page_of, upload};
use crate::console::forms::{self, Form};
use crate::console::frame::{Frame, Section, SellerChoice};
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, money, response};
use crate::problem::Problem;
use crate::settlement::bills::take_up;
use crate::settlement::desk::{Desk, of_report};
use crate::settlement::upload::{name, of_upload};
use crate::{Query, params};

/// The tabs of the marketplace's bills, as the API names them.
const CATEGORIES: [&str; 4] = ["generic", "selected", "joint_operation", "huawei_self_service"];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    seller: String,
    period: String,
    category: String,
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

/// The page with the form; after a file that cannot be read, with what is wrong with it.
async fn page(
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
    let mut frame = Frame::new(request, visitor, Section::Bills);
    frame.here = page_of(&desk.seller, "/bills").to_string();
    let choice = SellerChoice::new(query, visitor, desk.seller.as_str());
    Ok(response::page(status, &Page { frame, choice, asked, bills: bills.collect(), error })?)
}

#[derive(Template)]
#[template(path = "settlement/preview.html")]
struct Preview {
    frame: Frame,
    seller: String,
    back: String,
    preview: BillPreview,
}

impl Preview {
    /// What a changed row said and says: a line for each field.
    fn changes(&self, changed: &ChangedRowShown) -> Vec<String> {
        let said = |row: &chopmark_billing::report::file::RowShown, field: &str| {
            row.values.get(field).cloned().unwrap_or_else(|| crate::console::show::DASH.into())
        };
        let changes = changed.changes.iter();
        changes.map(|field| format!("{field}: {} → {}", said(&changed.old, field), said(&changed.new, field))).collect()
    }
}

/// Looks at a file. Nothing is taken.
pub(crate) async fn preview(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let previewed = previewed(&query, &request, payload).await;
    answered(&query, &request, previewed)
}

async fn previewed(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    let sent = upload::read(query, request, payload).await?;
    let asked = Asked {
        seller: sent.field("seller").into(),
        period: sent.field("period").trim().into(),
        category: sent.field("category").into(),
    };
    let visitor = &sent.visitor;
    let desk = desk(query, visitor, &asked.seller).await?;
    let period = match Period::parse(&asked.period) {
        Ok(period) => period,
        Err(error) => return page(query, request, visitor, &desk, asked, Some(error.to_string())).await,
    };
    let category = tab(&asked.category)?;
    let file_name = name(Some(&sent.file_name))?;
    let _place = desk.place().await?;
    let upload = Upload { file_name: file_name.clone(), bytes: sent.bytes.clone(), mapping: MappingAsked::Proposed };
    let looked = desk.billing().look_at_bill(&desk.asking(), category, period, upload).await;
    let preview = match looked {
        Ok(looked) => looked.preview,
        Err(UploadError::Table(error)) => {
            return page(query, request, visitor, &desk, asked, Some(error.to_string())).await;
        }
        Err(error) => return Err(of_upload(&error).into()),
    };
    if preview.change.as_ref().is_some_and(|change| !change.same) {
        query.console.uploads.keep(Looked {
            token: visitor.caller.id().into(),
            seller: desk.seller.clone(),
            category,
            period,
            file_name,
            sha256: preview.file.sha256.clone(),
            bytes: sent.bytes,
        });
    }
    let back = page_of(&desk.seller, "/bills").with("period", &asked.period).with("category", &asked.category);
    let mut frame = Frame::new(request, visitor, Section::Bills);
    frame.here = back.to_string();
    let page = Preview { frame, seller: desk.seller.to_string(), back: back.to_string(), preview };
    Ok(response::page(StatusCode::OK, &page)?)
}

fn tab(code: &str) -> Result<Category, Problem> {
    Category::from_code(code).ok_or_else(|| Problem::malformed("`category`: it is no tab of the bill"))
}

/// Takes a file up that was looked at.
pub(crate) async fn import(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let imported = imported(&query, &request, payload).await;
    answered(&query, &request, imported)
}

async fn imported(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    let form = Form::read(payload).await?;
    let visitor = Visitor::sending(request, query, Role::Finance, form.field(forms::SECRET))?;
    let desk = desk(query, &visitor, form.field("seller").unwrap_or_default()).await?;
    let digest = form.field("sha256").unwrap_or_default();
    let looked = query.console.uploads.of(visitor.caller.id(), digest).filter(|looked| looked.seller == desk.seller);
    let Some(looked) = looked else {
        let gone = Frame::bare(request).t.file_gone.to_owned();
        return page(query, request, &visitor, &desk, Asked::default(), Some(gone)).await;
    };
    let _place = desk.place().await?;
    let upload =
        Upload { file_name: looked.file_name.clone(), bytes: looked.bytes.clone(), mapping: MappingAsked::Proposed };
    let read = desk.billing().look_at_bill(&desk.asking(), looked.category, looked.period, upload).await;
    let read = read.map_err(|error| of_upload(&error))?;
    take_up(query, &desk, &read.preview, read.import).await?;
    let path = format!("/settlement/{}/reconciliation", looked.period);
    Ok(response::see_other(&page_of(&desk.seller, &path).with("done", "imported").to_string(), &[]))
}
