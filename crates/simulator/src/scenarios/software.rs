//! The customer's software, with the client that sellers link in: through an outage and a freeze.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use chopmark_client::{Answer, Client, Clock};
use chopmark_huawei::callback::FreezeStatus;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tempfile::TempDir;

use super::Context;
use super::play::Play;
use crate::checks::Checks;
use crate::console::Expected;
use crate::message::Message;
use crate::report::Report;

/// An address of this machine where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

/// Plays it: a program checks, the server cannot be reached for longer and longer, then the license is frozen.
pub async fn play(context: &Context<'_>) -> Report {
    let mut play = Play::begin("software", context);
    if play.needs_api() && play.needs_facts() {
        run(&mut play).await;
    }
    play.finish()
}

async fn run(play: &mut Play<'_>) {
    let order = play.purchase();
    let Some(license) = play.buy("a customer buys", &order).await else { return };
    // Before the facts a lease lasts a day, and has no grace.
    play.revision("its facts are known", &license, 2).await;
    let began = Instant::now();
    let customer = match Customer::install(play, &license).await {
        Ok(customer) => customer,
        Err(problem) => return play.conclude("the program is installed", Err(problem), began),
    };
    customer.asks(play, "the program checks", &customer.online, "licensed").await;
    customer.asks(play, "the server cannot be reached", &customer.offline, "licensed").await;
    customer.waits(TimeDelta::days(2));
    customer.asks(play, "two days later: its lease should have been renewed", &customer.offline, "in grace").await;
    customer.waits(TimeDelta::days(-2));
    customer.asks(play, "the server is back", &customer.online, "licensed").await;
    for (told, status, seen, answer) in [
        ("frozen", FreezeStatus::Freeze, "the program sees it at its next check", "denied"),
        ("unfrozen", FreezeStatus::Unfreeze, "and sees that too", "licensed"),
    ] {
        let message = Message::UpdateInstanceStatus { instance: license.clone(), status };
        play.deliver(told, &message, &Expected::success()).await;
        customer.asks(play, seen, &customer.online, answer).await;
    }
}

/// The clock of the customer's machine.
#[derive(Clone, Default)]
struct Moved(Arc<AtomicI64>);

impl Clock for Moved {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// A machine at the customer's, with one program on it.
struct Customer {
    online: Arc<Client>,
    /// The same program where the server cannot be reached: it keeps its lease in the same folder.
    offline: Arc<Client>,
    clock: Moved,
    _folder: TempDir,
}

impl Customer {
    /// Builds the program with the key that signs today, as a seller does, and installs it.
    async fn install(play: &mut Play<'_>, license: &str) -> Result<Self, String> {
        let keys = play.read("/.well-known/jwks.json").await?;
        let root = keys["keys"][0]["x"].as_str().ok_or("jwks.json has no key")?.to_owned();
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let clock = Moved::default();
        let api = play.context.api.as_ref().map(ToString::to_string).unwrap_or_default();
        let program = |server: &str| {
            let builder = Client::builder(server.trim_end_matches('/'), &root, &play.context.product.sku);
            let builder = builder.license(license).seller(&play.context.seller).state_dir(folder.path());
            builder.clock(clock.clone()).build().map(Arc::new).map_err(|error| error.to_string())
        };
        Ok(Self { online: program(&api)?, offline: program(NOBODY)?, clock, _folder: folder })
    }

    fn waits(&self, time: TimeDelta) {
        self.clock.0.fetch_add(time.num_seconds(), Ordering::Relaxed);
    }

    async fn asks(&self, play: &mut Play<'_>, name: &str, program: &Arc<Client>, expected: &str) {
        let (began, program) = (Instant::now(), Arc::clone(program));
        let outcome = match tokio::task::spawn_blocking(move || program.check()).await {
            Ok(answer) => judged(&answer, expected),
            Err(error) => Err(error.to_string()),
        };
        play.conclude(name, outcome, began);
    }
}

fn judged(answer: &Answer, expected: &str) -> Result<String, String> {
    let given = match answer {
        Answer::Licensed(_) => "licensed",
        Answer::InGrace(_) => "in grace",
        Answer::Denied(_) => "denied",
    };
    let said = format!("{given}, {}: {}", answer.code().as_str(), answer.reason());
    if given == expected { Ok(said) } else { Err(format!("{said}; must be {expected}")) }
}

impl Play<'_> {
    fn needs_facts(&mut self) -> bool {
        let has_facts = self.sees_facts();
        if !has_facts {
            let problem = "serve the open API too, with --open-api: what was bought must become known".to_owned();
            self.conclude("orders have facts", Err(problem), Instant::now());
        }
        has_facts
    }

    /// Reads JSON that needs no token.
    async fn read(&mut self, path: &str) -> Result<Value, String> {
        let api = self.context.api.as_ref().ok_or("there is no API")?;
        let mut checks = Checks::new(api, &self.context.seller, self.context.tls.clone());
        let answer = checks.read(path).await.map_err(|error| error.to_string())?;
        if answer.status == 200 { Ok(answer.json) } else { Err(format!("{path}: HTTP {}", answer.status)) }
    }
}
