//! The switches of settlement: every rule that Huawei's pages leave open, or that was put together from several.
//!
//! A seller's policy is data, meant to be an event with an effective time: changing one never changes history. Each
//! default is the reading that agrees with the most pages.

use serde::{Deserialize, Serialize};

use super::calendar::DayOfMonth;
use super::formula::tier::Tiers;
use super::product::Site;
use super::usage::image::PartialHour;

/// Every switch, each with its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// On which day of the next month each site's bill is run.
    pub run_days: RunDays,
    /// The tiers of the China site's platform fee.
    pub tiers: Tiers,
    /// Which month's amount a payment counts to.
    pub tier_month: TierMonth,
    /// Whether refunds lower the amount that a tier is reached by.
    pub tier_refunds: TierRefunds,
    /// Whether what is billed later still gets the tier of the month it was paid in.
    pub tier_late_lines: TierLateLines,
    /// Whether the guarantee period of a five-day product delays its settlement.
    pub guarantee: Guarantee,
    /// Where a refund goes whose original is not billed yet.
    pub pairing: Pairing,
    /// Where a refund goes whose original is billed.
    pub set_off: SetOff,
    /// Which orders a full refund of an upgraded instance takes back.
    pub upgraded_refund: UpgradedRefund,
    /// Which edition of the international refund rules holds.
    pub international_refunds: InternationalRefunds,
    /// When a negative period reaches the deposit.
    pub carry: Carry,
    /// How a bill's total is rounded.
    pub bill_total: BillTotal,
    /// How a part of an hour of an image counts, for products that do not say.
    pub partial_hour: PartialHour,
    /// Whether an image costs while its ECS is off.
    pub powered_off: PoweredOff,
    /// How many days a term has when a change is priced.
    pub term_days: TermDays,
    /// Whether discounts hold for scale-outs under volume pricing.
    pub volume_discount: VolumeDiscount,
    /// When an order counts as paid of which nobody said so.
    pub unstated_payment: UnstatedPayment,
}

/// The run day of each site: 3rd on the China site, 7th elsewhere (S4, S2). Older Chinese pages say the 7th.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunDays {
    /// China.
    pub cn: DayOfMonth,
    /// International.
    pub intl: DayOfMonth,
    /// Europe.
    pub eu: DayOfMonth,
}

impl Default for RunDays {
    fn default() -> Self {
        Self { cn: DayOfMonth::THIRD, intl: DayOfMonth::SEVENTH, eu: DayOfMonth::SEVENTH }
    }
}

impl RunDays {
    /// The run day of a site.
    #[must_use]
    pub fn of(self, site: Site) -> DayOfMonth {
        match site {
            Site::Cn => self.cn,
            Site::Intl => self.intl,
            Site::Eu => self.eu,
        }
    }
}

/// Which month's amount a payment counts to. UNCONFIRMED; the default makes the amount of a month that of its bill,
/// to which the bracket applies as a whole (S21).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TierMonth {
    /// The period it is settled in.
    #[default]
    Settlement,
    /// The month it was paid in.
    Payment,
}

/// Whether refunds lower the amount that a tier is reached by. UNCONFIRMED; the default is the cautious one: what was
/// given back was not really paid, and no tier is promised that may not come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TierRefunds {
    /// They do.
    #[default]
    Subtracted,
    /// They do not.
    Ignored,
}

/// Whether orders of a month that are billed later get that month's tier. UNCONFIRMED; matters only where payments
/// count to the month they were made in ([`TierMonth::Payment`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TierLateLines {
    /// They do.
    #[default]
    Included,
    /// They get none.
    Excluded,
}

/// Whether money is held until the five days of a no-reason refund are over. UNCONFIRMED; the pages let a
/// non-supervised order enter settlement at provisioning and say what happens to a refund after that (S3, S7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Guarantee {
    /// Settled at once.
    #[default]
    NotHeld,
    /// Settled when the guarantee period is over.
    Held,
}

/// Where a refund goes whose original is not billed yet. CONSTRUCTED from "put on the bill together" (S3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Pairing {
    /// Reading A: both into one bill, which is the one being run if the refund comes before its run day.
    #[default]
    Together,
    /// Reading B: each into its own month.
    StrictMonths,
}

/// Where a refund goes whose original is billed: "the current or the next month" (S8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SetOff {
    /// The month of the refund, or the first one still open after it.
    #[default]
    CurrentMonth,
    /// The month after that.
    NextMonth,
}

/// Which orders a full refund of an upgraded instance takes back. CONSTRUCTED: no page speaks of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UpgradedRefund {
    /// The purchase and every change, one refund line each.
    #[default]
    EveryOrder,
    /// Only the order that the refund names.
    NamedOrder,
}

/// Which edition of the international refund rules holds; the newer one supersedes the older.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InternationalRefunds {
    /// 2025-07-08: supervised products by negotiation (S11).
    #[default]
    Negotiated,
    /// 2024-08-20: supervised products never (S12).
    Never,
}

/// When a negative period reaches the deposit. Ambiguous: "the current or the next month", then the deposit (S8, S9);
/// the default takes these steps in their order, one month long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Carry {
    /// A shortfall is first carried to the next month.
    #[default]
    DepositAfterNextMonth,
    /// A shortfall is taken from the deposit at once.
    DepositAtOnce,
}

/// How a bill's total is rounded. CONSTRUCTED from Partner Center's rule since August 2021 (S33).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillTotal {
    /// The exact sum of the lines, rounded once.
    #[default]
    RoundTheSum,
    /// The sum of the lines, each rounded.
    SumTheRounded,
}

/// Whether an image costs while its ECS is off, but neither expired nor in arrears. UNCONFIRMED; by the wording of
/// (S27) such an ECS is in its normal business state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PoweredOff {
    /// It does.
    #[default]
    Billed,
    /// It does not.
    Free,
}

/// How many days a term has when an upgrade or a scale-out is priced. UNCONFIRMED.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TermDays {
    /// Those between its beginning and its end.
    #[default]
    Exact,
    /// 30 for a month, 365 for a year.
    Thirty365,
}

/// Whether discounts hold for scale-outs under volume pricing: the end of that formula was cut from the page (S23).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VolumeDiscount {
    /// They do, like everywhere else.
    #[default]
    Applies,
    /// They do not.
    None,
}

/// When an order counts as paid in full of which nobody said so. CONSTRUCTED: the marketplace provisions what is paid
/// (S16), but for customers on credit, whom its transaction details tell apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnstatedPayment {
    /// When it was provisioned, as an estimate.
    #[default]
    AsProvisioned,
    /// Not known.
    Unknown,
}
