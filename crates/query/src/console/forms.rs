//! Forms that a page sends.

use actix_web::web::Payload;

use crate::body;
use crate::problem::Problem;

/// The largest form that carries no file. What the columns of a table are takes most of it.
const FORM_BYTES: usize = 256 * 1024;

/// The field that carries the session's secret.
pub(super) const SECRET: &str = "form_secret";

/// What a form says.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form.
    pub(super) async fn read(payload: Payload) -> Result<Self, Problem> {
        let sent = body::read(payload, FORM_BYTES).await?;
        let fields = url::form_urlencoded::parse(&sent);
        Ok(Self(fields.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()))
    }

    /// A field; empty counts as absent.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let fields = &mut self.0.iter().filter(|(field, value)| field == name && !value.is_empty());
        fields.next().map(|(_, value)| value.as_str())
    }

    /// Every value of a field that comes many times, in their order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}
