//! Licenses as the API's answers have them.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::console::frame::Frame;
use crate::console::links::Link;
use crate::console::show::{self, DASH};

/// `GET /v1/licenses`.
#[derive(Deserialize)]
pub(super) struct List {
    pub(super) licenses: Vec<Entry>,
    pub(super) next_cursor: Option<String>,
    pub(super) position: String,
}

/// A license.
#[derive(Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) seller: String,
    pub(super) status: String,
    pub(super) blocked: bool,
    pub(super) quantity: Option<u32>,
    pub(super) verdict: Verdict,
    pub(super) deployment: Option<Deployment>,
    kind: Option<String>,
    product: Option<String>,
    product_name: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    expiry_approximate: Option<bool>,
    #[serde(default)]
    entitlements: Map<String, Value>,
    seats: Option<Seats>,
}

#[derive(Deserialize)]
pub(super) struct Verdict {
    pub(super) valid: bool,
    pub(super) code: String,
}

#[derive(Deserialize)]
pub(super) struct Deployment {
    pub(super) project_id: String,
    pub(super) region_id: String,
    pub(super) enrolled_at: DateTime<Utc>,
    clone_suspected: bool,
}

#[derive(Deserialize)]
struct Seats {
    used: u32,
    limit: Option<u32>,
}

/// `GET /v1/licenses/{id}`.
#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    pub(super) license: Entry,
    pub(super) block: Option<Block>,
    pub(super) orders: Vec<Order>,
    pub(super) as_of: Option<DateTime<Utc>>,
    pub(super) position: String,
}

#[derive(Deserialize)]
pub(super) struct Block {
    pub(super) reason: String,
    pub(super) since: DateTime<Utc>,
    pub(super) by: Option<String>,
}

/// An order that a callback named.
#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) order_line_id: String,
    pub(super) charging_mode: Option<String>,
    pub(super) quantity: Option<u32>,
    pub(super) ordered_at: Option<DateTime<Utc>>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    role: String,
    scene: Option<String>,
}

impl Entry {
    /// Its page, without saying of which seller it is.
    pub(super) fn path(&self) -> String {
        Link::to("/console/licenses").into_one(&self.id).to_string()
    }

    /// Its page.
    pub(super) fn link(&self) -> String {
        self.page().to_string()
    }

    /// Its page as of then.
    pub(super) fn link_as_of(&self, then: &str) -> String {
        self.page().with("as_of", then).to_string()
    }

    fn page(&self) -> Link {
        Link::to("/console/licenses").into_one(&self.id).with("seller", &self.seller)
    }

    /// The product by its name, or else by its SKU.
    pub(super) fn product_name(&self) -> &str {
        self.product_name.as_deref().or(self.product.as_deref()).unwrap_or(DASH)
    }

    pub(super) fn sku(&self) -> &str {
        self.product.as_deref().unwrap_or(DASH)
    }

    pub(super) fn kind_in(&self, frame: &Frame) -> String {
        self.kind.as_deref().map(|kind| frame.word("kind", kind)).unwrap_or_default()
    }

    /// How loud its status is.
    pub(super) fn tone(&self) -> &'static str {
        match self.status.as_str() {
            "active" => "good",
            "frozen" => "warn",
            _ => "",
        }
    }

    pub(super) fn expiry(&self) -> String {
        show::time_or_dash(&self.expires_at)
    }

    pub(super) fn is_approximate(&self) -> bool {
        self.expiry_approximate == Some(true)
    }

    pub(super) fn is_suspected(&self) -> bool {
        self.deployment.as_ref().is_some_and(|deployment| deployment.clone_suspected)
    }

    /// Seats used of those there are: `2 / 3`.
    pub(super) fn seats_used(&self) -> String {
        match &self.seats {
            Some(Seats { used, limit: Some(limit) }) => format!("{used} / {limit}"),
            Some(Seats { used, limit: None }) if *used > 0 => used.to_string(),
            _ => DASH.into(),
        }
    }

    /// What its software may do, as name and value.
    pub(super) fn entitlements_shown(&self) -> Vec<(&str, String)> {
        let shown = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "✓".into(),
            Value::Bool(false) => "✗".into(),
            other => other.to_string(),
        };
        self.entitlements.iter().map(|(name, value)| (name.as_str(), shown(value))).collect()
    }
}

impl Order {
    /// What it did: bought, renewed, upgraded.
    pub(super) fn role_in(&self, frame: &Frame) -> String {
        match &self.scene {
            Some(scene) => frame.word("scene", scene),
            None => frame.word("order-role", &self.role),
        }
    }
}
