//! Alerts of the real server: a killed host, webhooks, restarts, silences and dry runs.

use crate::process::{Home, HostProcess, PATIENCE, Server, http_client, without_home};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use protocol::alerts::{
    AlertList, AlertState, AlertSummary, Delivery, DeliveryState, RuleList, Severity, Silence,
};
use protocol::api::{AuditPage, Snapshot};
use protocol::{Action, Problem, Time, paths};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::mpsc;

/// Listener that stands for the webhooks of other services.
pub struct Inbox {
    pub url: String,
    messages: mpsc::Receiver<(String, Value)>,
}

#[derive(Clone)]
struct Receiver {
    messages: mpsc::Sender<(String, Value)>,
    /// Number of requests that are still answered with 500.
    failures: Arc<AtomicU32>,
}

impl Inbox {
    pub async fn start(failures: u32) -> Self {
        let (sender, messages) = mpsc::channel(100);
        let receiver = Receiver { messages: sender, failures: Arc::new(AtomicU32::new(failures)) };
        let moved = async || (StatusCode::FOUND, [("location", "/hook/s3cret")]);
        let router = Router::new()
            .route("/hook/s3cret", post(receive))
            .route("/moved/s3cret", post(moved))
            .with_state(receiver);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, messages }
    }

    /// Next message, with its ID.
    pub async fn next(&mut self) -> (String, Value) {
        tokio::time::timeout(PATIENCE, self.messages.recv()).await.expect("no message came").unwrap()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    let id = headers["signalbox-delivery"].to_str().unwrap().to_owned();
    receiver.messages.send((id, serde_json::from_str(&body).unwrap())).await.unwrap();
    let fails = |left: u32| left.checked_sub(1);
    match receiver.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fails) {
        Ok(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Err(_) => StatusCode::OK,
    }
}

/// Configuration with one host, and a rule that notices at once that it is unreachable.
fn configuration(host: &str, more: &str) -> String {
    format!(
        "[[host]]\nname = 'gpu-1'\nurl = '{host}'\n\
         [rules]\nsilence = 0.5\n\
         [alerts]\ninterval = 0.1\ngroup_wait = 0.2\n\
         [[alerts.rule]]\nname = 'host-unreachable'\nfor = 0.3\nrecover_for = 0\n{more}"
    )
}

/// First summary in a snapshot with a property.
async fn summary(server: &Server, has: impl Fn(&AlertSummary) -> bool) -> AlertSummary {
    let found = async {
        loop {
            let snapshot: Snapshot = server.pool.get(paths::SNAPSHOT).await.unwrap();
            if has(&snapshot.alerts) {
                return snapshot.alerts;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("the summary never was so")
}

/// First list of alerts with a property.
pub async fn list(server: &Server, has: impl Fn(&AlertList) -> bool) -> AlertList {
    let found = async {
        loop {
            let list: AlertList = server.pool.get(paths::ALERTS).await.unwrap();
            if has(&list) {
                return list;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("the alerts never were so")
}

fn fires(list: &AlertList) -> bool {
    list.alerts.iter().any(|alert| alert.rule == "host-unreachable" && alert.state == AlertState::Firing)
}

fn receipt<'a>(list: &'a AlertList, destination: &str) -> Option<&'a Delivery> {
    list.deliveries.iter().find(|delivery| delivery.destination == destination)
}

#[tokio::test]
async fn a_killed_host_is_one_message_and_one_when_it_is_back_also_if_the_server_restarts() {
    let mut inbox = Inbox::start(0).await;
    let home = Home::new();
    let folder = home.path().join("gpu-1");
    let host = HostProcess::start(&folder);
    let address = host.url.clone();
    let webhook = format!("[[alerts.webhook]]\nname = 'ops'\nurl = '{}/hook/s3cret'\n", inbox.url);
    let configuration = configuration(&address, &webhook);
    let server = home.serve_by(home.configured(&configuration));
    let params = json!({"symbol": "ACME", "timeframe": "1h", "source": "synthetic", "rows_per_second": 1});
    let operation = server.start("data.load", params).await;
    let mut feed = server.follow(0).await;
    feed.until(|op| op.id == operation.id && op.state == protocol::State::Running).await;
    host.kill();

    let (_, firing) = inbox.next().await;
    assert_eq!((&firing["status"], &firing["alerts"][0]["host"]), (&json!("firing"), &json!("gpu-1")));
    assert_eq!(firing["title"], "Firing: gpu-1 is unreachable");
    assert_eq!(firing["alerts"][0]["operations"], json!([operation.id]), "the operations that it affects");
    let listed = list(&server, |list| {
        fires(list) && receipt(list, "ops").is_some_and(|of| of.state == DeliveryState::Delivered)
    })
    .await;
    let alert = &listed.alerts[0];
    assert_eq!((alert.sentence.as_str(), alert.operations.len()), ("gpu-1 is unreachable.", 1));
    assert!(!alert.action.is_empty() && alert.fired_at.is_some_and(|at| at <= listed.now));

    server.kill();
    let server = home.serve_by(home.configured(&configuration));
    let after = list(&server, fires).await;
    assert_eq!(after.alerts[0].fired_at, alert.fired_at, "it did not fire again");

    let _host = HostProcess::start_at(&folder, address.strip_prefix("http://").unwrap());
    let (_, resolved) = inbox.next().await;
    assert_eq!((&resolved["status"], &resolved["group"]), (&json!("resolved"), &firing["group"]));
    let over = list(&server, |list| {
        !fires(list) && receipt(list, "ops").is_some_and(|of| of.state == DeliveryState::Delivered)
    })
    .await;
    let resolved: Vec<_> = over.recent.iter().filter(|alert| alert.rule == "host-unreachable").collect();
    assert!(resolved.len() == 1 && resolved[0].resolved_at.is_some(), "{resolved:?}");
    assert!(inbox.messages.try_recv().is_err(), "no further message");
}

#[tokio::test]
async fn a_webhook_that_fails_is_tried_again_and_a_redirect_is_not_followed() {
    let mut inbox = Inbox::start(2).await;
    let home = Home::new();
    let webhooks = format!(
        "[[alerts.webhook]]\nname = 'flaky'\nurl = '{0}/hook/s3cret'\npause = 0.01\nformat = 'slack'\n\
         [[alerts.webhook]]\nname = 'moved'\nurl = '{0}/moved/s3cret'\npause = 0.01\n\
         [[alerts.webhook]]\nname = 'away'\nurl = 'http://127.0.0.1:9/s3cret'\npause = 0.01\ntries = 3\n",
        inbox.url
    );
    let server = home.serve_by(home.configured(&configuration("http://127.0.0.1:9", &webhooks)));
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (id, message) = inbox.next().await;
        assert!(message["text"].as_str().unwrap().starts_with("*Firing: gpu-1 is unreachable*"), "{message}");
        ids.push(id);
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "the receiver can recognize a repetition: {ids:?}");
    let ended = |list: &AlertList| {
        let ended = |of: &&Delivery| of.state != DeliveryState::Waiting;
        list.deliveries.iter().filter(ended).count() == 3
    };
    let list = list(&server, ended).await;
    let of = |name: &str| {
        let receipt = receipt(&list, name).unwrap();
        (receipt.state, receipt.tries, receipt.status)
    };
    assert_eq!(of("flaky"), (DeliveryState::Delivered, 3, Some(200)));
    assert_eq!(of("moved"), (DeliveryState::GaveUp, 1, Some(302)));
    assert_eq!(of("away"), (DeliveryState::GaveUp, 3, None));
    assert!(inbox.messages.try_recv().is_err(), "the redirect was not followed");
    for path in [paths::ALERTS, paths::ALERT_RULES] {
        let text =
            http_client().get(format!("{}{path}", server.url)).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_silence_holds_back_messages_until_it_is_ended() {
    let mut inbox = Inbox::start(0).await;
    let home = Home::new();
    let webhook = format!("[[alerts.webhook]]\nname = 'ops'\nurl = '{}/hook/s3cret'\n", inbox.url);
    let folder = home.path().join("gpu-1");
    let host = HostProcess::start(&folder);
    let server = home.serve_by(home.configured(&configuration(&host.url, &webhook)));
    server.host_up().await;
    let silence = |body: Value| {
        http_client().post(format!("{}{}", server.url, paths::ALERT_SILENCES)).json(&body).send()
    };
    let until = Time::now().plus_micros(3_600_000_000);
    for (wrong, reason) in [
        (json!({"host": "gpu-1", "reason": " ", "until": until}), "reason"),
        (json!({"host": "gpu-1", "reason": "maintenance", "until": "2020-01-01T00:00:00Z"}), "until"),
        (json!({"rule": "nothing", "reason": "maintenance", "until": until}), "no rule named 'nothing'"),
    ] {
        let response = silence(wrong).await.unwrap();
        assert_eq!(response.status(), 400);
        let problem: Problem = response.json().await.unwrap();
        assert!(problem.detail.contains(reason), "{}", problem.detail);
    }
    let response = silence(json!({"host": "gpu-1", "reason": "maintenance", "until": until})).await.unwrap();
    assert_eq!(response.status(), 201);
    let created: Silence = response.json().await.unwrap();
    host.kill();
    let silenced = list(&server, fires).await;
    assert_eq!(silenced.alerts[0].silence.as_ref(), Some(&created.id));
    assert!(silenced.deliveries.is_empty() && inbox.messages.try_recv().is_err());
    let quiet = summary(&server, |alerts| alerts.revision > 0 && alerts.firing == 0).await;
    server.pool.delete(&paths::alert_silence(&created.id)).await.unwrap();
    assert_eq!(inbox.next().await.1["status"], "firing");
    let loud = summary(&server, |alerts| alerts.firing == 1).await;
    assert!(loud.revision > quiet.revision && loud.severity == Some(Severity::Critical));
    let newest = server.pool.get::<AlertList>(paths::ALERTS).await.unwrap();
    assert!(newest.revision >= loud.revision);
    let again = http_client().delete(format!("{}{}", server.url, paths::alert_silence(&created.id)));
    assert_eq!(again.send().await.unwrap().status(), 404);

    let audit: AuditPage = server.pool.get("/api/v1/audit").await.unwrap();
    let entries: Vec<_> = audit.entries.iter().map(|entry| (entry.action, entry.detail.clone())).collect();
    let detail = format!("host gpu-1, until {until}: maintenance");
    assert_eq!(entries[..2], [(Action::EndSilence, detail.clone()), (Action::SilenceAlerts, detail)]);
}

#[tokio::test]
async fn rules_can_be_listed_and_tested_but_not_without_a_history() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let rules: RuleList = server.pool.get(paths::ALERT_RULES).await.unwrap();
    let memory = rules.rules.iter().find(|status| status.rule.name == "memory-high").unwrap();
    assert!(memory.enabled && memory.sentence.starts_with("Fires when memory usage of a host is above"));
    let dry_run = |rule: Value| {
        http_client()
            .post(format!("{}{}", server.url, paths::ALERT_DRY_RUN))
            .json(&json!({"rule": rule, "days": 7}))
            .send()
    };
    let response = dry_run(serde_json::to_value(&memory.rule).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let answer: protocol::alerts::DryRun = response.json().await.unwrap();
    assert_eq!((answer.count, answer.firings.len()), (0, 0));
    assert_eq!(answer.sentence, "The rule would not have fired in the last 7 d.");
    let refused =
        dry_run(json!({"name": "away", "metric": "host.unreachable", "threshold": 0.5})).await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("has no history"));
}

#[tokio::test]
async fn the_command_line_lists_alerts_and_rules_and_silences_them() {
    let home = Home::new();
    let server = home.serve_by(home.configured(&configuration("http://127.0.0.1:9", "")));
    list(&server, fires).await;
    let signalbox = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        without_home(&mut command);
        let output = command.arg("alerts").args(arguments).args(["--server", &server.url]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let text = signalbox(&[]);
    assert!(text.contains("firing") && text.contains("gpu-1 is unreachable."), "{text}");
    let json: AlertList = serde_json::from_str(&signalbox(&["-o", "json"])).unwrap();
    assert!(fires(&json));
    assert!(signalbox(&["-o", "csv"]).starts_with("rule,state,severity,host,"));
    assert!(signalbox(&["rules"]).contains("Fires when a host is unreachable"));
    let id =
        signalbox(&["silence", "--host", "gpu-1", "--for", "2h", "--reason", "maintenance", "-o", "name"]);
    let silenced = list(&server, |list| !list.silences.is_empty()).await;
    assert_eq!(
        (silenced.silences[0].id.as_str(), silenced.silences[0].reason.as_str()),
        (id.trim(), "maintenance")
    );
    signalbox(&["unsilence", id.trim()]);
    assert!(list(&server, |_| true).await.silences.is_empty());
}
