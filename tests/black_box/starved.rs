//! The log cannot be written for a while: callbacks are answered `000005` without waiting for its end and
//! succeed when they are tried again; checks keep answering; nothing needs a restart.

use chopmark_simulator::marketplace::Style;
use chopmark_simulator::{Message, OrderLine};
use chrono::Utc;
use rusqlite::Connection;

use crate::support::{Home, config};

#[tokio::test]
async fn a_log_that_cannot_be_written_is_never_lied_about() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let known = server.buy().await;
    let position = server.position().await;

    let mut other = Connection::open(home.data().join("log.db")).unwrap();
    let lock = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let purchase = Message::NewInstance { order: OrderLine::fresh() };
    let delivery = server.marketplace().sign(&purchase, Style::default(), Utc::now()).unwrap();
    // Answered while the log is still locked; in how many seconds is for the machine to say, and for the deadline.
    assert_eq!(server.deliver(&delivery).await["resultCode"], "000005");
    assert_eq!(server.check(&known).await["code"], "VALID");
    let known_purchase = server.call(&Message::QueryInstance { instances: vec![known.clone()] }).await;
    assert_eq!(known_purchase["resultCode"], "000000", "what needs no append is answered");
    let at_risk = server.look_up("/v1/deliveries?seller=acme&result=000005").await;
    assert!(!at_risk["at_risk"].as_array().unwrap().is_empty(), "{at_risk}");
    drop(lock);

    // The identical request: an answer of 000005 is not remembered as an answer.
    let answer = server.deliver(&delivery).await;
    assert_eq!(answer["resultCode"], "000000", "{answer}");
    let bought = answer["instanceId"].as_str().unwrap();
    assert_eq!(server.check(bought).await["license"]["revision"], 1);
    assert_ne!(server.position().await, position);
}
