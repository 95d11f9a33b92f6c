//! An installation: a fake server, a clock that is set by hand, a state folder, and the client between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chopmark_client::{Builder, Client, Clock, Fingerprint};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::fake_server::{FakeServer, Heard, Reply};
use crate::signer::Key;

pub(crate) const LICENSE: &str = "10e758d0-31ad-4c4b-8f1b-81d03469a10e";
pub(crate) const PRODUCT: &str = "a63ee5c9-0000";
pub(crate) const MACHINE: &str = "machine-1";
pub(crate) const UUID: &str = "ca9e8b7c-f2be-4b6d-a639-f10b4d994d04";

/// 2026-11-24T10:00:00Z.
pub(crate) const START: i64 = 1_795_514_400;
pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A clock that stands where it was set.
#[derive(Clone)]
pub(crate) struct FakeClock(Arc<AtomicI64>);

impl FakeClock {
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        at(self.seconds())
    }
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a time")
}

pub(crate) struct World {
    pub(crate) root: Key,
    pub(crate) server: FakeServer,
    pub(crate) clock: FakeClock,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    /// A server that says yes with a good lease.
    pub(crate) fn new() -> Self {
        let (root, clock) = (Key::new(1), FakeClock(Arc::new(AtomicI64::new(START))));
        let server = FakeServer::start(licensed(&root, &clock));
        Self { root, server, clock, folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn builder(&self) -> Builder {
        Client::builder(&self.server.url, self.root.x(), PRODUCT)
            .state_dir(self.folder.path())
            .clock(self.clock.clone())
            .timeouts(Duration::from_millis(500), Duration::from_millis(500))
    }

    /// A client of a license on a machine.
    pub(crate) fn client(&self) -> Client {
        let machine = Fingerprint::parse(MACHINE).expect("a fingerprint");
        self.builder().license(LICENSE).machine(machine).build().expect("a client")
    }

    pub(crate) fn is_up(&self) {
        self.server.now(licensed(&self.root, &self.clock));
    }

    pub(crate) fn is_down(&self) {
        self.server.now(|_| Reply::HangUp);
    }

    pub(crate) fn says_no(&self, code: &'static str) {
        self.server.now(move |heard| Reply::Json(200, no(heard, code)));
    }

    /// The server says yes with this lease, whatever it is.
    pub(crate) fn sends(&self, lease: impl Into<Value>) {
        let (lease, clock) = (lease.into(), self.clock.clone());
        self.server.now(move |heard| Reply::Json(200, yes(heard, &lease, clock.seconds())));
    }
}

/// Claims of a good lease: a day, and a week of grace.
pub(crate) fn claims(now: i64) -> Value {
    json!({"iss": "chopmark", "sub": LICENSE, "aud": PRODUCT, "seller": "acme", "machine": MACHINE,
        "entitlements": {"reports": true, "users": 20}, "iat": now, "nbf": now, "renew_by": now + DAY,
        "exp": now + 8 * DAY, "jti": "1"})
}

/// The claims with some of them otherwise; `null` takes one out.
pub(crate) fn claims_but(now: i64, but: &Value) -> Value {
    let mut claims = claims(now);
    let map = claims.as_object_mut().expect("an object");
    for (name, value) in but.as_object().expect("an object") {
        if value.is_null() {
            map.remove(name);
        } else {
            map.insert(name.clone(), value.clone());
        }
    }
    claims
}

pub(crate) fn yes(heard: &Heard, lease: &Value, now: i64) -> Value {
    json!({"valid": true, "code": "VALID", "reason": "active until 2027-10-27T10:30:15Z",
        "license": {"id": LICENSE, "expires_at": "2027-10-27T10:30:15Z"}, "lease": lease, "next_check_after": 3600,
        "nonce": heard.json()["nonce"], "position": "1", "checked_at": at(now)})
}

pub(crate) fn no(heard: &Heard, code: &str) -> Value {
    json!({"valid": false, "code": code, "reason": "no", "next_check_after": 3600, "nonce": heard.json()["nonce"],
        "position": "1", "checked_at": at(START)})
}

fn licensed(root: &Key, clock: &FakeClock) -> impl FnMut(&Heard) -> Reply + Send + 'static {
    let (root, clock) = (root.clone(), clock.clone());
    move |heard| {
        let lease = root.lease(&claims(clock.seconds()));
        Reply::Json(200, yes(heard, &lease.into(), clock.seconds()))
    }
}
