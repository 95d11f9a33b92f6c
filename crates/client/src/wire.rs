//! The questions and answers on the wire.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::http::{HeaderValue, Request, request};
use ureq::typestate::AgentScope;

use crate::code::Code;
use crate::deadline::Deadline;
use crate::state::{Secret, Told};
use crate::trouble::Trouble;

/// Bytes an answer may have.
const ANSWER_MAX: u64 = 256 * 1024;

/// Characters of the server's words that are kept.
const WORDS_MAX: usize = 1024;

/// What a check asks.
#[derive(Serialize)]
pub(crate) struct Question<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) license: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deployment: Option<DeploymentClaim<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) machine: Option<MachineClaim<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seller: Option<&'a str>,
    pub(crate) product: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<&'a str>,
    pub(crate) nonce: &'a str,
}

#[derive(Serialize)]
pub(crate) struct MachineClaim<'a> {
    pub(crate) fingerprint: &'a str,
}

/// What an ECS says of itself.
#[derive(Serialize)]
pub(crate) struct DeploymentClaim<'a> {
    pub(crate) uuid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) charging_mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<&'a Secret>,
}

/// What a check is answered with, as far as it is used here.
#[derive(Deserialize)]
pub(crate) struct Verdict {
    pub(crate) valid: bool,
    code: String,
    #[serde(default)]
    reason: String,
    license: Option<LicenseView>,
    pub(crate) lease: Option<String>,
    pub(crate) next_check_after: Option<u64>,
    pub(crate) enrolment_secret: Option<Secret>,
    pub(crate) nonce: Option<String>,
    checked_at: Option<chrono::DateTime<chrono::Utc>>,
}

#[derive(Deserialize)]
struct LicenseView {
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// A problem document (RFC 9457).
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default, rename = "type")]
    kind: String,
    code: Option<String>,
    detail: Option<String>,
}

impl Verdict {
    /// Reads a verdict: a code that can be one, and that says yes or no as `valid` does.
    fn parse(json: &str) -> Result<Self, Trouble> {
        let verdict: Self = serde_json::from_str(json).map_err(|error| Trouble::Garbled(error.to_string()))?;
        let code = Code::parse(&verdict.code).ok_or_else(|| Trouble::Garbled("no code".to_owned()))?;
        if code.says_yes().is_some_and(|yes| yes != verdict.valid) {
            return Err(Trouble::Garbled(format!("valid is {} with the code {code}", verdict.valid)));
        }
        Ok(verdict)
    }

    /// What it says beside the lease.
    pub(crate) fn told(&self) -> Told {
        let expires_at = self.license.as_ref().and_then(|license| license.expires_at);
        Told {
            code: self.code.clone(),
            reason: self.reason.chars().take(WORDS_MAX).collect(),
            expires_at: expires_at.map(|at| at.timestamp()),
        }
    }

    /// The server's time, Unix seconds.
    pub(crate) fn checked_at(&self) -> Option<i64> {
        self.checked_at.map(|at| at.timestamp())
    }
}

/// A refused request.
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) detail: String,
}

/// What a change of machines is answered with.
pub(crate) enum Changed {
    Done(u16),
    Refused(Refused),
}

/// The way to the server.
pub(crate) struct Wire {
    agent: Agent,
    server: String,
    language: Option<HeaderValue>,
}

/// An HTTP client that answers with every status and follows nowhere. How long a request may take is still to be said.
pub(crate) fn agent(
    connect: Duration,
    more: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
) -> Agent {
    let config = Agent::config_builder()
        .user_agent(concat!("chopmark-client/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(connect));
    more(config).build().into()
}

impl Wire {
    pub(crate) fn new(server: String, language: Option<HeaderValue>, connect: Duration) -> Self {
        Self { agent: agent(connect, |config| config), server, language }
    }

    pub(crate) fn check(&self, question: &Question<'_>, deadline: Deadline) -> Result<Verdict, Trouble> {
        let json = serde_json::to_string(question).map_err(|error| Trouble::Garbled(error.to_string()))?;
        let mut request = Request::post(self.to("/v1/checks")).header("Content-Type", "application/json");
        if let Some(language) = &self.language {
            request = request.header("Accept-Language", language);
        }
        Verdict::parse(&self.ask(request, json, deadline)?)
    }

    pub(crate) fn key_set(&self, deadline: Deadline) -> Result<String, Trouble> {
        self.ask(Request::get(self.to("/.well-known/jwks.json")), (), deadline)
    }

    /// Asks for a seat.
    pub(crate) fn activate(&self, machine: &str, name: Option<&str>, deadline: Deadline) -> Result<Changed, Trouble> {
        let json = serde_json::json!({ "name": name }).to_string();
        let request = Request::put(self.to(machine)).header("Content-Type", "application/json");
        self.change(request, if name.is_some() { json } else { "{}".to_owned() }, deadline)
    }

    /// Gives a seat back; the machine's lease shows that it may.
    pub(crate) fn free(&self, machine: &str, lease: &str, deadline: Deadline) -> Result<Changed, Trouble> {
        self.change(Request::delete(self.to(machine)).header("Chopmark-Lease", lease), (), deadline)
    }

    fn to(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    /// The body of an answer of status 200; everything else is trouble.
    fn ask(
        &self,
        request: request::Builder,
        body: impl ureq::AsSendBody,
        deadline: Deadline,
    ) -> Result<String, Trouble> {
        let answer = self.run(request, body, deadline)?;
        if answer.status == 200 { Ok(answer.body) } else { Err(answer.into_trouble()) }
    }

    fn change(
        &self,
        request: request::Builder,
        body: impl ureq::AsSendBody,
        deadline: Deadline,
    ) -> Result<Changed, Trouble> {
        let answer = self.run(request, body, deadline)?;
        match answer.status {
            200 | 201 | 204 => Ok(Changed::Done(answer.status)),
            408 | 429 | 500.. | ..400 => Err(answer.into_trouble()),
            _ => {
                let Problem { kind, code, detail } =
                    serde_json::from_str(&answer.body).map_err(|_| answer.trouble(None))?;
                let last = kind.rsplit('/').next().unwrap_or_default();
                let code = code.unwrap_or_else(|| last.to_uppercase().replace('-', "_"));
                Ok(Changed::Refused(Refused { code, detail: detail.unwrap_or_default() }))
            }
        }
    }

    fn run(&self, request: request::Builder, body: impl ureq::AsSendBody, deadline: Deadline) -> Result<Raw, Trouble> {
        let left = deadline.left();
        if left.is_zero() {
            return Err(Trouble::Unreachable("no time was left to ask".to_owned()));
        }
        let unreachable = |error: ureq::Error| Trouble::Unreachable(error.to_string());
        let request = request.body(body).map_err(|error| Trouble::Unreachable(error.to_string()))?;
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        let mut answer = self.agent.run(request).map_err(unreachable)?;
        let retry_after = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec().map_err(unreachable)?;
        let body = String::from_utf8(body).map_err(|error| Trouble::Garbled(error.to_string()))?;
        Ok(Raw { status: answer.status().as_u16(), retry_after, body })
    }
}

/// An answer as it came.
struct Raw {
    status: u16,
    retry_after: Option<u64>,
    body: String,
}

impl Raw {
    fn trouble(&self, detail: Option<String>) -> Trouble {
        Trouble::Status { status: self.status, detail, retry_after: self.retry_after }
    }

    fn into_trouble(self) -> Trouble {
        let problem: Problem = serde_json::from_str(&self.body).unwrap_or_default();
        self.trouble(problem.detail.map(|detail| detail.chars().take(WORDS_MAX).collect()))
    }
}
