//! What the marketplace delivered lately, and what is at risk.

use chopmark_domain::at_risk::{ErrandAtRisk, OrderAtRisk};
use chopmark_domain::license::Errand;
use chopmark_journal::{AtRisk, JournalError, JournalReader, LastDelivery};
use chopmark_reactor::AtRisk as Open;
use chrono::{TimeDelta, Utc};

use super::finding::{Finding, counted};
use crate::at_risk::RETRY_WINDOW;
use crate::config::Config;
use crate::server::data_dir::DataDir;

/// Looks at the delivery journal, and at what the log leaves open.
pub(super) fn look(config: &Config, open: &Open) -> Vec<Finding> {
    let (seen, failed) = match journal(config) {
        Ok((last, failed)) => (last.iter().map(seen).collect(), Some(failed)),
        Err(error) => {
            let mend = "no license depends on it; if it is damaged, the server begins it anew at its next start";
            (vec![Finding::warn("callbacks", error.to_string(), mend)], None)
        }
    };
    let none = Finding::warn("callbacks", "none yet on this node", "debug the product in the seller's console");
    let seen = if seen.is_empty() { vec![none] } else { seen };
    seen.into_iter().chain(at_risk(failed.as_deref(), open)).collect()
}

/// The last delivery of each seller, and what failed the last time; nothing where there is no journal yet.
fn journal(config: &Config) -> Result<(Vec<LastDelivery>, Vec<AtRisk>), JournalError> {
    let path = DataDir::at(&config.data_dir).journal();
    if !path.exists() {
        return Ok((vec![], vec![]));
    }
    let reader = JournalReader::open(&path)?;
    Ok((reader.last()?, reader.at_risk(Utc::now() - RETRY_WINDOW)?))
}

fn seen(last: &LastDelivery) -> Finding {
    Finding::ok("callbacks", format!("seller {}: the last one {}", last.seller, ago(Utc::now() - last.at)))
}

/// A time that has passed, as people say it.
fn ago(passed: TimeDelta) -> String {
    let whole = |number: i64| usize::try_from(number).unwrap_or_default();
    match passed {
        passed if passed < TimeDelta::minutes(1) => "less than a minute ago".into(),
        passed if passed < TimeDelta::hours(2) => format!("{} ago", counted(whole(passed.num_minutes()), "minute")),
        passed if passed < TimeDelta::days(2) => format!("{} ago", counted(whole(passed.num_hours()), "hour")),
        passed => format!("{} ago", counted(whole(passed.num_days()), "day")),
    }
}

/// What is at risk; of callbacks nothing can be said where the journal cannot be read.
fn at_risk(failed: Option<&[AtRisk]>, open: &Open) -> Vec<Finding> {
    let mut findings = vec![];
    if let Some(failed) = failed.filter(|failed| !failed.is_empty()) {
        findings.push(Finding::fail(
            "at risk",
            format!("{} without a successful answer, still being repeated", counted(failed.len(), "callback")),
            "see GET /v1/deliveries; after 3 hours the marketplace unsubscribes the customer",
        ));
    }
    findings.extend(orders(&open.orders));
    findings.extend(errands(&open.errands));
    if findings.is_empty() && failed.is_some() {
        let what = "no callback waits for a successful answer, no order for its facts, no license for its delivery";
        findings.push(Finding::ok("at risk", what));
    }
    findings
}

fn orders(orders: &[OrderAtRisk]) -> Option<Finding> {
    let first = orders.first()?;
    let given_up = given_up(orders.iter().filter(|order| order.abandoned).count());
    let orders = counted(orders.len(), "order");
    let what = format!("{orders} without facts{given_up}; the oldest {} of seller {}", first.order_id, first.seller);
    Some(Finding::warn("at risk", what, "see at_risk in GET /v1/deliveries for the reason"))
}

/// Codes that are not activated, licenses that are not uploaded.
fn errands(errands: &[ErrandAtRisk]) -> Option<Finding> {
    let first = errands.first()?;
    let given_up = given_up(errands.iter().filter(|errand| errand.abandoned).count());
    let number = |is_meant: fn(&Errand) -> bool| errands.iter().filter(|risk| is_meant(&risk.errand)).count();
    let codes = counted(number(|errand| matches!(errand, Errand::Activate)), "license code");
    let documents = counted(number(|errand| matches!(errand, Errand::Upload(_))), "license document");
    let (license, seller) = (&first.license, &first.seller);
    let what = format!(
        "{codes} not activated, {documents} not uploaded{given_up}; the oldest for {license} of seller {seller}"
    );
    Some(Finding::warn("at risk", what, format!("see why: chopmark license history {license}")))
}

/// E.g. `, 2 of them given up`; nothing where none is.
fn given_up(abandoned: usize) -> String {
    if abandoned == 0 { String::new() } else { format!(", {abandoned} of them given up") }
}

#[cfg(test)]
mod tests {
    use chopmark_domain::ids::{EventId, LicenseCode, SellerId};
    use chopmark_domain::license::Application;
    use chopmark_domain::stream::LicenseId;
    use chrono::DateTime;

    use super::*;

    #[test]
    fn time_that_has_passed_is_said_as_people_say_it() {
        let said = |seconds| ago(TimeDelta::seconds(seconds));
        assert_eq!(said(-5), "less than a minute ago");
        assert_eq!(said(59), "less than a minute ago");
        assert_eq!(said(60), "1 minute ago");
        assert_eq!(said(7_199), "119 minutes ago");
        assert_eq!(said(7_200), "2 hours ago");
        assert_eq!(said(200_000), "2 days ago");
    }
    #[test]
    fn errands_are_counted_by_what_is_to_be_done() {
        let errand = |license: &str, errand| ErrandAtRisk {
            seller: SellerId::parse("acme").unwrap(),
            license: LicenseId::Code(LicenseCode::parse(license).unwrap()),
            errand,
            since: DateTime::<Utc>::UNIX_EPOCH,
            attempts: 3,
            reason: None,
            abandoned: license == "PL2",
        };
        let application = Application { event_id: EventId::parse("e-1").unwrap(), fingerprint: None };
        let open = [
            errand("PL1", Errand::Activate),
            errand("PL2", Errand::Activate),
            errand("PL3", Errand::Upload(application)),
        ];
        let said = errands(&open).unwrap().to_string();
        let what = "2 license codes not activated, 1 license document not uploaded, 1 of them given up; the oldest for \
                    PL1 of seller acme";
        assert!(said.contains(what) && said.contains("chopmark license history PL1"), "{said}");
        assert!(errands(&[]).is_none());
    }
}
