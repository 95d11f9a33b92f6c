//! What somebody read on the marketplace's console of one order line, stated on the line's page.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use chrono::SecondsFormat;
use serde_json::{Map, Value};

use super::{desk, line_page};
use crate::console::forms::{self, Form};
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, frame::Frame, response, show};
use crate::problem::Problem;
use crate::settlement::statements::StatementRequest;
use crate::{Query, params};

/// The moments that can be stated.
pub(super) const MOMENTS: [&str; 3] = ["effective_at", "paid_at", "supervision_done_at"];
/// What is stated as it is written.
const TEXTS: [&str; 4] = ["order_id", "order_line_id", "sales_amount", "voucher_amount"];

/// States facts of a line.
pub(crate) async fn state(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let stated = stated(&query, &request, payload).await;
    answered(&query, &request, stated)
}

async fn stated(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    let form = Form::read(payload).await?;
    let visitor = Visitor::sending(request, query, Role::Finance, form.field(forms::SECRET))?;
    let desk = desk(query, &visitor, form.field("seller").unwrap_or_default()).await?;
    let frame = Frame::bare(request);
    let said = said(&form, &frame)?;
    if said.keys().all(|name| name.starts_with("order_")) {
        return Err(Problem::malformed(frame.t.nothing_stated).into());
    }
    // The form says what a program would send, and is read as that is.
    let wanted: StatementRequest = params::object(Value::Object(said).to_string().as_bytes())?;
    let done = query.commands.state_order(&desk.seller, wanted.statement()?, &visitor.caller.cause()).await;
    desk.written(done.map_err(Problem::of_command)?.position).await;
    let line = line_page(&desk.seller, form.field("id").unwrap_or_default());
    Ok(response::see_other(&format!("{line}&done=stated"), &[]))
}

fn said(form: &Form, frame: &Frame) -> Result<Map<String, Value>, Problem> {
    let filled = |name: &str| form.field(name).map(str::trim).filter(|value| !value.is_empty());
    let texts = TEXTS.into_iter().filter_map(|name| Some((name.to_owned(), filled(name)?.into())));
    let mut said: Map<String, Value> = texts.collect();
    for name in MOMENTS {
        let (time, not) = (filled(name), filled(&format!("{name}_not")));
        let moment = match (time, not) {
            (Some(_), Some(_)) => return Err(Problem::malformed(frame.t.time_and_not)),
            (Some(time), None) => {
                let at =
                    show::read_field(time).ok_or_else(|| Problem::malformed(format!("`{name}`: it is no time")))?;
                at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
            }
            (None, Some(not)) => not.to_owned(),
            (None, None) => continue,
        };
        said.insert(name.into(), moment.into());
    }
    Ok(said)
}
