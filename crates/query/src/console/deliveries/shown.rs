//! Deliveries as the API's answer has them.

use std::borrow::Borrow;

use chopmark_journal::RETRY_WINDOW;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::console::frame::Frame;
use crate::console::show::{self, DASH};

/// `GET /v1/deliveries`.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) deliveries: Vec<Delivery>,
    pub(super) journal: bool,
    pub(super) at_risk: Vec<Risk>,
    pub(super) next_cursor: Option<String>,
    pub(super) position: String,
}

/// A delivery and its answer.
#[derive(Deserialize)]
pub(super) struct Delivery {
    pub(super) at: DateTime<Utc>,
    pub(super) seller: String,
    pub(super) test: bool,
    pub(super) authenticated: bool,
    pub(super) result: String,
    pub(super) reason: Option<String>,
    pub(super) body: String,
    pub(super) answer: String,
    activity: Option<String>,
    subject: Option<String>,
    order: Option<String>,
    order_line: Option<String>,
    millis: f64,
}

/// Something that a customer may have paid for and not got.
#[derive(Deserialize)]
pub(super) struct Risk {
    pub(super) source: String,
    pub(super) seller: String,
    pub(super) since: DateTime<Utc>,
    pub(super) attempts: u32,
    activity: Option<String>,
    subject: Option<String>,
    order: Option<String>,
    order_line: Option<String>,
    license: Option<String>,
    result: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    abandoned: bool,
}

/// How much time is left, and how much that should worry.
pub(super) struct TimeLeft {
    pub(super) text: String,
    pub(super) tone: &'static str,
}

impl Delivery {
    pub(super) fn activity_in(&self, frame: &Frame) -> String {
        self.activity.as_deref().map_or_else(|| DASH.into(), |activity| frame.word("activity", activity))
    }

    /// The most exact thing that it names.
    pub(super) fn concerns(&self) -> &str {
        let named = [&self.order_line, &self.order, &self.subject];
        named.into_iter().flatten().next().map_or(DASH, String::as_str)
    }

    pub(super) fn is_success(&self) -> bool {
        self.result == "000000"
    }

    pub(super) fn millis_shown(&self) -> String {
        format!("{:.1}", self.millis)
    }
}

impl Risk {
    /// The most exact thing that it names.
    pub(super) fn concerns(&self) -> &str {
        let named = [&self.order_line, &self.order, &self.license, &self.subject];
        named.into_iter().flatten().next().map_or(DASH, String::as_str)
    }

    /// What went wrong.
    pub(super) fn why(&self, frame: &Frame) -> String {
        match (&self.result, &self.reason, self.activity.as_deref()) {
            (Some(result), _, Some(activity)) => format!("{} → {result}", frame.word("activity", activity)),
            (Some(result), _, None) => result.clone(),
            (None, Some(reason), _) => reason.clone(),
            (None, None, _) => DASH.into(),
        }
    }

    /// The marketplace repeats a purchase for three hours; what we still ask for has no such end.
    pub(super) fn time_left(&self, frame: &Frame, now: impl Borrow<DateTime<Utc>>) -> TimeLeft {
        let t = frame.t;
        if self.abandoned {
            return TimeLeft { text: t.given_up.into(), tone: "bad" };
        }
        if self.source != "delivery" {
            return TimeLeft { text: t.still_trying.into(), tone: "" };
        }
        let left = self.since + RETRY_WINDOW - *now.borrow();
        let tone = if left < TimeDelta::hours(1) { "bad" } else { "warn" };
        TimeLeft { text: show::duration(left.max(TimeDelta::zero())), tone }
    }
}
