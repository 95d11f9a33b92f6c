//! A form with a file.

use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::HttpRequest;
use actix_web::web::{Bytes, Payload};
use chopmark_tables::Limits;
use futures_util::StreamExt;

use crate::Query;
use crate::console::forms;
use crate::console::visitor::{Turned, Visitor};
use crate::problem::{Kind, Problem};
use chopmark_domain::access::Role;

/// The longest value beside the file.
const FIELD_BYTES: usize = 4 * 1024;
/// Fields of a form.
const FIELDS: usize = 16;
/// How long a form with a file may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);

/// What somebody sent.
pub(super) struct Sent {
    pub(super) visitor: Visitor,
    fields: Vec<(String, String)>,
    pub(super) file_name: String,
    pub(super) bytes: Bytes,
}

impl Sent {
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// Reads a form with a file. The session's secret stands before the file, which is not read from anybody without it.
pub(super) async fn read(query: &Query, request: &HttpRequest, payload: Payload) -> Result<Sent, Turned> {
    let reading = tokio::time::timeout(PATIENCE, collect(query, request, payload));
    reading.await.map_err(|_| Problem::new(Kind::RequestTimeout, "the file did not arrive in time"))?
}

async fn collect(query: &Query, request: &HttpRequest, payload: Payload) -> Result<Sent, Turned> {
    let mut form = Multipart::new(request.headers(), payload);
    let mut fields: Vec<(String, String)> = vec![];
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|_| broken())?;
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.content_disposition().and_then(|said| said.get_filename()).map(ToOwned::to_owned);
        let limit = if file_name.is_some() { Limits::default().bytes } else { FIELD_BYTES };
        let visitor = match &file_name {
            Some(_) => {
                let secret = fields.iter().find(|(name, _)| name == forms::SECRET).map(|(_, value)| value.as_str());
                Some(Visitor::sending(request, query, Role::Finance, secret)?)
            }
            None => None,
        };
        let mut bytes = vec![];
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(|_| broken())?;
            if bytes.len() + chunk.len() > limit {
                return Err(Problem::new(Kind::BodyTooLarge, format!("at most {limit} bytes are read")).into());
            }
            bytes.extend_from_slice(&chunk);
        }
        if let (Some(visitor), Some(file_name)) = (visitor, file_name) {
            return Ok(Sent { visitor, fields, file_name, bytes: bytes.into() });
        }
        if fields.len() == FIELDS {
            return Err(broken().into());
        }
        fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    // Without a file there is nothing to look at.
    Err(Problem::malformed("choose a file").into())
}

fn broken() -> Problem {
    Problem::malformed("the form broke off; send it again")
}
