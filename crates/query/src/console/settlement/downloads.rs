//! Reports as files: the API's own exports, for whoever is logged in.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::export::{ExportFormat, forecast_table, pairs_table, periods_table};
use chopmark_billing::report::reconciliation::ReconciliationAsked;
use chopmark_domain::access::Role;
use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::reconciliation::Tolerance;
use serde::Deserialize;

use super::{desk, page_of};
use crate::console::links::Link;
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, response};
use crate::problem::{Kind, Problem};
use crate::settlement::desk::{Desk, of_report, period as period_named};
use crate::settlement::lines::asked_by;
use crate::settlement::table;
use crate::{Query, params};

/// Where a report is to be had as a file.
pub(super) struct Files {
    /// What people call it.
    pub(super) name: &'static str,
    pub(super) csv: String,
    pub(super) xlsx: String,
}

impl Files {
    /// A seller's report, narrowed as the parameters of a link say.
    pub(super) fn of(seller: &SellerId, report: &str, narrowed: &Link, name: &'static str) -> Self {
        let link = page_of(seller, &format!("/download/{report}")).and(narrowed);
        let file = |format: &str| link.clone().with("format", format).to_string();
        Self { name, csv: file("csv"), xlsx: file("xlsx") }
    }
}

/// What every file is asked with. The lines have further parameters: those of the API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    seller: String,
    format: String,
    period: String,
    /// `all`: what matches too.
    pairs: String,
}

/// A report as a file.
pub(crate) async fn send(query: web::Data<Query>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let sent = sent(&query, &request, &path).await;
    answered(&query, &request, sent.map(response::file))
}

async fn sent(query: &Query, request: &HttpRequest, report: &str) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Finance)?;
    let asked: Asked = params::read(request.query_string())?;
    let format = ExportFormat::from_name(&asked.format);
    let format = format.ok_or_else(|| Problem::malformed("parameter `format`: say csv or xlsx"))?;
    let desk = desk(query, &visitor, &asked.seller).await?;
    Ok(match report {
        "periods" => periods(&desk, format).await?,
        "forecast" => forecast(&desk, format).await?,
        "lines" => lines(&desk, request.query_string(), &asked.period, format).await?,
        "reconciliation" => reconciliation(&desk, &asked, format).await?,
        _ => return Err(Problem::new(Kind::NoSuchPath, "there is no such file").into()),
    })
}

async fn periods(desk: &Desk<'_>, format: ExportFormat) -> Result<HttpResponse, Problem> {
    let read = desk.billing().periods(&desk.asking()).await.map_err(|error| of_report(&error))?;
    let name = format!("periods-{}", desk.seller);
    table::answer(periods_table(&read.value), format, &name, read.position, desk.now).await
}

async fn forecast(desk: &Desk<'_>, format: ExportFormat) -> Result<HttpResponse, Problem> {
    let read = desk.billing().forecast(&desk.asking()).await.map_err(|error| of_report(&error))?;
    let name = format!("forecast-{}", desk.seller);
    table::answer(forecast_table(&read.value), format, &name, read.position, desk.now).await
}

async fn lines(desk: &Desk<'_>, query: &str, period: &str, format: ExportFormat) -> Result<HttpResponse, Problem> {
    let asked = asked_by(desk, query)?;
    let of = if period.is_empty() { String::new() } else { format!("-{period}") };
    let name = format!("lines-{}{of}", desk.seller);
    let export = desk.billing().export_lines(&desk.asking(), asked, format).await.map_err(|error| of_report(&error))?;
    Ok(table::stream_lines(export, format, &name))
}

async fn reconciliation(desk: &Desk<'_>, asked: &Asked, format: ExportFormat) -> Result<HttpResponse, Problem> {
    let period = period_named(&asked.period)?;
    let question = ReconciliationAsked { period, category: None, tolerance: Tolerance::default() };
    let _place = desk.place().await?;
    let compared = desk.billing().reconciliation(&desk.asking(), question).await.map_err(|error| of_report(&error))?;
    let pairs = compared.page(0, usize::MAX, asked.pairs != "all").pairs;
    let name = format!("reconciliation-{}-{period}", desk.seller);
    table::answer(pairs_table(&pairs), format, &name, compared.position, desk.now).await
}
