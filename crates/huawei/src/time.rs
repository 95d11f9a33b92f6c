//! Times as the marketplace writes them: `yyyyMMddHHmmss`, sometimes with milliseconds, and of late in words; UTC.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// Reads an `expireTime`: 14 digits, or 17 with milliseconds, UTC; `None` where it is neither or no real moment.
///
/// The tables say 14 digits, the published example has 17 (更新实例, zh-cn_topic_0070649429).
#[must_use]
pub fn parse_expire_time(text: &str) -> Option<DateTime<Utc>> {
    if !matches!(text.len(), 14 | 17) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let year = text.get(..4)?.parse().ok()?;
    let millis = if text.len() == 17 { number(14, 17)? } else { 0 };
    let date = NaiveDate::from_ymd_opt(year, number(4, 6)?, number(6, 8)?)?;
    let time = date.and_hms_milli_opt(number(8, 10)?, number(10, 12)?, number(12, 14)?, millis)?;
    Some(time.and_utc())
}

/// Reads a moment in any spelling that its pages or their readers may mean: 14 or 17 digits, `2023-10-27 10:30:15 z` (the
/// example of getLicenseAsync, topic 0070649255), or RFC 3339. `None` where it is none of them.
///
/// The `z` of the example is also the letter that Java's patterns have for a zone, so `UTC` and `GMT` may stand there too;
/// without any of them the moment is UTC, as the table says.
#[must_use]
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return parse_expire_time(text);
    }
    let (year, rest) = text.split_at_checked(4)?;
    if !year.bytes().all(|byte| byte.is_ascii_digit()) || !rest.starts_with('-') {
        return None;
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    let bare = without_zone(text);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(bare, form).ok())
        .map(|time| time.and_utc())
}

/// A time without the letters that say UTC.
fn without_zone(text: &str) -> &str {
    let zone = ["utc", "gmt", "z"].into_iter().find_map(|zone| {
        let (time, end) = text.split_at_checked(text.len().checked_sub(zone.len())?)?;
        end.eq_ignore_ascii_case(zone).then_some(time)
    });
    zone.unwrap_or(text).trim_end()
}

/// Writes a moment as an `expireTime` of 14 digits, UTC.
#[must_use]
pub fn format_expire_time(at: DateTime<Utc>) -> String {
    at.format("%Y%m%d%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fourteen_and_seventeen_digits_are_read_as_utc() {
        let read = |text| parse_expire_time(text).map(|at| at.to_rfc3339());
        assert_eq!(read("20271124023618").unwrap(), "2027-11-24T02:36:18+00:00");
        assert_eq!(read("20221124023618256").unwrap(), "2022-11-24T02:36:18.256+00:00");
        assert_eq!(read("20240229000000").unwrap(), "2024-02-29T00:00:00+00:00");
    }

    #[test]
    fn only_real_moments_are_read() {
        let texts = [
            "",
            "2027112402361",
            "202711240236181",
            "20230229000000",
            "20271301000000",
            "20270100000000",
            "20270101240000",
            "20270101006000",
            "20270101000060",
            "2027-11-24T02:3",
            "+2271124023618",
            "２０２７1124",
            "2027112402361a",
        ];
        for text in texts {
            assert_eq!(parse_expire_time(text), None, "{text}");
        }
    }

    #[test]
    fn every_spelling_of_one_moment_is_read() {
        for text in [
            "2023-10-27 10:30:15 z",
            "2023-10-27 10:30:15 Z",
            "2023-10-27 10:30:15z",
            "2023-10-27 10:30:15 UTC",
            "2023-10-27 10:30:15 gmt",
            " 2023-10-27 10:30:15 ",
            "2023-10-27 10:30:15.000 z",
            "2023-10-27T10:30:15Z",
            "2023-10-27T10:30:15",
            "2023-10-27T18:30:15+08:00",
            "2023-10-27 18:30:15+08:00",
            "20231027103015",
            "20231027103015000",
        ] {
            let read = parse_time(text).map(|at| at.to_rfc3339());
            assert_eq!(read.as_deref(), Some("2023-10-27T10:30:15+00:00"), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_in_any_spelling_is_not_read() {
        for text in [
            "",
            "z",
            "2023",
            "2023-10-27",
            "2023-10-27 10:30",
            "2023-02-29 10:30:15 z",
            "2023-10-27 25:30:15 z",
            "2023-10-27 10:30:15 CST",
            "+2023-10-27 10:30:15",
            "12023-10-27 10:30:15",
            "-023-10-27 10:30:15",
            "2023-10-27 10:30:15 界",
            "202310271030",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String, head in "[0-9]{4}-[0-9 :TZzUTC界+-]{0,30}") {
            let _ = (parse_time(&text), parse_time(&head));
        }
    }

    #[test]
    fn a_moment_reads_back_as_written() {
        let text = "20271124023618";
        assert_eq!(format_expire_time(parse_expire_time(text).unwrap()), text);
    }
}
