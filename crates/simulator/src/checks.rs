//! Asking, as the customer's software does, whether a license is good: `POST /v1/checks`, and taking and giving up seats.

use std::sync::Arc;

use chopmark_huawei::open_api::signing::query_string;
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

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
    #[error("the answer is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
}

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The license.
    pub license: Option<String>,
    /// The ECS, of an image product.
    pub deployment: Option<Ecs>,
    /// The product that asks, by its SKU.
    pub product: Option<String>,
    /// The fingerprint of the machine that it runs on.
    pub machine: Option<String>,
}

impl Question {
    /// Is this license good?
    #[must_use]
    pub fn license(id: &str) -> Self {
        Self { license: Some(id.into()), ..Self::default() }
    }

    /// Is this ECS good for an image product?
    #[must_use]
    pub fn deployment(product: &str, ecs: &Ecs) -> Self {
        Self { deployment: Some(ecs.clone()), product: Some(product.into()), ..Self::default() }
    }

    /// The same, from a machine.
    #[must_use]
    pub fn on(self, fingerprint: &str) -> Self {
        Self { machine: Some(fingerprint.into()), ..self }
    }

    fn to_json(&self, seller: &str) -> Value {
        let mut json = json!({ "seller": seller });
        if let Some(license) = &self.license {
            json["license"] = json!(license);
        }
        if let Some(ecs) = &self.deployment {
            json["deployment"] = ecs.to_json();
        }
        if let Some(product) = &self.product {
            json["product"] = json!(product);
        }
        if let Some(fingerprint) = &self.machine {
            json["machine"] = json!({ "fingerprint": fingerprint });
        }
        json
    }
}

/// An ECS, as its metadata service describes it, and the secret it has once enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ecs {
    /// Its id.
    pub uuid: String,
    /// The cloud project.
    pub project_id: String,
    /// The region.
    pub region_id: String,
    /// The image it was made from.
    pub image_id: String,
    /// `0` pay-per-use, `1` yearly or monthly, `2` spot.
    pub charging_mode: String,
    /// The secret of its enrolment.
    pub secret: Option<String>,
}

impl Ecs {
    /// A new pay-per-use ECS.
    #[must_use]
    pub fn fresh() -> Self {
        Self {
            uuid: Uuid::new_v4().to_string(),
            project_id: Uuid::new_v4().simple().to_string(),
            region_id: "cn-east-3".into(),
            image_id: "3a64bd37-955e-40cd-ab9e-129db56bc05d".into(),
            charging_mode: "0".into(),
            secret: None,
        }
    }

    /// The same, with a secret.
    #[must_use]
    pub fn with_secret(&self, secret: &str) -> Self {
        Self { secret: Some(secret.into()), ..self.clone() }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({
            "uuid": self.uuid,
            "project_id": self.project_id,
            "region_id": self.region_id,
            "image_id": self.image_id,
            "charging_mode": self.charging_mode,
        });
        if let Some(secret) = &self.secret {
            json["secret"] = json!(secret);
        }
        json
    }
}

/// An answer of any status.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null where there is none.
    pub json: Value,
}

impl Answer {
    /// The member `code` of a verdict or problem.
    #[must_use]
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
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
        self.question(&Question::license(id)).await
    }

    /// Asks about a license or an ECS of the seller.
    ///
    /// # Errors
    /// No answer, or one that is no verdict.
    pub async fn question(&mut self, question: &Question) -> Result<Value, CheckError> {
        let question = question.to_json(&self.seller);
        self.ask(&question).await
    }

    /// Asks any question.
    ///
    /// # Errors
    /// No answer, or one that is no verdict.
    pub async fn ask(&mut self, question: &Value) -> Result<Value, CheckError> {
        let answer = self.send("POST", "/v1/checks", &[], Some(question)).await?;
        if answer.status != 200 {
            return Err(CheckError::Status { status: answer.status, body: answer.json.to_string() });
        }
        Ok(answer.json)
    }

    /// Takes a seat of a license for a machine: 201 new, 200 already, 409 with `MACHINE_LIMIT` none left.
    ///
    /// # Errors
    /// No answer, or one that is not JSON.
    pub async fn activate(
        &mut self,
        license: &str,
        fingerprint: &str,
        name: Option<&str>,
    ) -> Result<Answer, CheckError> {
        let body = name.map(|name| json!({ "name": name }));
        let path = self.machine_path(license, fingerprint);
        self.send("PUT", &path, &[], body.as_ref()).await
    }

    /// Gives a machine's seat up, with the machine's current lease: 204.
    ///
    /// # Errors
    /// No answer, or one that is not JSON.
    pub async fn free(&mut self, license: &str, fingerprint: &str, lease: &str) -> Result<Answer, CheckError> {
        let path = self.machine_path(license, fingerprint);
        self.send("DELETE", &path, &[("Chopmark-Lease", lease)], None).await
    }

    /// What a person with a support token sees of a license.
    ///
    /// # Errors
    /// No answer, or one that is not JSON.
    pub async fn show(&mut self, license: &str, token: &SecretString) -> Result<Answer, CheckError> {
        let bearer = format!("Bearer {}", token.expose_secret());
        let path = format!("/v1/licenses/{}?{}", segment(license), self.seller_query());
        self.send("GET", &path, &[("Authorization", &bearer)], None).await
    }

    /// What lies at a path for everybody.
    ///
    /// # Errors
    /// No answer, or one that is not JSON.
    pub async fn read(&mut self, path: &str) -> Result<Answer, CheckError> {
        self.send("GET", path, &[], None).await
    }

    fn machine_path(&self, license: &str, fingerprint: &str) -> String {
        let (license, fingerprint) = (segment(license), segment(fingerprint));
        format!("/v1/licenses/{license}/machines/{fingerprint}?{}", self.seller_query())
    }

    fn seller_query(&self) -> String {
        query_string(&[("seller".into(), self.seller.clone())])
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, CheckError> {
        let api = self.connection.url();
        let mut all = vec![("Accept", "application/json")];
        all.extend(body.map(|_| ("Content-Type", "application/json")));
        all.extend(headers);
        let request = Request {
            method,
            host: &api.authority(),
            target: &format!("{}{path}", api.path()),
            headers: &all,
            body: body.map(ToString::to_string).unwrap_or_default().as_bytes(),
        }
        .to_bytes();
        let exchange = self.connection.send(&request).await?;
        let (status, body) = (exchange.status, exchange.body);
        match serde_json::from_slice(body) {
            Ok(json) => Ok(Answer { status, json }),
            Err(_) if body.is_empty() => Ok(Answer { status, json: Value::Null }),
            Err(_) if status != 200 => {
                Err(CheckError::Status { status, body: String::from_utf8_lossy(body).into_owned() })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A text as one part of a path.
fn segment(text: &str) -> String {
    // A query's value is encoded as a part of a path is.
    query_string(&[(String::new(), text.to_owned())]).trim_start_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_no_more_than_it_asks_about() {
        let license = Question::license("i-1").on("fp");
        assert_eq!(
            license.to_json("acme"),
            json!({"seller": "acme", "license": "i-1", "machine": {"fingerprint": "fp"}})
        );
        let ecs = Ecs { uuid: "u".into(), project_id: "p".into(), image_id: "i".into(), ..Ecs::fresh() };
        let told =
            json!({"uuid": "u", "project_id": "p", "region_id": "cn-east-3", "image_id": "i", "charging_mode": "0"});
        let asked = Question::deployment("sku", &ecs).to_json("acme");
        assert_eq!(asked, json!({"seller": "acme", "product": "sku", "deployment": told}));
        assert_eq!(Question::deployment("sku", &ecs.with_secret("s")).to_json("acme")["deployment"]["secret"], "s");
    }

    #[test]
    fn ids_stay_one_part_of_the_path() {
        let checks = Checks::new(&"http://127.0.0.1:1".parse().unwrap(), "acme", None);
        assert_eq!(checks.machine_path("=a/b?", "fa:16"), "/v1/licenses/%3Da%2Fb%3F/machines/fa%3A16?seller=acme");
    }
}
