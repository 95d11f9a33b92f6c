//! A correction of an earlier bill, recorded on the page of the period on whose bill it stands.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use serde_json::{Map, Value};

use super::{desk, period};
use crate::console::forms::{self, Form};
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, response};
use crate::problem::Problem;
use crate::settlement::adjustments::AdjustmentRequest;
use crate::{Query, params};

/// What the form says, as the API names it.
const MEMBERS: [&str; 6] = ["id", "corrects", "category", "line_id", "amount", "note"];

/// Records an adjustment.
pub(crate) async fn record(
    query: web::Data<Query>,
    request: HttpRequest,
    path: web::Path<String>,
    payload: Payload,
) -> HttpResponse {
    let recorded = recorded(&query, &request, &path, payload).await;
    answered(&query, &request, recorded)
}

async fn recorded(query: &Query, request: &HttpRequest, path: &str, payload: Payload) -> Result<HttpResponse, Turned> {
    let form = Form::read(payload).await?;
    let visitor = Visitor::sending(request, query, Role::Finance, form.field(forms::SECRET))?;
    let desk = desk(query, &visitor, form.field("seller").unwrap_or_default()).await?;
    let filled = |name: &str| form.field(name).map(str::trim).filter(|value| !value.is_empty());
    let members = MEMBERS.into_iter().filter_map(|name| Some((name.to_owned(), filled(name)?.into())));
    let mut said: Map<String, Value> = members.collect();
    said.insert("period".into(), path.into());
    // The form says what a program would send, and is read as that is.
    let wanted: AdjustmentRequest = params::object(Value::Object(said).to_string().as_bytes())?;
    let (month, adjustment) = wanted.adjustment(&desk)?;
    let done = query.commands.record_adjustment(&desk.seller, month, adjustment, &visitor.caller.cause()).await;
    desk.written(done.map_err(Problem::of_command)?.position).await;
    Ok(response::see_other(&period::after(&desk, month, "adjusted"), &[]))
}
