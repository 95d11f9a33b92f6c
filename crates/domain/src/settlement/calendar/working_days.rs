//! Working days in China: weekdays that are no holidays, and weekend days that make up for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// The years that are known when this version was made.
const CHINA: &str = include_str!("china.txt");

/// Days looked at to find a working one; the longest holiday has fewer.
const LONGEST_HOLIDAY: u64 = 31;

/// A line of calendar data that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the calendar: {text:?} {problem}")]
pub struct CalendarError {
    /// Which line, from 1.
    pub line: usize,
    /// The word that is wrong.
    pub text: String,
    /// What is wrong with it, and what to write.
    pub problem: &'static str,
}

/// Which days are worked. Years without data have weekends only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkingDays {
    known: BTreeSet<i32>,
    /// Days that differ from their week: worked or not.
    special: BTreeMap<NaiveDate, bool>,
}

static BUILT_IN: LazyLock<WorkingDays> = LazyLock::new(|| {
    let mut days = WorkingDays::default();
    #[expect(clippy::expect_used, reason = "the text is compiled in, and a test reads it")]
    days.extend(CHINA).expect("china.txt can be read");
    days
});

impl WorkingDays {
    /// China's, as far as this version knows them.
    #[must_use]
    pub fn china() -> &'static Self {
        &BUILT_IN
    }

    /// Takes further years in, or newer notices of known ones, which then replace those years. One line a year and
    /// kind, `#` begins a comment:
    ///
    /// ```text
    /// 2027 off 01-01 02-08
    /// 2027 work 02-06
    /// ```
    ///
    /// # Errors
    /// The first line that cannot be read; then nothing is taken.
    pub fn extend(&mut self, text: &str) -> Result<(), CalendarError> {
        let mut news = Self::default();
        for (line, content) in (1..).zip(text.lines()) {
            news.read(content).map_err(|(text, problem)| CalendarError { line, text: text.into(), problem })?;
        }
        self.special.retain(|day, _| !news.known.contains(&day.year()));
        self.special.append(&mut news.special);
        self.known.append(&mut news.known);
        Ok(())
    }

    fn read<'a>(&mut self, line: &'a str) -> Result<(), (&'a str, &'static str)> {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(year) = words.next() else { return Ok(()) };
        if year.len() != 4 || !year.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err((year, "is not a year; write four digits"));
        }
        let worked = match words.next() {
            Some("off") => false,
            Some("work") => true,
            other => return Err((other.unwrap_or_default(), "must be off or work")),
        };
        for word in words {
            let day = NaiveDate::parse_from_str(&format!("{year}-{word}"), "%Y-%m-%d");
            let day = day.map_err(|_| (word, "is no day of that year; write month and day, like 02-08"))?;
            self.special.insert(day, worked);
        }
        self.known.extend(year.parse::<i32>());
        Ok(())
    }

    /// Whether the holidays of a year are known.
    #[must_use]
    pub fn is_known(&self, year: i32) -> bool {
        self.known.contains(&year)
    }

    /// Whether a day is worked.
    #[must_use]
    pub fn is_working(&self, day: NaiveDate) -> bool {
        let weekday = !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        self.special.get(&day).copied().unwrap_or(weekday)
    }

    /// The first working day from a day on, which may be that day.
    #[must_use]
    pub fn from(&self, day: NaiveDate) -> NaiveDate {
        let days = (0..LONGEST_HOLIDAY).filter_map(|n| day.checked_add_days(Days::new(n)));
        days.into_iter().find(|day| self.is_working(*day)).unwrap_or(day)
    }

    /// The day after so many further working days.
    #[must_use]
    pub fn after(&self, day: NaiveDate, working_days: u32) -> NaiveDate {
        (0..working_days).fold(day, |day, _| self.from(day.succ_opt().unwrap_or(day)))
    }
}
