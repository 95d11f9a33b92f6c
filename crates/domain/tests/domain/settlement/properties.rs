//! What holds whatever the amounts, ratios and moments, checked against naive models.

use chopmark_domain::settlement::balance::{self, Account};
use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::calendar::{Period, beijing as wall_clock};
use chopmark_domain::settlement::formula::generic::{self, GenericSale};
use chopmark_domain::settlement::formula::tier::Tiers;
use chopmark_domain::settlement::money::{Currency, Money, Ratio, round_to_cents};
use chopmark_domain::settlement::policy::{BillTotal, Carry, Pairing, Policy, PoweredOff};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::readiness::OnBill;
use chopmark_domain::settlement::refund::amount::{FrozenShare, Original, Returned, settle as settle_refund};
use chopmark_domain::settlement::refund::pairing::place;
use chopmark_domain::settlement::refund::prorated::{Unused, refund};
use chopmark_domain::settlement::usage::image::{self, EcsState, PartialHour, Span};
use chopmark_domain::settlement::usage::pricing::{Bracket, Brackets, Pricing, charge};
use chrono::{DateTime, Datelike, Days, TimeDelta, Utc, Weekday};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::support::*;

fn half_a_cent() -> Decimal {
    Decimal::new(5, 3)
}

/// Up to ten million, with up to eight decimals.
fn any_amount() -> impl Strategy<Value = Decimal> {
    (0..=1_000_000_000_000_000_i64, 0..=8_u32)
        .prop_map(|(digits, scale)| Decimal::new(digits / 10_i64.pow(8 - scale), scale))
}

fn any_signed() -> impl Strategy<Value = Decimal> {
    (any_amount(), any::<bool>()).prop_map(|(amount, negative)| if negative { -amount } else { amount })
}

fn cny(amount: Decimal) -> Money {
    Money::new(amount, Currency::CNY).unwrap()
}

/// Fractions with up to four decimals.
fn any_ratio(most: u32) -> impl Strategy<Value = Ratio> {
    (0..=most).prop_map(|n| Ratio::new(Decimal::new(i64::from(n), 4)).unwrap())
}

fn any_sale() -> impl Strategy<Value = GenericSale> {
    (any_amount(), any_ratio(10_000), any_ratio(10_000), any_ratio(200), prop::option::of(any_ratio(10_000))).prop_map(
        |(sales, part, fee_ratio, tier_ratio, seller_bear_ratio)| GenericSale {
            sales: cny(sales),
            voucher: cny((sales * part.value()).round_dp(4)),
            fee_ratio,
            tier_ratio: tier_ratio.min(fee_ratio),
            seller_bear_ratio,
        },
    )
}

fn any_moment() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_000_000_000_i64).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap())
}

/// Times within two days, some of them overlapping, some the wrong way round.
fn any_spans() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((0..172_800_i64, 0..172_800_i64), 0..6)
}

fn spans(seconds: &[(i64, i64)]) -> Vec<Span> {
    let moment = |second: i64| beijing("2024-05-31") + TimeDelta::seconds(second);
    let span = |&(from, to): &(i64, i64)| Span { from: moment(from), to: moment(to), state: EcsState::Normal };
    seconds.iter().map(span).collect()
}

proptest! {
    #[test]
    fn rounding_moves_no_amount_by_more_than_half_a_cent(amount in any_signed()) {
        let rounded = round_to_cents(amount);
        prop_assert!((rounded - amount).abs() <= half_a_cent());
        prop_assert_eq!(rounded.scale(), 2);
        prop_assert_eq!(round_to_cents(-amount), -rounded, "the mirror image");
        prop_assert_eq!(round_to_cents(rounded), rounded);
    }

    #[test]
    fn shown_lines_differ_from_the_total_by_half_a_cent_each_at_most(lines in prop::collection::vec(any_signed(), 0..60)) {
        let total = |rounding| balance::total(Currency::CNY, lines.iter().copied().map(cny), rounding).unwrap();
        let once = total(BillTotal::RoundTheSum);
        prop_assert_eq!(once.exact.amount(), lines.iter().sum::<Decimal>());
        prop_assert!((once.shown.amount() - once.exact.amount()).abs() <= half_a_cent());
        let bound = half_a_cent() * Decimal::from(lines.len());
        let each = total(BillTotal::SumTheRounded);
        prop_assert!((each.shown.amount() - each.exact.amount()).abs() <= bound);
    }

    #[test]
    fn a_sale_is_settled_as_the_formula_says_and_every_step_can_be_followed(sale in any_sale()) {
        let explained = generic::settle(&sale).unwrap();
        assert_followed(&explained);
        let share = Decimal::ONE - sale.fee_ratio.value() + sale.tier_ratio.value();
        let bear = sale.seller_bear_ratio.map_or(share, Ratio::value);
        let naive = sale.sales.amount() * share - sale.voucher.amount() * bear;
        prop_assert_eq!(explained.amount.amount(), naive);
        let downgrade = GenericSale { sales: -sale.sales, voucher: -sale.voucher, ..sale };
        prop_assert_eq!(generic::settle(&downgrade).unwrap().amount, -explained.amount, "the mirror image");
    }

    #[test]
    fn a_full_refund_nets_to_nothing_whatever_the_amounts_and_ratios(sale in any_sale(), parts in prop::collection::vec(1..100_u32, 1..5)) {
        let original = original(&sale);
        let mut lines = vec![original.settled];
        let mut before = Returned::nothing_of(&original);
        let whole: u32 = parts.iter().sum();
        let mut so_far = 0;
        for part in parts {
            so_far += part;
            let of = |money: Money| {
                cny((money.amount() * Decimal::from(so_far) / Decimal::from(whole)).round_dp(8))
            };
            let until = if so_far == whole { original.whole() } else {
                Returned { gross: of(original.sales), voucher: of(original.voucher) }
            };
            let now = Returned {
                gross: until.gross.minus(before.gross).unwrap(),
                voucher: until.voucher.minus(before.voucher).unwrap(),
            };
            let line = settle_refund(&original, &before, &now).unwrap();
            assert_followed(&line);
            lines.push(line.amount);
            before = until;
        }
        let total = balance::total(Currency::CNY, lines, BillTotal::RoundTheSum).unwrap();
        prop_assert_eq!(total.shown.amount().to_string(), "0.00");
        prop_assert!(total.exact.amount().abs() < Decimal::new(1, 15));
    }

    #[test]
    fn a_refund_in_one_go_is_exactly_the_original_turned_around(sales in any_amount(), settled in any_signed(), share in prop::option::of(any_ratio(10_000))) {
        let share = share.map_or(FrozenShare::Proportional, |share| FrozenShare::Generic { share, bear: None });
        let original = Original { sales: cny(sales), voucher: cny(Decimal::ZERO), settled: cny(settled), share };
        prop_assume!(!sales.is_zero());
        let refund = settle_refund(&original, &Returned::nothing_of(&original), &original.whole()).unwrap();
        prop_assert_eq!(refund.amount, -original.settled);
    }

    #[test]
    fn more_sold_never_means_a_lower_tier_or_less_paid(low in 0..200_000_000_i64, more in 0..100_000_000_i64) {
        let (tiers, fee) = (Tiers::default(), Ratio::percent(5));
        let [low, high] = [low, low + more].map(|cents| cny(Decimal::new(cents, 2)));
        let [lower, higher] = [low, high].map(|month| tiers.share(fee, month));
        prop_assert!(lower <= higher);
        let paid = |month, tier_ratio| generic::settle(&GenericSale { sales: month, tier_ratio, ..sale("0") }).unwrap();
        prop_assert!(paid(low, lower).amount.amount() <= paid(high, higher).amount.amount());
    }

    #[test]
    fn a_period_holds_what_happens_in_it(moment in any_moment()) {
        let period = Period::of(moment);
        prop_assert!(period.bounds().contains(&moment));
        prop_assert_eq!(period.next().bounds().start, period.bounds().end);
        prop_assert_eq!(period.next().prev(), period);
        prop_assert_eq!(Period::parse(&period.to_string()), Ok(period));
        let day = wall_clock(moment);
        prop_assert_eq!(period.to_string(), format!("{:04}{:02}", day.year(), day.month()));
    }

    #[test]
    fn bills_are_run_on_working_days_in_order_and_soon(moment in any_moment(), site in prop::sample::select(vec![Site::Cn, Site::Intl])) {
        let (schedule, period) = (schedule(site), Period::of(moment));
        let run = schedule.run(period);
        let days = WorkingDays::china();
        prop_assert!(days.is_working(run.date) && days.is_working(run.sent_by));
        prop_assert!(run.nominal <= run.date && run.date < run.sent_by);
        prop_assert!(run.date < run.nominal + Days::new(10));
        let between = run.nominal.iter_days().take_while(|day| *day < run.date);
        prop_assert!(between.into_iter().all(|day| !days.is_working(day)));
        prop_assert!(run.date < schedule.run(period.next()).date);
        if !days.is_known(run.date.year()) {
            prop_assert!(!matches!(run.date.weekday(), Weekday::Sat | Weekday::Sun));
        }
        let open = schedule.open_period(moment);
        prop_assert!(schedule.run(open).starts_at() > moment);
        prop_assert!(schedule.run(open.prev()).starts_at() <= moment);
    }

    #[test]
    fn image_hours_are_what_counting_every_second_gives(seconds in any_spans()) {
        let mut counted = vec![false; 172_800];
        for (from, to) in &seconds {
            let used = (*from..*to).filter_map(|second| usize::try_from(second).ok());
            used.for_each(|second| counted[second] = true);
        }
        let hours = image::hours_used(&spans(&seconds), PoweredOff::Billed).unwrap();
        let by_hour: Vec<_> = counted
            .chunks(3_600)
            .map(|hour| u32::try_from(hour.iter().filter(|used| **used).count()).unwrap())
            .filter(|seconds| *seconds > 0)
            .collect();
        prop_assert_eq!(hours.iter().map(|used| used.seconds).collect::<Vec<_>>(), by_hour);
        let by_period = image::by_period(&hours);
        let sum: u64 = by_period.values().map(|hours| image::seconds_charged(hours, PartialHour::Prorate)).sum();
        prop_assert_eq!(sum, counted.iter().filter(|used| **used).count() as u64);
    }

    #[test]
    fn begun_hours_cost_at_least_their_seconds_and_hours_add_up(seconds in any_spans(), cents in 0..100_000_i64) {
        let (hours, price) = (image::hours_used(&spans(&seconds), PoweredOff::Billed).unwrap(), cny(Decimal::new(cents, 2)));
        let whole = |partial| image::charge(&hours, price, partial).unwrap().amount.amount();
        prop_assert!(whole(PartialHour::Prorate) <= whole(PartialHour::Ceil));
        prop_assert!(whole(PartialHour::Ceil) <= price.amount() * Decimal::from(hours.len()));
        let each = image::hour_charges(&hours, price, PartialHour::Prorate).unwrap();
        let sum: Decimal = each.iter().map(|hour| hour.charge.amount.amount()).sum();
        prop_assert!((sum - whole(PartialHour::Prorate)).abs() < Decimal::new(1, 10));
    }

    #[test]
    fn steps_cost_what_unit_after_unit_costs(before in 0..30_u32, quantity in 0..30_u32, split in 0..30_u32) {
        let bracket = |up_to: Option<u32>, price| Bracket { up_to: up_to.map(Decimal::from), unit_price: rmb(price) };
        let brackets =
            Brackets::new(&[bracket(Some(3), "0.30"), bracket(Some(10), "0.20"), bracket(None, "0.07")]).unwrap();
        let cost = |before: u32, quantity: u32| {
            let steps = Pricing::Step(brackets.clone());
            charge(&steps, Decimal::from(before), Decimal::from(quantity)).unwrap().amount.amount()
        };
        let naive: Decimal =
            (before + 1..=before + quantity).map(|unit| brackets.price_of(Decimal::from(unit)).amount()).sum();
        prop_assert_eq!(cost(before, quantity), naive);
        let first = split.min(quantity);
        prop_assert_eq!(cost(before, first) + cost(before + first, quantity - first), naive, "in one go or two");
    }

    #[test]
    fn what_is_not_used_lies_between_nothing_and_all(bought in any_moment(), hours in 0..9_000_i64, used in -10..10_000_i64, paid in any_amount(), fee in 0..1_000_i64) {
        let expires_at = bought + TimeDelta::hours(hours);
        let given = |refunded_at| {
            let handling_fee = Some(cny(Decimal::from(fee)));
            let unused = Unused { paid: cny(paid), handling_fee, bought_at: bought, expires_at, refunded_at };
            refund(&unused).unwrap().refund.value.amount.amount()
        };
        let (now, later) = (bought + TimeDelta::hours(used), bought + TimeDelta::hours(used + 1));
        prop_assert!(given(now) >= Decimal::ZERO && given(now) <= paid);
        prop_assert!(given(later) <= given(now), "later is never more");
        prop_assert_eq!(given(expires_at + TimeDelta::seconds(1)), Decimal::ZERO, "the last second belongs to the term");
    }

    #[test]
    fn a_refund_is_never_billed_before_its_original(ready in prop::option::of(any_moment()), refunded in any_moment(), together in any::<bool>(), unbilled in any::<bool>()) {
        let pairing = if together { Pairing::Together } else { Pairing::StrictMonths };
        let policy = Policy { pairing, ..Policy::default() };
        let on_bill = if unbilled { OnBill::Unbilled } else { OnBill::Unknown };
        let schedule = schedule(Site::Cn);
        let placed = place(on_bill, ready.map(Period::of), refunded, &schedule, &policy);
        prop_assert!(placed.original <= placed.refund);
        prop_assert!(placed.refund <= Period::of(refunded));
        prop_assert!(schedule.run(placed.refund).starts_at() > refunded, "no bill that was run changes");
    }

    #[test]
    fn money_is_neither_made_nor_lost_between_months(months in prop::collection::vec(-100_000..100_000_i64, 1..12), deposit in 0..50_000_i64, at_once in any::<bool>()) {
        let carry = if at_once { Carry::DepositAtOnce } else { Carry::DepositAfterNextMonth };
        let mut account = Account::with_deposit(cny(Decimal::new(deposit, 2)));
        let (mut period, mut moved) = (period("202401"), Decimal::ZERO);
        for cents in &months {
            let closing = balance::close(period, cny(Decimal::new(*cents, 2)), cny(Decimal::ZERO), &account, carry).unwrap();
            let parts = [closing.payable, closing.from_deposit, closing.receivable, closing.account.shortfall];
            prop_assert!(parts.iter().all(|part| part.amount() >= Decimal::ZERO));
            prop_assert!(closing.account.deposit.amount() >= Decimal::ZERO);
            prop_assert!(!at_once || closing.account.shortfall.amount().is_zero());
            moved += closing.payable.amount() - closing.from_deposit.amount() - closing.receivable.amount();
            (account, period) = (closing.account, period.next());
        }
        let sold: Decimal = months.iter().map(|cents| Decimal::new(*cents, 2)).sum();
        prop_assert_eq!(sold, moved - account.shortfall.amount());
    }
}
