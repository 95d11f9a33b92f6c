//! Whether somebody answers where the configuration says.

use std::net::SocketAddr;

use chopmark_simulator::Url;
use chopmark_simulator::http::{Connection, Request};

use super::finding::Finding;
use crate::config::Config;

/// Calls each listener.
pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let listen = &config.listen;
    let mut addresses = vec![("callbacks", listen.callbacks), ("api", listen.api), ("metrics", listen.metrics)];
    addresses.extend(listen.admin.map(|admin| ("admin", admin)));
    let mut findings = vec![];
    for (name, address) in addresses {
        let tls = name == "callbacks" && config.tls.is_some();
        findings.push(listener(name, address, tls).await);
    }
    findings
}

async fn listener(name: &str, address: SocketAddr, tls: bool) -> Finding {
    let subject = "listener";
    let unreachable =
        || Finding::warn(subject, format!("{name} {address}: nothing answers"), "start it: chopmark serve");
    if tls || address.port() == 0 {
        return match tokio::net::TcpStream::connect(address).await {
            Ok(_) => Finding::ok(subject, format!("{name} {address}: open")),
            Err(_) => unreachable(),
        };
    }
    let Ok(url) = format!("http://{address}").parse::<Url>() else { return unreachable() };
    let request = Request { method: "GET", host: &url.authority(), target: "/readyz", headers: &[], body: b"" };
    match Connection::to(&url).send(&request.to_bytes()).await {
        Ok(answer) if answer.status == 200 => Finding::ok(subject, format!("{name} {address}: ready")),
        Ok(answer) => {
            let what = format!("{name} {address}: answers {}, not ready", answer.status);
            Finding::warn(subject, what, "wait until its index has caught up; if something else listens there, move it")
        }
        Err(_) => unreachable(),
    }
}
