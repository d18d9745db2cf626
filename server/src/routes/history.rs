//! History of a host's metrics.

use super::bad_query;
use super::hosts::host_of;
use crate::monitor::Wanted;
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use engine::Engine;
use history::MAX_BUCKETS;
use protocol::history::{History, MetricHistory};
use protocol::{HostName, Problem, ProblemType, Time};
use serde::Deserialize;

/// Default number of buckets.
const WIDTH: usize = 600;
/// Default length of the time in seconds.
const LENGTH_SECONDS: i64 = 900;
/// Longest time in seconds.
const MAX_LENGTH_SECONDS: i64 = 731 * 86_400;
/// Largest number of names and patterns of a request.
const MAX_PATTERNS: usize = 100;

/// Time, width and metrics.
#[derive(Deserialize)]
pub struct HistoryQuery {
    from: Option<Time>,
    to: Option<Time>,
    width: Option<usize>,
    metrics: String,
}

/// History of a host: minimum, mean and maximum of each metric in buckets of equal length. Values per second are kept
/// for 2 days, values per minute for 90 days, values per hour for 2 years. The server reads the coarsest of these
/// resolutions that is not coarser than the buckets, or a coarser resolution if the values since `from` are no longer
/// kept. For a host that is part of the server, such as `sweeps`, the response has the server's metrics.
#[utoipa::path(get, path = "/api/v1/hosts/{name}/history", tag = "hosts",
    params(
        ("name" = String, Path),
        ("from" = Option<Time>, Query, description = "Default: 15 minutes before `to`"),
        ("to" = Option<Time>, Query, description = "Default: now"),
        ("width" = Option<u32>, Query, description = "Largest number of buckets, 1 to 4,000; default 600"),
        ("metrics" = String, Query, description = "Names separated by commas; `*` matches one part of a name, as in \
            `disk.*.busy_ratio`. docs/monitoring.md lists the metrics"),
    ),
    responses((status = 200, body = History), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The metrics history can't be read")))]
pub async fn history(
    AllKinds { engine, monitor, .. }: AllKinds,
    name: Path<String>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Json<History>, RouteError> {
    let host = host_of(name)?;
    let Query(query) = query.map_err(bad_query)?;
    let wanted = wanted(&query, Time::now())
        .map_err(|why| RouteError::new(ProblemType::BadRequest, format!("{why} See /openapi.json.")))?;
    if !is_known(&engine, &host) {
        let detail = format!("There is no host named {host}. See /hosts for all hosts.");
        return Err(RouteError::new(ProblemType::NotFound, detail));
    }
    let read = monitor.history(&host, wanted).await;
    let read = read.map_err(|error| RouteError::new(ProblemType::Unavailable, error.to_string()))?;
    let metrics = read.metrics.into_iter().map(|(name, series)| {
        let history::Series { min, mean, max } = series;
        (name, MetricHistory { min, mean, max })
    });
    Ok(Json(History {
        from: Time::from_micros(read.start.saturating_mul(1_000_000)),
        bucket_seconds: u32::try_from(read.bucket_seconds).unwrap_or(u32::MAX),
        buckets: u32::try_from(read.count).unwrap_or(u32::MAX),
        resolution_seconds: u32::try_from(read.tier.slot_seconds()).unwrap_or(u32::MAX),
        machine_hosts: monitor.on_same_machine(&host),
        metrics: metrics.collect(),
    }))
}

pub(super) fn is_known(engine: &Engine, host: &HostName) -> bool {
    engine.hosts().hosts.iter().any(|known| known.name == *host)
}

fn second(time: Time) -> i64 {
    time.micros().div_euclid(1_000_000)
}

/// Requested time, in seconds since 1970.
pub(super) fn time_range(from: Option<Time>, to: Option<Time>, now: Time) -> Result<(i64, i64), String> {
    let to = second(to.unwrap_or(now));
    let from = from.map_or(to - LENGTH_SECONDS, second);
    if from >= to {
        return Err("`from` must be before `to`.".into());
    }
    if to - from > MAX_LENGTH_SECONDS {
        return Err("The time range must not be longer than 2 years.".into());
    }
    Ok((from, to))
}

fn wanted(query: &HistoryQuery, now: Time) -> Result<Wanted, String> {
    let (from, to) = time_range(query.from, query.to, now)?;
    let width = query.width.unwrap_or(WIDTH);
    if !(1..=MAX_BUCKETS).contains(&width) {
        return Err(format!("`width` must be from 1 to {MAX_BUCKETS}."));
    }
    let metrics: Vec<String> =
        query.metrics.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if metrics.is_empty() || metrics.len() > MAX_PATTERNS {
        return Err(format!("`metrics` must have 1 to {MAX_PATTERNS} names."));
    }
    Ok(Wanted { from, to, now: second(now), width, metrics })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: i64, to: i64, width: usize, metrics: &str) -> Result<Wanted, String> {
        let time = |second: i64| Some(Time::from_micros(second * 1_000_000));
        let query =
            HistoryQuery { from: time(from), to: time(to), width: Some(width), metrics: metrics.into() };
        wanted(&query, Time::from_micros(0))
    }

    #[test]
    fn a_query_without_sense_is_rejected_with_a_reason() {
        let good = read(10, 70, 60, " cpu.busy_ratio, disk.*.busy_ratio,").unwrap();
        assert_eq!(good.metrics, ["cpu.busy_ratio", "disk.*.busy_ratio"]);
        assert!(read(70, 10, 60, "a").unwrap_err().contains("before"));
        assert!(read(0, 3 * MAX_LENGTH_SECONDS, 60, "a").unwrap_err().contains("2 years"));
        assert!(read(10, 70, 0, "a").unwrap_err().contains("width"));
        assert!(read(10, 70, 60, " ,").unwrap_err().contains("metrics"));
        assert!(read(10, 70, 60, &"a,".repeat(MAX_PATTERNS + 1)).is_err());
    }
}
