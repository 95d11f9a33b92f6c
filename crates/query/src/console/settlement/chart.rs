//! The chart of an overview, drawn on the server: what was sold and what comes of it above the line, what was taken of it
//! below. Places are exact decimals too.

use rust_decimal::Decimal;

use crate::console::frame::Frame;
use crate::console::money;

const WIDTH: i64 = 760;
const HEIGHT: i64 = 300;
/// Room for the numbers of the axis, and for the names of the months.
const LEFT: i64 = 84;
const RIGHT: i64 = 8;
const TOP: i64 = 12;
const BOTTOM: i64 = 30;
/// Lines across the chart, at most.
const LINES: i64 = 5;
/// The widest a month's column is drawn.
const COLUMN: i64 = 84;

/// A month in numbers.
#[derive(Debug, Clone)]
pub(super) struct Month {
    /// `2026-11`.
    pub(super) name: String,
    /// Its page.
    pub(super) link: String,
    /// What was sold.
    pub(super) gross: Decimal,
    /// What the marketplace keeps; positive.
    pub(super) fee: Decimal,
    /// What was given back; positive.
    pub(super) refund: Decimal,
    /// What the seller gets.
    pub(super) net: Decimal,
    /// Whether its bill is still to be run.
    pub(super) is_ahead: bool,
}

/// A rectangle. All places are in the chart's own units.
pub(super) struct Bar {
    pub(super) class: &'static str,
    pub(super) x: Decimal,
    pub(super) y: Decimal,
    pub(super) width: Decimal,
    pub(super) height: Decimal,
}

/// A line across, with its amount.
pub(super) struct Across {
    pub(super) y: Decimal,
    pub(super) amount: String,
    pub(super) class: &'static str,
}

/// A month's column.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) middle: Decimal,
    pub(super) bars: Vec<Bar>,
    pub(super) hit: Bar,
    /// What stands beside the pointer, and what is read out: a line for each number.
    pub(super) says: String,
    pub(super) is_ahead: bool,
}

/// A chart ready to be written.
pub(super) struct Chart {
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) left: i64,
    pub(super) right: i64,
    pub(super) labels_y: i64,
    pub(super) across: Vec<Across>,
    pub(super) columns: Vec<Column>,
}

/// From amounts to heights.
struct Scale {
    highest: Decimal,
    per_amount: Decimal,
}

impl Scale {
    fn y(&self, amount: Decimal) -> Decimal {
        place(Decimal::from(TOP) + (self.highest - amount) * self.per_amount)
    }

    /// A bar from one amount up to another.
    fn bar(&self, class: &'static str, (x, width): (Decimal, Decimal), from: Decimal, to: Decimal) -> Bar {
        let (top, foot) = (self.y(from.max(to)), self.y(from.min(to)));
        Bar { class, x, y: top, width, height: foot - top }
    }
}

/// To a tenth, which is finer than a screen.
fn place(at: Decimal) -> Decimal {
    at.round_dp(1).normalize()
}

impl Chart {
    /// Draws months; `None` where there is nothing to draw.
    pub(super) fn of(months: &[Month], frame: &Frame) -> Option<Self> {
        let highest = months.iter().map(|month| month.gross.max(month.net)).max()?.max(Decimal::ZERO);
        let lowest = months.iter().map(|month| (-month.fee - month.refund).min(month.net)).min()?.min(Decimal::ZERO);
        if highest == lowest {
            return None;
        }
        let step = step(highest - lowest);
        let (highest, lowest) = ((highest / step).ceil() * step, (lowest / step).floor() * step);
        let scale = Scale { highest, per_amount: Decimal::from(HEIGHT - TOP - BOTTOM) / (highest - lowest) };
        let mut across = vec![];
        let mut amount = lowest;
        while amount <= highest {
            let class = if amount.is_zero() { "zero" } else { "grid" };
            across.push(Across { y: scale.y(amount), amount: money::whole(amount), class });
            amount += step;
        }
        let room = Decimal::from(WIDTH - LEFT - RIGHT) / Decimal::from(months.len());
        let columns = months.iter().zip(0_i64..).map(|(month, n)| {
            let left = Decimal::from(LEFT) + room * Decimal::from(n);
            column(month, &scale, left, room, frame)
        });
        let columns = columns.collect();
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            labels_y: HEIGHT - 8,
            across,
            columns,
        })
    }
}

fn column(month: &Month, scale: &Scale, left: Decimal, room: Decimal, frame: &Frame) -> Column {
    let middle = left + room / Decimal::TWO;
    let centred = |share: Decimal| {
        let width = (room * share).min(Decimal::from(COLUMN) * share);
        (place(middle - width / Decimal::TWO), place(width))
    };
    let (wide, narrow) = (centred(Decimal::new(6, 1)), centred(Decimal::new(28, 2)));
    let after_fee = -month.fee;
    let bars = vec![
        scale.bar("bar-gross", wide, Decimal::ZERO, month.gross),
        scale.bar("bar-fee", wide, Decimal::ZERO, after_fee),
        scale.bar("bar-refund", wide, after_fee, after_fee - month.refund),
        scale.bar("bar-net", narrow, Decimal::ZERO, month.net),
    ];
    let t = frame.t;
    let numbers = [(t.gross, month.gross), (t.fee, -month.fee), (t.refunds, -month.refund), (t.net, month.net)];
    let numbers = numbers.map(|(name, amount)| format!("{name} {}", money::amount(amount)));
    let name = if month.is_ahead { format!("{} · {}", month.name, t.expected) } else { month.name.clone() };
    let (top, height) = (Decimal::from(TOP), Decimal::from(HEIGHT - TOP - BOTTOM));
    Column {
        name: month.name.clone(),
        link: month.link.clone(),
        middle: place(middle),
        bars: bars.into_iter().filter(|bar| !bar.height.is_zero()).collect(),
        hit: Bar { class: "hit", x: place(left), y: top, width: place(room), height },
        says: format!("{name}\n{}", numbers.join("\n")),
        is_ahead: month.is_ahead,
    }
}

/// A round step that divides a range into few enough parts.
fn step(range: Decimal) -> Decimal {
    let (mut power, ten) = (Decimal::new(1, 2), Decimal::TEN);
    loop {
        for digit in [Decimal::ONE, Decimal::TWO, Decimal::from(5)] {
            let step = power * digit;
            if range <= step * Decimal::from(LINES) {
                return step;
            }
        }
        power *= ten;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_few() {
        for (range, expected) in [("5", "1"), ("7", "2"), ("123456", "50000"), ("0.03", "0.01")] {
            assert_eq!(step(range.parse().unwrap()), expected.parse::<Decimal>().unwrap(), "{range}");
        }
    }

    #[test]
    fn bars_stand_on_the_line_and_what_is_taken_hangs_beneath_it() {
        let scale = Scale { highest: Decimal::from(100), per_amount: Decimal::ONE };
        let sold = scale.bar("", (Decimal::ZERO, Decimal::ONE), Decimal::ZERO, Decimal::from(60));
        let taken = scale.bar("", (Decimal::ZERO, Decimal::ONE), Decimal::ZERO, Decimal::from(-10));
        assert_eq!((sold.y, sold.height), (Decimal::from(52), Decimal::from(60)));
        assert_eq!((taken.y, taken.height), (Decimal::from(112), Decimal::TEN));
    }
}
