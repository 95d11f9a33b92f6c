//! How long answers took.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest time told apart; anything longer counts as this long.
const LONGEST_MICROS: u64 = 120_000_000;

/// Times of many answers, to a tenth of a percent.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "1 ≤ 120,000,000 and three digits are bounds of a histogram")]
        Self(Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("valid bounds"))
    }
}

impl Latency {
    /// Notes one time.
    pub fn note(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Takes another's times in.
    pub fn merge(&mut self, other: &Self) {
        // Cannot fail: both have the same bounds.
        let _ = self.0.add(&other.0);
    }

    /// The percentiles.
    #[must_use]
    pub fn percentiles(&self) -> Percentiles {
        let at = |quantile| millis(self.0.value_at_quantile(quantile));
        Percentiles {
            count: self.0.len(),
            mean: self.0.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: millis(self.0.max()),
        }
    }
}

fn millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1000.0
}

/// Percentiles, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many times were noted.
    pub count: u64,
    /// The average.
    pub mean: f64,
    /// Half were this fast or faster.
    pub p50: f64,
    /// Nine of ten were.
    pub p90: f64,
    /// 99 of 100 were.
    pub p99: f64,
    /// 999 of 1,000 were.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {:.2}  p90 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2} ms",
            self.p50, self.p90, self.p99, self.p999, self.max
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_times_noted() {
        let (mut one, mut other) = (Latency::default(), Latency::default());
        for micros in 1..=500 {
            one.note(Duration::from_micros(micros));
            other.note(Duration::from_micros(500 + micros));
        }
        one.merge(&other);
        let percentiles = one.percentiles();
        assert_eq!(percentiles.count, 1000);
        assert_eq!(percentiles.p50, 0.5);
        assert_eq!(percentiles.p99, 0.99);
        assert_eq!(percentiles.max, 1.0);
        assert_eq!(percentiles.to_string(), "p50 0.50  p90 0.90  p99 0.99  p99.9 1.00  max 1.00 ms");
    }

    #[test]
    fn a_time_beyond_all_bounds_counts_as_the_longest() {
        let mut latency = Latency::default();
        latency.note(Duration::from_secs(1_000_000));
        assert!(latency.percentiles().max >= 119_000.0);
    }
}
