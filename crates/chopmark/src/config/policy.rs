//! The switches of settlement: what the marketplace's pages leave open, each by its name and its codes.

use chopmark_domain::settlement::calendar::{DayOfMonth, midnight};
use chopmark_domain::settlement::formula::tier::{Bracket, Tiers};
use chopmark_domain::settlement::policy::{Policy, RunDays};
use chrono::{DateTime, NaiveDate, Utc};

use super::reader::Found;
use super::settlement::{amount, code, ratio};

pub(super) fn read(found: Found<'_>) -> Option<Policy> {
    let mut section = found.section()?;
    let mut policy = Policy::default();
    // All are read before the first problem ends it.
    let mut whole = true;
    macro_rules! switches {
        ($($name:ident: $read:expr),+ $(,)?) => {$(
            match section.optional(stringify!($name), $read) {
                Some(Some(choice)) => policy.$name = choice,
                Some(None) => {}
                None => whole = false,
            }
        )+};
    }
    switches! {
        run_days: run_days,
        tiers: tiers,
        tier_month: code,
        tier_refunds: code,
        tier_late_lines: code,
        guarantee: code,
        pairing: code,
        set_off: code,
        upgraded_refund: code,
        international_refunds: code,
        carry: code,
        bill_total: code,
        partial_hour: code,
        powered_off: code,
        term_days: code,
        volume_discount: code,
        unstated_payment: code,
    }
    section.finish();
    whole.then_some(policy)
}

fn run_days(found: Found<'_>) -> Option<RunDays> {
    let mut section = found.section()?;
    let usual = RunDays::default();
    let [cn, intl, eu] = ["cn", "intl", "eu"].map(|site| section.optional(site, day));
    section.finish();
    let (cn, intl, eu) = (cn?, intl?, eu?);
    Some(RunDays { cn: cn.unwrap_or(usual.cn), intl: intl.unwrap_or(usual.intl), eu: eu.unwrap_or(usual.eu) })
}

fn day(found: Found<'_>) -> Option<DayOfMonth> {
    DayOfMonth::new(found.whole(1..=28)?).ok()
}

fn tiers(found: Found<'_>) -> Option<Tiers> {
    let mut section = found.section()?;
    let usual = Tiers::default();
    let since = section.optional("since", |found| {
        found.parsed(beijing_day, "write the day on which they begin in Beijing, like \"2024-03-01\"")
    });
    let fee_ratio = section.optional("fee_ratio", ratio);
    let brackets = section.optional("brackets", |found| {
        let brackets: Vec<_> = found.list().into_iter().map(bracket).collect();
        brackets.into_iter().collect::<Option<Vec<_>>>()
    });
    section.finish();
    let (since, fee_ratio, brackets) = (since?, fee_ratio?, brackets?);
    Some(Tiers {
        since: since.unwrap_or(usual.since),
        fee_ratio: fee_ratio.unwrap_or(usual.fee_ratio),
        brackets: brackets.unwrap_or(usual.brackets),
    })
}

fn bracket(found: Found<'_>) -> Option<Bracket> {
    let mut section = found.section()?;
    let at_least = section.required("at_least", "at_least = \"500000\"", |found| {
        amount(found, "write the amount of a month from which it holds, like \"500000\", in quotes")
    });
    let share = section.required("share", "share = \"0.01\"", ratio);
    section.finish();
    Some(Bracket { at_least: at_least?, share: share? })
}

fn beijing_day(text: &str) -> Result<DateTime<Utc>, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map(midnight).map_err(|_| format!("{text:?} is no day"))
}
