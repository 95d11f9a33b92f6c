//! Times as the marketplace writes them: `yyyyMMddHHmmss`, sometimes with milliseconds, UTC.

use chrono::{DateTime, NaiveDate, Utc};

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
    fn a_moment_reads_back_as_written() {
        let text = "20271124023618";
        assert_eq!(format_expire_time(parse_expire_time(text).unwrap()), text);
    }
}
