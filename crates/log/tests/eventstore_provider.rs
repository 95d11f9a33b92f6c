//! A process in which somebody else has chosen the TLS provider before the EventStoreDB engine came: it says so, and does
//! not panic. It is a process of its own, because the choice is for good.

#![cfg(test)]

use chopmark_log::LogMetrics;
use chopmark_log::eventstore::{ConnectError, EventstoreLog, LeaseTimes};
use secrecy::SecretString;

#[test]
fn a_provider_that_was_installed_before_is_an_error() {
    rustls::crypto::ring::default_provider().install_default().expect("the first provider");
    for url in ["esdb://127.0.0.1:1?tls=false", "esdb://127.0.0.1:1"] {
        let connected =
            EventstoreLog::connect(&SecretString::from(url), LeaseTimes::default(), LogMetrics::unregistered());
        assert!(matches!(connected, Err(ConnectError::Provider)), "{connected:?}");
    }
}
