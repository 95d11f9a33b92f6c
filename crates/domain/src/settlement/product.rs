//! What is sold and where: sites, access types, categories, and kinds of settlement lines.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::Currency;
use crate::order::{ChargingMode, OrderType};

/// A marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// China (云商店).
    Cn,
    /// International (KooGallery).
    Intl,
    /// Europe; follows the international one.
    Eu,
}

impl Site {
    /// In which currency prices are set (S3, S6).
    #[must_use]
    pub fn currency(self) -> Currency {
        match self {
            Self::Cn => Currency::CNY,
            Self::Intl | Self::Eu => Currency::USD,
        }
    }
}

/// How a product reaches its customer (access type): decides supervision and refunds (S7, S10, S11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessType {
    /// A service.
    Saas,
    /// An image for an ECS.
    Image,
    /// Licenses.
    License,
    /// Work of people (人工服务).
    ProfessionalService,
    /// Application orchestration (应用编排).
    AppOrchestration,
    /// Devices.
    Hardware,
    /// An API.
    Api,
    /// An AI asset.
    AiAsset,
    /// A container.
    Container,
    /// Content.
    ContentService,
    /// Data.
    DataAsset,
    /// Consulting (international).
    Consulting,
    /// A cloud host (international).
    CloudHost,
}

impl AccessType {
    /// Whether an order of this type passes acceptance (服务监管) before it is settled. `agreed` says so for a product
    /// of which both kinds exist. Renewals create no new supervision (S7). Data assets only know refunds under
    /// supervision (S10).
    #[must_use]
    pub fn is_supervised(self, agreed: bool, line_type: LineType) -> bool {
        let product = match self {
            Self::License | Self::ProfessionalService | Self::AppOrchestration | Self::Hardware | Self::DataAsset => {
                true
            }
            Self::Saas => agreed,
            Self::Image
            | Self::Api
            | Self::AiAsset
            | Self::Container
            | Self::ContentService
            | Self::Consulting
            | Self::CloudHost => false,
        };
        product && line_type != LineType::Renew
    }
}

/// The tab of the console's bills that a product is under (S17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Generic goods (通用商品).
    Generic,
    /// Selected and certified parts (严选).
    Selected,
    /// Joint operation (联营).
    JointOperation,
    /// Huawei self-service (华为商品).
    HuaweiSelfService,
}

impl Category {
    /// Every tab.
    pub const ALL: [Self; 4] = [Self::Generic, Self::Selected, Self::JointOperation, Self::HuaweiSelfService];

    /// The stable code, as in stored events and paths.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Selected => "selected",
            Self::JointOperation => "joint_operation",
            Self::HuaweiSelfService => "huawei_self_service",
        }
    }

    /// The tab with a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.code() == code)
    }
}

/// Kind of a settlement line (CONSTRUCTED from the order types of S29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineType {
    /// Purchase for a period, or once.
    New,
    /// Renewal.
    Renew,
    /// Upgrade or scale-out.
    Change,
    /// Trial turned commercial.
    TrialConvert,
    /// Consumption.
    Usage,
    /// Pay-per-use package.
    Package,
    /// Unsubscription; negative.
    Refund,
    /// A true downgrade, or on-demand turned into a period; negative.
    Downgrade,
    /// Correction of an earlier bill; either sign.
    Adjustment,
    /// Nobody said, or it is a kind that this version does not know: shown, and in no sum.
    Unknown,
}

impl LineType {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::New,
        Self::Renew,
        Self::Change,
        Self::TrialConvert,
        Self::Usage,
        Self::Package,
        Self::Refund,
        Self::Downgrade,
        Self::Adjustment,
        Self::Unknown,
    ];

    /// Whether its amounts are negative.
    #[must_use]
    pub fn takes_back(self) -> bool {
        matches!(self, Self::Refund | Self::Downgrade)
    }
}

/// What an order is on the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billed {
    /// A line of this type.
    As(LineType),
    /// Never: a trial costs nothing and is in no transaction details (S15).
    Never,
    /// Its kind is not known here; it must be shown as such.
    Unknown,
}

/// What an order becomes on the bill, by its kind, its mode and the sign of its amount, if that is known. A renewal
/// into something smaller is a lower price, not a negative line; a change with a negative amount is a downgrade.
#[must_use]
pub fn billed_as(order_type: OrderType, mode: ChargingMode, amount: Option<Decimal>) -> Billed {
    let line_type = match (order_type, mode) {
        (OrderType::Trial, _) => return Billed::Never,
        (OrderType::Other, _) | (OrderType::New, ChargingMode::Other) => return Billed::Unknown,
        (OrderType::New, ChargingMode::Period | ChargingMode::OneTime) => LineType::New,
        (OrderType::New, ChargingMode::OnDemandPkg) => LineType::Package,
        (OrderType::New, ChargingMode::OnDemand) => LineType::Usage,
        (OrderType::TrialToFormal, _) => LineType::TrialConvert,
        (OrderType::Renew, _) => LineType::Renew,
        (OrderType::Change, _) if amount.is_some_and(|amount| amount < Decimal::ZERO) => LineType::Downgrade,
        (OrderType::Change, _) => LineType::Change,
        (OrderType::Unsubscribe, _) => LineType::Refund,
    };
    Billed::As(line_type)
}
