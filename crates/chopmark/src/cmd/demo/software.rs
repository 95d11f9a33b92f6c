//! The software that the customer runs: a program that phones home with the client crate, machines that want seats, a
//! server made from an image.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use chopmark_client::{Answer, Client, Clock};
use chopmark_simulator::checks::{Ecs, Question};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::task::JoinSet;

use super::play::{Play, Seated, sentence};
use super::stage::{IMAGE_SKU, SKU};
use crate::failure::{Failure, OrFail, Reason};

/// Machines that race for the seats of one license.
const MACHINES: usize = 100;
/// Connections that they race on.
const CONNECTIONS: usize = 8;

/// The clock of the customer's machine, which the demo moves on.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// The program at the customer's.
pub(super) struct Program {
    client: Arc<Client>,
    clock: Ahead,
}

impl Program {
    async fn check(&self) -> Result<Answer, Failure> {
        let client = Arc::clone(&self.client);
        let checked = tokio::task::spawn_blocking(move || client.check()).await;
        checked.or_fail(Reason::CheckFailed, "the client", "report this")
    }

    fn let_pass(&self, time: TimeDelta) {
        self.clock.0.fetch_add(time.num_seconds(), Ordering::Relaxed);
    }
}

impl Play {
    /// A program that was built with the root key of this installation.
    pub(super) fn install(&self, license: &str) -> Result<Program, Failure> {
        let clock = Ahead::default();
        let (server, root) = (self.stage.api()?.to_string(), self.stage.root_key()?);
        let builder = Client::builder(server.trim_end_matches('/'), root, SKU);
        let client = builder.license(license).state_dir(self.stage.customer()).clock(clock.clone()).build();
        Ok(Program { client: Arc::new(client.or_fail(Reason::CheckFailed, "the client", "report this")?), clock })
    }

    /// The server is away for longer and longer.
    pub(super) async fn outage(&mut self, program: &Program) -> Result<(), Failure> {
        self.headline("The server goes down. The customer's software goes on with its signed lease.")?;
        self.phone_home("the program checks, with the client crate", program, "licensed").await?;
        self.stage.stop().await;
        self.phone_home("the server is down: the lease is good", program, "licensed").await?;
        program.let_pass(TimeDelta::days(2));
        self.phone_home("two days later: it should have been renewed", program, "in grace").await?;
        program.let_pass(TimeDelta::days(7));
        self.phone_home("nine days: its hard end has passed", program, "denied").await?;
        program.let_pass(TimeDelta::days(-9));
        self.restart().await
    }

    /// The program asks; whatever happens, it gets one of three answers.
    pub(super) async fn phone_home(&mut self, what: &str, program: &Program, expected: &str) -> Result<(), Failure> {
        let begun = Instant::now();
        let answer = program.check().await?;
        let word = match &answer {
            Answer::Licensed(_) => "licensed",
            Answer::InGrace(_) => "in grace",
            Answer::Denied(_) => "denied",
        };
        let result = format!("{word}  {} {}", answer.code().as_str(), answer.reason());
        self.note(what, word == expected, result, begun.elapsed())
    }

    /// Many machines want the seats of one license at once.
    pub(super) async fn seats(&mut self, license: &str) -> Result<(), Failure> {
        self.headline("A license with three seats, and a hundred machines that want one at the same moment.")?;
        let begun = Instant::now();
        let race = self.race(license).await?;
        let count = |wanted: u16| race.iter().filter(|(_, status)| *status == wanted).count();
        let seated = race.iter().find(|(_, status)| *status == 201);
        self.seated = seated.map(|(machine, _)| Seated { license: license.into(), machine: machine.clone() });
        let result = format!("{} seated, {} refused with MACHINE_LIMIT", count(201), count(409));
        let ok = (count(201), count(409)) == (3, MACHINES - 3);
        self.note("PUT …/machines/{fingerprint}, 100 at once", ok, result, begun.elapsed())?;
        let seats_taken = |license: &Value| license["seats"]["used"] == 3 && license["seats"]["limit"] == 3;
        self.check("check without a machine", license, "MACHINE_REQUIRED", seats_taken).await
    }

    /// What each machine was answered.
    async fn race(&self, license: &str) -> Result<Vec<(String, u16)>, Failure> {
        let mut racing = JoinSet::new();
        for first in 0..CONNECTIONS {
            let (mut checks, license) = (self.stage.checks()?, license.to_owned());
            racing.spawn(async move {
                let mut statuses = vec![];
                for machine in (first..MACHINES).step_by(CONNECTIONS) {
                    let machine = format!("machine-{machine}");
                    let status = checks.activate(&license, &machine, None).await?.status;
                    statuses.push((machine, status));
                }
                Ok::<_, chopmark_simulator::checks::CheckError>(statuses)
            });
        }
        let mut statuses = vec![];
        while let Some(raced) = racing.join_next().await {
            let raced = raced.or_fail(Reason::CheckFailed, "the race", "report this")?;
            statuses.extend(raced.or_fail(Reason::CheckFailed, "the race", "run the demo again")?);
        }
        Ok(statuses)
    }

    /// A server made from an image enrols itself, is installed again, and is copied.
    pub(super) async fn image(&mut self) -> Result<(), Failure> {
        self.headline("A server made from an image: no callback tells of it, so it tells itself.")?;
        let ecs = Ecs::fresh();
        let first = self.enrol("first check: enrolled, and given a secret", &ecs, "VALID").await?;
        self.enrol("check with the secret: nothing is recorded", &ecs.with_secret(&first), "VALID").await?;
        let elsewhere = Ecs { project_id: "another-project".into(), ..ecs.clone() };
        self.enrol("the same id from another project", &elsewhere, "DEPLOYMENT_CONFLICT").await?;
        self.enrol("the system is installed again: enrolled anew", &ecs, "VALID").await?;
        self.enrol("a copy has the old secret: two use one id", &ecs.with_secret(&first), "VALID").await?;
        let begun = Instant::now();
        let shown = self.look(&ecs.uuid, "").await?;
        let reported = shown["deployment"]["clone_seen_at"].as_str().unwrap_or("no").to_owned();
        let ok = reported != "no";
        self.note("the operator sees the clone; nobody is refused", ok, format!("seen {reported}"), begun.elapsed())
    }

    /// Asks for a deployment; gives the secret that the answer brought, if it did.
    async fn enrol(&mut self, what: &str, ecs: &Ecs, code: &str) -> Result<String, Failure> {
        let begun = Instant::now();
        let verdict = self.question(what, &Question::deployment(IMAGE_SKU, ecs)).await?;
        let secret = verdict["enrolment_secret"].as_str().unwrap_or_default().to_owned();
        self.note(what, verdict["code"] == code, sentence(&verdict), begun.elapsed())?;
        Ok(secret)
    }

    /// What the license was earlier, and why a verdict was given then.
    pub(super) async fn look_back(&mut self, instance: &str, frozen: &Value) -> Result<(), Failure> {
        self.headline("Months later somebody asks why. The log answers for every moment.")?;
        let begun = Instant::now();
        let at = frozen["checked_at"].as_str().unwrap_or_default().to_owned();
        let then = self.look(instance, &format!("&as_of={at}")).await?;
        let result = format!("status {} as of {at}", then["status"].as_str().unwrap_or("?"));
        self.note("GET …/licenses/{id}?as_of=", then["status"] == "frozen", result, begun.elapsed())?;
        let begun = Instant::now();
        let question = serde_json::json!({ "position": frozen["position"], "at": at });
        let explained = self.stage.ask("POST", &format!("/v1/licenses/{instance}/explain"), Some(&question)).await?;
        let ok = explained["code"] == frozen["code"] && explained["reason"] == frozen["reason"];
        let steps = explained["because"]["looked_at"].as_array().map_or(0, Vec::len);
        let result = format!("{}, after {steps} codes were looked at", explained["code"].as_str().unwrap_or("?"));
        self.note("POST …/licenses/{id}/explain", ok, result, begun.elapsed())
    }

    async fn look(&self, license: &str, more: &str) -> Result<Value, Failure> {
        self.stage.ask("GET", &format!("/v1/licenses/{license}?seller={}{more}", super::stage::SELLER), None).await
    }
}
