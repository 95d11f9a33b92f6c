//! Times as text: RFC 3339, UTC, with `Z`. Every answer carries several, so they are written without allocating.

use std::fmt;

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};

/// How much of a second is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// Nothing; what there is, is cut off.
    None,
    /// Three digits; what there is beyond them is cut off.
    Millis,
    /// As many as are needed: none, three, six or nine.
    AsNeeded,
}

impl Fraction {
    /// How many digits it has for so many nanoseconds.
    fn digits(self, nanos: u32) -> usize {
        match self {
            Self::None => 0,
            Self::Millis => 3,
            Self::AsNeeded if nanos == 0 => 0,
            Self::AsNeeded if nanos.is_multiple_of(1_000_000) => 3,
            Self::AsNeeded if nanos.is_multiple_of(1_000) => 6,
            Self::AsNeeded => 9,
        }
    }
}

impl From<Fraction> for SecondsFormat {
    fn from(fraction: Fraction) -> Self {
        match fraction {
            Fraction::None => Self::Secs,
            Fraction::Millis => Self::Millis,
            Fraction::AsNeeded => Self::AutoSi,
        }
    }
}

/// The longest with a year of four digits: every digit has its place.
const LONGEST: [u8; 30] = *b"0000-00-00T00:00:00.000000000Z";

/// A time as text.
#[derive(Debug, Clone)]
pub struct Rfc3339(Text);

#[derive(Debug, Clone)]
enum Text {
    Usual([u8; LONGEST.len()], usize),
    /// A year beyond four digits.
    Far(String),
}

impl Rfc3339 {
    /// Writes a time.
    #[must_use]
    pub fn new(at: DateTime<Utc>, fraction: Fraction) -> Self {
        let Ok(year @ 0..=9999) = u32::try_from(at.year()) else {
            return Self(Text::Far(at.to_rfc3339_opts(fraction.into(), true)));
        };
        let at = at.naive_utc();
        // A leap second is second 60, which chrono keeps in the nanoseconds.
        let (leap, nanos) = (at.nanosecond() / 1_000_000_000, at.nanosecond() % 1_000_000_000);
        let mut text = LONGEST;
        put(&mut text, 0, [year / 1_000, year / 100, year / 10, year]);
        for (place, value) in
            [(5, at.month()), (8, at.day()), (11, at.hour()), (14, at.minute()), (17, at.second() + leap)]
        {
            put(&mut text, place, [value / 10, value]);
        }
        let end = match fraction.digits(nanos) {
            0 => 19,
            digits => {
                for (place, group) in [(20, nanos / 1_000_000), (23, nanos / 1_000), (26, nanos)] {
                    put(&mut text, place, [group / 100, group / 10, group]);
                }
                20 + digits
            }
        };
        put_byte(&mut text, end, b'Z');
        Self(Text::Usual(text, end + 1))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Only digits and signs of ASCII were written.
            Text::Usual(text, length) => {
                text.get(..*length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
            }
            Text::Far(text) => text,
        }
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Puts the last digit of each number at a place and those after it.
fn put<const DIGITS: usize>(text: &mut [u8; LONGEST.len()], place: usize, numbers: [u32; DIGITS]) {
    for (place, number) in (place..).zip(numbers) {
        put_byte(text, place, b'0' + u8::try_from(number % 10).unwrap_or_default());
    }
}

fn put_byte(text: &mut [u8; LONGEST.len()], place: usize, byte: u8) {
    if let Some(there) = text.get_mut(place) {
        *there = byte;
    }
}
