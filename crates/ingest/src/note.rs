//! What is noted of one request, for metrics and the delivery journal.

use std::time::Duration;

use actix_web::HttpRequest;
use chopmark_huawei::answer::{Answer, ResultCode};
use chopmark_huawei::callback::{Activity, Named, Rejection, Verified};
use chopmark_journal::Delivery;
use chrono::{DateTime, Utc};

use crate::metrics::IngestMetrics;

/// A request so far.
pub(crate) struct Note {
    at: DateTime<Utc>,
    seller: String,
    remote: Option<String>,
    activity: Option<Activity>,
    test: bool,
    authenticated: bool,
    named: Named,
    reason: Option<&'static str>,
    body: String,
}

impl Note {
    pub(crate) fn begin(request: &HttpRequest, seller: &str, at: DateTime<Utc>) -> Self {
        Self {
            at,
            seller: seller.chars().take(64).collect(),
            remote: request.peer_addr().map(|address| address.ip().to_string()),
            activity: None,
            test: false,
            authenticated: false,
            named: Named::default(),
            reason: None,
            body: String::new(),
        }
    }

    pub(crate) fn rejected(&mut self, reason: &'static str) {
        self.reason = Some(reason);
    }

    /// A request that is not taken up. Of a body that is no JSON only the length is noted: what it holds, nobody knows.
    pub(crate) fn rejection(&mut self, rejection: &Rejection<'_>, length: usize) {
        self.rejected(rejection.reason.as_str());
        self.activity = rejection.activity;
        self.authenticated = rejection.authenticated;
        // Whoever cannot sign is not believed to be testing either.
        self.test = rejection.test && rejection.authenticated;
        self.named.clone_from(&rejection.named);
        self.body = rejection.body.clone().unwrap_or_else(|| format!("{length} bytes"));
    }

    pub(crate) fn verified(&mut self, verified: &Verified<'_>) {
        self.activity = Some(verified.callback.activity());
        self.authenticated = true;
        self.test = verified.test;
        self.named.clone_from(&verified.named);
        self.body.clone_from(&verified.request.body);
    }

    pub(crate) fn count(&self, metrics: &IngestMetrics, result: ResultCode, elapsed: Duration) {
        metrics.seconds.observe(elapsed.as_secs_f64());
        if let Some(reason) = self.reason {
            metrics.rejected.with_label_values(&[reason]).inc();
        }
        // What strangers write into a path is no label.
        if self.authenticated {
            let activity = self.activity.map_or("unknown", Activity::as_str);
            metrics.callbacks.with_label_values(&[self.seller.as_str(), activity, result.as_str()]).inc();
        }
        if self.test {
            metrics.dial_tests.with_label_values(&[self.seller.as_str(), result.as_str()]).inc();
        }
    }

    pub(crate) fn into_delivery(self, answer: &Answer, bytes: &[u8], elapsed: Duration) -> Delivery {
        // What `queryInstance` answers may hold a password, and a journal is read by many.
        let kept = match &answer.info {
            Some(_) => Answer { info: None, ..answer.clone() }.to_bytes(),
            None => bytes.to_vec(),
        };
        Delivery {
            at: self.at,
            seller: self.seller,
            activity: self.activity.map(|activity| activity.as_str().to_owned()),
            test: self.test,
            authenticated: self.authenticated,
            subject: self.named.subject,
            order: self.named.order,
            order_line: self.named.order_line,
            result_code: answer.result_code.as_str().to_owned(),
            reason: self.reason.map(str::to_owned),
            millis: elapsed.as_secs_f64() * 1_000.0,
            remote: self.remote,
            body: self.body,
            answer: String::from_utf8_lossy(&kept).into_owned(),
        }
    }
}
