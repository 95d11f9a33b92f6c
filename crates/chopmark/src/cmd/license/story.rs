//! What happened to a license, in words.

use chopmark_domain::cause::Cause;
use chopmark_domain::license::{
    Application, CodeAnswer, CodeState, Errand, Event, FreedBy, InstanceAdopted, MachineFreed, Refreshed, Scene,
    Status, Terms,
};
use chopmark_domain::order::OrderRef;

use crate::cmd::text::time;

/// What happened.
pub(super) fn what(event: &Event) -> String {
    match event {
        Event::InstanceCreated(created) => format!("bought with {}", line(&created.order)),
        Event::InstanceAdopted(adopted) => taken_over(adopted),
        Event::PurchaseAdopted(adopted) => {
            format!("the purchase belongs to the adopted instance {}", adopted.instance_id)
        }
        Event::CodeSeen(_) => "named by the marketplace for the first time".into(),
        Event::Refreshed(refreshed) => refresh(refreshed),
        Event::Upgraded(upgraded) => format!("another specification or amount bought with {}", line(&upgraded.order)),
        Event::OrderFactsApplied(applied) => {
            format!("the facts of order {} are known: {}", applied.order_id, terms(&applied.terms))
        }
        Event::Frozen(_) => "frozen by the marketplace".into(),
        Event::Unfrozen(_) => "unfrozen by the marketplace".into(),
        Event::Released(released) => match &released.order_id {
            Some(order) => format!("released by the marketplace, for good, with order {order}"),
            None => "released by the marketplace, for good".into(),
        },
        Event::Blocked(blocked) => format!("stopped: {}", blocked.reason),
        Event::Unblocked(_) => "no longer stopped".into(),
        Event::MachineActivated(activated) => match &activated.name {
            Some(name) => format!("machine {} ({name}) took a seat", activated.fingerprint),
            None => format!("machine {} took a seat", activated.fingerprint),
        },
        Event::MachineFreed(freed) => gave_up(freed),
        Event::DeploymentEnrolled(enrolled) => {
            let (project, region) = (&enrolled.facts.project_id, &enrolled.facts.region_id);
            let alternates = if enrolled.alternates { "; two systems seem to share this ECS id" } else { "" };
            format!("enrolled for {} from project {project} in {region}{alternates}", enrolled.product)
        }
        Event::CodeConfirmed(answer) => confirmed(answer),
        Event::LicenseRequested(requested) => {
            let end = requested.expires_at.map(|at| format!(", until {}", time(at))).unwrap_or_default();
            format!("a license document was applied for{end}: {}", application(&requested.application))
        }
        Event::LicenseIssued(issued) => format!("the document was made: {}", application(&issued.application)),
        Event::LicenseUploaded(uploaded) => {
            format!("the marketplace took the document: {}", application(&uploaded.application))
        }
        Event::ErrandDelayed(late) => {
            format!("{} did not succeed yet, and goes on: {}", task(&late.errand), late.reason)
        }
        Event::ErrandAbandoned(given_up) => {
            let (task, tries) = (task(&given_up.errand), given_up.attempts);
            format!("{task} was given up after {tries} tries: {}", given_up.reason)
        }
    }
}

/// What was behind it.
pub(super) fn by(cause: &Cause) -> String {
    match cause {
        Cause::Callback(request) => format!("by a callback: nonce {}, key {}", request.nonce, request.key_id),
        Cause::OpenApi { api, .. } => format!("by an answer of {api}"),
        Cause::Operator { actor } => format!("by operator {actor}"),
        Cause::Import { actor, file_name, .. } => format!("by operator {actor} with the file {file_name}"),
        Cause::Software { address: Some(address) } => format!("by software in {address}"),
        Cause::Software { address: None } => "by software".into(),
        Cause::System => "by Chopmark itself".into(),
    }
}

fn line(order: &OrderRef) -> String {
    format!("line {} of order {}", order.order_line_id, order.order_id)
}

fn taken_over(adopted: &InstanceAdopted) -> String {
    let status = match adopted.status {
        Status::Active => "active",
        Status::Frozen => "frozen",
        Status::Released => "released",
    };
    format!("taken over from before Chopmark, {status}: {}", terms(&adopted.terms))
}

fn terms(terms: &Terms) -> String {
    let product = terms.sku.as_ref().map(ToString::to_string);
    let quantity = terms.quantity.map(|quantity| format!("amount {quantity}"));
    let about = if terms.expiry_approximate { "about " } else { "" };
    let end = terms.expires_at.map(|at| format!("until {about}{}", time(at)));
    let known: Vec<String> = [product, quantity, end].into_iter().flatten().collect();
    if known.is_empty() { "nothing said of product, amount or end".into() } else { known.join(", ") }
}

fn refresh(refreshed: &Refreshed) -> String {
    let scene = match refreshed.scene {
        Scene::TrialToFormal => "a trial became a purchase",
        Scene::Renewal => "renewed",
        Scene::RenewalChange => "renewed with another specification or amount",
        Scene::UnsubscribeRenewalPeriod => "a renewal was cancelled",
    };
    format!("{scene} with {}: ends {}", line(&refreshed.order), time(refreshed.expires_at))
}

fn gave_up(freed: &MachineFreed) -> String {
    let why = match freed.by {
        FreedBy::Customer => "was freed by the customer",
        FreedBy::Operator => "was freed by an operator",
        FreedBy::Lapse => "let its leases lapse",
    };
    format!("machine {} {why}; its seat is taken until {}", freed.fingerprint, time(freed.taken_until))
}

fn confirmed(answer: &CodeAnswer) -> String {
    let state = match answer.state {
        CodeState::Inactive => "not activated",
        CodeState::Alive => "active",
        CodeState::Expired => "expired",
        CodeState::Released => "released",
    };
    let end = answer.expires_at.map(|at| format!(", until {}", time(at))).unwrap_or_default();
    let order = answer.order.as_ref().map(|order| format!(", bought with {}", line(order))).unwrap_or_default();
    format!("the marketplace says the code is {state}{end}{order}")
}

fn application(application: &Application) -> String {
    match &application.fingerprint {
        Some(fingerprint) => format!("event {}, device {fingerprint}", application.event_id),
        None => format!("event {}", application.event_id),
    }
}

fn task(errand: &Errand) -> &'static str {
    match errand {
        Errand::Activate => "activating the code",
        Errand::Upload(_) => "uploading the license document",
    }
}

#[cfg(test)]
mod tests {
    use chopmark_domain::codec::StoredEvent;

    use super::*;

    fn said(kind: &str, data: &str) -> String {
        what(&Event::decode(kind, data.as_bytes()).unwrap())
    }

    #[test]
    fn events_are_told_in_words() {
        let order = r#""order":{"order_id":"CS1","order_line_id":"CS1-1"}"#;
        let rows = [
            ("instance_created.v1", format!("{{{order}}}"), "bought with line CS1-1 of order CS1"),
            (
                "license_refreshed.v1",
                format!(r#"{{"scene":"RENEWAL",{order},"expires_at":"2027-10-27T10:30:15Z"}}"#),
                "renewed with line CS1-1 of order CS1: ends 2027-10-27T10:30:15Z",
            ),
            ("license_blocked.v1", r#"{"reason":"chargeback"}"#.into(), "stopped: chargeback"),
            (
                "machine_activated.v1",
                r#"{"fingerprint":"m1","name":"build","at":"2026-11-24T12:00:00Z"}"#.into(),
                "machine m1 (build) took a seat",
            ),
            (
                "machine_freed.v1",
                r#"{"fingerprint":"m1","by":"lapse","taken_until":"2026-11-24T12:00:00Z"}"#.into(),
                "machine m1 let its leases lapse; its seat is taken until 2026-11-24T12:00:00Z",
            ),
            ("license_released.v1", "{}".into(), "released by the marketplace, for good"),
            (
                "license_code_confirmed.v1",
                r#"{"state":"inactive"}"#.into(),
                "the marketplace says the code is not activated",
            ),
        ];
        for (kind, data, expected) in rows {
            assert_eq!(said(kind, &data), expected);
        }
    }

    #[test]
    fn terms_say_what_is_known_of_them() {
        assert_eq!(terms(&Terms::default()), "nothing said of product, amount or end");
        let known = Terms { quantity: Some(7), expires_at: "2027-01-01T00:00:00Z".parse().ok(), ..Terms::default() };
        assert_eq!(terms(&known), "amount 7, until 2027-01-01T00:00:00Z");
        let guessed = Terms { expiry_approximate: true, ..known };
        assert_eq!(terms(&guessed), "amount 7, until about 2027-01-01T00:00:00Z");
    }

    #[test]
    fn who_was_behind_it_is_named() {
        assert_eq!(by(&Cause::Operator { actor: "helpdesk".into() }), "by operator helpdesk");
        assert_eq!(by(&Cause::Software { address: Some("203.0.113.0/24".into()) }), "by software in 203.0.113.0/24");
        assert_eq!(by(&Cause::OpenApi { api: "order/query".into(), answer: None }), "by an answer of order/query");
    }
}
