//! What is noted of one request, for metrics and the delivery journal.

use std::time::Duration;

use actix_web::HttpRequest;
use chopmark_domain::license::Released;
use chopmark_domain::order::OrderRef;
use chopmark_huawei::answer::{Answer, ResultCode};
use chopmark_huawei::callback::{Activity, Callback, Verified};
use chopmark_journal::Delivery;
use chrono::Utc;

use crate::metrics::IngestMetrics;

/// The label of callers whose seller is not ours: what strangers write into a path is no label.
const NOBODY: &str = "unknown";

/// A request so far.
pub(crate) struct Note {
    seller: String,
    remote: Option<String>,
    activity: Option<Activity>,
    test: bool,
    authenticated: bool,
    subject: Option<String>,
    order: Option<String>,
    reason: Option<&'static str>,
    body: String,
}

impl Note {
    pub(crate) fn begin(request: &HttpRequest, seller: &str) -> Self {
        Self {
            seller: seller.chars().take(64).collect(),
            remote: request.peer_addr().map(|address| address.ip().to_string()),
            activity: None,
            test: false,
            authenticated: false,
            subject: None,
            order: None,
            reason: None,
            body: String::new(),
        }
    }

    pub(crate) fn body(&mut self, body: &[u8]) {
        self.body = String::from_utf8_lossy(&body[..body.len().min(Delivery::BODY_MAX)]).into_owned();
    }

    pub(crate) fn rejected(&mut self, reason: &'static str) {
        self.reason = Some(reason);
    }

    pub(crate) fn claims(&mut self, activity: Option<Activity>, authenticated: bool) {
        self.activity = activity;
        self.authenticated = authenticated;
    }

    pub(crate) fn verified(&mut self, verified: &Verified<'_>) {
        self.claims(Some(verified.callback.activity()), true);
        self.test = verified.test;
        // Where buyer fields were cut out of what is kept, the journal keeps no more than that.
        self.body.clone_from(&verified.request.body);
        self.body.truncate(self.body.floor_char_boundary(Delivery::BODY_MAX));
        (self.subject, self.order) = names(&verified.callback);
    }

    pub(crate) fn count(&self, metrics: &IngestMetrics, result: ResultCode, elapsed: Duration) {
        metrics.seconds.observe(elapsed.as_secs_f64());
        if let Some(reason) = self.reason {
            metrics.rejected.with_label_values(&[reason]).inc();
        }
        let seller = if self.authenticated { self.seller.as_str() } else { NOBODY };
        if self.test {
            metrics.dial_tests.with_label_values(&[seller, result.as_str()]).inc();
        }
        if self.authenticated {
            let activity = self.activity.map_or("unknown", Activity::as_str);
            metrics.callbacks.with_label_values(&[seller, activity, result.as_str()]).inc();
        }
    }

    pub(crate) fn into_delivery(self, answer: &Answer, bytes: &[u8], elapsed: Duration) -> Delivery {
        // What `queryInstance` answers may hold a password, and a journal is read by many.
        let kept = match &answer.info {
            Some(_) => Answer { info: None, ..answer.clone() }.to_bytes(),
            None => bytes.to_vec(),
        };
        Delivery {
            at: Utc::now(),
            seller: self.seller,
            activity: self.activity.map(|activity| activity.as_str().to_owned()),
            test: self.test,
            authenticated: self.authenticated,
            subject: self.subject,
            order: self.order,
            result_code: answer.result_code.as_str().to_owned(),
            reason: self.reason.map(str::to_owned),
            millis: elapsed.as_secs_f64() * 1_000.0,
            remote: self.remote,
            body: self.body,
            answer: String::from_utf8_lossy(&kept).into_owned(),
        }
    }
}

/// The license and the order line that a callback names. The line belongs to it: two lines of one order are two
/// purchases, and one may fail while the other succeeds.
fn names(callback: &Callback) -> (Option<String>, Option<String>) {
    let line = |order: &OrderRef| Some(format!("{}/{}", order.order_id, order.order_line_id));
    let of_release = |released: &Released| released.order_id.as_ref().map(ToString::to_string);
    match callback {
        Callback::NewInstance { order, .. } | Callback::OrderNotify { order } => (None, line(order)),
        Callback::QueryInstance { ids } => (ids.first().map(ToString::to_string), None),
        Callback::RefreshInstance { instance, refreshed } => (Some(instance.to_string()), line(&refreshed.order)),
        Callback::UpgradeInstance { instance, upgraded } => (Some(instance.to_string()), line(&upgraded.order)),
        Callback::ReleaseInstance { instance, released } => (Some(instance.to_string()), of_release(released)),
        Callback::UpdateInstanceStatus { instance, .. } | Callback::ChangeInstanceCheck { instance, .. } => {
            (Some(instance.to_string()), None)
        }
        Callback::RefreshLicenseCode { code, refreshed } => (Some(code.to_string()), line(&refreshed.order)),
        Callback::UpdateLicenseCodeStatus { code, .. } => (Some(code.to_string()), None),
        Callback::ReleaseLicenseCode { code, released } => (Some(code.to_string()), of_release(released)),
    }
}
