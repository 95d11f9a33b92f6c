//! Months in Beijing, working days, and the days on which bills are run.

use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::calendar::{DayOfMonth, Period, Schedule, needs_confirmation};
use chopmark_domain::settlement::product::Site;

use super::support::*;

#[test]
fn a_month_is_beijings() {
    assert_eq!(Period::of("2024-05-31T15:59:59Z".parse().unwrap()), period("202405"));
    assert_eq!(Period::of("2024-05-31T16:00:00Z".parse().unwrap()), period("202406"));
    let bounds = period("202405").bounds();
    assert_eq!(bounds.start, "2024-04-30T16:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    assert_eq!(bounds.end, beijing("2024-06-01"));
    assert_eq!((period("202312").next(), period("202401").prev()), (period("202401"), period("202312")));
}

#[test]
fn a_period_reads_back_as_written_and_nothing_else_does() {
    assert_eq!(period("202405").to_string(), "202405");
    assert_eq!(serde_json::to_string(&period("202405")).unwrap(), "\"202405\"");
    for wrong in ["", "2024", "202400", "202413", "2024-05", "20240501", " 202405", "02405", "２０２４05"] {
        assert!(Period::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn bills_are_run_on_the_run_day_or_the_next_working_day() {
    for (site, month, day, why) in [
        (Site::Intl, "201901", "2019-02-07", "printed for this period"),
        (Site::Intl, "202201", "2022-02-07", "printed for this period"),
        (Site::Eu, "202201", "2022-02-07", "Europe follows"),
        (Site::Cn, "202001", "2020-02-03", "printed for this period"),
        (Site::Cn, "202005", "2020-06-03", "printed for this period"),
        (Site::Cn, "202405", "2024-06-03", "a Monday"),
        (Site::Cn, "202407", "2024-08-05", "the 3rd is a Saturday"),
        (Site::Cn, "202404", "2024-05-06", "Labour Day, then a weekend"),
        (Site::Cn, "202409", "2024-10-08", "National Day"),
        (Site::Intl, "202409", "2024-10-08", "National Day"),
        (Site::Intl, "202403", "2024-04-07", "a Sunday that is worked"),
        (Site::Cn, "202312", "2024-01-03", "the year turns"),
        (Site::Cn, "202609", "2026-10-08", "National Day"),
    ] {
        assert_eq!(schedule(site).run(period(month)).date, date(day), "{site:?} {month}: {why}");
    }
}

#[test]
fn a_bill_is_sent_after_its_review() {
    let sent = |site, month| schedule(site).run(period(month)).sent_by;
    assert_eq!(sent(Site::Cn, "202405"), date("2024-06-05"), "two working days");
    assert_eq!(sent(Site::Intl, "202405"), date("2024-06-13"), "three, over the Dragon Boat Festival");
}

#[test]
fn years_without_data_have_weekends_only_and_say_so() {
    let days = WorkingDays::china();
    assert!((2020..=2026).all(|year| days.is_known(year)));
    assert!(!days.is_known(2019) && !days.is_known(2027));
    let run = schedule(Site::Cn).run(period("202709"));
    assert_eq!((run.date, run.certain), (date("2027-10-04"), false));
    assert!(schedule(Site::Cn).run(period("202405")).certain);
    assert!(!days.is_working(date("2027-10-03")) && days.is_working(date("2027-10-01")));
}

#[test]
fn the_calendar_is_extended_by_data() {
    let mut days = WorkingDays::china().clone();
    days.extend("# a notice\n2027 off 10-01 10-04 10-05 # National Day\n2027 work 10-09\n\n").unwrap();
    let schedule = Schedule { working_days: &days, ..schedule(Site::Cn) };
    let run = schedule.run(period("202709"));
    assert_eq!((run.date, run.certain), (date("2027-10-06"), true));
    assert!(days.is_working(date("2027-10-09")), "a Saturday that is worked");
    days.extend("2024 off 01-01").unwrap();
    assert!(!days.is_working(date("2024-04-07")), "a newer notice replaces its year");
    assert!(days.is_working(date("2023-01-28")), "and no other");
}

#[test]
fn a_calendar_with_an_error_names_the_line_and_changes_nothing() {
    let mut days = WorkingDays::china().clone();
    for (text, line, word) in [
        ("2027 off 10-01\n2027 off 02-30", 2, "02-30"),
        ("27 off 10-01", 1, "27"),
        ("2027 free 10-01", 1, "free"),
        ("2027", 1, ""),
        ("\n2027 work Saturday", 2, "Saturday"),
    ] {
        let error = days.extend(text).unwrap_err();
        assert_eq!((error.line, error.text.as_str()), (line, word), "{text}");
        assert_eq!(&days, WorkingDays::china());
    }
}

#[test]
fn the_open_period_is_the_earliest_whose_bill_is_not_run() {
    let open = |text| schedule(Site::Cn).open_period(beijing(text));
    assert_eq!(open("2024-06-02 23:59:59"), period("202405"));
    assert_eq!(open("2024-06-03 00:00:00"), period("202406"));
    assert_eq!(open("2024-05-05"), period("202404"), "run on the 6th, after the holiday");
    assert_eq!(open("2024-05-06"), period("202405"));
}

#[test]
fn a_run_day_is_one_that_every_month_has() {
    assert!(DayOfMonth::new(0).is_err() && DayOfMonth::new(29).is_err() && DayOfMonth::new(28).is_ok());
    assert!(serde_json::from_str::<DayOfMonth>("31").is_err());
}

#[test]
fn sellers_confirmed_bills_until_2024_12_24() {
    assert!(needs_confirmation(beijing("2024-12-23 23:59:59")));
    assert!(!needs_confirmation(beijing("2024-12-24 00:00:00")));
}
