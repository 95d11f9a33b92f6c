//! Killed at random moments under a storm: nothing acknowledged is lost, nothing has an effect twice, and answers after
//! the restart are the answers from before.
//!
//! `CHOPMARK_TEST_KILLS=200` makes it long.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::marketplace::Style;
use chopmark_simulator::{Message, OrderLine};
use chrono::Utc;
use rand::Rng;
use serde_json::Value;

use crate::support::{Home, Server, config};

const WORKERS: usize = 16;

/// A purchase that was acknowledged.
#[derive(Clone)]
struct Acknowledged {
    order: OrderLine,
    answer: Vec<u8>,
    /// The status change asked for, and whether it was acknowledged.
    freeze: Freeze,
}

#[derive(Clone, Copy, PartialEq)]
enum Freeze {
    NotAsked,
    Asked,
    Acknowledged,
}

impl Acknowledged {
    fn instance(&self) -> String {
        let answer: Value = serde_json::from_slice(&self.answer).unwrap();
        answer["instanceId"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let kills: u32 = std::env::var("CHOPMARK_TEST_KILLS").map_or(12, |text| text.parse().unwrap());
    let home = Home::new(&config(""));
    let mut all: Vec<Acknowledged> = vec![];
    for round in 0..kills {
        let server = home.serve().await;
        verify(&server, &all[all.len().saturating_sub(200)..]).await;
        let acknowledged = Arc::new(Mutex::new(vec![]));
        let workers: Vec<_> =
            (0..WORKERS).map(|_| tokio::spawn(storm(server.marketplace(), acknowledged.clone()))).collect();
        let moment = rand::rng().random_range(5..250);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        server.kill();
        for worker in workers {
            worker.await.unwrap();
        }
        all.append(&mut acknowledged.lock().unwrap());
        assert!(round < 3 || !all.is_empty(), "the storm does reach the server");
    }
    let server = home.serve().await;
    verify(&server, &all).await;
    server.stop();
    let verified = home.run(&["rebuild", "--verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// Buys and sometimes freezes, noting what was acknowledged, until the server is gone.
async fn storm(mut marketplace: chopmark_simulator::Marketplace, acknowledged: Arc<Mutex<Vec<Acknowledged>>>) {
    loop {
        let order = OrderLine::fresh();
        let message = Message::NewInstance { order: order.clone() };
        let Some(answer) = call(&mut marketplace, &message).await else { return };
        let mut purchase = Acknowledged { order, answer, freeze: Freeze::NotAsked };
        if rand::rng().random_bool(0.5) {
            let instance = purchase.instance();
            let message = Message::UpdateInstanceStatus { instance, status: FreezeStatus::Freeze };
            let answer = call(&mut marketplace, &message).await;
            purchase.freeze = if answer.is_some() { Freeze::Acknowledged } else { Freeze::Asked };
        }
        let over = purchase.freeze == Freeze::Asked;
        acknowledged.lock().unwrap().push(purchase);
        if over {
            return;
        }
    }
}

/// The body of a `000000`; `None` when the server is gone or did not acknowledge.
async fn call(marketplace: &mut chopmark_simulator::Marketplace, message: &Message) -> Option<Vec<u8>> {
    let delivery = marketplace.sign(message, Style::default(), Utc::now()).unwrap();
    let response = marketplace.send(&delivery).await.ok()?;
    let answer: Value = serde_json::from_slice(&response.body).ok()?;
    (answer["resultCode"] == "000000").then_some(response.body)
}

/// Calls until it is acknowledged, as the marketplace does: on a busy machine an answer may take too long.
async fn acknowledged(marketplace: &mut chopmark_simulator::Marketplace, message: &Message) -> Vec<u8> {
    for _ in 0..10 {
        if let Some(answer) = call(marketplace, message).await {
            return answer;
        }
    }
    panic!("a redelivery is never acknowledged: {message:?}");
}

async fn verify(server: &Server, purchases: &[Acknowledged]) {
    let mut marketplace = server.marketplace();
    for purchase in purchases {
        let message = Message::NewInstance { order: purchase.order.clone() };
        let again = acknowledged(&mut marketplace, &message).await;
        assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&purchase.answer));
        let checked = server.check(&purchase.instance()).await;
        let (code, revision) = (checked["code"].as_str().unwrap(), checked["license"]["revision"].as_u64().unwrap());
        match purchase.freeze {
            Freeze::NotAsked => assert_eq!((code, revision), ("VALID", 1), "{checked}"),
            Freeze::Acknowledged => assert_eq!((code, revision), ("FROZEN", 2), "{checked}"),
            Freeze::Asked => assert!([("VALID", 1), ("FROZEN", 2)].contains(&(code, revision)), "{checked}"),
        }
    }
}
