//! Strategies: the stance after each bar and its reason. No money, no orders.

use indicators::{rsi, sma};
use market_data::Bar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Relative tolerance for equal averages. Prices in cents often have exactly equal averages, and rounding errors must
/// not decide a trade.
const TIE: f64 = 1e-12;

/// Desired position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Stance {
    /// Short position.
    Short,
    /// No position.
    #[default]
    Flat,
    /// Long position.
    Long,
}

impl Stance {
    /// 1 for long, 0 for flat, −1 for short.
    pub fn sign(self) -> f64 {
        match self {
            Stance::Short => -1.0,
            Stance::Flat => 0.0,
            Stance::Long => 1.0,
        }
    }

    /// This stance if shorts are allowed; otherwise flat instead of short.
    pub fn within(self, direction: Direction) -> Self {
        match direction {
            Direction::LongOnly => self.max(Stance::Flat),
            Direction::LongShort => self,
        }
    }
}

/// Allowed positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Long or flat
    #[default]
    LongOnly,
    /// Long or short
    LongShort,
}

/// Strategy with its parameters.
#[derive(Clone, PartialEq, Debug)]
pub enum Plan {
    /// Long while the fast average is above the slow one; short or flat while it is below.
    SmaCross { fast: usize, slow: usize },
    /// Long when the RSI falls below `low`, short or flat when it rises above `high`, unchanged in between.
    RsiReversion { period: usize, low: f64, high: f64 },
    /// Long from the first bar on.
    BuyAndHold,
    /// Predictions of a model.
    Model { name: String },
}

/// Entry and exit reasons of a strategy, one per stance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    pub long: String,
    pub flat: String,
    pub short: String,
}

impl Words {
    /// Reason for this stance.
    pub fn of(&self, stance: Stance) -> &str {
        match stance {
            Stance::Long => &self.long,
            Stance::Flat => &self.flat,
            Stance::Short => &self.short,
        }
    }
}

impl Plan {
    /// Title: `SMA cross 20/50`.
    pub fn title(&self) -> String {
        match self {
            Plan::SmaCross { fast, slow } => format!("SMA cross {fast}/{slow}"),
            Plan::RsiReversion { period, low, high } => format!("RSI reversion {period}, {low}/{high}"),
            Plan::BuyAndHold => "Buy and hold".to_owned(),
            Plan::Model { name } => format!("Model {name}"),
        }
    }

    /// Minimum number of bars to trade at all: the warm-up, the bar of the decision, and the bar of the fill.
    pub fn bars_needed(&self) -> usize {
        match self {
            Plan::SmaCross { slow, .. } => slow + 1,
            Plan::RsiReversion { period, .. } => period + 2,
            Plan::BuyAndHold | Plan::Model { .. } => 2,
        }
    }

    pub fn words(&self) -> Words {
        let (long, below) = match self {
            Plan::SmaCross { fast, slow } => {
                (format!("SMA {fast} above SMA {slow}"), format!("SMA {fast} below SMA {slow}"))
            }
            Plan::RsiReversion { low, high, .. } => (format!("RSI below {low}"), format!("RSI above {high}")),
            Plan::BuyAndHold => ("buy and hold".to_owned(), "sell".to_owned()),
            Plan::Model { .. } => {
                let says = |what: &str| format!("signal {what}");
                return Words { long: says("long"), flat: says("flat"), short: says("short") };
            }
        };
        Words { long, flat: below.clone(), short: below }
    }

    /// Stance after each bar, decided at its close; `None` for a model, which must be asked.
    pub fn stances(&self, bars: &[Bar], direction: Direction) -> Option<Vec<Stance>> {
        let closes = || bars.iter().map(|b| b.close).collect::<Vec<f64>>();
        let stances = match *self {
            Plan::SmaCross { fast, slow } => {
                let closes = closes();
                let (fast, slow) = (sma(&closes, fast), sma(&closes, slow));
                // A comparison with `NaN` is false.
                carried(fast.iter().zip(slow).map(|(f, s)| (*f > s + s * TIE, *f < s - s * TIE)))
            }
            Plan::RsiReversion { period, low, high } => {
                carried(rsi(&closes(), period).into_iter().map(|v| (v < low, v > high)))
            }
            Plan::BuyAndHold => vec![Stance::Long; bars.len()],
            Plan::Model { .. } => return None,
        };
        Some(stances.into_iter().map(|s| s.within(direction)).collect())
    }
}

/// Long when the first flag is set, short when the second is, otherwise unchanged; initially flat.
fn carried(calls: impl Iterator<Item = (bool, bool)>) -> Vec<Stance> {
    let mut now = Stance::Flat;
    let next = |(long, short)| {
        now = match (long, short) {
            (true, _) => Stance::Long,
            (_, true) => Stance::Short,
            _ => now,
        };
        now
    };
    calls.map(next).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::Time;

    /// Hourly bars with these opens and closes.
    pub(crate) fn bars(prices: &[(f64, f64)]) -> Vec<Bar> {
        let bar = |(i, (open, close)): (usize, &(f64, f64))| Bar {
            time: Time::from_micros(1_700_000_000_000_000 + i as i64 * 3_600_000_000),
            open: *open,
            high: open.max(*close),
            low: open.min(*close),
            close: *close,
            volume: Some(1.0),
        };
        prices.iter().enumerate().map(bar).collect()
    }

    fn of_closes(closes: &[f64]) -> Vec<Bar> {
        bars(&closes.iter().map(|c| (*c, *c)).collect::<Vec<_>>())
    }

    use Stance::{Flat, Long, Short};

    #[test]
    fn a_crossover_follows_the_side_of_the_fast_average() {
        let plan = Plan::SmaCross { fast: 1, slow: 2 };
        let closes = of_closes(&[5.0, 6.0, 7.0, 7.0, 6.0, 5.0, 8.0]);
        let expected = [Flat, Long, Long, Long, Short, Short, Long];
        assert_eq!(plan.stances(&closes, Direction::LongShort).unwrap(), expected);
        let expected = [Flat, Long, Long, Long, Flat, Flat, Long];
        assert_eq!(plan.stances(&closes, Direction::LongOnly).unwrap(), expected);
        assert_eq!((plan.title().as_str(), plan.bars_needed()), ("SMA cross 1/2", 3));
    }

    #[test]
    fn equal_averages_change_nothing_despite_rounding() {
        let closes = [13.0, 11.9, 11.3, 12.6, 10.0];
        let (fast, slow) = (sma(&closes, 2)[4], sma(&closes, 3)[4]);
        assert!(fast < slow, "both are 11.3, and rounding tells them apart: {fast} and {slow}");
        let plan = Plan::SmaCross { fast: 2, slow: 3 };
        let expected = [Flat, Flat, Short, Long, Long];
        assert_eq!(plan.stances(&of_closes(&closes), Direction::LongShort).unwrap(), expected);
    }

    #[test]
    fn reversion_waits_for_the_opposite_extreme() {
        let plan = Plan::RsiReversion { period: 2, low: 20.0, high: 80.0 };
        let closes = of_closes(&[10.0, 9.0, 8.0, 8.5, 9.5, 10.5, 10.4]);
        let expected = [Flat, Flat, Long, Long, Long, Short, Short];
        assert_eq!(plan.stances(&closes, Direction::LongShort).unwrap(), expected);
        assert_eq!(plan.words().of(Short), "RSI above 80");
    }

    fn any_plan() -> impl Strategy<Value = Plan> {
        prop_oneof![
            (1usize..10, 1usize..10).prop_map(|(fast, more)| Plan::SmaCross { fast, slow: fast + more }),
            (1usize..10, 1.0f64..50.0, 50.0f64..99.0).prop_map(|(period, low, high)| Plan::RsiReversion {
                period,
                low,
                high
            }),
            Just(Plan::BuyAndHold),
        ]
    }

    proptest! {
        #[test]
        fn later_bars_never_change_an_earlier_signal(
            past in proptest::collection::vec(1.0f64..100.0, 0..60), one in proptest::collection::vec(1.0f64..100.0, 0..20),
            other in proptest::collection::vec(1.0f64..100.0, 0..20), plan in any_plan()
        ) {
            let of = |rest: &[f64]| plan.stances(&of_closes(&[&past, rest].concat()), Direction::LongShort).unwrap();
            prop_assert_eq!(&of(&one)[..past.len()], &of(&other)[..past.len()]);
        }

        #[test]
        fn there_is_no_signal_before_enough_bars(
            closes in proptest::collection::vec(1.0f64..100.0, 0..12), plan in any_plan()
        ) {
            // The stance of the last bar can't be filled.
            let stances = plan.stances(&of_closes(&closes), Direction::LongShort).unwrap();
            if closes.len() < plan.bars_needed() {
                prop_assert!(stances.iter().rev().skip(1).all(|s| *s == Flat), "{:?}", stances);
            }
        }
    }
}
