//! The billing views: whether they can be reached, and how far they are behind the log.

use chopmark_billing::store::StoreError;
use chopmark_log::Position;

use super::finding::Finding;
use crate::config::Config;
use crate::server::billing;

const SUBJECT: &str = "billing";

/// A running server is not so far behind, unless it has just been started.
const FAR_BEHIND_EVENTS: u64 = 10_000;

/// Looks at them beside a log that ends at `head`.
pub(super) async fn look(config: &Config, head: Option<Position>) -> Finding {
    let kept = match billing::open_kept(&config.views).await {
        Ok(Some(kept)) => kept.checkpoint().await.map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    match kept {
        Ok(Some(checkpoint)) => how_far(checkpoint.position, head),
        Ok(None) => Finding::warn(SUBJECT, "there are no billing views yet", "they are made when the server starts"),
        Err(error) => Finding::fail(SUBJECT, error.to_string(), mend(&error)),
    }
}

fn how_far(position: Position, head: Option<Position>) -> Finding {
    let Some(head) = head else {
        return Finding::ok(SUBJECT, format!("the billing views are at position {position}"));
    };
    match head.0.checked_sub(position.0) {
        Some(0) => Finding::ok(SUBJECT, format!("the billing views are at the head of the log, {head}")),
        Some(behind) => {
            let what = format!("the billing views are at position {position}, {behind} events behind the log");
            match behind {
                ..FAR_BEHIND_EVENTS => Finding::ok(SUBJECT, what),
                _ => Finding::warn(SUBJECT, what, "a running server catches up; if it does not, its log says why"),
            }
        }
        None => {
            let what = format!("the billing views are at position {position}, but the log ends at {head}");
            Finding::fail(SUBJECT, what, "they are of another log, or of one that was restored: run chopmark rebuild")
        }
    }
}

fn mend(error: &StoreError) -> &'static str {
    match error {
        StoreError::Version { .. } | StoreError::Damaged { .. } => "no license depends on them",
        StoreError::Moved | StoreError::Unavailable { .. } => {
            "start what keeps them, or mend views.url; no license depends on them, and a running server catches up"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Health;
    use super::*;

    #[test]
    fn it_is_said_how_far_they_are() {
        let said = |position, head: Option<u64>| {
            let finding = how_far(Position(position), head.map(Position));
            (finding.health, finding.to_string())
        };
        let cases = [
            (5, None, Health::Ok, "at position 5"),
            (5, Some(5), Health::Ok, "at the head of the log"),
            (5, Some(7), Health::Ok, "2 events behind"),
            (5, Some(10_005), Health::Warn, "10000 events behind"),
            (7, Some(5), Health::Fail, "chopmark rebuild"),
        ];
        for (position, head, health, words) in cases {
            let (found, text) = said(position, head);
            assert_eq!(found, health, "{text}");
            assert!(text.contains(words), "{text}");
        }
    }
}
