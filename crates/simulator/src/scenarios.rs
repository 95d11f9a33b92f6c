//! Plays: what the marketplace does with a seller, and what must come of it.

pub mod codes;
pub mod dialtest;
pub mod duplicates;
pub mod image;
pub mod lifecycle;
pub mod months;
pub mod online;
pub mod outage;
mod play;
pub mod purchase;
pub mod reorder;
pub mod seats;
pub mod software;
pub mod storm;
mod wanted;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use secrecy::SecretString;

use crate::marketplace::{Keys, Marketplace, Style};
use crate::open_api_server::Desk;
use crate::orders::{Orders, Product};
use crate::report::{Progress, Report};
use crate::url::Url;

/// Where a scenario plays, and with what.
#[derive(Clone)]
pub struct Context<'a> {
    /// The callbacks listener: `{target}/callbacks/{seller}` is called.
    pub target: Url,
    /// The seller, as callback paths name it.
    pub seller: String,
    /// The keys shared with the seller.
    pub keys: Keys,
    /// How `https://` addresses are called.
    pub tls: Option<Arc<ClientConfig>>,
    /// The API listener. Without it answers are judged, and licenses are not.
    pub api: Option<Url>,
    /// The book that the seller's `order/query` is answered from. Without it orders keep their facts to themselves.
    pub orders: Option<Orders>,
    /// The open API that plays the marketplace; `codes` and `online` need it.
    pub desk: Option<Desk>,
    /// A token; with one of the role `support`, `image` sees what is reported to people, and `months` needs one of the
    /// role `finance` or `admin`.
    pub token: Option<SecretString>,
    /// The SKU of an image product; `image` needs it.
    pub image_product: Option<String>,
    /// What is bought.
    pub product: Product,
    /// How callbacks are written and signed.
    pub style: Style,
    /// How long a license may take to become what it must be, order facts included.
    pub patience: Duration,
    /// Watches the steps.
    pub progress: &'a dyn Progress,
}

impl<'a> Context<'a> {
    /// A context with the necessary: answers are judged, licenses are not.
    #[must_use]
    pub fn new(target: Url, seller: &str, keys: Keys, progress: &'a dyn Progress) -> Self {
        Self {
            target,
            seller: seller.into(),
            keys,
            tls: None,
            api: None,
            orders: None,
            desk: None,
            token: None,
            image_product: None,
            product: Product::default(),
            style: Style::default(),
            patience: Duration::from_secs(15),
            progress,
        }
    }

    fn marketplace(&self) -> Marketplace {
        Marketplace::new(&self.target, &self.seller, self.keys.clone(), self.tls.clone())
    }
}

/// The scenarios, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// A purchase, from the order to a good license.
    Purchase,
    /// All that can happen to a license, to its end and after.
    Lifecycle,
    /// Everything delivered again and again.
    Duplicates,
    /// Things that may come in either order.
    Reorder,
    /// Calling until somebody answers.
    Outage,
    /// The console's saved test cases.
    Dialtest,
    /// Very many purchases.
    Storm,
    /// A race of machines for the seats of a license.
    Seats,
    /// An image product: an ECS is enrolled, moved, installed again, copied.
    Image,
    /// License codes, from the buyer's hands to activation.
    Codes,
    /// A license made on request.
    Online,
    /// The customer's software, through an outage and a freeze.
    Software,
    /// Several months of a shop, and the bills of them.
    Months,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 13] = [
        Self::Purchase,
        Self::Lifecycle,
        Self::Duplicates,
        Self::Reorder,
        Self::Outage,
        Self::Dialtest,
        Self::Storm,
        Self::Seats,
        Self::Image,
        Self::Codes,
        Self::Online,
        Self::Software,
        Self::Months,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Lifecycle => "lifecycle",
            Self::Duplicates => "duplicates",
            Self::Reorder => "reorder",
            Self::Outage => "outage",
            Self::Dialtest => "dialtest",
            Self::Storm => "storm",
            Self::Seats => "seats",
            Self::Image => "image",
            Self::Codes => "codes",
            Self::Online => "online",
            Self::Software => "software",
            Self::Months => "months",
        }
    }

    /// Plays it; `outage` and `storm` with their defaults.
    pub async fn play(self, context: &Context<'_>) -> Report {
        match self {
            Self::Purchase => purchase::play(context).await,
            Self::Lifecycle => lifecycle::play(context).await,
            Self::Duplicates => duplicates::play(context).await,
            Self::Reorder => reorder::play(context).await,
            Self::Outage => outage::play(context, outage::Options::default()).await,
            Self::Dialtest => dialtest::play(context).await,
            Self::Storm => storm::play(context, storm::Options::default()).await,
            Self::Seats => seats::play(context).await,
            Self::Image => image::play(context).await,
            Self::Codes => codes::play(context).await,
            Self::Online => online::play(context).await,
            Self::Software => software::play(context).await,
            Self::Months => months::play(context).await,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no scenario's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no scenario {name:?}; choose one of purchase, lifecycle, duplicates, reorder, outage, dialtest, storm, \
     seats, image, codes, online, software, months"
)]
pub struct UnknownScenario {
    /// The name given.
    pub name: String,
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, UnknownScenario> {
        let found = Self::ALL.into_iter().find(|scenario| scenario.as_str() == name);
        found.ok_or_else(|| UnknownScenario { name: name.into() })
    }
}

#[cfg(test)]
mod tests;
