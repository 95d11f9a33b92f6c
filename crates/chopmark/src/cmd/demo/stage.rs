//! What the demo plays on: a folder, a configuration, a marketplace and a server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chopmark_signing::key_file;
use chopmark_simulator::http::{Connection, Request};
use chopmark_simulator::marketplace::{Keys, Marketplace};
use chopmark_simulator::{Checks, Credentials, OpenApiServer, Orders, Url};
use chrono::Utc;
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;

use super::play::Seated;
use crate::cli::serve::Role;
use crate::config::{Config, Environment};
use crate::failure::{Failure, OrFail, Reason};
use crate::server::{Addresses, Server};
use crate::signals::StopSignals;

/// The demo's seller.
pub(super) const SELLER: &str = "acme";
/// The demo's product, as the open API names it too.
pub(super) const SKU: &str = "a63ee5c9-0000";
/// A product of which three machines may use one license.
pub(super) const SEATS_SKU: &str = "a63ee5c9-0001";
/// An image.
pub(super) const IMAGE_SKU: &str = "a63ee5c9-0002";

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything the demo needs.
pub(super) struct Stage {
    folder: TempDir,
    config: Config,
    base_key: SecretString,
    /// The marketplace's orders.
    pub(super) orders: Orders,
    open_api: OpenApiServer,
    server: Option<Server>,
}

impl Stage {
    /// Makes a folder and starts everything on free ports.
    pub(super) async fn set() -> Result<Self, Failure> {
        let help = "set TMPDIR to a folder that can be written";
        let folder = tempfile::Builder::new().prefix("chopmark-demo-").tempdir();
        let folder = folder.or_fail(Reason::Storage, "the temporary folder", help)?;
        let [base_key, secret_key] = [(); 2].map(|()| hex::encode(rand::random::<[u8; 16]>()));
        let orders = Orders::with_mocks(&chopmark_simulator::orders::Product::default(), Utc::now());
        let credentials = Credentials { access_key: "DEMOACCESSKEY".into(), secret_key: secret_key.clone().into() };
        let open_api = OpenApiServer::start(0, credentials, orders.clone());
        let open_api = open_api.or_fail(Reason::Storage, "the marketplace's open API", "free a port on 127.0.0.1")?;

        let file = folder.path().join("chopmark.toml");
        let text = configuration(folder.path(), &base_key, &secret_key, &open_api.url());
        std::fs::write(&file, text).or_fail(Reason::Storage, file.display(), help)?;
        let mut config = Config::load(Some(&file), &Environment::default())?;
        let server = started(&config).await?;
        // It comes back where it was, as the customer's program expects.
        config.listen.api = server.addresses.api.unwrap_or(config.listen.api);
        let server = Some(server);
        Ok(Self { folder, config, base_key: base_key.into(), orders, open_api, server })
    }

    /// The marketplace, calling the server.
    pub(super) fn marketplace(&self) -> Result<Marketplace, Failure> {
        Ok(Marketplace::new(&self.callbacks()?, SELLER, Keys::base(self.base_key.clone()), None))
    }

    /// The same, with a key that is not the seller's.
    pub(super) fn impostor(&self) -> Result<Marketplace, Failure> {
        Ok(Marketplace::new(&self.callbacks()?, SELLER, Keys::base("a-guessed-key".into()), None))
    }

    pub(super) fn base_key(&self) -> &SecretString {
        &self.base_key
    }

    pub(super) fn callbacks(&self) -> Result<Url, Failure> {
        self.address(|addresses| addresses.callbacks)
    }

    pub(super) fn api(&self) -> Result<Url, Failure> {
        self.address(|addresses| addresses.api)
    }

    fn address(&self, of: fn(&Addresses) -> Option<SocketAddr>) -> Result<Url, Failure> {
        let address = self.server.as_ref().and_then(|server| of(&server.addresses));
        let address = address.ok_or_else(|| Failure::new(Reason::CheckFailed, "the server is down", ""))?;
        format!("http://{address}").parse().or_fail(Reason::CheckFailed, "an address of the server", "")
    }

    /// Asks as software does.
    pub(super) fn checks(&self) -> Result<Checks, Failure> {
        Ok(Checks::new(&self.api()?, SELLER, None))
    }

    /// Asks as a person with the admin token does.
    pub(super) async fn ask(&self, method: &str, target: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let help = "run the demo again; if it fails again, report it";
        let token = std::fs::read_to_string(self.data().join("admin-token"));
        let bearer = format!("Bearer {}", token.or_fail(Reason::Storage, "the admin token", help)?.trim());
        let (api, body) = (self.api()?, body.map(Value::to_string).unwrap_or_default());
        let request = Request {
            method,
            host: &api.authority(),
            target,
            headers: &[("Authorization", &bearer), ("Content-Type", "application/json")],
            body: body.as_bytes(),
        };
        let mut connection = Connection::to(&api);
        let answer = connection.send(&request.to_bytes()).await.or_fail(Reason::CheckFailed, target, help)?;
        serde_json::from_slice(answer.body).or_fail(Reason::CheckFailed, target, help)
    }

    /// The key that the customer's program was built with.
    pub(super) fn root_key(&self) -> Result<String, Failure> {
        let keys = key_file::load(&self.data().join("signing-keys.pem"));
        Ok(keys.or_fail(Reason::Storage, "the signing keys", "run the demo again")?.root())
    }

    /// Where the customer's program keeps what it must remember.
    pub(super) fn customer(&self) -> PathBuf {
        self.folder.path().join("customer")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Stops the server.
    pub(super) async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// Starts it again on what it kept, where it was.
    pub(super) async fn start_again(&mut self) -> Result<(), Failure> {
        self.server = Some(started(&self.config).await?);
        Ok(())
    }

    /// Holds the marketplace's answers about orders back, until they are [let go](Self::let_facts_go).
    pub(super) fn hold_facts(&self) {
        self.open_api.faults().hold();
    }

    /// Lets the answers about orders go.
    pub(super) fn let_facts_go(&self) {
        self.open_api.faults().release();
    }

    /// Stays up until told to end, with lines to try, of a license that is good where there is one.
    pub(super) async fn keep(&self, seated: Option<&Seated>) -> Result<(), Failure> {
        let mut signals = StopSignals::listen()?;
        let (api, callbacks) = (self.api()?, self.callbacks()?);
        let token = quoted(&self.data().join("admin-token"));
        let mut said = "\nThe server stays up; Ctrl-C ends it and removes its folder. Try:\n\n".to_owned();
        if let Some(Seated { license, machine }) = seated {
            let question = format!("{{\"license\": \"{license}\", \"machine\": {{\"fingerprint\": \"{machine}\"}}}}");
            said += &format!("  curl -s {api}/v1/checks -d '{question}'\n");
        }
        let callback = format!("{callbacks}/callbacks/{SELLER}");
        said += &format!(
            "  curl -s -H \"Authorization: Bearer $(cat {token})\" '{api}/v1/licenses?seller={SELLER}'\n  \
             curl -s -X POST {callback} -d '{{}}' -i\n"
        );
        crate::print(&said)?;
        signals.next().await;
        Ok(())
    }

    /// Stops everything and removes the folder.
    pub(super) async fn strike(self) {
        if let Some(server) = self.server {
            server.stop().await;
        }
        self.open_api.stop().await;
    }
}

/// A server that is ready: before its index has caught up it answers no check.
async fn started(config: &Config) -> Result<Server, Failure> {
    let server = Server::start(config, Role::All).await?;
    let begun = Instant::now();
    while !server.is_ready() {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(Reason::CheckFailed, "the server is not ready in time", "run the demo again"));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(server)
}

/// A path as a shell reads it back.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

fn configuration(folder: &Path, base_key: &str, secret_key: &str, open_api: &Url) -> String {
    let data = folder.join("data");
    format!(
        r#"data_dir = {data:?}

[listen]
callbacks = "127.0.0.1:0"
api = "127.0.0.1:0"
metrics = "127.0.0.1:0"

[[seller]]
id = "{SELLER}"
site = "cn"
keys.base = [{{ value = "{base_key}" }}]
open_api = {{ access_key = {{ value = "DEMOACCESSKEY" }}, secret_key = {{ value = "{secret_key}" }}, base_url = "{open_api}" }}
app_info = {{ front_end_url = "https://app.example.com/{{instance_id}}" }}

[[product]]
sku = "{SKU}"
seller = "{SELLER}"
kind = "saas"
name = "Example"
fee_ratio = "0.05"
entitlements = {{ reports = true, users = "quantity" }}
grace_days = 15

[[product]]
sku = "{SEATS_SKU}"
seller = "{SELLER}"
kind = "saas"
name = "Example with three seats"
fee_ratio = "0.05"
seats = 3

[[product]]
sku = "{IMAGE_SKU}"
seller = "{SELLER}"
kind = "image"
name = "Example image"
"#
    )
}
