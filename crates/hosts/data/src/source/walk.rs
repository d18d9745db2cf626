//! Random walk behind the synthetic bars: one price path per symbol and seed, minute by minute.
//!
//! Every timeframe is a view of the same minutes, and a day does not depend on the requested range: daily levels are
//! walked from 1990 on, and the minutes of a day connect its open and close. Uses only arithmetic and a generator with
//! fixed output, so the same symbol and seed give the same bars on every machine.

use market_data::{Bar, DAY, Timeframe};
use protocol::Time;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// Monday, 1990-01-01, in microseconds since 1970.
const EPOCH: i64 = 631_152_000_000_000;
const MINUTE: i64 = 60_000_000;
/// Sessions open at 13:30 UTC and last 6.5 hours, like New York in summer.
const OPENS: i64 = (13 * 60 + 30) * MINUTE;
const SESSION: usize = 390;

/// Minute of a trading day.
#[derive(Clone, Copy)]
struct Minute {
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
}

/// Day-by-day walk. Cheap to clone.
#[derive(Clone)]
pub(super) struct Walk {
    seed: [u8; 32],
    /// Price on the first day, which the walk never leaves far.
    base: f64,
    /// Next calendar day, counted from 1990-01-01.
    day: i64,
    /// Close before that day.
    close: f64,
}

impl Walk {
    /// Walk of a symbol, positioned before 1990-01-01.
    pub(super) fn new(symbol: &str, seed: u32) -> Self {
        let hash: [u8; 32] = Sha256::digest(format!("{symbol}\n{seed}")).into();
        let base = 20.0 + f64::from(u16::from_le_bytes([hash[0], hash[1]])) / 65_536.0 * 180.0;
        Self { seed: hash, base, day: 0, close: base }
    }

    /// First moment of the next day.
    pub(super) fn midnight(&self) -> Time {
        Time::from_micros(EPOCH + self.day * DAY)
    }

    /// Advances one day without generating its minutes.
    pub(super) fn skip(&mut self) {
        if self.trades() {
            let (_, close) = self.ends(&mut self.numbers());
            self.close = close;
        }
        self.day += 1;
    }

    /// Bars of the next day, none on weekends. Advances one day.
    pub(super) fn bars(&mut self, timeframe: Timeframe) -> Vec<Bar> {
        let mut bars = Vec::new();
        if self.trades() {
            let mut numbers = self.numbers();
            let (open, close) = self.ends(&mut numbers);
            let minutes = minutes(&mut numbers, open, close);
            let step = (timeframe.minutes() as usize).min(SESSION);
            for (i, part) in minutes.chunks(step).enumerate() {
                bars.push(together(slot(self.day, i, timeframe), part));
            }
            self.close = close;
        }
        self.day += 1;
        bars
    }

    fn trades(&self) -> bool {
        trades(self.day)
    }

    /// Separate generator per day, so that days are independent of each other.
    fn numbers(&self) -> ChaCha8Rng {
        let mut numbers = ChaCha8Rng::from_seed(self.seed);
        numbers.set_stream(self.day.unsigned_abs());
        numbers
    }

    /// Open and close of the next day.
    fn ends(&self, numbers: &mut ChaCha8Rng) -> (f64, f64) {
        // The level drifts up by about 7 % of the first price per year, and pulls the walk back to itself.
        let level = self.base * (1.0 + 0.000_19 * self.day as f64);
        let pull = (level - self.close) / level * 0.004;
        let open = self.close * (1.0 + noise(numbers) * 0.003);
        let close = open * (1.0 + pull + noise(numbers) * 0.011);
        (open.max(0.5), close.max(0.5))
    }
}

/// Number of bars that start in `[from, to)`.
pub(super) fn count(timeframe: Timeframe, from: Time, to: Time) -> u64 {
    let step = (timeframe.minutes() as usize).min(SESSION);
    let a_day = SESSION.div_ceil(step);
    let day_of = |t: Time| (t.micros() - EPOCH).div_euclid(DAY);
    let (first, last) = (day_of(from).max(0), day_of(to));
    let within =
        |day: i64| (0..a_day).filter(|i| (from..to).contains(&slot(day, *i, timeframe))).count() as u64;
    (first..=last)
        .filter(|day| trades(*day))
        .map(|day| if day == first || day == last { within(day) } else { a_day as u64 })
        .sum()
}

/// First moment of the walk.
pub(super) fn epoch() -> Time {
    Time::from_micros(EPOCH)
}

fn trades(day: i64) -> bool {
    day >= 0 && day % 7 < 5
}

fn slot(day: i64, index: usize, timeframe: Timeframe) -> Time {
    let in_day = match timeframe {
        Timeframe::D1 => 0,
        _ => OPENS + index as i64 * timeframe.minutes() * MINUTE,
    };
    Time::from_micros(EPOCH + day * DAY + in_day)
}

/// Minutes of a day: a walk that is bent to end at the close.
fn minutes(numbers: &mut ChaCha8Rng, open: f64, close: f64) -> Vec<Minute> {
    let mut path = Vec::with_capacity(SESSION + 1);
    let mut at = 0.0;
    path.push(at);
    for _ in 0..SESSION {
        at += noise(numbers) * 0.000_45;
        path.push(at);
    }
    let bend = close / open - 1.0 - at;
    let price = |i: usize| open * (1.0 + path[i] + bend * i as f64 / SESSION as f64);
    (0..SESSION)
        .map(|i| {
            let (from, to) = (cents(price(i)), cents(price(i + 1)));
            let wick = |numbers: &mut ChaCha8Rng| unit(numbers) * unit(numbers) * 0.000_6;
            let high = cents(from.max(to) * (1.0 + wick(numbers))).max(from).max(to);
            let low = cents(from.min(to) * (1.0 - wick(numbers))).min(from).min(to);
            // Volume is high at the open and close, and low at noon.
            let x = (i as f64 / (SESSION - 1) as f64 - 0.5) * 2.0;
            let volume = (12_000.0 * (0.35 + 1.65 * x * x) * (0.3 + unit(numbers) + unit(numbers))).round();
            Minute { open: from, high, low, close: to, volume }
        })
        .collect()
}

fn together(time: Time, minutes: &[Minute]) -> Bar {
    let fold = |start: f64, pick: fn(f64, &Minute) -> f64| minutes.iter().fold(start, pick);
    Bar {
        time,
        open: minutes.first().map_or(0.0, |m| m.open),
        high: fold(f64::MIN, |high, m| high.max(m.high)),
        low: fold(f64::MAX, |low, m| low.min(m.low)),
        close: minutes.last().map_or(0.0, |m| m.close),
        volume: Some(fold(0.0, |sum, m| sum + m.volume)),
    }
}

fn cents(price: f64) -> f64 {
    (price * 100.0).round().max(1.0) / 100.0
}

/// Uniform from 0 to 1.
fn unit(numbers: &mut ChaCha8Rng) -> f64 {
    f64::from(numbers.next_u32()) / 4_294_967_296.0
}

/// Approximately normal: mean 0, deviation 1, at most 3; the sum of three uniform numbers.
fn noise(numbers: &mut ChaCha8Rng) -> f64 {
    (unit(numbers) + unit(numbers) + unit(numbers) - 1.5) * 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_stay_plausible_for_decades() {
        for symbol in ["DEMO", "ACME", "X", "ZZZ"] {
            let mut walk = Walk::new(symbol, 7);
            let end = Time::from_micros(EPOCH + 40 * 366 * DAY);
            let (mut low, mut high, mut before) = (f64::MAX, 0.0f64, walk.close);
            while walk.midnight() < end {
                walk.skip();
                (low, high) = (low.min(walk.close), high.max(walk.close));
                assert!((walk.close / before - 1.0).abs() < 0.1);
                before = walk.close;
            }
            assert!(low > 5.0 && high < 3_000.0, "{symbol}: {low} to {high}");
        }
    }

    #[test]
    fn a_skipped_day_ends_like_a_generated_one() {
        let (mut skipped, mut made) = (Walk::new("DEMO", 1), Walk::new("DEMO", 1));
        for _ in 0..10 {
            skipped.skip();
            let bars = made.bars(Timeframe::H1);
            assert_eq!(skipped.close, made.close);
            assert!(bars.last().is_none_or(|b| (b.close - made.close).abs() <= 0.005 + 1e-9));
        }
    }
}
