//! A published figure: what was measured, beside what the same machine does without Chopmark, in the same run.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::cli::bench::Measurement;

/// One measurement with its baseline.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// Which measurement it belongs to.
    #[serde(skip)]
    pub(crate) measurement: Measurement,
    /// Short name, e.g. `appends_64`.
    pub(crate) name: String,
    /// What was measured, in words.
    pub(crate) what: String,
    /// What the baseline is, in words.
    pub(crate) baseline_is: String,
    /// Unit of `measured` and `baseline`.
    pub(crate) unit: &'static str,
    /// Median over the rounds.
    pub(crate) measured: f64,
    /// Median over the rounds; absent where the figure is held to a fixed bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline: Option<f64>,
    /// Median of the ratios round by round, measured to baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// 99th percentile of one operation, milliseconds, over all rounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99_ms: Option<f64>,
    /// The same of the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline_p99_ms: Option<f64>,
    /// Rounds measured, measured and baseline in turn.
    pub(crate) rounds: usize,
}

/// What one round brought: operations in a second, and the time of each.
#[derive(Clone)]
pub(crate) struct Round {
    /// Operations a second.
    pub(crate) per_second: f64,
    /// Microseconds of each operation.
    pub(crate) micros: Histogram<u64>,
}

impl Round {
    /// A round from what was counted.
    pub(crate) fn new(operations: u64, seconds: f64, micros: Histogram<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "far fewer operations than 2^52")]
        let per_second = operations as f64 / seconds;
        Self { per_second, micros }
    }
}

/// An empty histogram of microseconds, up to a minute.
pub(crate) fn micros() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants that the histogram takes")]
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("constant bounds")
}

/// Adds a duration to a histogram of microseconds.
pub(crate) fn record(micros: &mut Histogram<u64>, elapsed: std::time::Duration) {
    micros.saturating_record(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1));
}

impl Figure {
    /// A figure of rounds measured in turn with a baseline: how much is done in a time.
    pub(crate) fn of_rounds(
        measurement: Measurement,
        name: impl Into<String>,
        what: impl Into<String>,
        baseline_is: &str,
        unit: &'static str,
        rounds: &[(Round, Round)],
    ) -> Self {
        let of = |round: &Round| round.per_second;
        Self::of(measurement, [name.into(), what.into(), baseline_is.into()], unit, rounds, of)
    }

    /// A figure of rounds measured in turn with a baseline: how long one operation takes.
    pub(crate) fn of_times(
        measurement: Measurement,
        name: impl Into<String>,
        what: impl Into<String>,
        baseline_is: &str,
        rounds: &[(Round, Round)],
    ) -> Self {
        let of = |round: &Round| millis_at(&round.micros, 0.5);
        Self::of(measurement, [name.into(), what.into(), baseline_is.into()], "ms", rounds, of)
    }

    fn of(
        measurement: Measurement,
        [name, what, baseline_is]: [String; 3],
        unit: &'static str,
        rounds: &[(Round, Round)],
        of: fn(&Round) -> f64,
    ) -> Self {
        let ratios = rounds.iter().map(|(ours, base)| of(ours) / of(base)).collect();
        let p99 = |pick: fn(&(Round, Round)) -> &Round| {
            let mut all = micros();
            for round in rounds {
                // Histograms of equal bounds always add up.
                let _ = all.add(&pick(round).micros);
            }
            (!all.is_empty()).then(|| millis_at(&all, 0.99))
        };
        Self {
            measurement,
            name,
            what,
            baseline_is,
            unit,
            measured: median(rounds.iter().map(|(ours, _)| of(ours)).collect()),
            baseline: Some(median(rounds.iter().map(|(_, base)| of(base)).collect())),
            ratio: Some(median(ratios)),
            p99_ms: p99(|round| &round.0),
            baseline_p99_ms: p99(|round| &round.1),
            rounds: rounds.len(),
        }
    }
}

fn millis_at(micros: &Histogram<u64>, quantile: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a minute at most")]
    let micros = micros.value_at_quantile(quantile) as f64;
    micros / 1_000.0
}

/// The median; 0 of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16} {}", self.name, self.what)?;
        write!(f, "{:<16} {:>12} {}", "", digits(self.measured), self.unit)?;
        if let Some(p99) = self.p99_ms {
            write!(f, ", p99 {p99:.2} ms")?;
        }
        writeln!(f)?;
        if let (Some(baseline), Some(ratio)) = (self.baseline, self.ratio) {
            write!(f, "{:<16} {:>12} {} — {}", "", digits(baseline), self.unit, self.baseline_is)?;
            if let Some(p99) = self.baseline_p99_ms {
                write!(f, ", p99 {p99:.2} ms")?;
            }
            let rounds =
                if self.rounds == 1 { "one round".into() } else { format!("median of {} rounds", self.rounds) };
            writeln!(f, "\n{:<16} {ratio:>12.2} of the baseline ({rounds})", "")?;
        } else {
            writeln!(f, "{:<16} {}", "", self.baseline_is)?;
        }
        Ok(())
    }
}

/// A number as people read it: small ones with two digits behind the point.
fn digits(number: f64) -> String {
    if number < 100.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(per_second: f64) -> Round {
        let mut micros = micros();
        record(&mut micros, std::time::Duration::from_millis(2));
        Round { per_second, micros }
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let rounds = [(round(50.0), round(100.0)), (round(10.0), round(100.0)), (round(120.0), round(200.0))];
        let figure = Figure::of_rounds(Measurement::Appends, "x", "", "", "a second", &rounds);
        assert_eq!((figure.measured, figure.baseline, figure.ratio), (50.0, Some(100.0), Some(0.5)));
        assert!(figure.p99_ms.is_some_and(|p99| (1.9..2.1).contains(&p99)));
    }

    #[test]
    fn a_figure_of_times_shows_the_median_and_is_small_where_it_is_quick() {
        let rounds = [(round(50.0), round(100.0))];
        let figure = Figure::of_times(Measurement::Settlement, "page", "a page", "the bare rows", &rounds);
        assert!((1.9..2.1).contains(&figure.measured), "{figure}");
        let shown = figure.to_string();
        assert!(
            shown.contains("2.00 ms, p99 2.00 ms") && shown.contains("1.00 of the baseline (one round)"),
            "{shown}"
        );
    }
}
