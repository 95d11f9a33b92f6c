//! Times as text: RFC 3339, UTC, with `Z`. Every answer carries several, so they are written without allocating.

use std::fmt;

use chrono::{DateTime, Datelike, SecondsFormat, SubsecRound, Timelike, Utc};

/// How much of a second is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// Nothing; what there is, is cut off.
    None,
    /// Three digits; what there is beyond them is cut off.
    Millis,
    /// Three digits or none: where they would all be zero, none. What there is beyond them is cut off.
    MillisAsNeeded,
    /// As many as are needed: none, three, six or nine.
    AsNeeded,
}

impl Fraction {
    /// How many digits it has for so many nanoseconds.
    fn digits(self, nanos: u32) -> usize {
        match self {
            Self::None => 0,
            Self::Millis => 3,
            Self::MillisAsNeeded if nanos < 1_000_000 => 0,
            Self::MillisAsNeeded => 3,
            Self::AsNeeded if nanos == 0 => 0,
            Self::AsNeeded if nanos.is_multiple_of(1_000_000) => 3,
            Self::AsNeeded if nanos.is_multiple_of(1_000) => 6,
            Self::AsNeeded => 9,
        }
    }
}

/// A time with a year beyond four digits.
#[cold]
fn far(at: DateTime<Utc>, fraction: Fraction) -> String {
    let (at, format) = match fraction {
        Fraction::None => (at, SecondsFormat::Secs),
        Fraction::Millis => (at, SecondsFormat::Millis),
        Fraction::MillisAsNeeded => (at.trunc_subsecs(3), SecondsFormat::AutoSi),
        Fraction::AsNeeded => (at, SecondsFormat::AutoSi),
    };
    at.to_rfc3339_opts(format, true)
}

/// A time as text.
#[derive(Debug, Clone)]
pub struct Rfc3339(Text);

#[derive(Debug, Clone)]
enum Text {
    Usual(Digits, usize),
    /// A year beyond four digits.
    Far(String),
}

/// Room for the longest text with a year of four digits. Where words of memory begin, so that the proof that all of it is
/// ASCII takes whole words.
#[derive(Debug, Clone)]
#[repr(align(8))]
struct Digits([u8; 32]);

impl Rfc3339 {
    /// Writes a time.
    #[must_use]
    pub fn new(at: DateTime<Utc>, fraction: Fraction) -> Self {
        let naive = at.naive_utc();
        let Ok(year @ 0..=9999) = u32::try_from(naive.year()) else {
            return Self(Text::Far(far(at, fraction)));
        };
        // A leap second is second 60, which chrono keeps in the nanoseconds.
        let (leap, nanos) = (naive.nanosecond() / 1_000_000_000, naive.nanosecond() % 1_000_000_000);
        let [c, y] = [year / 100, year % 100].map(pair);
        let [month, day] = [naive.month(), naive.day()].map(pair);
        let [hour, minute, second] = [naive.hour(), naive.minute(), naive.second() + leap].map(pair);
        let mut text = [
            c[0], c[1], y[0], y[1], b'-', month[0], month[1], b'-', day[0], day[1], b'T', hour[0], hour[1], b':',
            minute[0], minute[1], b':', second[0], second[1], b'Z', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let digits = fraction.digits(nanos);
        if digits == 0 {
            return Self(Text::Usual(Digits(text), 20));
        }
        text[19] = b'.';
        let groups = [(20, nanos / 1_000_000), (23, nanos / 1_000 % 1_000), (26, nanos % 1_000)];
        for (place, group) in groups.into_iter().take(digits / 3) {
            text[place..place + 3].copy_from_slice(&triple(group));
        }
        text[20 + digits] = b'Z';
        Self(Text::Usual(Digits(text), 21 + digits))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Only digits and signs of ASCII were written.
            Text::Usual(Digits(text), length) => {
                std::str::from_utf8(text).ok().and_then(|text| text.get(..*length)).unwrap_or_default()
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

/// Numbers of two digits, written: to look one up is quicker than two divisions.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// A number below 100.
fn pair(number: u32) -> [u8; 2] {
    PAIRS.get(number as usize).copied().unwrap_or_default()
}

/// A number below 1,000.
fn triple(number: u32) -> [u8; 3] {
    let [_, hundreds] = pair(number / 100);
    let [tens, ones] = pair(number % 100);
    [hundreds, tens, ones]
}
