//! Whether somebody answers where the configuration says.

use std::net::SocketAddr;

use chopmark_simulator::Url;
use chopmark_simulator::http::{Connection, Request};

use super::finding::Finding;
use crate::cli::serve::Role;
use crate::config::{Config, Listen};

const SUBJECT: &str = "listener";

/// Calls each listener that the role opens.
pub(super) async fn look(config: &Config, role: Role) -> Vec<Finding> {
    let opened = opened_by(role, &config.listen);
    let mut findings = vec![];
    if role != Role::All {
        let names: Vec<_> = opened.iter().map(|(name, _)| *name).collect();
        let what = format!("role {} opens {}; no other is looked at", role.name(), names.join(" and "));
        findings.push(Finding::ok(SUBJECT, what));
    }
    for (name, address) in opened {
        let tls = name == "callbacks" && config.tls.is_some();
        findings.push(listener(name, address, tls, role).await);
    }
    findings
}

/// The listeners of a role, by name.
fn opened_by(role: Role, listen: &Listen) -> Vec<(&'static str, SocketAddr)> {
    let mut opened = vec![];
    if role.takes_callbacks() {
        opened.push(("callbacks", listen.callbacks));
    }
    if role.answers_questions() {
        opened.push(("api", listen.api));
        opened.extend(listen.admin.map(|admin| ("admin", admin)));
    }
    opened.push(("metrics", listen.metrics));
    opened
}

async fn listener(name: &str, address: SocketAddr, tls: bool, role: Role) -> Finding {
    let subject = SUBJECT;
    let unreachable = || {
        let start = match role {
            Role::All => {
                "start it: chopmark serve; if it serves one role only, name that: chopmark doctor --role".into()
            }
            role => format!("start it: chopmark serve --role {}", role.name()),
        };
        Finding::warn(subject, format!("{name} {address}: nothing answers"), start)
    };
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
