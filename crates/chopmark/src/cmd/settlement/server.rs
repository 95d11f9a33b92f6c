//! The running server that is asked, and the token that it is asked with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use chopmark_domain::ids::SellerId;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::cli::settlement::ServerArgs;
use crate::config::{Config, Environment, SecretSource};
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;

/// How long one answer may take to begin. A million lines are compared within seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server, and the seller it is asked about.
pub(super) struct Server {
    client: Client,
    base: Url,
    seller: SellerId,
    token: SecretString,
    json: bool,
}

impl Server {
    /// Makes everything ready; nothing is sent yet.
    pub(super) fn reach(args: &ServerArgs, config: &Config, environment: &Environment) -> Result<Self, Failure> {
        let base = match &args.api {
            Some(url) => url.clone(),
            None => configured(config)?,
        };
        let token = args.token.source();
        let token = token.unwrap_or_else(|| SecretSource::File(DataDir::at(&config.data_dir).admin_token()));
        let token = token.resolve(environment).map_err(|error| {
            let help = "run it beside the server, or name a token with --token-file or --token-env; `chopmark token create NAME --role finance` makes one";
            Failure::new(Reason::Usage, error.what, help)
        })?;
        let client = client(args.ca.as_deref())?;
        Ok(Self { client, base, seller: seller(args, config)?, token, json: args.json })
    }

    /// Whether answers are printed as they are.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Asks for a view.
    pub(super) async fn get(&self, view: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let answer = self.send(self.request(Method::GET, view, query)).await?;
        read(answer).await
    }

    /// Asks for a view as a file.
    pub(super) async fn download(&self, view: &str, query: &[(&str, String)]) -> Result<Response, Failure> {
        self.send(self.request(Method::GET, view, query)).await
    }

    /// Asks for a change.
    pub(super) async fn post(&self, what: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.send(self.request(Method::POST, what, &[]).json(body)).await?;
        read(answer).await
    }

    /// Sends a file.
    pub(super) async fn upload(&self, what: &str, query: &[(&str, String)], file: Vec<u8>) -> Result<Value, Failure> {
        let request =
            self.request(Method::POST, what, query).header(CONTENT_TYPE, "application/octet-stream").body(file);
        let answer = self.send(request).await?;
        read(answer).await
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, String)]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["v1", "settlement"]).extend(path.split('/'));
        }
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("seller", self.seller.as_str());
        pairs.extend_pairs(query);
        drop(pairs);
        self.client.request(method, url).bearer_auth(self.token.expose_secret())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await;
        let help = "start it with `chopmark serve`, or name its api listener with --api";
        let answer = answer.or_fail(Reason::CheckFailed, format!("asking the server at {}", self.base), help)?;
        if answer.status().is_success() { Ok(answer) } else { Err(refused(answer).await) }
    }
}

/// The listener that takes tokens, as it is reached from this machine.
fn configured(config: &Config) -> Result<Url, Failure> {
    let mut address = config.listen.admin.unwrap_or(config.listen.api);
    if address.ip().is_unspecified() {
        address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port());
    }
    let help = "name the server's api listener with --api, e.g. --api http://127.0.0.1:8081";
    if address.port() == 0 {
        return Err(Failure::new(Reason::Usage, "the configuration leaves the port of the api listener open", help));
    }
    Url::parse(&format!("http://{address}")).or_fail(Reason::Usage, "listen.api", help)
}

/// The seller that is meant.
fn seller(args: &ServerArgs, config: &Config) -> Result<SellerId, Failure> {
    let only = match config.sellers.as_slice() {
        [seller] => Some(seller.id.clone()),
        _ => None,
    };
    args.seller.clone().or(only).ok_or_else(|| {
        let what = "the configuration has not one seller, so one must be named";
        Failure::new(Reason::Usage, what, "name it with --seller")
    })
}

fn client(ca: Option<&Path>) -> Result<Client, Failure> {
    let mut builder = Client::builder().read_timeout(PATIENCE).connect_timeout(Duration::from_secs(5));
    if let Some(file) = ca {
        let (doing, help) = (format!("--ca {}", file.display()), "name a PEM file with certificates");
        let pem = std::fs::read(file).or_fail(Reason::Usage, &doing, help)?;
        for certificate in Certificate::from_pem_bundle(&pem).or_fail(Reason::Usage, &doing, help)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().or_fail(Reason::Usage, "TLS", "call an http:// address")
}

async fn read(answer: Response) -> Result<Value, Failure> {
    let json = answer.json().await;
    json.or_fail(Reason::CheckFailed, "the server's answer", "look whether this is Chopmark's api listener")
}

/// What the server says of it: a problem of RFC 9457, each complaint on a line.
async fn refused(answer: Response) -> Failure {
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap_or_default();
    let text = |name: &str| problem[name].as_str().map(str::to_owned);
    let detail = text("detail").or_else(|| text("title"));
    let detail = detail.unwrap_or_else(|| format!("the server answers {status}"));
    let reason = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Reason::Usage,
        _ => Reason::CheckFailed,
    };
    // A detail says what is wrong, and after the last semicolon what to do.
    if let Some((what, help)) = detail.rsplit_once("; ") {
        return Failure::new(reason, what, help);
    }
    let help = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "use a token of the role finance or admin that reaches this seller"
        }
        StatusCode::NOT_FOUND => "look whether --api names the api listener of a server of this version",
        _ => "mend it and try again; nothing was changed",
    };
    Failure::new(reason, detail, help)
}
