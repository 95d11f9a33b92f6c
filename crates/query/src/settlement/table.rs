//! Reports as tables: `?format=csv|xlsx`, or what `Accept` asks for.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use chopmark_billing::report::ReportError;
use chopmark_billing::report::export::{ExportFormat, LineExport, Table};
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use futures_util::stream;

use super::desk::of_report;
use crate::json::POSITION_HEADER;
use crate::params;
use crate::problem::Problem;

/// The format that is asked for; `None` is JSON. The parameter goes before the header.
pub(crate) fn format(request: &HttpRequest, named: Option<&str>) -> Result<Option<ExportFormat>, Problem> {
    let parse = |name: &str| match name {
        "json" => Ok(None),
        name => ExportFormat::from_name(name).map(Some).ok_or("say json, csv or xlsx"),
    };
    if let Some(format) = params::given("format", named, parse)? {
        return Ok(format);
    }
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = accepted.split(',').map(|range| range.split(';').next().unwrap_or_default().trim()).find_map(named_by);
    Ok(first.flatten())
}

/// The first range of `Accept` that says something decides.
fn named_by(range: &str) -> Option<Option<ExportFormat>> {
    match range {
        "application/json" | "*/*" | "application/*" => Some(None),
        "text/csv" => Some(Some(ExportFormat::Csv)),
        range if range == ExportFormat::Xlsx.media_type() => Some(Some(ExportFormat::Xlsx)),
        _ => None,
    }
}

/// 200 with a whole table.
pub(crate) async fn answer(
    table: Table,
    format: ExportFormat,
    name: &str,
    position: Position,
    now: DateTime<Utc>,
) -> Result<HttpResponse, Problem> {
    let file = tokio::task::spawn_blocking(move || table.file(format, now)).await;
    let file = file.map_err(|_| of_report(&ReportError::Unfinished))?.map_err(|error| of_report(&error))?;
    Ok(head(format, name, position).body(file))
}

/// 200 with lines that come as they are read. Nobody holds more of them than a slice; whoever reads slowly is waited for.
pub(crate) fn stream_lines(export: LineExport, format: ExportFormat, name: &str) -> HttpResponse {
    let mut response = head(format, name, export.position());
    let bytes = stream::try_unfold(export, |mut export| async move {
        match export.next().await {
            Ok(bytes) => Ok(bytes.map(|bytes| (Bytes::from(bytes), export))),
            Err(error) => {
                // The head is out: all that can be done is to break off, so that nobody takes a part for the whole.
                tracing::error!(%error, "an export broke off");
                Err(actix_web::Error::from(of_report(&error)))
            }
        }
    });
    response.streaming(Box::pin(bytes))
}

fn head(format: ExportFormat, name: &str, position: Position) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, format.media_type()))
        .insert_header((POSITION_HEADER, HeaderValue::from(position.0)))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.{}\"", format.extension()),
        ));
    response
}
