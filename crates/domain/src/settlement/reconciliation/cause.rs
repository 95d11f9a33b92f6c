//! Why a bill says something else: probable causes with stable codes and a sentence each.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::SellerId;
use crate::settlement::calendar::Period;
use crate::settlement::money::{Currency, Ratio};
use crate::settlement::product::Category;
use crate::settlement::readiness::Blocked;

/// A condition of settlement that may come true in another month than we think (S14, S3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Condition {
    /// It takes effect.
    Effective,
    /// It is paid in full.
    Paid,
    /// It is accepted.
    Supervision,
}

/// What probably made a difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    /// Rounded, or cut, where we keep the exact amount (S33).
    Rounding,
    /// Another platform fee (S5, S21).
    OtherFeeRatio {
        /// Ours.
        ours: Ratio,
        /// The bill's.
        theirs: Ratio,
    },
    /// The tier's share is not in it (S21).
    TierNotApplied {
        /// Ours.
        ours: Ratio,
    },
    /// Another tier.
    OtherTier {
        /// Ours.
        ours: Ratio,
        /// The bill's.
        theirs: Ratio,
    },
    /// The goods cost something else, or another part was given back.
    OtherSalesAmount {
        /// Ours.
        ours: Decimal,
        /// The bill's.
        theirs: Decimal,
    },
    /// A voucher of another amount.
    OtherVoucher {
        /// Ours.
        ours: Decimal,
        /// The bill's.
        theirs: Decimal,
    },
    /// The voucher was borne otherwise: by the marketplace alone, by the seller alone, or shared (S22).
    VoucherBorneOtherwise {
        /// The voucher.
        voucher: Decimal,
    },
    /// Taxes that one side takes off and the other does not, or in another amount (S6).
    Tax {
        /// Ours, the customer's and the seller's together.
        ours: Decimal,
        /// The bill's, if it says them.
        theirs: Option<Decimal>,
    },
    /// A refund was taken back in full, without its fee being handed back.
    RefundWithoutFee,
    /// The amount has the other sign.
    SignTurned,
    /// Billed more than once: on this bill, or on those of these periods too.
    Duplicate {
        /// Other bills that have it.
        also_in: Vec<Period>,
    },
    /// One side has a purchase and its refund on one bill, the other on two or on none (S3).
    RefundPairing {
        /// Where the half is that this is about, if that is known.
        half_in: Option<Period>,
    },
    /// The bill gives back what we know no refund of.
    RefundNotHeardOf,
    /// It belongs to another period.
    OtherPeriod {
        /// Which one: on whose bill it is, or in which we expect it; `None` if nobody can say.
        period: Option<Period>,
        /// Because of which condition; `None` if none can be made out.
        because: Option<Condition>,
    },
    /// It still waits for something.
    StillBlocked {
        /// For what.
        reason: Blocked,
    },
    /// It is another seller's.
    OtherSeller {
        /// Whose.
        seller: SellerId,
    },
    /// It is under another tab.
    OtherCategory {
        /// Under which.
        category: Category,
    },
    /// The same thing in another currency.
    OtherCurrency {
        /// In which.
        currency: Currency,
    },
    /// A correction of an earlier bill that we did not propose (S2, S4).
    Correction,
    /// Facts are missing to say what it should be.
    FactsMissing,
    /// No callback and no import ever told of it.
    NotHeardOf,
    /// No rule explains it.
    Unexplained,
}

impl Cause {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rounding => "ROUNDING",
            Self::OtherFeeRatio { .. } => "OTHER_FEE_RATIO",
            Self::TierNotApplied { .. } => "TIER_NOT_APPLIED",
            Self::OtherTier { .. } => "OTHER_TIER",
            Self::OtherSalesAmount { .. } => "OTHER_SALES_AMOUNT",
            Self::OtherVoucher { .. } => "OTHER_VOUCHER",
            Self::VoucherBorneOtherwise { .. } => "VOUCHER_BORNE_OTHERWISE",
            Self::Tax { .. } => "TAX",
            Self::RefundWithoutFee => "REFUND_WITHOUT_FEE",
            Self::SignTurned => "SIGN_TURNED",
            Self::Duplicate { .. } => "DUPLICATE",
            Self::RefundPairing { .. } => "REFUND_PAIRING",
            Self::RefundNotHeardOf => "REFUND_NOT_HEARD_OF",
            Self::OtherPeriod { because, .. } => match because {
                Some(Condition::Effective) => "OTHER_PERIOD_EFFECTIVE",
                Some(Condition::Paid) => "OTHER_PERIOD_PAID",
                Some(Condition::Supervision) => "OTHER_PERIOD_SUPERVISION",
                None => "OTHER_PERIOD",
            },
            Self::StillBlocked { reason } => reason.code(),
            Self::OtherSeller { .. } => "OTHER_SELLER",
            Self::OtherCategory { .. } => "OTHER_CATEGORY",
            Self::OtherCurrency { .. } => "OTHER_CURRENCY",
            Self::Correction => "CORRECTION",
            Self::FactsMissing => "FACTS_MISSING",
            Self::NotHeardOf => "NOT_HEARD_OF",
            Self::Unexplained => "UNEXPLAINED",
        }
    }
}

impl fmt::Display for Cause {
    /// The part of a sentence after "because".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rounding => f.write_str("the bill rounds where we keep the exact amount"),
            Self::OtherFeeRatio { ours, theirs } => {
                write!(f, "the bill takes a platform fee of {theirs} where the product's is {ours}")
            }
            Self::TierNotApplied { ours } => write!(f, "the tier's share of {ours} is not in it"),
            Self::OtherTier { ours, theirs } => write!(f, "the bill gives a tier share of {theirs}, not {ours}"),
            Self::OtherSalesAmount { ours, theirs } => {
                write!(f, "the bill starts from a sales amount of {theirs}, not {ours}")
            }
            Self::OtherVoucher { ours, theirs } => write!(f, "the bill takes off a voucher of {theirs}, not {ours}"),
            Self::VoucherBorneOtherwise { voucher } => {
                write!(f, "the voucher of {voucher} is not borne by both sides as agreed")
            }
            Self::Tax { ours, theirs: Some(theirs) } => write!(f, "the bill takes off taxes of {theirs}, not {ours}"),
            Self::Tax { ours, theirs: None } => write!(f, "the bill does not take off taxes of {ours} as we do"),
            Self::RefundWithoutFee => f.write_str("the whole refund is taken back and the fee is not handed back"),
            Self::SignTurned => f.write_str("the amount has the other sign"),
            Self::Duplicate { also_in } if also_in.is_empty() => f.write_str("it is on the bill more than once"),
            Self::Duplicate { also_in } => write!(f, "it is also on the bill of {}", listed(also_in)),
            Self::RefundPairing { half_in: Some(period) } => {
                write!(f, "a purchase and its refund are not on one bill; one half is in {period}")
            }
            Self::RefundPairing { half_in: None } => f.write_str("a purchase and its refund are not both on the bill"),
            Self::RefundNotHeardOf => f.write_str("nobody told us of this refund"),
            Self::OtherPeriod { period, because } => other_period(f, *period, *because),
            Self::StillBlocked { reason } => write!(f, "it still waits ({reason})"),
            Self::OtherSeller { seller } => write!(f, "it belongs to the seller {seller}"),
            Self::OtherCategory { category } => write!(f, "it is under another category ({category:?})"),
            Self::OtherCurrency { currency } => write!(f, "the other side has it in {currency}"),
            Self::Correction => f.write_str("it corrects an earlier bill"),
            Self::FactsMissing => f.write_str("facts are missing; import the transaction details"),
            Self::NotHeardOf => f.write_str("no callback and no import told us of it"),
            Self::Unexplained => f.write_str("of something that no rule explains; ask the marketplace"),
        }
    }
}

fn other_period(f: &mut fmt::Formatter<'_>, period: Option<Period>, because: Option<Condition>) -> fmt::Result {
    match period {
        Some(period) => write!(f, "it belongs to {period}")?,
        None => f.write_str("it belongs to another period")?,
    }
    match because {
        Some(Condition::Effective) => f.write_str(", by when it takes effect"),
        Some(Condition::Paid) => f.write_str(", by when it is paid in full"),
        Some(Condition::Supervision) => f.write_str(", by when it is accepted"),
        None => Ok(()),
    }
}

fn listed(periods: &[Period]) -> String {
    periods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
