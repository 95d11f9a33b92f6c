//! What goods cost: as stated, as the open API says, or estimated from hours seen.

use rust_decimal::Decimal;

use super::known::{Known, amount};
use crate::settlement::explanation::{Explained, Explanation, Worksheet, number};
use crate::settlement::marked::Marked;
use crate::settlement::money::{Currency, Money, MoneyError};
use crate::settlement::product::LineType;

/// The sales amount of a line and the voucher in it; both negative for a downgrade.
pub(super) struct Gross {
    pub(super) currency: Currency,
    pub(super) sales: Option<Marked<Decimal>>,
    /// `None` if none was stated: then there is none.
    pub(super) voucher: Option<Marked<Decimal>>,
    /// How the sales amount came to be, where it was worked out here.
    pub(super) explanation: Explanation,
}

impl Gross {
    /// What a line costs.
    pub(super) fn of(known: &Known<'_>) -> Self {
        let signed = |amount: Decimal| if known.line_type.takes_back() { -amount.abs() } else { amount };
        let voucher = known.facts.stated.voucher_amount.map(|voucher| Marked::stated(signed(voucher)));
        let mut gross = Self {
            currency: known.currency(),
            sales: amount(known.facts).map(|amount| Marked::stated(signed(amount))),
            voucher,
            explanation: Explanation::default(),
        };
        if gross.sales.is_none()
            && known.line_type == LineType::Usage
            && let Some(seen) = seen(known)
        {
            gross.sales = Some(Marked::estimate(seen.amount.amount()));
            gross.explanation = seen.explanation;
        }
        gross
    }

    /// The voucher, zero if there is none.
    pub(super) fn voucher(&self) -> Decimal {
        self.voucher.map(|voucher| voucher.value).unwrap_or_default()
    }

    /// What the customer really paid: the goods without the voucher; `None` while that cannot be said.
    pub(super) fn paid(&self) -> Option<Money> {
        let paid = self.sales?.value.checked_sub(self.voucher())?;
        Money::new(paid, self.currency).ok()
    }
}

/// The hours that deployments of an image were seen, at its price of an hour. Only whole hours are seen, so it does not
/// matter how a part of one counts.
fn seen(known: &Known<'_>) -> Option<Explained> {
    let price = known.hourly_price()?;
    if known.facts.seen_hours == 0 {
        return None;
    }
    at_price(known.facts.seen_hours, Money::new(price, known.currency()).ok()?).ok()
}

fn at_price(hours: u64, price: Money) -> Result<Explained, MoneyError> {
    let mut sheet = Worksheet::new(price.currency());
    let sales = sheet.product("sales_amount", &[&number("seen_hours", hours), &sheet.money("hourly_price", price)?])?;
    sheet.finish(&sales)
}
