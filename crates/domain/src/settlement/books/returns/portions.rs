//! Portions of sales: how an amount that is given back falls on the lines it may be of.

use rust_decimal::Decimal;

use crate::settlement::books::gross::Gross;
use crate::settlement::marked::Mark;
use crate::settlement::money::{Currency, LARGEST, Money, MoneyError};
use crate::settlement::refund::amount::Returned;

/// A portion of a sale: of its goods, and of the voucher in it; both positive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::settlement::books) struct Portion {
    pub(in crate::settlement::books) gross: Decimal,
    pub(in crate::settlement::books) voucher: Decimal,
}

/// What a refund gives back of a sale.
#[derive(Debug, Clone, Copy)]
pub(in crate::settlement::books) struct Given {
    /// What was given back of the sale before.
    pub(in crate::settlement::books) before: Portion,
    /// What is now.
    pub(in crate::settlement::books) portion: Portion,
    /// How that is known.
    pub(in crate::settlement::books) mark: Mark,
}

impl Portion {
    /// All of a sale; `None` if it is not known what it cost, or out of range.
    pub(super) fn whole_of(gross: &Gross) -> Option<Self> {
        let (sales, voucher) = (gross.sales?.value, gross.voucher());
        (sales.abs() <= LARGEST && voucher.abs() <= LARGEST).then_some(Self { gross: sales, voucher })
    }

    /// Of the goods alone.
    pub(super) fn of(gross: Decimal) -> Self {
        Self { gross, voucher: Decimal::ZERO }
    }

    pub(super) fn abs(self) -> Self {
        Self { gross: self.gross.abs(), voucher: self.voucher.abs() }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { gross: self.gross + other.gross, voucher: self.voucher + other.voucher }
    }

    /// What is left without the other, at least nothing.
    pub(super) fn minus(self, other: Self) -> Self {
        let left = |all: Decimal, taken: Decimal| (all - taken).max(Decimal::ZERO);
        Self { gross: left(self.gross, other.gross), voucher: left(self.voucher, other.voucher) }
    }

    /// What the customer paid for it.
    pub(in crate::settlement::books) fn paid(self) -> Decimal {
        self.gross - self.voucher
    }

    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// As money.
    pub(in crate::settlement::books) fn returned(self, currency: Currency) -> Result<Returned, MoneyError> {
        Ok(Returned { gross: Money::new(self.gross, currency)?, voucher: Money::new(self.voucher, currency)? })
    }
}

/// What falls on each of some sales, by what is left of them, when an amount comes back, of either sign. Where that is
/// all of the first, or all of all of them, with or without their vouchers, nothing of those is left. Else the first
/// gives what it has, then the next; and what goes beyond all of them is of the first. `None` if it is out of range.
pub(super) fn shares(
    rests: &[(usize, Portion)],
    gross: Decimal,
    voucher: Option<Decimal>,
) -> Option<Vec<(usize, Portion, Mark)>> {
    let (gross, voucher) = (gross.abs(), voucher.map(|voucher| voucher.abs()));
    if gross > LARGEST || voucher.is_some_and(|voucher| voucher > LARGEST) {
        return None;
    }
    for count in [1, rests.len()] {
        let whole = &rests[..count];
        let all = whole.iter().fold(Portion::default(), |all, (_, rest)| all.plus(*rest));
        let as_paid = gross == all.paid() && voucher.is_none();
        if (gross == all.gross && voucher.is_none_or(|voucher| voucher == all.voucher)) || as_paid {
            let mark = if gross == all.gross { Mark::Stated } else { Mark::Estimate };
            return Some(whole.iter().map(|(sale, rest)| (*sale, *rest, mark)).collect());
        }
    }
    Some(one_after_another(rests, gross, voucher))
}

fn one_after_another(
    rests: &[(usize, Portion)],
    gross: Decimal,
    voucher: Option<Decimal>,
) -> Vec<(usize, Portion, Mark)> {
    let mut left = Portion { gross, voucher: voucher.unwrap_or_default() };
    let mut given = vec![];
    for (n, (sale, rest)) in rests.iter().enumerate() {
        let goods = rest.gross.min(left.gross);
        if n > 0 && goods.is_zero() {
            break;
        }
        let with_its_voucher = voucher.is_none() && goods == rest.gross;
        let portion =
            if with_its_voucher { *rest } else { Portion { gross: goods, voucher: rest.voucher.min(left.voucher) } };
        left = left.minus(portion);
        given.push((*sale, portion, Mark::Stated));
    }
    if let Some((_, portion, _)) = given.first_mut() {
        *portion = portion.plus(left);
    }
    given
}
