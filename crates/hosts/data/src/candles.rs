//! Artifact `bars`: candles for a chart, read from the segments and aggregated to at most the requested number.

use super::config::DataConfig;
use super::source::off_thread;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use host_kit::ApiError;
use market_data::{Bar, DataSet, Period, Range, Stored, Symbol, Timeframe, broken, segment};
use protocol::results::Bars;
use protocol::{Failure, Problem, ProblemType, Time};
use serde::Deserialize;
use std::sync::Arc;

const CANDLES: u64 = 1_000;
const MAX_CANDLES: u64 = 5_000;

/// Query of a chart.
#[derive(Deserialize)]
struct Window {
    /// Unix timestamp in seconds. Excludes earlier bars.
    from: Option<i64>,
    /// Unix timestamp in seconds. Excludes later bars.
    to: Option<i64>,
    /// Maximum number of candles. Default 1,000, at most 5,000.
    points: Option<u64>,
}

/// Route, to be mounted below `/host/v1/artifacts`.
pub(crate) fn router(config: Arc<DataConfig>) -> Router {
    Router::new().route("/bars/{source}/{symbol}/{timeframe}", get(bars)).with_state(config)
}

async fn bars(
    State(config): State<Arc<DataConfig>>,
    Path((source, symbol, timeframe)): Path<(String, String, String)>,
    window: Result<Query<Window>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Bars>, ApiError> {
    let Query(window) = window.map_err(|_| {
        refuse(
            ProblemType::BadRequest,
            "Invalid query: 'from' and 'to' must be Unix times in whole seconds, and 'points' a whole number.",
        )
    })?;
    // Only valid source and symbol names become a path.
    let set = config
        .source(&source)
        .and_then(|known| Some((known.name(), Symbol::new(&symbol).ok()?, Timeframe::parse(&timeframe)?)))
        .map(|(source, symbol, timeframe)| DataSet::new(&config.folder, source, symbol, timeframe))
        .ok_or_else(|| refuse(ProblemType::NotFound, "Data set not found. Load it first with data.load."))?;
    let second = |s: i64| Time::from_micros(s.saturating_mul(1_000_000));
    let range = Range { from: window.from.map(second), to: window.to.map(|to| second(to.saturating_add(1))) };
    let points = window.points.unwrap_or(CANDLES).clamp(1, MAX_CANDLES);
    let read = off_thread(move || candles(&set, range, points)).await;
    match read {
        Ok(Some(bars)) => Ok(Json(bars)),
        Ok(None) => {
            Err(refuse(ProblemType::NotFound, "This data set has no bars. Load bars first with data.load."))
        }
        Err(failure) => Err(refuse(ProblemType::Internal, format!("{} {}", failure.message, failure.hint))),
    }
}

fn refuse(kind: ProblemType, detail: impl Into<String>) -> ApiError {
    ApiError::from(Problem::new(kind, detail))
}

/// Reads the bars of the range and merges equal numbers of consecutive bars, so that at most `points` candles remain.
/// `None` if the data set has no segments. Blocks its thread.
pub(super) fn candles(set: &DataSet, range: Range, points: u64) -> Result<Option<Bars>, Failure> {
    let segments = set.segments()?;
    if segments.is_empty() {
        return Ok(None);
    }
    let met: Vec<&Stored> = segments.iter().filter(|s| range.meets(s.period)).collect();
    let mut total = 0;
    for stored in &met {
        total += count(set, stored, range)?;
    }
    let each = total.div_ceil(points).max(1);
    let mut candles = Candles::new(each);
    for stored in met {
        let scanned = set.scan(&stored.path, range, |bars| bars.iter().for_each(|b| candles.add(b)));
        scanned.map_err(|e| broken(&stored.path, &e))?;
    }
    Ok(Some(candles.finish()))
}

/// Number of bars of the segment within the range. Reads only the footer if the range covers the segment.
fn count(set: &DataSet, stored: &Stored, range: Range) -> Result<u64, Failure> {
    let period: Period = stored.period;
    let counted = if range.covers(period) {
        segment::rows(&stored.path)
    } else {
        let mut n = 0;
        set.scan(&stored.path, range, |bars| n += bars.len() as u64).map(|()| n)
    };
    counted.map_err(|e| broken(&stored.path, &e))
}

struct Candles {
    each: u64,
    bars: Bars,
}

impl Candles {
    fn new(each: u64) -> Self {
        let bars = Bars { bars_per_candle: u32::try_from(each).unwrap_or(u32::MAX), ..Bars::default() };
        Self { each, bars }
    }

    fn add(&mut self, bar: &Bar) {
        let out = &mut self.bars;
        let begins = out.bars.is_multiple_of(self.each);
        out.bars += 1;
        match (out.h.last_mut(), out.l.last_mut(), out.c.last_mut(), out.v.last_mut()) {
            (Some(high), Some(low), Some(close), Some(volume)) if !begins => {
                *high = high.max(bar.high);
                *low = low.min(bar.low);
                *close = bar.close;
                // A candle with a partly unknown volume has an unknown volume.
                *volume = volume.zip(bar.volume).map(|(sum, more)| sum + more);
            }
            _ => {
                out.t.push(bar.time.micros().div_euclid(1_000_000));
                out.o.push(bar.open);
                out.h.push(bar.high);
                out.l.push(bar.low);
                out.c.push(bar.close);
                out.v.push(bar.volume);
            }
        }
    }

    fn finish(self) -> Bars {
        self.bars
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;
    use market_data::segment::Label;
    use market_data::{Disk, LocalDisk};

    /// Continuous hourly bars whose close is the index of the bar.
    fn stored(root: &std::path::Path, hours: std::ops::Range<i64>) -> DataSet {
        let set = DataSet::new(root, "files", Symbol::new("A").unwrap(), Timeframe::H1);
        std::fs::create_dir_all(set.folder()).unwrap();
        let start = at("2023-12-31T00:00:00Z");
        let bars: Vec<Bar> = hours
            .map(|i| {
                let n = i as f64 + 1.0;
                let time = start.plus_micros(i * 3_600_000_000);
                Bar { time, open: n, high: n + 0.5, low: n - 0.5, close: n, volume: Some(1.0) }
            })
            .collect();
        for part in
            bars.chunk_by(|a, b| Period::of(a.time, Timeframe::H1) == Period::of(b.time, Timeframe::H1))
        {
            let label = Label {
                symbol: "A".into(),
                timeframe: Timeframe::H1,
                source: "files".into(),
                synthetic: false,
            };
            let path = set.path(Period::of(part[0].time, Timeframe::H1));
            LocalDisk.put(&path, &segment::encode(part, &label).unwrap()).unwrap();
        }
        set
    }

    #[test]
    fn all_bars_are_returned_if_they_fit() {
        let root = tempfile::tempdir().unwrap();
        let bars = candles(&stored(root.path(), 0..100), Range::default(), 1_000).unwrap().unwrap();
        assert_eq!((bars.bars, bars.bars_per_candle, bars.t.len()), (100, 1, 100));
        assert_eq!(bars.t[0], at("2023-12-31T00:00:00Z").micros() / 1_000_000);
    }

    #[test]
    fn bars_are_merged_across_segments_and_keep_their_extremes() {
        let root = tempfile::tempdir().unwrap();
        let bars = candles(&stored(root.path(), 0..100), Range::default(), 10).unwrap().unwrap();
        assert_eq!((bars.bars, bars.bars_per_candle), (100, 10));
        assert_eq!(
            (bars.o[2], bars.h[2], bars.l[2], bars.c[2], bars.v[2]),
            (21.0, 30.5, 20.5, 30.0, Some(10.0))
        );
        for column in [&bars.o, &bars.h, &bars.l, &bars.c] {
            assert_eq!(column.len(), bars.t.len());
        }
        assert_eq!(bars.v.iter().copied().sum::<Option<f64>>(), Some(100.0), "no bar is lost");
    }

    #[test]
    fn a_requested_range_is_merged_on_its_own() {
        let root = tempfile::tempdir().unwrap();
        let set = stored(root.path(), 0..100);
        let range = Range { from: Some(at("2023-12-31T20:00:00Z")), to: Some(at("2024-01-01T06:00:00Z")) };
        let bars = candles(&set, range, 3).unwrap().unwrap();
        assert_eq!((bars.bars, bars.bars_per_candle, bars.t.len()), (10, 4, 3));
        assert_eq!((bars.o[0], bars.c[2]), (21.0, 30.0));
        let none = Range { from: Some(at("2030-01-01T00:00:00Z")), to: None };
        assert_eq!(candles(&set, none, 3).unwrap().unwrap().bars, 0);
    }

    #[test]
    fn a_data_set_that_was_never_loaded_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let set = DataSet::new(root.path(), "files", Symbol::new("A").unwrap(), Timeframe::H1);
        assert!(candles(&set, Range::default(), 10).unwrap().is_none());
    }
}
