//! Load of all hosts in the last hour.

use crate::monitor::Wanted;
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use history::{Buckets, Series};
use pool::{Requests, RouteMetrics};
use protocol::host_trends::{HostTrend, HostTrends};
use protocol::{HostName, Problem, ProblemType, Time};

const HOUR_SECONDS: i64 = 3_600;
const MINUTES: usize = 60;
/// Minutes that count as now. Older values would hide that the host has been silent.
const RECENT_MINUTES: usize = 5;
const CPU: &str = "cpu.busy_ratio";
const MEMORY_USED: &str = "memory.used_bytes";
const MEMORY_TOTAL: &str = "memory.total_bytes";
const PRESSURE: [&str; 3] =
    ["pressure.cpu.some_ratio", "pressure.memory.some_ratio", "pressure.io.some_ratio"];

/// Load of each host in the last hour, and its requests in the last five minutes.
#[utoipa::path(get, path = "/api/v1/hosts/trends", tag = "hosts",
    responses((status = 200, body = HostTrends),
        (status = 503, body = Problem, description = "The metrics history can't be read")))]
pub async fn trends(AllKinds { engine, monitor, .. }: AllKinds) -> Result<Json<HostTrends>, RouteError> {
    let to = Time::now().micros().div_euclid(60_000_000) * 60;
    let wanted = Wanted {
        from: to - HOUR_SECONDS,
        to,
        now: to,
        width: MINUTES,
        metrics: [CPU, MEMORY_USED, MEMORY_TOTAL].into_iter().chain(PRESSURE).map(str::to_owned).collect(),
    };
    let hosts: Vec<HostName> = engine.hosts().hosts.into_iter().map(|host| host.name).collect();
    let read = monitor.histories(hosts, wanted).await;
    let read = read.map_err(|error| RouteError::new(ProblemType::Unavailable, error.to_string()))?;
    let requests = engine.host_requests();
    let of = |host: &HostName| {
        requests.iter().find(|(name, _)| name == host).map_or(&[][..], |(_, routes)| routes.as_slice())
    };
    let hosts = read.into_iter().map(|(host, buckets)| {
        let routes = of(&host);
        trend(host, &buckets, routes)
    });
    Ok(Json(HostTrends { hosts: hosts.collect() }))
}

fn trend(host: HostName, buckets: &Buckets, routes: &[RouteMetrics]) -> HostTrend {
    let mean = |metric: &str| buckets.metrics.get(metric).map_or(&[][..], |series: &Series| &series.mean);
    let newest = |metric: &str| mean(metric).iter().rev().take(RECENT_MINUTES).copied().flatten().next();
    let mut recent = Requests::default();
    routes.iter().for_each(|route| recent.merge(&route.recent));
    HostTrend {
        host,
        cpu: mean(CPU).to_vec(),
        memory: newest(MEMORY_USED).zip(newest(MEMORY_TOTAL)).map(|(used, total)| used / total),
        pressure: PRESSURE.into_iter().filter_map(newest).reduce(f64::max),
        p95_seconds: recent.latency.quantile(0.95),
        requests: recent.count(),
        errors: recent.failed(),
    }
}
