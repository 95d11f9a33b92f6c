//! Asking, as the customer's software does, whether a license is good: `POST /v1/checks`.

use std::sync::Arc;

use rustls::ClientConfig;
use serde_json::{Value, json};

use crate::http::{Connection, HttpError, Request};
use crate::url::Url;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No whole answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer of another status than 200.
    #[error("HTTP status {status}: {body}")]
    Status {
        /// The status.
        status: u16,
        /// The answer's body.
        body: String,
    },
    /// An answer that is not JSON.
    #[error("the verdict is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
}

/// A client of the checks, on one connection.
pub struct Checks {
    connection: Connection,
    seller: String,
}

impl Checks {
    /// A client that asks `{api}/v1/checks` about licenses of a seller.
    #[must_use]
    pub fn new(api: &Url, seller: &str, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { connection: Connection::to(api).with_tls(tls), seller: seller.into() }
    }

    /// Asks about a license.
    ///
    /// # Errors
    /// No answer, or one that is no verdict.
    pub async fn license(&mut self, id: &str) -> Result<Value, CheckError> {
        let question = json!({ "license": id, "seller": self.seller });
        self.ask(&question).await
    }

    /// Asks any question.
    ///
    /// # Errors
    /// No answer, or one that is no verdict.
    pub async fn ask(&mut self, question: &Value) -> Result<Value, CheckError> {
        let api = self.connection.url();
        let request = Request {
            method: "POST",
            host: &api.authority(),
            target: &format!("{}/v1/checks", api.path()),
            headers: &[("Content-Type", "application/json"), ("Accept", "application/json")],
            body: question.to_string().as_bytes(),
        }
        .to_bytes();
        let exchange = self.connection.send(&request).await?;
        if exchange.status != 200 {
            return Err(CheckError::Status {
                status: exchange.status,
                body: String::from_utf8_lossy(exchange.body).into_owned(),
            });
        }
        Ok(serde_json::from_slice(exchange.body)?)
    }
}
