//! What is still to do: a pure fold of the log.

mod errands;
mod orders;

use std::fmt;

use chopmark_domain::codec::{DecodeError, StoredEvent};
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{self, Errand};
use chopmark_domain::order;
use chopmark_domain::stream::Stream;
use chopmark_log::Record;
use serde::{Deserialize, Serialize};

pub use errands::{ErrandKey, Errands, OpenErrand};
pub use orders::{OpenOrder, OrderKey, Waiting, WantedFacts};

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Job {
    /// Get the facts of an order.
    Facts(OrderKey),
    /// Do an errand for a license.
    Errand(ErrandKey),
}

impl Job {
    /// Whose job it is.
    #[must_use]
    pub fn seller(&self) -> &SellerId {
        match self {
            Self::Facts(order) => &order.seller,
            Self::Errand(errand) => &errand.license.seller,
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Facts(OrderKey { order_id, .. }) => write!(f, "the facts of order {order_id}"),
            Self::Errand(ErrandKey { license, errand: Errand::Activate }) => {
                write!(f, "the activation of {}", license.id)
            }
            Self::Errand(ErrandKey { license, errand: Errand::Upload(application) }) => {
                write!(f, "the license for application {} of {}", application.event_id, license.id)
            }
        }
    }
}

impl From<OrderKey> for Job {
    fn from(order: OrderKey) -> Self {
        Self::Facts(order)
    }
}

impl From<ErrandKey> for Job {
    fn from(errand: ErrandKey) -> Self {
        Self::Errand(errand)
    }
}

/// All that is to be done, folded from the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWork {
    /// Orders whose facts are wanted.
    pub orders: WantedFacts,
    /// What is to be done for licenses.
    pub errands: Errands,
}

impl OpenWork {
    /// Takes one record of the log up. Tells the jobs it was about.
    ///
    /// # Errors
    /// [`DecodeError`]: the record is of a newer version, or damaged. Nothing was changed.
    pub fn apply(&mut self, record: &Record) -> Result<Vec<Job>, DecodeError> {
        match Stream::parse(record.stream.as_str()) {
            Some(Stream::License(license)) => {
                let event = license::Event::decode(&record.kind, &record.data)?;
                let order = self.orders.apply_license(&license, &event, record).map(Job::from);
                let errands = self.errands.apply(&license, &event, record).into_iter().map(Job::from);
                Ok(order.into_iter().chain(errands).collect())
            }
            Some(Stream::Order(seller, order_id)) => {
                let event = order::Event::decode(&record.kind, &record.data)?;
                if matches!(event, order::Event::Stated(_)) {
                    // What somebody read on the console is no answer of the open API: whoever waits, waits on.
                    return Ok(vec![]);
                }
                let key = OrderKey { seller, order_id };
                self.orders.apply_order(&key, event, record);
                Ok(vec![key.into()])
            }
            Some(
                Stream::Seller(_)
                | Stream::Hours(..)
                | Stream::Bill(_)
                | Stream::Month(..)
                | Stream::Transactions(..)
                | Stream::Access
                | Stream::Seals
                | Stream::Requests(_),
            )
            | None => Ok(vec![]),
        }
    }
}
