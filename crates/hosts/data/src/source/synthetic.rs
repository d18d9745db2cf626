//! Source of kind `synthetic`: generated bars, so that a fresh installation has something to load. They are always
//! marked as synthetic, and the same parameters always give the same bars.

use super::walk::{self, Walk};
use super::{Opened, Place, Rows, made, off_thread};
use crate::params::Request;
use crate::validate::Row;
use market_data::{Range, Timeframe};
use protocol::Time;

/// Days per slice: at most 7,800 generated minutes.
const DAYS: usize = 20;
/// A slice ends with the day that fills it.
const ROWS: usize = 1_000;

/// Bars to generate.
pub(crate) struct SyntheticRows {
    walk: Walk,
    timeframe: Timeframe,
    from: Time,
    to: Time,
    line: u64,
}

impl SyntheticRows {
    /// Next bars; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<Vec<Row>> {
        let (mut walk, timeframe, from, to) = (self.walk.clone(), self.timeframe, self.from, self.to);
        let (walk, bars) = off_thread(move || {
            let mut bars = Vec::new();
            let mut days = 0;
            while walk.midnight() < to && bars.len() < ROWS && (days < DAYS || bars.is_empty()) {
                // Days before the range are almost free.
                if walk.midnight().plus_micros(86_400_000_000) <= from {
                    walk.skip();
                    continue;
                }
                let made = walk.bars(timeframe);
                bars.extend(made.into_iter().filter(|b| from <= b.time && b.time < to));
                days += 1;
            }
            (walk, bars)
        })
        .await;
        self.walk = walk;
        let first = self.line;
        self.line += bars.len() as u64;
        let rows: Vec<Row> = bars.into_iter().zip(first..).map(|(bar, line)| made(line, bar)).collect();
        (!rows.is_empty()).then_some(rows)
    }
}

/// Opens the random walk of the request at the start of the range.
pub(super) fn open(request: &Request, range: Range) -> Opened {
    let from = range.from.unwrap_or_else(walk::epoch).max(walk::epoch());
    // Parameters always give synthetic bars an end.
    let to = range.to.unwrap_or(from);
    let total = walk::count(request.timeframe, from, to);
    Opened {
        rows: Rows::Synthetic(SyntheticRows {
            walk: Walk::new(request.symbol.as_str(), request.seed),
            timeframe: request.timeframe,
            from,
            to,
            line: 1,
        }),
        described: format!("the synthetic generator, seed {}", request.seed),
        total: Some(total),
        last: (total > 0).then(|| to.plus_micros(-1)),
        fingerprint: String::new(),
        watch: None,
        end: Place::default(),
        // Every bar can be generated directly, so the range sets the start.
        resumed: true,
        may_be_cut: false,
        warnings: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;
    use crate::config::SourceConfig;
    use crate::options::TextOptions;
    use crate::params::Mode;
    use crate::validate::Validator;
    use market_data::{Bar, Symbol};
    use tokio_util::sync::CancellationToken;

    async fn bars(symbol: &str, seed: u32, timeframe: Timeframe, from: &str, to: &str) -> Vec<Bar> {
        let range = Range { from: Some(at(from)), to: Some(at(to)) };
        let request = Request {
            symbol: Symbol::new(symbol).unwrap(),
            timeframe,
            source: SourceConfig::Synthetic { name: "synthetic".into() },
            options: TextOptions::default(),
            mode: Mode::Full,
            range,
            rows_per_second: None,
            max_rejected_share: None,
            seed,
        };
        let mut opened = open(&request, range);
        let mut validator = Validator::new(timeframe, None);
        let mut bars = Vec::new();
        while let Some(rows) = opened.rows.next(&CancellationToken::new()).await.unwrap() {
            bars.extend(rows.iter().filter_map(|row| validator.take(row)));
        }
        assert_eq!(validator.rejected.count(), 0, "{:?}", validator.rejected);
        assert_eq!(opened.total, Some(bars.len() as u64), "the count that was promised");
        bars
    }

    const FROM: &str = "2024-01-01T00:00:00Z";
    const TO: &str = "2024-07-01T00:00:00Z";

    #[tokio::test]
    async fn equal_params_give_equal_bars_and_another_seed_or_symbol_different_ones() {
        let one = bars("DEMO", 1, Timeframe::H1, FROM, TO).await;
        assert_eq!(one, bars("DEMO", 1, Timeframe::H1, FROM, TO).await);
        assert_ne!(one, bars("DEMO", 2, Timeframe::H1, FROM, TO).await);
        assert_ne!(one, bars("OMED", 1, Timeframe::H1, FROM, TO).await);
        assert_eq!(one.len(), 130 * 7);
    }

    #[tokio::test]
    async fn the_random_walk_never_changes() {
        let bars = bars("DEMO", 1, Timeframe::D1, "2025-12-30T00:00:00Z", "2026-01-01T00:00:00Z").await;
        let shown: Vec<_> =
            bars.iter().map(|b| format!("{} {} {} {}", b.time, b.open, b.close, b.volume.unwrap())).collect();
        assert_eq!(shown, FIXED);
    }

    const FIXED: [&str; 2] = [
        "2025-12-30T00:00:00.000000Z 513.99 520.7 5377669",
        "2025-12-31T00:00:00.000000Z 521.45 523.43 5572249",
    ];

    #[tokio::test]
    async fn a_range_is_a_part_of_the_same_bars() {
        let all = bars("DEMO", 1, Timeframe::M15, FROM, TO).await;
        let part = bars("DEMO", 1, Timeframe::M15, "2024-03-05T15:07:00Z", "2024-03-07T15:00:00Z").await;
        let from = all.iter().position(|b| b.time == part[0].time).unwrap();
        assert_eq!(part, all[from..from + part.len()]);
        assert_eq!(part[0].time, at("2024-03-05T15:15:00Z"));
    }

    #[tokio::test]
    async fn every_timeframe_aggregates_the_same_minutes() {
        let (from, to) = ("2024-03-04T00:00:00Z", "2024-03-05T00:00:00Z");
        let minutes = bars("DEMO", 1, Timeframe::M1, from, to).await;
        assert_eq!(minutes.len(), 390);
        let day = bars("DEMO", 1, Timeframe::D1, from, to).await[0];
        assert_eq!((day.open, day.close), (minutes[0].open, minutes[389].close));
        assert_eq!(day.high, minutes.iter().map(|m| m.high).fold(0.0, f64::max));
        assert_eq!(day.volume, market_data::total_volume(&minutes));
    }
}
