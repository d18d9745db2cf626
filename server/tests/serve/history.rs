//! History of a host's metrics: collected, kept through a killed server, and answered in buckets.

use crate::process::{Home, Server, http_client};
use pool::{Pool, PoolConfig};
use protocol::history::History;
use protocol::host_trends::HostTrends;
use protocol::latency::LatencyHistory;
use protocol::samples::HostSamples;
use protocol::{Problem, Time};

const METRICS: &str = "host.free_slots,memory.total_bytes,process.*";

/// Seconds since 1970 by which something of the past is asked for.
fn now() -> i64 {
    Time::now().micros() / 1_000_000
}

async fn read(server: &Server, from: i64, to: i64) -> History {
    read_of(server, "local", from, to, METRICS).await
}

async fn read_of(server: &Server, host: &str, from: i64, to: i64, metrics: &str) -> History {
    let time = |second: i64| Time::from_micros(second * 1_000_000);
    let width = u32::try_from(to - from).unwrap();
    let path = protocol::paths::host_history(&host.parse().unwrap(), time(from), time(to), width, metrics);
    server.pool.get(&path).await.unwrap()
}

/// Means of a metric of requests to a host by bucket, once it has a value.
async fn requests(server: &Server, host: &str, from: i64, metric: &str) -> Vec<f64> {
    loop {
        let history = read_of(server, host, from, from + 600, "requests.*,requests.*.*").await;
        if let Some(values) = history.metrics.get(metric) {
            return values.mean.iter().flatten().copied().collect();
        }
    }
}

/// Requests to a host by minute and latency.
async fn latencies(server: &Server, host: &str, from: i64) -> LatencyHistory {
    let time = |second: i64| Time::from_micros(second * 1_000_000);
    let path = protocol::paths::host_latency(&host.parse().unwrap(), time(from), time(from + 600), 20);
    server.pool.get(&path).await.unwrap()
}

#[tokio::test]
async fn requests_to_a_host_have_a_history_that_survives_a_kill() {
    let from = now();
    let home = Home::new();
    let configuration = "bundled = true\n[[host]]\nname = 'away'\nurl = 'http://127.0.0.1:1'\n";
    let server = home.serve_by(home.configured(configuration));
    let p95 = requests(&server, "local", from, "requests.latency_p95_seconds").await;
    assert!(p95.iter().all(|seconds| (0.0..60.0).contains(seconds) && *seconds > 0.0), "{p95:?}");
    let failed = requests(&server, "local", from, "requests.failures_per_second").await;
    assert!(failed.iter().all(|rate| *rate == 0.0), "{failed:?}");
    // The heat map counts the same requests.
    let heat = latencies(&server, "local", from).await;
    let counted: u64 = heat.columns.iter().flatten().flatten().sum();
    assert!(counted > 0 && heat.bounds.windows(2).all(|row| row[0] < row[1]), "{heat:?}");
    let highest = p95.iter().copied().fold(0.0, f64::max);
    assert!(heat.bounds.last().is_some_and(|bound| *bound >= highest * 0.98), "{heat:?}");
    // Nothing listens there: each request fails without a connection, and none has a latency.
    let failed = requests(&server, "away", from, "requests.connect.failures_per_second").await;
    assert!(failed.iter().all(|rate| *rate > 0.0), "{failed:?}");
    let history = read_of(&server, "away", from, from + 600, "requests.*,cpu.*").await;
    let names: Vec<&str> = history.metrics.keys().map(String::as_str).collect();
    assert_eq!(names, ["requests.failures_per_second", "requests.per_second"], "no sample, no response");
    let heat = latencies(&server, "away", from).await;
    assert_eq!((heat.bounds.len(), heat.columns.iter().flatten().flatten().count()), (0, 0));
    server.kill();
    let server = home.serve_by(home.configured(configuration));
    let history = read_of(&server, "away", from, from + 600, "requests.*").await;
    assert!(history.metrics.contains_key("requests.per_second"), "what was recorded is there at once");
}

/// Seconds with a value of the host's process, once at least `count` of them are stored.
async fn seconds(server: &Server, from: i64, count: usize) -> Vec<i64> {
    loop {
        let history = read(server, from, from + 600).await;
        assert_eq!((history.resolution_seconds, history.bucket_seconds), (1, 1));
        let start = history.from.micros() / 1_000_000;
        let Some(slots) = history.metrics.get("host.free_slots") else { continue };
        let known: Vec<i64> =
            (start..).zip(&slots.mean).filter_map(|(second, value)| value.map(|_| second)).collect();
        if known.len() >= count {
            // One slot may be in use by a load.
            let is_true = |slots: &f64| *slots == 8.0 || *slots == 7.0;
            assert!(slots.max.iter().flatten().all(is_true), "no false value: {:?}", slots.max);
            return known;
        }
    }
}

#[tokio::test]
async fn a_killed_server_leaves_no_hole_in_the_history_of_a_host_that_ran_on() {
    let from = now();
    let home = Home::new();
    let server = home.serve(&["--keep-hosts"]);
    server.host_up().await;
    let before = seconds(&server, from, 1).await;
    server.kill();
    let server = home.serve(&["--keep-hosts"]);
    server.host_up().await;
    let after = seconds(&server, from, before.len() + 12).await;
    assert_eq!(&after[..before.len()], before.as_slice(), "what was stored stays");
    let left = std::fs::read(home.path().join("data/hosts-left-running.json")).unwrap();
    let left: serde_json::Value = serde_json::from_slice(&left).unwrap();
    let token = left["secret"].as_str().map(str::to_owned);
    let host =
        Pool::new(left["url"].as_str().unwrap(), PoolConfig { token, ..PoolConfig::default() }).unwrap();
    let samples: HostSamples = host.get("/host/v1/samples").await.unwrap();
    let since_first =
        |seconds: Vec<i64>| seconds.iter().map(|second| second - seconds[0]).collect::<Vec<_>>();
    let sampled = samples.ticks.iter().take(after.len()).map(|tick| *tick as i64).collect();
    assert_eq!(since_first(after), since_first(sampled), "each second that the host sampled, at its place");
    let history = read(&server, from, now()).await;
    assert_eq!(history.machine_hosts, ["local".parse().unwrap()]);
    if cfg!(target_os = "linux") {
        assert!(
            history.metrics.contains_key("memory.total_bytes"),
            "the machine's metrics are those of its host"
        );
    }
}

#[tokio::test]
async fn the_table_of_hosts_has_their_requests_and_load() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let trends: HostTrends = server.pool.get(protocol::paths::HOST_TRENDS).await.unwrap();
    let names: Vec<&str> = trends.hosts.iter().map(|trend| trend.host.as_str()).collect();
    assert_eq!(names, ["local", "sweeps"]);
    let local = &trends.hosts[0];
    assert!(local.requests > 0 && local.p95_seconds.is_some_and(|p95| p95 > 0.0), "{local:?}");
    assert!(local.cpu.iter().flatten().all(|share| (0.0..=1.0).contains(share)), "{local:?}");
}

#[tokio::test]
async fn a_damaged_history_disturbs_no_operation_and_begins_anew() {
    let home = Home::new();
    let database = home.path().join("data/history.db");
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    std::fs::write(&database, "damaged ".repeat(1_000)).unwrap();
    let from = now();
    let server = home.serve(&[]);
    server.host_up().await;
    let operation = server.load("ACME", None).await;
    let mut feed = server.follow(0).await;
    feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert!(!seconds(&server, from, 1).await.is_empty());
    assert!(database.with_extension("db.corrupt").exists());
}

#[tokio::test]
async fn a_history_of_an_unknown_host_or_without_metrics_is_refused() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    for (path, status, reason) in [
        ("/api/v1/hosts/nobody/history?metrics=load.1m", 404, "no host named nobody"),
        ("/api/v1/hosts/local/history?metrics=", 400, "metrics"),
        ("/api/v1/hosts/local/history?metrics=load.1m&width=0", 400, "width"),
    ] {
        let response = http_client().get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let problem: Problem = response.json().await.unwrap();
        assert!(problem.detail.contains(reason), "{}", problem.detail);
    }
}
