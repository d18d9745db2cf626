//! Stored bars that are probably errors of the source: lone bars far from all others, and jumps that last one bar.

use display::format::{count as thousands, counted};
use market_data::wording::moment;
use market_data::{Bar, DAY, Timeframe, day_of};
use protocol::Time;

/// Minimum factor of a jump.
const MIN_JUMP: f64 = 5.0;
/// Maximum factor between the prices before and after a jump.
const MAX_DRIFT: f64 = 2.0;
/// Minimum distance of a lone bar from the others, in days, and in typical distances.
const MIN_LONE_DAYS: i64 = 45;
const MIN_LONE_DISTANCES: i64 = 50;
/// More bars that are far from all others are no exceptions.
const MAX_LONE: usize = 3;

/// Suspicious bars of a data set, in time order.
#[derive(Default)]
pub(super) struct Suspects {
    /// The bars before the next one.
    two: [Option<Bar>; 2],
    bars: i64,
    first: Option<Time>,
    /// Bars far from both neighbours, with their distances. A missing neighbour is far away.
    lone: Vec<(Time, i64, i64)>,
    jumps: u64,
    first_jump: Option<(Time, f64)>,
}

impl Suspects {
    /// Adds the next bar.
    pub(super) fn note(&mut self, bar: &Bar) {
        self.first = self.first.or(Some(bar.time));
        self.bars += 1;
        let [before, middle] = self.two;
        if let Some(middle) = middle {
            self.neighbours(before, middle, Some(*bar));
        }
        self.two = [middle, Some(*bar)];
    }

    fn neighbours(&mut self, before: Option<Bar>, bar: Bar, after: Option<Bar>) {
        let apart = |one: Option<Bar>, other: Option<Bar>| {
            one.zip(other).map_or(i64::MAX, |(one, other)| other.time.micros() - one.time.micros())
        };
        let (to_before, to_after) = (apart(before, Some(bar)), apart(Some(bar), after));
        if to_before.min(to_after) > MIN_LONE_DAYS * DAY && self.lone.len() <= MAX_LONE {
            self.lone.push((bar.time, to_before, to_after));
        }
        if let Some((before, after)) = before.zip(after)
            && let Some(factor) = jump(before.close, bar.close, after.close)
        {
            self.jumps += 1;
            self.first_jump.get_or_insert((bar.time, factor));
        }
    }

    /// Warnings, in sentences.
    pub(super) fn warnings(mut self, timeframe: Timeframe) -> Vec<String> {
        let [before, last] = self.two;
        if let Some(last) = last {
            self.neighbours(before, last, None);
        }
        let shown = |time: Time| match timeframe {
            Timeframe::D1 => day_of(time).to_string(),
            _ => moment(time),
        };
        let mut warnings = Vec::new();
        let span = self.first.zip(last).map_or(0, |(first, last)| last.time.micros() - first.micros());
        let finite = |distance: &i64| *distance < i64::MAX;
        let distances = self.lone.iter().flat_map(|(_, before, after)| [*before, *after]).filter(finite);
        let lone = self.lone.len() as i64;
        let typical = (span - distances.sum::<i64>()) / (self.bars - 2 * lone).max(1);
        if self.lone.len() <= MAX_LONE && self.bars > 10 {
            for (time, before, after) in &self.lone {
                let nearest = *before.min(after);
                if typical > 0 && nearest / typical >= MIN_LONE_DISTANCES {
                    warnings.push(format!(
                        "The bar of {} is at least {} before or after all other bars: its date may be mistyped.",
                        shown(*time),
                        counted((nearest / DAY).unsigned_abs(), "day", "days")
                    ));
                }
            }
        }
        if let Some((time, factor)) = self.first_jump {
            let by = if factor >= 1.0 {
                format!("×{}", rounded(factor))
            } else {
                format!("÷{}", rounded(1.0 / factor))
            };
            let more = match self.jumps - 1 {
                0 => String::new(),
                more => format!(" More such bars: {}.", thousands(more)),
            };
            warnings.push(format!(
                "At the bar of {}, the price moved {by} and back: check this bar.{more}",
                shown(time)
            ));
        }
        warnings
    }
}

/// Factor of a price that jumps for one bar and returns.
fn jump(before: f64, price: f64, after: f64) -> Option<f64> {
    let factor = price / before;
    let drift = after / before;
    let jumped = factor.max(1.0 / factor) >= MIN_JUMP;
    (jumped && drift.max(1.0 / drift) <= MAX_DRIFT).then_some(factor)
}

fn rounded(factor: f64) -> String {
    if factor >= 10.0 {
        format!("{factor:.0}")
    } else {
        format!("{factor:.1}").trim_end_matches(".0").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;

    fn warnings(closes: &[(i64, f64)]) -> Vec<String> {
        let start = at("2024-01-01T00:00:00Z");
        let mut suspects = Suspects::default();
        for (day, close) in closes {
            let time = start.plus_micros(day * DAY);
            let close = *close;
            suspects.note(&Bar { time, open: close, high: close, low: close, close, volume: None });
        }
        suspects.warnings(Timeframe::D1)
    }

    #[test]
    fn a_bar_with_a_mistyped_year_is_a_warning() {
        let mut days: Vec<_> = (0..60).map(|day| (day, 10.0)).collect();
        assert!(warnings(&days).is_empty());
        days.insert(0, (-336, 10.0));
        assert_eq!(
            warnings(&days),
            [
                "The bar of 2023-01-30 is at least 336 days before or after all other bars: its date may be mistyped."
            ]
        );
        days[0].0 = 400;
        days.sort_by_key(|day| day.0);
        assert_eq!(warnings(&days).len(), 1, "at the end");
        let quarters: Vec<_> = (0..40).map(|quarter| (quarter * 91, 10.0)).collect();
        assert!(warnings(&quarters).is_empty());
    }

    #[test]
    fn a_price_spike_of_one_bar_is_a_warning_but_a_lasting_move_is_not() {
        let days = |closes: &[f64]| (0..).zip(closes.iter().copied()).collect::<Vec<_>>();
        assert_eq!(
            warnings(&days(&[10.0, 10.5, 105.0, 10.5])),
            ["At the bar of 2024-01-03, the price moved ×10 and back: check this bar."]
        );
        assert_eq!(
            warnings(&days(&[10.0, 0.1, 10.0, 970.0, 10.0])),
            ["At the bar of 2024-01-02, the price moved ÷100 and back: check this bar. More such bars: 1."]
        );
        assert!(warnings(&days(&[10.0, 10.0, 100.0, 101.0])).is_empty());
    }
}
