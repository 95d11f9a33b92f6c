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

impl From<Fraction> for SecondsFormat {
    fn from(fraction: Fraction) -> Self {
        match fraction {
            Fraction::None => Self::Secs,
            Fraction::Millis => Self::Millis,
            Fraction::AsNeeded => Self::AutoSi,
        }
    }
}

/// `2026-11-24T10:00:00.123456789Z` is the longest with a year of four digits.
const LONGEST: usize = 30;

/// A time as text.
#[derive(Debug, Clone)]
pub struct Rfc3339(Text);

#[derive(Debug, Clone)]
enum Text {
    Usual([u8; LONGEST], usize),
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
        let (leap, nanos) = (at.nanosecond() / 1_000_000_000, at.nanosecond() % 1_000_000_000);
        let mut writer = Writer { text: [0; LONGEST], length: 0 };
        writer.pair(year / 100);
        writer.pair(year % 100);
        // A leap second is second 60, which chrono keeps in the nanoseconds.
        let seconds = at.second() + leap;
        for (before, value) in
            [(b'-', at.month()), (b'-', at.day()), (b'T', at.hour()), (b':', at.minute()), (b':', seconds)]
        {
            writer.byte(before);
            writer.pair(value);
        }
        writer.fraction(nanos, fraction);
        writer.byte(b'Z');
        Self(Text::Usual(writer.text, writer.length))
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

struct Writer {
    text: [u8; LONGEST],
    length: usize,
}

impl Writer {
    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn digit(&mut self, value: u32) {
        self.byte(b'0' + u8::try_from(value % 10).unwrap_or_default());
    }

    fn pair(&mut self, value: u32) {
        self.digit(value / 10);
        self.digit(value);
    }

    fn fraction(&mut self, nanos: u32, fraction: Fraction) {
        let groups = [nanos / 1_000_000, nanos / 1_000, nanos];
        let count = match fraction {
            Fraction::None => 0,
            Fraction::Millis => 1,
            Fraction::AsNeeded if nanos == 0 => 0,
            Fraction::AsNeeded if nanos.is_multiple_of(1_000_000) => 1,
            Fraction::AsNeeded if nanos.is_multiple_of(1_000) => 2,
            Fraction::AsNeeded => 3,
        };
        if count > 0 {
            self.byte(b'.');
        }
        for group in groups.into_iter().take(count) {
            self.digit(group / 100);
            self.pair(group);
        }
    }
}
