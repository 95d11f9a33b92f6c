//! Builders: money, moments in Beijing, conditions.

use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::calendar::{DayOfMonth, Period, Schedule};
use chopmark_domain::settlement::explanation::Explained;
use chopmark_domain::settlement::formula::generic::{self, GenericSale};
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::marked::{Happening, Marked};
use chopmark_domain::settlement::money::{Currency, Money, Ratio};
use chopmark_domain::settlement::policy::RunDays;
use chopmark_domain::settlement::product::{LineType, Site};
use chopmark_domain::settlement::readiness::{Conditions, Supervision};
use chopmark_domain::settlement::refund::amount::Original;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

pub(super) fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(super) fn rmb(text: &str) -> Money {
    Money::new(dec(text), Currency::CNY).unwrap()
}

pub(super) fn usd(text: &str) -> Money {
    Money::new(dec(text), Currency::USD).unwrap()
}

pub(super) fn ratio(text: &str) -> Ratio {
    Ratio::new(dec(text)).unwrap()
}

/// What a clock in Beijing shows, e.g. `2024-05-30 14:00:00`; a day alone is its midnight.
pub(super) fn beijing(text: &str) -> DateTime<Utc> {
    let time = if text.len() == 10 { format!("{text} 00:00:00") } else { text.to_owned() };
    format!("{}+08:00", time.replace(' ', "T")).parse::<DateTime<chrono::FixedOffset>>().unwrap().to_utc()
}

pub(super) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

pub(super) fn at(text: &str) -> Happening {
    Happening::At(Marked::stated(beijing(text)))
}

pub(super) fn schedule(site: Site) -> Schedule<'static> {
    Schedule { site, run_day: run_day(site), working_days: WorkingDays::china() }
}

fn run_day(site: Site) -> DayOfMonth {
    RunDays::default().of(site)
}

/// Effective and paid at one moment, not supervised, by a certified seller.
pub(super) fn opened(text: &str) -> Conditions {
    Conditions {
        effective: at(text),
        paid_in_full: at(text),
        supervision: Supervision::NotApplicable,
        seller_certified: Some(true),
        five_day_refund: false,
    }
}

/// Generic goods at a fee of 5 %, no voucher, no tier.
pub(super) fn sale(amount: &str) -> GenericSale {
    GenericSale {
        sales: rmb(amount),
        voucher: rmb("0"),
        fee_ratio: Ratio::percent(5),
        tier_ratio: Ratio::ZERO,
        seller_bear_ratio: None,
    }
}

pub(super) fn settled(sale: &GenericSale) -> Explained {
    generic::settle(sale).unwrap()
}

pub(super) fn original(sale: &GenericSale) -> Original {
    Original::generic(sale, settled(sale).amount).unwrap()
}

/// The shown amount, as a bill prints it.
pub(super) fn shown(money: Money) -> String {
    money.shown().amount().to_string()
}

/// The steps as a person reads them.
pub(super) fn told(explained: &Explained) -> Vec<String> {
    explained.explanation.steps.iter().map(ToString::to_string).collect()
}

/// Every step gives what it says, uses only what was given or came out before, and the last one is the amount.
#[track_caller]
pub(super) fn assert_followed(explained: &Explained) {
    let steps = &explained.explanation.steps;
    for (n, step) in steps.iter().enumerate() {
        let values: Vec<_> = step.operands.iter().map(|operand| operand.value).collect();
        assert_eq!(step.operation.apply(&values), Some(step.result.value), "{step}");
        for operand in &step.operands {
            let made: Vec<_> = steps.iter().filter(|step| step.result.name == operand.name).collect();
            let earlier = steps.iter().take(n).any(|step| step.result == *operand);
            assert!(made.is_empty() || earlier, "{step}: {} is used before it is known", operand.name);
        }
    }
    assert_eq!(steps.last().unwrap().result.value, explained.amount.amount());
}

/// A settlement line that says what it is and what it comes to, and nothing else.
pub(super) fn line(id: &str, line_type: LineType, settle_amount: &str) -> SettlementLine {
    SettlementLine {
        line_id: id.into(),
        period: None,
        bill_id: None,
        product_category: None,
        order_id: None,
        order_line_id: None,
        original_order_line_id: None,
        line_type,
        sku_code: None,
        product_id: None,
        charging_mode: None,
        customer_id: None,
        effective_at: None,
        paid_at: None,
        supervision_done_at: None,
        settle_ready_at: None,
        currency: Currency::CNY,
        sales_amount: None,
        voucher_amount: None,
        fee_ratio: None,
        tier_ratio: None,
        customer_wht: None,
        seller_tax: None,
        settle_amount: Some(Marked::stated(dec(settle_amount))),
        blocked_reason: None,
        bill_state: None,
        payment_request_no: None,
        invoice_no: None,
    }
}
