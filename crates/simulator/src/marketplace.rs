//! The marketplace's calling side: signs callbacks and sends them to a seller's production interface.

use std::sync::Arc;

use chopmark_huawei::callback::Activity;
use chopmark_huawei::keys::InterfaceType;
use chrono::{DateTime, Utc};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};

use crate::http::{Connection, Exchange, HttpError, Request, Response};
use crate::message::{Message, Wording};
use crate::sign::{Stamp, TimestampUnit};
use crate::url::Url;

/// The access keys that a seller shares with the marketplace, one per interface type.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Base interface.
    pub base: SecretString,
    /// Delivery of license codes, where the seller has such products.
    pub license_code: Option<SecretString>,
    /// General interface; without one the base key signs order notifications.
    pub general: Option<SecretString>,
}

/// A callback that needs a key which was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{activity} is signed with the key of interface type license_code, and none was given")]
pub struct MissingKey {
    /// The callback.
    pub activity: Activity,
}

impl Keys {
    /// Only a key of the base interface.
    #[must_use]
    pub fn base(key: SecretString) -> Self {
        Self { base: key, license_code: None, general: None }
    }

    /// The key that signs an activity.
    ///
    /// # Errors
    /// No key of the interface type that the activity needs.
    pub fn of(&self, activity: Activity) -> Result<&SecretString, MissingKey> {
        let interfaces = activity.interfaces();
        if interfaces.contains(&InterfaceType::LicenseCode) {
            return self.license_code.as_ref().ok_or(MissingKey { activity });
        }
        let general = self.general.as_ref().filter(|_| interfaces.contains(&InterfaceType::General));
        Ok(general.unwrap_or(&self.base))
    }
}

/// How callbacks are written and signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The body.
    pub wording: Wording,
    /// The unit of `timestamp`.
    pub timestamp: TimestampUnit,
}

/// One signed request. Sending it again is an identical redelivery; signing its message again is a retry.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What it says.
    pub message: Message,
    /// The request's bytes.
    pub request: Vec<u8>,
    /// The key that signed it and must sign the answer.
    pub key: SecretString,
}

/// The marketplace, as one seller's production interface meets it: one connection, one seller.
pub struct Marketplace {
    connection: Connection,
    keys: Keys,
    host: String,
    path: String,
}

impl Marketplace {
    /// A marketplace that calls `{target}/callbacks/{seller}`.
    #[must_use]
    pub fn new(target: &Url, seller: &str, keys: Keys, tls: Option<Arc<ClientConfig>>) -> Self {
        Self {
            connection: Connection::to(target).with_tls(tls),
            keys,
            host: target.authority(),
            path: format!("{}/callbacks/{seller}", target.path()),
        }
    }

    /// Signs a message, at this moment and with a nonce and business id of its own.
    ///
    /// # Errors
    /// No key of the interface type that the message needs.
    pub fn sign(&self, message: &Message, style: Style, now: DateTime<Utc>) -> Result<Delivery, MissingKey> {
        self.sign_with(message, style, &Stamp::fresh(now, style.timestamp))
    }

    /// Signs a message with a given stamp.
    ///
    /// # Errors
    /// No key of the interface type that the message needs.
    pub fn sign_with(&self, message: &Message, style: Style, stamp: &Stamp) -> Result<Delivery, MissingKey> {
        let key = self.keys.of(message.activity())?;
        let (signed, sent) = message.bodies(stamp, style.wording);
        let target = format!("{}?{}", self.path, stamp.query(key.expose_secret(), &signed));
        let request = Request {
            method: "POST",
            host: &self.host,
            target: &target,
            headers: &[("Accept", "application/json"), ("Content-Type", "application/json;charset=utf8")],
            body: sent.as_ref().unwrap_or(&signed).as_bytes(),
        };
        Ok(Delivery { message: message.clone(), request: request.to_bytes(), key: key.clone() })
    }

    /// Sends a delivery.
    ///
    /// # Errors
    /// No whole answer.
    pub async fn send(&mut self, delivery: &Delivery) -> Result<Response, HttpError> {
        Ok(self.exchange(delivery).await?.to_response())
    }

    /// Sends a delivery; the answer stays in the connection's buffer.
    ///
    /// # Errors
    /// No whole answer.
    pub async fn exchange(&mut self, delivery: &Delivery) -> Result<Exchange<'_>, HttpError> {
        self.connection.send(&delivery.request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::OrderLine;

    fn marketplace(keys: Keys) -> Marketplace {
        let target = "http://127.0.0.1:8080/isv".parse().unwrap();
        Marketplace::new(&target, "acme", keys, None)
    }

    #[test]
    fn a_delivery_has_the_documented_form() {
        let marketplace = marketplace(Keys::base("test-access-key-0001".into()));
        let stamp = Stamp {
            timestamp: "1729566664115".into(),
            nonce: "Of4lsV7H1qrzVDI52O5CFk2ofPcZRaA6".into(),
            business_id: String::new(),
        };
        let message = Message::OrderNotify { order: OrderLine::first_of("CS2211181819B4LVS") };
        let style = Style { wording: Wording { test: true, ..Wording::default() }, ..Style::default() };
        let delivery = marketplace.sign_with(&message, style, &stamp).unwrap();
        let text = String::from_utf8(delivery.request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let lines: Vec<_> = head.split("\r\n").collect();
        assert_eq!(
            lines,
            [
                "POST /isv/callbacks/acme?signature=9C5BAF371D880D996FCDEB3C66B7FF501F29DD6315EF8F7277D628631CE367D0\
                 &timestamp=1729566664115&nonce=Of4lsV7H1qrzVDI52O5CFk2ofPcZRaA6 HTTP/1.1",
                "Host: 127.0.0.1:8080",
                "Accept: application/json",
                "Content-Type: application/json;charset=utf8",
                &format!("Content-Length: {}", body.len()),
            ]
        );
    }

    #[test]
    fn each_interface_type_signs_with_its_own_key() {
        let keys = Keys { base: "base".into(), license_code: Some("code".into()), general: Some("general".into()) };
        let key = |keys: &Keys, activity| keys.of(activity).map(|key| key.expose_secret().to_owned());
        assert_eq!(key(&keys, Activity::NewInstance).unwrap(), "base");
        assert_eq!(key(&keys, Activity::ReleaseLicenseCode).unwrap(), "code");
        assert_eq!(key(&keys, Activity::OrderNotify).unwrap(), "general");
        let alone = Keys::base("base".into());
        assert_eq!(key(&alone, Activity::OrderNotify).unwrap(), "base");
        let missing = key(&alone, Activity::RefreshLicenseCode).unwrap_err();
        assert!(missing.to_string().starts_with("refreshLicenseCode is signed"));
        assert!(!format!("{keys:?}").contains("code\""), "keys are not shown");
    }
}
