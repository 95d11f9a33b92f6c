//! The marketplace's book of license codes: what their activation and query are answered from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chopmark_domain::license::CodeState;
use chrono::{DateTime, Utc};

use crate::orders::Order;

/// A license code, as the marketplace has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Its state.
    pub state: CodeState,
    /// Whether the buyer has received it; before that nobody can activate it (topic 0070649244).
    pub received: bool,
    /// The order that bought it.
    pub order_id: String,
    /// The product id.
    pub product_id: String,
    /// The amount bought.
    pub quantity: u32,
    /// When it was activated, UTC.
    pub activated_at: Option<DateTime<Utc>>,
    /// When it ends, UTC; only codes for a period do.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Code {
    /// The code that an order bought: received, and not activated.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        Self {
            state: CodeState::Inactive,
            received: true,
            order_id: order.line.order_id.clone(),
            product_id: order.product.product_id.clone(),
            quantity: order.product.quantity,
            activated_at: None,
            expires_at: order.expires_at,
        }
    }

    /// Its state at a moment: a code that is past its expiry is expired.
    #[must_use]
    pub fn state_at(&self, now: DateTime<Utc>) -> CodeState {
        match self.state {
            CodeState::Alive if self.expires_at.is_some_and(|at| at <= now) => CodeState::Expired,
            state => state,
        }
    }
}

/// Why the marketplace does not do what it is asked (错误码, topic 0070649244).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// 92020002.
    #[error("invalid param")]
    Parameter,
    /// 92020003.
    #[error("illegal state, do not activate twice")]
    IllegalState,
    /// 92020004.
    #[error("the user has not received the license code")]
    NotReceived,
    /// 92020005.
    #[error("license code not exist")]
    Unknown,
}

impl Refused {
    /// Its `error_code`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parameter => "92020002",
            Self::IllegalState => "92020003",
            Self::NotReceived => "92020004",
            Self::Unknown => "92020005",
        }
    }
}

/// The book of license codes. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Codes(Arc<Mutex<HashMap<String, Code>>>);

impl Codes {
    /// Adds a code, or replaces what was known of it.
    pub fn register(&self, id: &str, code: Code) {
        self.book().insert(id.into(), code);
    }

    /// What the book has of a code.
    #[must_use]
    pub fn look_up(&self, id: &str) -> Option<Code> {
        self.book().get(id).cloned()
    }

    /// The buyer receives a code, and it can be activated.
    pub fn receive(&self, id: &str) {
        self.change(id, |code| code.received = true);
    }

    /// A code gets another state.
    pub fn set_state(&self, id: &str, state: CodeState) {
        self.change(id, |code| code.state = state);
    }

    /// A code gets another expiry.
    pub fn set_expiry(&self, id: &str, expires_at: Option<DateTime<Utc>>) {
        self.change(id, |code| code.expires_at = expires_at);
    }

    /// Activates codes, all of them or none.
    ///
    /// # Errors
    /// What is wrong with the first that cannot be activated.
    pub fn activate(&self, ids: &[&str], now: DateTime<Utc>) -> Result<Vec<Code>, Refused> {
        let mut book = self.book();
        for id in ids {
            match book.get(*id) {
                None => return Err(Refused::Unknown),
                Some(code) if !code.received => return Err(Refused::NotReceived),
                Some(code) if code.state != CodeState::Inactive => return Err(Refused::IllegalState),
                Some(_) => {}
            }
        }
        let mut activated = vec![];
        for id in ids {
            if let Some(code) = book.get_mut(*id) {
                code.state = CodeState::Alive;
                code.activated_at = Some(now);
                activated.push(code.clone());
            }
        }
        Ok(activated)
    }

    /// Gives the codes asked for, all of them or none. What a code that is not activated is answered with is not
    /// published; here it is an illegal state.
    ///
    /// # Errors
    /// What is wrong with the first that nothing can be said of.
    pub fn query(&self, ids: &[&str]) -> Result<Vec<Code>, Refused> {
        let book = self.book();
        let find = |id: &&str| match book.get(*id) {
            None => Err(Refused::Unknown),
            Some(code) if !code.received => Err(Refused::NotReceived),
            Some(code) if code.state == CodeState::Inactive => Err(Refused::IllegalState),
            Some(code) => Ok(code.clone()),
        };
        ids.iter().map(find).collect()
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Code)) {
        if let Some(code) = self.book().get_mut(id) {
            change(code);
        }
    }

    // A panic while the book is held leaves it whole: nothing in between panics.
    fn book(&self) -> MutexGuard<'_, HashMap<String, Code>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn code() -> Code {
        Code {
            state: CodeState::Inactive,
            received: false,
            order_id: "CS1".into(),
            product_id: "OFFI0001".into(),
            quantity: 2,
            activated_at: None,
            expires_at: Some("2027-11-24T10:00:00Z".parse().unwrap()),
        }
    }

    #[test]
    fn a_code_is_received_then_activated_once_and_then_known() {
        let codes = Codes::default();
        assert_eq!(codes.activate(&["PL1"], now()), Err(Refused::Unknown));
        assert_eq!(codes.query(&["PL1"]), Err(Refused::Unknown));
        codes.register("PL1", code());
        assert_eq!(codes.activate(&["PL1"], now()), Err(Refused::NotReceived));
        assert_eq!(codes.query(&["PL1"]), Err(Refused::NotReceived));
        codes.receive("PL1");
        assert_eq!(codes.query(&["PL1"]), Err(Refused::IllegalState));
        let activated = codes.activate(&["PL1"], now()).unwrap();
        assert_eq!((activated[0].state, activated[0].activated_at), (CodeState::Alive, Some(now())));
        assert_eq!(codes.activate(&["PL1"], now()), Err(Refused::IllegalState));
        assert_eq!(codes.query(&["PL1"]), Ok(activated));
    }

    #[test]
    fn a_list_is_activated_whole_or_not_at_all() {
        let codes = Codes::default();
        codes.register("PL1", Code { received: true, ..code() });
        assert_eq!(codes.activate(&["PL1", "PL404"], now()), Err(Refused::Unknown));
        assert_eq!(codes.look_up("PL1").unwrap().state, CodeState::Inactive);
        codes.register("PL2", Code { received: true, ..code() });
        assert_eq!(codes.activate(&["PL1", "PL2"], now()).unwrap().len(), 2);
    }

    #[test]
    fn a_code_past_its_expiry_is_expired_and_may_live_again() {
        let codes = Codes::default();
        codes.register("PL1", Code { state: CodeState::Alive, received: true, ..code() });
        let state = |at: &str| codes.look_up("PL1").unwrap().state_at(at.parse().unwrap());
        assert_eq!(state("2027-11-24T09:59:59Z"), CodeState::Alive);
        assert_eq!(state("2027-11-24T10:00:00Z"), CodeState::Expired);
        codes.set_expiry("PL1", None);
        assert_eq!(state("2027-11-24T10:00:00Z"), CodeState::Alive);
        codes.set_state("PL1", CodeState::Released);
        assert_eq!(state("2026-11-24T10:00:00Z"), CodeState::Released);
    }
}
