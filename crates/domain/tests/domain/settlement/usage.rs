//! What is charged for use.

use chopmark_domain::settlement::money::MoneyError;
use chopmark_domain::settlement::policy::PoweredOff;
use chopmark_domain::settlement::usage::by_period;
use chopmark_domain::settlement::usage::cycle::cycle_of;
use chopmark_domain::settlement::usage::image::{self, EcsState, HourUsed, PartialHour, Span};
use chopmark_domain::settlement::usage::package::{Drawn, WhenExhausted, draw};
use chopmark_domain::settlement::usage::pricing::{Bracket, Brackets, Pricing, charge};
use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::support::*;

fn span(from: &str, to: &str) -> Span {
    Span { from: beijing(from), to: beijing(to), state: EcsState::Normal }
}

fn hours(spans: &[Span]) -> Vec<HourUsed> {
    image::hours_used(spans, PoweredOff::Billed).unwrap()
}

#[test]
fn use_belongs_to_the_month_it_happened_in() {
    let used = hours(&[span("2024-05-31 22:30:00", "2024-06-01 00:30:00")]);
    let periods = image::by_period(&used);
    assert_eq!(periods.keys().copied().collect::<Vec<_>>(), [period("202405"), period("202406")]);
    assert_eq!(image::seconds_charged(&periods[&period("202405")], PartialHour::Prorate), 5_400);
    assert_eq!(image::seconds_charged(&periods[&period("202406")], PartialHour::Prorate), 1_800);
    let may = image::hour_charges(&periods[&period("202405")], rmb("1"), PartialHour::Prorate).unwrap();
    assert_eq!(may.last().unwrap().booked_at, beijing("2024-06-01"), "booked when June begins, used in May");
}

#[test]
fn no_second_counts_twice_and_no_hour_more_than_once() {
    let twice =
        [span("2024-05-05 09:00:00", "2024-05-05 09:20:00"), span("2024-05-05 09:10:00", "2024-05-05 09:30:00")];
    assert_eq!(image::seconds_charged(&hours(&twice), PartialHour::Prorate), 1_800);
    let apart =
        [span("2024-05-05 09:50:00", "2024-05-05 10:00:00"), span("2024-05-05 09:00:00", "2024-05-05 09:10:00")];
    assert_eq!(image::seconds_charged(&hours(&apart), PartialHour::Prorate), 1_200);
    assert_eq!(image::seconds_charged(&hours(&apart), PartialHour::Ceil), 3_600, "one begun hour");
    let backwards = [span("2024-05-05 10:00:00", "2024-05-05 09:00:00")];
    assert_eq!(hours(&backwards), []);
    assert_eq!(image::charge(&[], rmb("0.5"), PartialHour::Ceil).unwrap().amount, rmb("0"));
}

#[test]
fn an_image_costs_only_while_its_ecs_is_in_its_normal_state() {
    for (state, charged) in [
        (EcsState::Normal, true),
        (EcsState::PoweredOff, true),
        (EcsState::Expired, false),
        (EcsState::InArrears, false),
        (EcsState::Gone, false),
    ] {
        assert_eq!(state.is_charged(PoweredOff::Billed), charged, "{state:?}");
    }
    assert!(!EcsState::PoweredOff.is_charged(PoweredOff::Free));
    let off = Span { state: EcsState::PoweredOff, ..span("2024-05-05 09:00:00", "2024-05-05 10:00:00") };
    assert_eq!(image::hours_used(&[off], PoweredOff::Free).unwrap(), []);
}

#[test]
fn too_many_hours_are_refused_quickly() {
    assert!(image::hours_used(&[span("1990-01-01", "2024-05-05")], PoweredOff::Billed).is_err());
    assert_eq!(hours(&[span("2014-01-01", "2024-01-01")]).len(), 87_648);
}

#[test]
fn hours_seen_are_compared_with_hours_billed() {
    let seen = hours(&[span("2024-05-05 09:00:00", "2024-05-05 12:00:00")]);
    let billed = hours(&[span("2024-05-05 09:00:00", "2024-05-05 11:00:00")]);
    assert_eq!(image::seen_beyond_billed(&seen, &billed, PartialHour::Prorate), TimeDelta::hours(1));
    assert_eq!(image::seen_beyond_billed(&billed, &seen, PartialHour::Prorate), TimeDelta::hours(-1));
}

fn brackets() -> Brackets {
    let bracket = |up_to: Option<&str>, price| Bracket { up_to: up_to.map(dec), unit_price: rmb(price) };
    Brackets::new(&[bracket(Some("3"), "0.30"), bracket(Some("10"), "0.20"), bracket(None, "0.10")]).unwrap()
}

#[test]
fn a_bound_belongs_to_the_bracket_below_it() {
    for (quantity, step, tier) in [
        ("0", "0", "0"),
        ("3", "0.9", "0.9"),
        ("3.000001", "0.9000002", "0.6000002"),
        ("10", "2.3", "2"),
        ("12", "2.5", "1.2"),
    ] {
        let cost = |pricing: Pricing| charge(&pricing, Decimal::ZERO, dec(quantity)).unwrap();
        assert_eq!(cost(Pricing::Step(brackets())).amount, rmb(step), "{quantity}");
        assert_eq!(cost(Pricing::Tier(brackets())).amount, rmb(tier), "{quantity}");
        assert_eq!(cost(Pricing::Fixed(rmb("2"))).amount, rmb(&(dec(quantity) * dec("2")).to_string()));
        assert_followed(&cost(Pricing::Step(brackets())));
    }
}

#[test]
fn steps_go_on_within_their_accumulation_period() {
    let cost = |before, quantity| charge(&Pricing::Step(brackets()), dec(before), dec(quantity)).unwrap().amount;
    assert_eq!(cost("2", "2"), rmb("0.5"), "one at 0.30, one at 0.20");
    assert_eq!(cost("10", "1"), rmb("0.1"));
    assert_eq!(cost("3", "0"), rmb("0"));
    let tier = charge(&Pricing::Tier(brackets()), dec("9"), dec("2")).unwrap().amount;
    assert_eq!(tier, rmb("0.6"), "a tier looks at the record alone");
}

#[test]
fn brackets_must_rise_and_end() {
    let bracket = |up_to: Option<&str>| Bracket { up_to: up_to.map(dec), unit_price: rmb("1") };
    for wrong in [
        vec![],
        vec![bracket(Some("3"))],
        vec![bracket(Some("3")), bracket(Some("3")), bracket(None)],
        vec![bracket(Some("0")), bracket(None)],
        vec![bracket(None), bracket(None)],
        vec![Bracket { unit_price: usd("1"), ..bracket(Some("3")) }, bracket(None)],
    ] {
        assert!(Brackets::new(&wrong).is_err(), "{wrong:?}");
    }
    let json = serde_json::to_string(&brackets()).unwrap();
    assert_eq!(serde_json::from_str::<Brackets>(&json).unwrap(), brackets());
    let negative = charge(&Pricing::Tier(brackets()), Decimal::ZERO, dec("-1"));
    assert!(matches!(negative, Err(MoneyError::NotPositive { .. })));
}

#[test]
fn a_package_covers_first_and_then_charges_or_stops() {
    let drawn = |left, used, when| draw(dec(left), dec(used), when).unwrap();
    let (covered, charged, unserved, left) = (dec("5"), dec("3"), Decimal::ZERO, Decimal::ZERO);
    assert_eq!(drawn("5", "8", WhenExhausted::ChargedByUse), Drawn { covered, charged, unserved, left });
    let stopped = drawn("5", "8", WhenExhausted::Stops);
    assert_eq!(stopped, Drawn { covered, charged: Decimal::ZERO, unserved: dec("3"), left });
    assert_eq!(drawn("5", "2", WhenExhausted::Stops).left, dec("3"));
    assert!(draw(dec("-1"), dec("2"), WhenExhausted::Stops).is_err());
}

#[test]
fn charges_of_a_month_are_summed() {
    let charges = [("2024-05-31 23:59:59", "1"), ("2024-05-01", "2"), ("2024-06-01 00:00:00", "4")];
    let sums = by_period(charges.map(|(used_at, charge)| (beijing(used_at), rmb(charge)))).unwrap();
    let told: Vec<_> = sums.iter().flat_map(|(period, sums)| sums.iter().map(|sum| (*period, sum))).collect();
    assert_eq!(told, [(period("202405"), rmb("3")), (period("202406"), rmb("4"))]);
}

#[test]
fn a_daily_cycle_is_24_hours_from_the_start_of_use() {
    let start = beijing("2024-05-05 13:25:00");
    let cycle = |text| cycle_of(start, TimeDelta::days(1), beijing(text));
    assert_eq!(cycle("2024-05-05 13:25:00"), Some(start..beijing("2024-05-06 13:25:00")));
    assert_eq!(cycle("2024-05-06 13:24:59"), Some(start..beijing("2024-05-06 13:25:00")));
    assert_eq!(cycle("2024-05-06 13:25:00").unwrap().start, beijing("2024-05-06 13:25:00"));
    assert_eq!(cycle("2024-05-05 13:24:59"), None);
    assert_eq!(cycle_of(start, TimeDelta::zero(), start), None);
}
