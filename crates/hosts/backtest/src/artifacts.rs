//! HTTP artifacts of a run: its trades, its series, and the traded bars.

use crate::curve::{self, Row};
use crate::rolling;
use crate::store::Store;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use host_kit::ApiError;
use market_data::{Bar, Library, Range, total_volume};
use protocol::host::Artifact;
use protocol::results::{Bars, Columns};
use protocol::{OperationId, ProblemType, Time};
use serde::Deserialize;

const MAX_ROWS: usize = 4_000;
const CANDLES: usize = 1_000;
const MAX_CANDLES: usize = 5_000;

/// Query of a chart.
#[derive(Clone, Copy, Deserialize)]
struct Window {
    /// Unix timestamp in seconds. Excludes earlier bars.
    from: Option<i64>,
    /// Unix timestamp in seconds. Excludes later bars.
    to: Option<i64>,
    /// Maximum number of rows or candles.
    points: Option<usize>,
}

impl Window {
    /// Rows within the window.
    fn of<const N: usize>(self, rows: &[Row<N>]) -> &[Row<N>] {
        let from = rows.partition_point(|r| self.from.is_some_and(|from| r.t < from));
        let to = rows.partition_point(|r| self.to.is_none_or(|to| r.t <= to));
        &rows[from..to.max(from)]
    }
}

type WindowQuery = Result<Query<Window>, axum::extract::rejection::QueryRejection>;

#[derive(Clone)]
struct ResultFiles {
    store: Store,
    library: Library,
}

/// Artifacts of a run's result.
pub(crate) fn of(id: OperationId) -> Vec<Artifact> {
    let artifact = |name: &str, description: &str| Artifact {
        name: name.to_owned(),
        media_type: "application/json".to_owned(),
        path: format!("/host/v1/artifacts/backtests/{id}/{name}"),
        description: description.to_owned(),
    };
    vec![
        artifact("trades", "Trades, ordered by exit time"),
        artifact("equity", "Equity, drawdown, exposure and buy & hold. Query parameters: from, to, points"),
        artifact(
            "rolling",
            "Sharpe ratio of the last 90 days, of the strategy and of buy & hold. Query parameters: from, to, points",
        ),
        artifact("bars", "Candles of the traded bars. Query parameters: from, to, points"),
    ]
}

/// Routes, to be mounted below `/host/v1/artifacts`.
pub(crate) fn router(store: Store, library: Library) -> Router {
    Router::new()
        .route("/backtests/{id}/trades", get(trades))
        .route("/backtests/{id}/equity", get(equity))
        .route("/backtests/{id}/rolling", get(rolling_sharpe))
        .route("/backtests/{id}/bars", get(bars))
        .with_state(ResultFiles { store, library })
}

async fn trades(
    State(result_files): State<ResultFiles>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = id_of(&id)?;
    let text = off_thread(move || found(result_files.store.trades(id))).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

async fn equity(
    State(result_files): State<ResultFiles>,
    Path(id): Path<String>,
    query: WindowQuery,
) -> Result<Json<Columns>, ApiError> {
    columns(result_files, &id, query, |rows, window, points| curve::columns(window.of(rows), points)).await
}

async fn rolling_sharpe(
    State(result_files): State<ResultFiles>,
    Path(id): Path<String>,
    query: WindowQuery,
) -> Result<Json<Columns>, ApiError> {
    columns(result_files, &id, query, |rows, window, points| {
        curve::sampled(window.of(&rolling::rows(rows)), &rolling::NAMES, points)
    })
    .await
}

/// Columns made from the rows of a run: of the queried window, with at most as many points as queried.
async fn columns(
    result_files: ResultFiles,
    id: &str,
    query: WindowQuery,
    of: fn(&[Row], Window, usize) -> Columns,
) -> Result<Json<Columns>, ApiError> {
    let (id, window) = (id_of(id)?, window(query)?);
    let points = window.points.unwrap_or(MAX_ROWS).min(MAX_ROWS);
    off_thread(move || Ok(Json(of(&found(result_files.store.rows(id))?, window, points)))).await
}

async fn bars(
    State(result_files): State<ResultFiles>,
    Path(id): Path<String>,
    query: WindowQuery,
) -> Result<Json<Bars>, ApiError> {
    let (id, window) = (id_of(&id)?, window(query)?);
    let points = window.points.unwrap_or(CANDLES).clamp(1, MAX_CANDLES);
    off_thread(move || {
        let traded = found(result_files.store.traded(id))?;
        let second = |s: i64| Time::from_micros(s.saturating_mul(1_000_000));
        let from = window.from.map_or(traded.first, |from| second(from).max(traded.first));
        let after_last = traded.last.plus_micros(1);
        let to = window.to.map_or(after_last, |to| second(to.saturating_add(1)).min(after_last));
        let held = result_files.library.bars(&traded.set(), Range { from: Some(from), to: Some(to) });
        let held = held.map_err(|f| refuse(ProblemType::Internal, format!("{} {}", f.message, f.hint)))?;
        Ok(Json(candles(&held.bars, points)))
    })
    .await
}

/// Merges equal numbers of consecutive bars into at most `points` candles.
fn candles(bars: &[Bar], points: usize) -> Bars {
    let each = bars.len().div_ceil(points).max(1);
    let mut out = Bars {
        bars_per_candle: u32::try_from(each).unwrap_or(u32::MAX),
        bars: bars.len() as u64,
        ..Bars::default()
    };
    for part in bars.chunks(each) {
        out.t.push(part[0].time.micros().div_euclid(1_000_000));
        out.o.push(part[0].open);
        out.h.push(part.iter().map(|b| b.high).fold(f64::MIN, f64::max));
        out.l.push(part.iter().map(|b| b.low).fold(f64::MAX, f64::min));
        out.c.push(part[part.len() - 1].close);
        out.v.push(total_volume(part));
    }
    out
}

fn id_of(text: &str) -> Result<OperationId, ApiError> {
    text.parse().map_err(|_| nothing())
}

fn window(query: WindowQuery) -> Result<Window, ApiError> {
    query.map(|Query(window)| window).map_err(|_| {
        refuse(
            ProblemType::BadRequest,
            "Invalid query: 'from' and 'to' must be Unix times in whole seconds, and 'points' a whole number.",
        )
    })
}

fn found<T>(read: std::io::Result<Option<T>>) -> Result<T, ApiError> {
    read.map_err(|e| {
        refuse(ProblemType::Internal, format!("Cannot read the results of this backtest: {e}."))
    })?
    .ok_or_else(nothing)
}

fn nothing() -> ApiError {
    refuse(ProblemType::NotFound, "This host has no results for that backtest ID. Run the backtest again.")
}

fn refuse(kind: ProblemType, detail: impl Into<String>) -> ApiError {
    ApiError::new(kind, detail)
}

/// Runs blocking code on a blocking thread.
async fn off_thread<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or_else(|e| Err(refuse(ProblemType::Internal, format!("Cannot build the response: {e}."))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::bars;

    #[test]
    fn downsampled_candles_keep_extremes_and_cover_every_bar() {
        let bars = bars(&(0..100).map(|i| (f64::from(i) + 1.0, f64::from(i) + 2.0)).collect::<Vec<_>>());
        let all = candles(&bars, 100);
        assert_eq!((all.t.len(), all.bars_per_candle, all.bars), (100, 1, 100));
        let few = candles(&bars, 30);
        assert_eq!((few.t.len(), few.bars_per_candle, few.bars), (25, 4, 100));
        assert_eq!((few.o[1], few.h[1], few.l[1], few.c[1], few.v[1]), (5.0, 9.0, 5.0, 9.0, Some(4.0)));
        assert_eq!(candles(&[], 10).t.len(), 0);
    }
}
