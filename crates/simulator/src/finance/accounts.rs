//! Asking the seller's API about money, as finance people do: with a token of the role `finance` or `admin`.

use std::sync::Arc;

use chopmark_huawei::open_api::signing::query_string;
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::checks::{Answer, CheckError};
use crate::http::{Connection, Request};
use crate::url::Url;

/// What is sent along.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// Nothing.
    None,
    /// A JSON value.
    Json(&'a Value),
    /// A file of the console.
    File(&'a [u8]),
}

/// A client of the API's settlement views, on one connection, for one seller.
pub struct Accounts {
    connection: Connection,
    seller: String,
    bearer: String,
}

impl Accounts {
    /// A client that asks `{api}/v1/settlement/…` with a token.
    #[must_use]
    pub fn new(api: &Url, seller: &str, token: &SecretString, tls: Option<Arc<ClientConfig>>) -> Self {
        let bearer = format!("Bearer {}", token.expose_secret());
        Self { connection: Connection::to(api).with_tls(tls), seller: seller.into(), bearer }
    }

    /// Asks for a view.
    ///
    /// # Errors
    /// No answer, or one that is not JSON.
    pub async fn get(&mut self, view: &str, query: &[(&str, &str)]) -> Result<Answer, CheckError> {
        self.send("GET", view, query, Body::None).await
    }

    /// Asks for a change.
    ///
    /// # Errors
    /// No answer, or one that is not JSON.
    pub async fn post(&mut self, what: &str, query: &[(&str, &str)], body: Body<'_>) -> Result<Answer, CheckError> {
        self.send("POST", what, query, body).await
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Body<'_>,
    ) -> Result<Answer, CheckError> {
        let api = self.connection.url();
        let query = [&[("seller", self.seller.as_str())], query].concat();
        let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut headers = vec![("Accept", "application/json"), ("Authorization", self.bearer.as_str())];
        let bytes = match body {
            Body::None => vec![],
            Body::Json(json) => {
                headers.push(("Content-Type", "application/json"));
                json.to_string().into_bytes()
            }
            Body::File(file) => {
                headers.push(("Content-Type", "application/octet-stream"));
                file.to_vec()
            }
        };
        let target = format!("{}/v1/settlement/{path}?{}", api.path(), query_string(&query));
        let request = Request { method, host: &api.authority(), target: &target, headers: &headers, body: &bytes };
        let request = request.to_bytes();
        let exchange = self.connection.send(&request).await?;
        let (status, body) = (exchange.status, exchange.body);
        match serde_json::from_slice(body) {
            Ok(json) => Ok(Answer { status, json }),
            Err(_) if status != 200 => {
                Err(CheckError::Status { status, body: String::from_utf8_lossy(body).into_owned() })
            }
            Err(error) => Err(error.into()),
        }
    }
}
