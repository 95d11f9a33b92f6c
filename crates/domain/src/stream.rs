//! Streams: the consistency boundaries, and their names in the event log.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hours::Day;
use crate::ids::{EcsId, InstanceId, LicenseCode, OrderId, SellerId};
use crate::settlement::bill::BillIdentity;
use crate::settlement::calendar::Period;
use crate::settlement::product::Category;

/// What a check asks about: an instance, a license code or a deployment, in one shape.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenseId {
    /// Made by `newInstance`, or adopted.
    Instance(InstanceId),
    /// Made by the marketplace.
    Code(LicenseCode),
    /// An ECS that runs an image product.
    Deployment(EcsId),
}

impl LicenseId {
    /// The id as the customer's software sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Instance(id) => id.as_str(),
            Self::Code(code) => code.as_str(),
            Self::Deployment(ecs) => ecs.as_str(),
        }
    }
}

impl fmt::Display for LicenseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A license of a seller. An id of another seller under my path does not exist, so the seller is part of the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LicenseKey {
    /// Whose license.
    pub seller: SellerId,
    /// Which.
    pub id: LicenseId,
}

/// A stream: the events of one thing, appended in one order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// One instance, license code or deployment: [`crate::license::Event`].
    License(LicenseKey),
    /// What the marketplace asked of one license that changed nothing: [`crate::requests::Event`].
    Requests(LicenseKey),
    /// One order: [`crate::order::Event`].
    Order(SellerId, OrderId),
    /// A seller's secret and catalog: [`crate::catalog::Event`].
    Seller(SellerId),
    /// The hours of one day in which a seller's deployments were seen: [`crate::hours::Event`].
    Hours(SellerId, Day),
    /// A bill of the marketplace: [`crate::settlement::bill::event::Event`].
    Bill(BillIdentity),
    /// A seller's month: [`crate::settlement::month::Event`].
    Month(SellerId, Period),
    /// An imported file of transaction details, by its SHA-256 in hexadecimal:
    /// [`crate::settlement::transactions::Event`].
    Transactions(SellerId, String),
    /// Tokens of the installation: [`crate::access::Event`].
    Access,
    /// Seals of the log: [`crate::seal::Event`].
    Seals,
}

impl Stream {
    /// The stream of an instance.
    #[must_use]
    pub fn instance(seller: &SellerId, id: &InstanceId) -> Self {
        Self::License(LicenseKey { seller: seller.clone(), id: LicenseId::Instance(id.clone()) })
    }

    /// Reads a name that [`Display`](fmt::Display) wrote; `None` for a stream that is not ours.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "access" => return Some(Self::Access),
            "seals" => return Some(Self::Seals),
            _ => {}
        }
        let (category, rest) = name.split_once('-')?;
        if category == "seller" {
            return Some(Self::Seller(SellerId::parse(rest).ok()?));
        }
        if category == "requests" {
            let Self::License(key) = Self::parse(rest)? else { return None };
            return Some(Self::Requests(key));
        }
        let (seller, id) = rest.split_once('/')?;
        let seller = SellerId::parse(seller).ok()?;
        match category {
            "instance" => {
                Some(Self::License(LicenseKey { seller, id: LicenseId::Instance(InstanceId::parse(id).ok()?) }))
            }
            "code" => Some(Self::License(LicenseKey { seller, id: LicenseId::Code(LicenseCode::parse(id).ok()?) })),
            "deployment" => {
                Some(Self::License(LicenseKey { seller, id: LicenseId::Deployment(EcsId::parse(id).ok()?) }))
            }
            "hours" => Some(Self::Hours(seller, Day::parse(id)?)),
            "order" => Some(Self::Order(seller, OrderId::parse(id).ok()?)),
            "bill" => {
                let (category, period) = id.split_once('/')?;
                let (category, period) = (Category::from_code(category)?, Period::parse(period).ok()?);
                Some(Self::Bill(BillIdentity { seller, category, period }))
            }
            "month" => Some(Self::Month(seller, Period::parse(id).ok()?)),
            "transactions" => {
                let is_digest = id.len() == 64 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                is_digest.then(|| Self::Transactions(seller, id.to_owned()))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::License(LicenseKey { seller, id: LicenseId::Instance(id) }) => write!(f, "instance-{seller}/{id}"),
            Self::License(LicenseKey { seller, id: LicenseId::Code(code) }) => write!(f, "code-{seller}/{code}"),
            Self::License(LicenseKey { seller, id: LicenseId::Deployment(ecs) }) => {
                write!(f, "deployment-{seller}/{ecs}")
            }
            Self::Requests(key) => write!(f, "requests-{}", Self::License(key.clone())),
            Self::Hours(seller, day) => write!(f, "hours-{seller}/{day}"),
            Self::Order(seller, order) => write!(f, "order-{seller}/{order}"),
            Self::Seller(seller) => write!(f, "seller-{seller}"),
            Self::Bill(BillIdentity { seller, category, period }) => {
                write!(f, "bill-{seller}/{}/{period}", category.code())
            }
            Self::Month(seller, period) => write!(f, "month-{seller}/{period}"),
            Self::Transactions(seller, sha256) => write!(f, "transactions-{seller}/{sha256}"),
            Self::Access => f.write_str("access"),
            Self::Seals => f.write_str("seals"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_written() {
        let seller = SellerId::parse("acme-eu.1").unwrap();
        let streams = [
            Stream::instance(&seller, &InstanceId::parse("odd/id-with-everything").unwrap()),
            Stream::License(LicenseKey {
                seller: seller.clone(),
                id: LicenseId::Code(LicenseCode::parse("PL0001").unwrap()),
            }),
            Stream::Requests(LicenseKey {
                seller: seller.clone(),
                id: LicenseId::Instance(InstanceId::parse("odd/id-with-everything").unwrap()),
            }),
            Stream::Order(seller.clone(), OrderId::parse("CS2211181819B4LVS").unwrap()),
            Stream::License(LicenseKey {
                seller: seller.clone(),
                id: LicenseId::Deployment(EcsId::parse("ca9e8b7c-f2be-4b6d-a639-f10b4d994d04").unwrap()),
            }),
            Stream::Hours(seller.clone(), Day::parse("20261124").unwrap()),
            Stream::Bill(BillIdentity {
                seller: seller.clone(),
                category: Category::JointOperation,
                period: Period::parse("202405").unwrap(),
            }),
            Stream::Month(seller.clone(), Period::parse("202405").unwrap()),
            Stream::Transactions(seller.clone(), "0f".repeat(32)),
            Stream::Seller(seller),
            Stream::Access,
            Stream::Seals,
        ];
        for stream in streams {
            assert_eq!(Stream::parse(&stream.to_string()), Some(stream));
        }
        assert_eq!(Stream::parse("$stats-127.0.0.1"), None);
        for odd in [
            "requests-requests-code-acme/PL1",
            "requests-access",
            "hours-acme/20261332",
            "bill-acme/generic/20245",
            "bill-acme/other/202405",
            "transactions-acme/0F",
        ] {
            assert_eq!(Stream::parse(odd), None, "{odd}");
        }
    }
}
