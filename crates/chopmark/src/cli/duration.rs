//! Lengths of time, as they are written on the command line: `30d`.

/// The units, with their seconds.
const UNITS: [(char, u32); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

/// The longest, in seconds: ten years.
const SECONDS_MAX: u32 = 10 * 365 * 86_400;

/// Seconds of a text like `90m`, `12h`, `30d` or `2w`.
///
/// # Errors
/// It is no length of time, or one that is not between a second and ten years.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    let mend = "write a whole number and s, m, h, d or w, like 12h or 30d";
    let unit = text.chars().last().and_then(|last| UNITS.into_iter().find(|(unit, _)| *unit == last));
    let Some((unit, seconds)) = unit else {
        return Err(format!("it has no unit; {mend}"));
    };
    let digits = text.trim_end_matches(unit);
    let is_number = !digits.is_empty() && text.len() == digits.len() + 1 && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number {
        return Err(format!("{digits:?} is no whole number; {mend}"));
    }
    // More digits than fit are more than ten years.
    let number: u32 = digits.parse().unwrap_or(u32::MAX);
    match number.saturating_mul(seconds) {
        0 => Err(format!("it is over at once; {mend}")),
        seconds if seconds > SECONDS_MAX => {
            Err("it is longer than ten years; leave it out for one without an end".into())
        }
        seconds => Ok(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_a_number_and_a_unit() {
        let rows = [("1s", 1), ("90m", 5_400), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600)];
        for (text, expected) in rows {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        assert_eq!(seconds("3650d"), Ok(SECONDS_MAX));
    }

    #[test]
    fn what_is_none_is_refused_with_the_way_to_write_one() {
        for text in ["", "30", "d", "-1d", "+1d", "1.5h", "1dd", "1h30m", "30 d", "½d", "30D", "0s"] {
            assert!(seconds(text).unwrap_err().contains("like 12h or 30d"), "{text}");
        }
        for text in ["3651d", "99999999999999999999w"] {
            assert!(seconds(text).unwrap_err().contains("ten years"), "{text}");
        }
    }
}
