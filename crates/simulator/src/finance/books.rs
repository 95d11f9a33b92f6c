//! The marketplace's own reckoning: in which month something is settled, and what the seller gets of it.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;

use super::bill::Bill;
use super::month::Month;
use super::sold::{Kind, Sold};
use crate::orders::Cents;

/// Hundredths of a percent in the whole.
const WHOLE: i64 = 10_000;

/// The platform fee at which a product takes part in the tiers, in hundredths of a percent (S21).
const FEE_WITH_TIERS: i64 = 500;

/// From an amount of a product's month on, so many hundredths of a percent more, the highest first (S21).
const TIERS: [(Cents, i64); 2] = [(Cents::whole(1_000_000), 200), (Cents::whole(500_000), 100)];

/// Money in millionths: hundredths times hundredths of a percent, and so exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Settled(i64);

impl Settled {
    fn of(amount: Cents, share: i64) -> Self {
        Self(amount.0 * share)
    }

    /// Rounded to hundredths, halves away from zero.
    #[must_use]
    pub fn rounded(self) -> Cents {
        let cents = (self.0.abs() + WHOLE / 2) / WHOLE;
        Cents(if self.0 < 0 { -cents } else { cents })
    }

    /// Whether a text says the same number, whatever zeros it ends with.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let all: Option<i64> = (fraction.len() <= 6).then(|| format!("{whole}{fraction:0<6}").parse().ok()).flatten();
        all == Some(sign * self.0)
    }
}

impl Sum for Settled {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, all) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let text = format!("{sign}{}.{:06}", all / 1_000_000, all % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// What comes of something sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What was sold.
    pub sold: Sold,
    /// The month it is settled in; `None` while it waits for something.
    pub month: Option<Month>,
    /// The platform fee, in hundredths of a percent.
    pub fee: i64,
    /// The share of the tier reached, in hundredths of a percent.
    pub tier: i64,
}

impl Line {
    /// What the seller gets.
    #[must_use]
    pub fn settled(&self) -> Settled {
        Settled::of(self.sold.paid_amount(), WHOLE - self.fee + self.tier)
    }
}

/// Everything sold.
#[derive(Debug, Clone)]
pub struct Books {
    fee: i64,
    sold: Vec<Sold>,
}

impl Books {
    /// Books of products with this platform fee, in hundredths of a percent.
    #[must_use]
    pub fn with_fee(fee: i64) -> Self {
        Self { fee, sold: vec![] }
    }

    /// Enters something sold.
    pub fn enter(&mut self, sold: Sold) {
        self.sold.push(sold);
    }

    /// Everything entered.
    #[must_use]
    pub fn sold(&self) -> &[Sold] {
        &self.sold
    }

    /// Changes what was entered under a name.
    pub fn correct(&mut self, name: &str, change: impl FnOnce(&mut Sold)) {
        if let Some(sold) = self.sold.iter_mut().find(|sold| sold.name() == name) {
            change(sold);
        }
    }

    /// The platform fee, in hundredths of a percent.
    #[must_use]
    pub fn fee(&self) -> i64 {
        self.fee
    }

    /// What comes of everything entered.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let months: Vec<_> = self.sold.iter().map(|sold| self.month(sold)).collect();
        let tiers = self.tiers(&months);
        let own_tier = |sold: &Sold, month: Option<Month>| {
            month.and_then(|month| tiers.get(&(sold.product.sku.clone(), month))).copied().unwrap_or_default()
        };
        let placed = || self.sold.iter().zip(&months);
        placed()
            .map(|(sold, month)| {
                // What is given back is given back with the share that it had.
                let given_back = || placed().find(|(other, _)| is_original(other, sold));
                let (counting, counted) = given_back().unwrap_or((sold, month));
                Line { sold: sold.clone(), month: *month, fee: self.fee, tier: own_tier(counting, *counted) }
            })
            .collect()
    }

    /// The bill of a month.
    #[must_use]
    pub fn bill(&self, month: Month) -> Bill {
        Bill::new(month, self.lines().into_iter().filter(|line| line.month == Some(month)))
    }

    /// In which month something is settled. A refund goes with its original where that is not billed yet when it comes,
    /// and takes it along where it would come later (S3); else it is set off in its own month (S8).
    fn month(&self, sold: &Sold) -> Option<Month> {
        if sold.kind == Kind::Refund {
            let original = self.sold.iter().find(|other| is_original(other, sold));
            return self.refunded(original, sold).map(|(_, refund)| refund);
        }
        let refund = self.sold.iter().find(|other| is_original(sold, other));
        match refund.and_then(|refund| self.refunded(Some(sold), refund)) {
            Some((original, _)) => Some(original),
            None => sold.ready().map(Month::of),
        }
    }

    /// Where an original and its refund go.
    fn refunded(&self, original: Option<&Sold>, refund: &Sold) -> Option<(Month, Month)> {
        let granted = refund.ready()?;
        let month = Month::of(granted);
        let by_itself = original.and_then(Sold::ready).map(Month::of);
        Some(match by_itself {
            Some(billed) if billed.run() <= granted => (billed, month),
            Some(open) => (open.min(month), open.min(month)),
            None => (month, month),
        })
    }

    /// What each product's month reaches. What customers got back was not really paid.
    fn tiers(&self, months: &[Option<Month>]) -> BTreeMap<(String, Month), i64> {
        let mut paid: BTreeMap<_, Cents> = BTreeMap::new();
        for (sold, month) in self.sold.iter().zip(months) {
            if let Some(month) = month {
                let sum = paid.entry((sold.product.sku.clone(), *month)).or_default();
                *sum = *sum + sold.paid_amount();
            }
        }
        let reached = |sum: Cents| TIERS.iter().find(|(least, _)| sum >= *least).map_or(0, |(_, share)| *share);
        let takes_part = self.fee == FEE_WITH_TIERS;
        paid.into_iter().map(|(month, sum)| (month, if takes_part { reached(sum) } else { 0 })).collect()
    }
}

/// Whether a refund gives this back.
fn is_original(sold: &Sold, refund: &Sold) -> bool {
    refund.kind == Kind::Refund && refund.original.is_some() && refund.original == sold.line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finance::Acceptance;
    use crate::message::OrderLine;
    use crate::orders::Product;

    const MAY: fn() -> Month = || Month::new(2024, 5);

    fn sale(id: &str, amount: Cents, day: u32, hour: u32) -> Sold {
        let at = MAY().at(day, hour);
        Sold {
            line: Some(OrderLine::first_of(id)),
            original: None,
            kind: Kind::New,
            product: Product::default(),
            sales: amount,
            voucher: Cents(0),
            ordered: at,
            effective: Some(at),
            paid: Some(at),
            acceptance: Acceptance::NotNeeded,
        }
    }

    fn refund(of: &Sold, day: u32, hour: u32) -> Sold {
        Sold { kind: Kind::Refund, original: of.line.clone(), ..sale("R", -of.sales, day, hour) }
    }

    /// Month and amount of everything sold.
    fn reckoned(sold: impl IntoIterator<Item = Sold>) -> Vec<(String, String)> {
        let mut books = Books::with_fee(500);
        sold.into_iter().for_each(|sold| books.enter(sold));
        let lines = books.lines().into_iter();
        lines.map(|line| (line.month.unwrap().to_string(), line.settled().to_string())).collect()
    }

    fn wanted(lines: &[(&str, &str)]) -> Vec<(String, String)> {
        lines.iter().map(|(month, amount)| ((*month).to_owned(), (*amount).to_owned())).collect()
    }

    #[test]
    fn the_tier_of_a_month_holds_for_all_of_it() {
        let amount = |cents| reckoned([sale("A", Cents(cents), 5, 10)])[0].1.clone();
        assert_eq!(amount(49_999_999), "474999.9905");
        assert_eq!(amount(50_000_000), "480000");
        assert_eq!(amount(99_999_999), "959999.9904");
        assert_eq!(amount(100_000_000), "970000");
        assert_eq!(amount(150_000_000), "1455000");
    }

    #[test]
    fn a_refund_goes_with_what_is_not_billed_and_alone_with_what_is() {
        let bought = sale("A", Cents::whole(100), 30, 14);
        let together = reckoned([bought.clone(), refund(&bought, 33, 9)]);
        assert_eq!(together, wanted(&[("202405", "95"), ("202405", "-95")]));
        let later = reckoned([bought.clone(), refund(&bought, 41, 9)]);
        assert_eq!(later, wanted(&[("202405", "95"), ("202406", "-95")]));
        let ahead = Sold { effective: Some(Month::new(2024, 7).at(1, 0)), ..bought };
        let before = reckoned([ahead.clone(), refund(&ahead, 31, 9)]);
        assert_eq!(before, wanted(&[("202405", "95"), ("202405", "-95")]));
    }

    #[test]
    fn amounts_are_exact_and_rounded_once() {
        let settled = Settled::of(Cents(3_333), 9_500);
        assert_eq!((settled.to_string(), settled.rounded()), ("31.6635".to_owned(), Cents(3_166)));
        assert!(settled.is("31.6635") && settled.is("31.663500") && !settled.is("31.66") && !settled.is("-31.6635"));
        assert_eq!(Settled::of(Cents(-150), 9_500).rounded(), Cents(-143));
        assert!(Settled::of(Cents(-100), 9_500).is("-0.95"));
    }
}
