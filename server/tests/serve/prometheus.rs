//! Metrics in a real Prometheus: scraped, checked by promtool, compared with our own percentiles, and drawn by the
//! dashboard of the docs.

use crate::process::{Home, PATIENCE, Server, http_client};
use crate::programs::{Program, is_installed};
use protocol::api::{HostRequests, Latency};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Name of the histogram of requests.
const LATENCY: &str = "signalbox_host_request_duration_seconds";

impl Program {
    /// Samples of an instant query: labels and value.
    async fn query(&self, query: &str) -> Vec<(Value, f64)> {
        let answer = self.get("/api/v1/query", &[("query", query)]).await;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let sample = |sample: &Value| {
            let value = sample["value"][1].as_str().unwrap().parse().unwrap();
            (sample["metric"].clone(), value)
        };
        answer["data"]["result"].as_array().unwrap().iter().map(sample).collect()
    }

    /// Samples of a query, once it has any.
    async fn samples(&self, query: &str) -> Vec<(Value, f64)> {
        let found = async {
            loop {
                let samples = self.query(query).await;
                if !samples.is_empty() {
                    return samples;
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{query} stayed empty"))
    }

    async fn value(&self, query: &str) -> f64 {
        self.samples(query).await[0].1
    }

    /// Quantiles 0.5, 0.95 and 0.99 by Prometheus and by the server's API, of the same requests.
    async fn quantiles(&self, server: &Server, count: &str, histogram: &str) -> [(f64, f64); 3] {
        let same = async {
            loop {
                let read: HostRequests = server.pool.get("/api/v1/hosts/local/requests").await.unwrap();
                let answered = read.all.success + read.all.client_error + read.all.server_error;
                let before = self.value(count).await;
                let mut by_prometheus = [0.0; 3];
                for (at, q) in [0.5, 0.95, 0.99].into_iter().enumerate() {
                    by_prometheus[at] = self.value(&format!("histogram_quantile({q}, {histogram})")).await;
                }
                // The server sends requests all the time.
                if [before, self.value(count).await] == [answered as f64; 2] {
                    let Latency { p50, p95, p99, .. } = read.all.latency.unwrap();
                    return [(by_prometheus[0], p50), (by_prometheus[1], p95), (by_prometheus[2], p99)];
                }
            }
        };
        tokio::time::timeout(PATIENCE, same).await.expect("the counts never were the same")
    }
}

/// Server with a host that is unreachable, and with kinds that succeed and fail.
fn serve(home: &Home) -> Server {
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    let commands = "[exec.works]\ncommand = ['true']\n[exec.fails]\ncommand = ['false']\n";
    std::fs::write(home.path().join("data/exec.toml"), commands).unwrap();
    let configuration = "bundled = true\n[[host]]\nname = 'away'\nurl = 'http://127.0.0.1:9'\n\
         [alerts]\ninterval = 0.1\n[[alerts.rule]]\nname = 'host-unreachable'\nfor = 0.1\n\
         [[alerts.webhook]]\nname = 'ops'\nurl = 'http://127.0.0.1:9'\n";
    std::fs::write(home.path().join("data/signalbox.toml"), configuration).unwrap();
    home.serve(&[])
}

/// Runs an operation until it has ended.
async fn run(server: &Server, kind: &str) {
    let body = json!({"kind": kind, "params": {}});
    let started: protocol::Operation =
        server.pool.post("/api/v1/operations", &body, pool::Repeat::Never).await.unwrap().1;
    let mut feed = server.follow(0).await;
    feed.until(|op| op.id == started.id && op.state.ended()).await;
}

/// Metrics as promtool and older scrapers request them.
async fn text(server: &Server) -> String {
    let request = http_client().get(format!("{}/metrics", server.url)).header("accept", "text/plain");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    response.text().await.unwrap()
}

fn promtool_check(metrics: &str) {
    let mut check = Command::new("promtool");
    check.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut check = check.spawn().unwrap();
    check.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.trim().is_empty(), "{complaints}");
}

/// Names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("signalbox_")).collect()
}

/// Queries of the dashboard, with values for Grafana's variables.
fn dashboard() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/grafana/signalbox.json");
    let dashboard: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let targets =
        dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array());
    let query = |target: &Value| {
        let query = target["expr"].as_str().unwrap();
        query.replace("$__rate_interval", "30s").replace("$host", ".*").replace("$kind", ".*")
    };
    let queries: Vec<String> = targets.flatten().map(query).collect();
    assert!(queries.iter().all(|query| !query.contains('$')), "{queries:?}");
    queries
}

/// Bucket of a classic histogram in which a duration lies.
fn bucket(seconds: f64) -> i32 {
    seconds.log2().ceil().max(-10.0) as i32
}

#[tokio::test]
async fn a_real_prometheus_has_our_percentiles_and_draws_each_panel_of_the_dashboard() {
    if !is_installed("prometheus") || !is_installed("promtool") {
        return;
    }
    let home = Home::new();
    let server = serve(&home);
    let prometheus = Program::prometheus(&home, "prometheus", &server.url, &[]).await;
    prometheus.samples(r#"signalbox_operations_started_total{kind="exec.fails"}"#).await;
    run(&server, "exec.works").await;
    run(&server, "exec.fails").await;
    promtool_check(&text(&server).await);

    let sum = |name: &str| format!(r#"sum by (le) ({LATENCY}_{name}{{host="local"}})"#);
    for (by_prometheus, ours) in prometheus.quantiles(&server, &sum("count"), &sum("bucket")).await {
        assert_eq!(bucket(by_prometheus), bucket(ours), "{by_prometheus} {ours}");
    }
    for (query, expected) in [
        (r#"up{job="signalbox"}"#, 1.0),
        (r#"signalbox_host_up{host="local"}"#, 1.0),
        (r#"signalbox_host_up{host="away"}"#, 0.0),
        (r#"signalbox_operations_ended_total{kind="exec.fails", state="failed"}"#, 1.0),
        (r#"signalbox_operation_duration_seconds_count{kind="exec.works"}"#, 1.0),
        (r#"signalbox_alerts_firing{rule="host-unreachable"} == 1"#, 1.0),
    ] {
        assert_eq!(prometheus.value(query).await, expected, "{query}");
    }
    if cfg!(target_os = "linux") {
        let cpus = prometheus.value(r#"signalbox_host_cpus{host="local"}"#).await;
        // The process may use fewer.
        assert!(cpus >= std::thread::available_parallelism().unwrap().get() as f64, "{cpus}");
    }

    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/observability.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let documented = metrics_in(&docs);
    let exposed = text(&server).await;
    let exposed = metrics_in(&exposed);
    for query in dashboard() {
        let named = metrics_in(&query);
        assert!(!named.is_empty(), "{query}");
        let known = |name: &&&str| documented.contains(name.strip_suffix("_bucket").unwrap_or(name));
        assert_eq!(named.iter().find(|name| !known(name)), None, "{query}");
        // A machine without a disk or without /proc/pressure has no such metrics.
        if named.iter().all(|name| exposed.contains(name)) {
            prometheus.samples(&query).await;
        }
    }
}

#[tokio::test]
async fn native_histograms_have_our_percentiles() {
    const FEATURE: &str = "--enable-feature=native-histograms";
    if !is_installed("prometheus") {
        return;
    }
    let home = Home::new();
    let server = serve(&home);
    let prometheus = Program::prometheus(&home, "prometheus", &server.url, &[FEATURE]).await;
    let sum = format!(r#"sum({LATENCY}{{host="local"}})"#);
    let count = format!("histogram_count({sum})");
    for (by_prometheus, ours) in prometheus.quantiles(&server, &count, &sum).await {
        // Both lie in the same bucket.
        assert!((by_prometheus / ours - 1.0).abs() < 0.022, "{by_prometheus} {ours}");
    }
    assert!(
        prometheus.query(&format!("{LATENCY}_bucket")).await.is_empty(),
        "the classic ones are not needed"
    );
}
