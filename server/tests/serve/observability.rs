//! What the server says about itself: request IDs, the access log, metrics, and no secrets.

use crate::process::{Home, http_client};
use protocol::Problem;
use protocol::api::HostRequests;
use protocol::history::History;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

#[tokio::test]
async fn every_response_and_problem_document_has_the_request_id() {
    let home = Home::new();
    let server = home.serve(&["--token", "s3cret", "--base-path", "/signalbox"]);
    // The page, the API, a stream, files, the guard and the redirect of the base path.
    let paths =
        ["/", "/api/v1/kinds", "/api/v1/events", "/pkg/missing.js", "/api/v1/hosts/x/drain", "/nowhere"];
    let origin = server.url.strip_suffix("/signalbox").unwrap();
    let urls = paths.map(|path| format!("{}{path}", server.url)).into_iter().chain([server.url.clone()]);
    for url in urls.chain([format!("{origin}/healthz")]) {
        for token in ["s3cret", "wrong"] {
            let request = http_client().get(&url).bearer_auth(token).header("x-request-id", "abc-1");
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["x-request-id"], "abc-1", "{url}");
            if response.headers().get("content-type").is_some_and(|kind| kind == "application/problem+json") {
                let problem: Problem = response.json().await.unwrap();
                assert_eq!(problem.request_id.as_deref(), Some("abc-1"), "{url}");
            }
            let made = http_client()
                .get(&url)
                .bearer_auth(token)
                .header("x-request-id", "a b")
                .send()
                .await
                .unwrap();
            assert_ne!(made.headers()["x-request-id"], "a b", "{url}");
        }
    }
}

#[tokio::test]
async fn requests_to_the_server_are_counted_by_route_and_have_a_history() {
    let home = Home::new();
    let server = home.serve(&["--token", "s3cret", "--base-path", "/signalbox"]);
    let get = |path: &str, token: &str| {
        let request = http_client().get(format!("{}{path}", server.url)).bearer_auth(token);
        async { request.send().await.unwrap().text().await.unwrap() }
    };
    for id in ["a", "b"] {
        get(&format!("/api/v1/operations/{id}"), "s3cret").await;
    }
    get("/api/v1/kinds", "s3cret").await;
    get("/api/v1/kinds", "wrong").await;
    let metrics = get("/metrics", "s3cret").await;
    for (route, outcome, count) in [
        ("/api/v1/operations/{id}", "client_error", 2),
        ("/api/v1/kinds", "success", 1),
        ("/api/v1/kinds", "client_error", 1),
    ] {
        let line = format!(
            r#"signalbox_http_requests_total{{method="GET",route="{route}",outcome="{outcome}"}} {count}"#
        );
        assert!(metrics.lines().any(|of| of == line), "{line}\n{metrics}");
    }
    let duration = r#"signalbox_http_request_duration_seconds_count{method="GET",route="/api/v1/kinds"} 2"#;
    assert!(metrics.contains(duration), "{metrics}");
    // Recorded every few seconds.
    loop {
        let path = "/api/v1/hosts/sweeps/history?width=1&metrics=served.*";
        let history: History = serde_json::from_str(&get(path, "s3cret").await).unwrap();
        if let Some(refusals) = history.metrics.get("served.refusals_per_second") {
            assert!(refusals.mean[0] > Some(0.0), "{history:?}");
            assert!(history.metrics.contains_key("served.latency_p95_seconds"), "{history:?}");
            break;
        }
    }
    let of_host = get("/api/v1/hosts/local/history?width=1&metrics=served.*", "s3cret").await;
    let of_host: History = serde_json::from_str(&of_host).unwrap();
    assert!(of_host.metrics.is_empty(), "only the server has them: {of_host:?}");
}

#[tokio::test]
async fn a_compressed_problem_document_is_readable() {
    let home = Home::new();
    let server = home.serve(&[]);
    let request =
        http_client().get(format!("{}/api/v1/nowhere", server.url)).header("accept-encoding", "gzip, br");
    let response = request.send().await.unwrap();
    assert!(!response.headers().contains_key("content-encoding"));
    assert_eq!(response.json::<Problem>().await.unwrap().status, 404);
}

/// Log of a server at a level, after the requests of a browser and of a program with a token.
async fn log_of(home: &Home, flags: &[&str], level: &str) -> String {
    let path = home.path().join("log");
    let mut command = home.command(flags);
    command.args(["--token", "s3cret-7f3a"]).env("SIGNALBOX_LOG", level).stderr(File::create(&path).unwrap());
    let server = home.serve_by(command);
    let link = http_client().get(format!("{}/?token=s3cret-7f3a", server.url)).send().await.unwrap();
    let cookie = link.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let hosts = format!("{}/api/v1/hosts", server.url);
    for request in [
        http_client().get(&hosts).header("cookie", format!("{cookie}; other=c00kie-7f3a")),
        http_client().get(&hosts).bearer_auth("s3cret-7f3a"),
        http_client().get(&hosts).bearer_auth("wr0ng-7f3a"),
        http_client().get(format!("{}/?token=wr0ng-7f3a", server.url)),
    ] {
        request.header("x-request-id", "abc-1").send().await.unwrap();
    }
    tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn no_log_line_of_any_level_contains_tokens_or_cookies() {
    let home = Home::new();
    let log = log_of(&home, &["--access-log", "--keep-hosts"], "trace").await;
    assert!(log.contains("/api/v1/hosts") && log.contains("/host/v1/events"), "requests are logged");
    let record = std::fs::read(home.path().join("data/hosts-left-running.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    for secret in ["s3cret", "c00kie", "wr0ng", record["secret"].as_str().unwrap()] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}

#[tokio::test]
async fn the_access_log_has_every_request_with_its_id_only_if_it_is_on() {
    let home = Home::new();
    let log = log_of(&home, &["--access-log"], "info").await;
    let of_hosts: Vec<&str> =
        log.lines().filter(|line| line.contains("responded") && line.contains("/api/v1/hosts")).collect();
    assert_eq!(of_hosts.len(), 3, "{log}");
    for line in &of_hosts {
        for part in ["abc-1", "GET", "127.0.0.1", "latency_ms"] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
    // With the end of the colour before it, because times have digits, too.
    assert_eq!(of_hosts.iter().filter(|line| line.contains("m401 ")).count(), 1, "{of_hosts:?}");
    let home = Home::new();
    assert!(!log_of(&home, &[], "info").await.contains("responded"));
}

#[tokio::test]
async fn each_metric_is_listed_in_the_docs() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let response = http_client().get(format!("{}/metrics", server.url)).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = response.text().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let names =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next());
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/observability.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let listed: BTreeSet<&str> =
        docs.split('`').filter(|word| word.starts_with("signalbox_") && !word.contains(' ')).collect();
    // The samples of a histogram have its name and one of these endings.
    let without_end = |name: &'_ str| {
        ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end).map(str::to_owned))
    };
    for name in names {
        let of_histogram = without_end(name);
        assert!(
            listed.contains(name) || of_histogram.is_some_and(|name| listed.contains(name.as_str())),
            "{name} is missing in docs/observability.md"
        );
    }
    assert!(text.contains("signalbox_host_up{host=\"local\"} 1\n"), "{text}");
}

#[tokio::test]
async fn requests_to_a_host_have_percentiles_and_the_same_counts_as_the_metrics() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let get = |path: &str| http_client().get(format!("{}{path}", server.url)).send();
    let requests: HostRequests = get("/api/v1/hosts/local/requests").await.unwrap().json().await.unwrap();
    let about = requests.routes.iter().find(|r| r.route == "/host/v1/about").expect("the server connected");
    assert_eq!((about.method.as_str(), about.counts.success >= 1), ("GET", true));
    let latency = requests.all.latency.expect("the host responded");
    let ordered = [latency.min, latency.p50, latency.p95, latency.p99, latency.max];
    assert!(ordered.is_sorted() && latency.min > 0.0, "{latency:?}");
    let sum: u64 = requests.routes.iter().map(|route| route.counts.requests).sum();
    assert_eq!((requests.all.requests, requests.recent.requests), (sum, sum));

    let text = get("/metrics").await.unwrap().text().await.unwrap();
    let labels = r#"host="local",method="GET",route="/host/v1/about""#;
    let sample = |start: String| {
        let value = text.lines().find_map(|line| line.strip_prefix(&start));
        value.unwrap_or_else(|| panic!("{start} in {text}")).trim().parse::<u64>().unwrap()
    };
    assert!(
        sample(format!("signalbox_host_requests_total{{{labels},outcome=\"success\"}}"))
            >= about.counts.success
    );
    let count = sample(format!("signalbox_host_request_duration_seconds_count{{{labels}}}"));
    let within_64_s =
        sample(format!("signalbox_host_request_duration_seconds_bucket{{le=\"64.0\",{labels}}}"));
    assert_eq!(count, within_64_s);

    let unknown = get("/api/v1/hosts/nobody/requests").await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert!(unknown.text().await.unwrap().contains("There is no host named nobody"));
}
