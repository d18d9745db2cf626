//! Alert rules that users make, on the real server: checked, durable, audited, evaluated at once.

use crate::alerts::{Inbox, list};
use crate::process::{Home, Server, http_client};
use protocol::alerts::{AlertList, AlertState, DeliveryState, RuleList, RuleOrigin, RuleStatus};
use protocol::api::AuditPage;
use protocol::{Action, Problem, paths};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// Server with a host that is never reachable, and one rule of the configuration file.
const CONFIGURATION: &str = "[[host]]\nname = 'gpu-1'\nurl = 'http://127.0.0.1:9'\n\
     [alerts]\ninterval = 0.1\ngroup_wait = 0\n\
     [[alerts.rule]]\nname = 'host-unreachable'\nenabled = false\n\
     [[alerts.rule]]\nname = 'of-the-file'\nmetric = 'cpu.busy_ratio'\nthreshold = 0.9\n";

/// Rule that fires at once for the host.
fn rule(name: &str) -> Value {
    json!({"name": name, "metric": "host.unreachable", "threshold": 0.5, "severity": "info"})
}

async fn send(server: &Server, method: Method, path: &str, body: Option<Value>) -> Response {
    let request = http_client().request(method, format!("{}{path}", server.url));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.unwrap()
}

async fn add(server: &Server, body: Value) -> Response {
    send(server, Method::POST, paths::ALERT_RULES, Some(body)).await
}

async fn change(server: &Server, name: &str, rule: Value, revision: u64) -> Response {
    let body = json!({"rule": rule, "enabled": true, "revision": revision});
    send(server, Method::PUT, &paths::alert_rule(name), Some(body)).await
}

async fn remove(server: &Server, name: &str, revision: u64) -> Response {
    send(server, Method::DELETE, &paths::alert_rule_at(name, revision), None).await
}

/// Status and problem of a rejected request.
async fn rejected(response: Response) -> (u16, Problem) {
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn status(server: &Server, name: &str) -> Option<RuleStatus> {
    let rules: RuleList = server.pool.get(paths::ALERT_RULES).await.unwrap();
    rules.rules.into_iter().find(|status| status.rule.name == name)
}

fn fires(list: &AlertList, rule: &str) -> bool {
    list.alerts.iter().any(|alert| alert.rule == rule && alert.state == AlertState::Firing)
}

fn is_resolved(list: &AlertList, rule: &str) -> bool {
    !list.alerts.iter().any(|alert| alert.rule == rule) && list.recent.iter().any(|alert| alert.rule == rule)
}

#[tokio::test]
async fn a_rule_of_a_user_fires_is_changed_and_deleted_and_survives_a_kill() {
    let mut inbox = Inbox::start(0).await;
    let home = Home::new();
    let webhook = format!("[[alerts.webhook]]\nname = 'ops'\nurl = '{}/hook/s3cret'\n", inbox.url);
    let configuration = format!("{CONFIGURATION}{webhook}");
    let server = home.serve_by(home.configured(&configuration));
    let before: AlertList = server.pool.get(paths::ALERTS).await.unwrap();

    let created = add(&server, json!({"rule": rule("away")})).await;
    assert_eq!(created.status(), 201);
    let created: RuleStatus = created.json().await.unwrap();
    assert!(created.enabled && created.origin == RuleOrigin::Page && created.revision > 0);
    let firing = list(&server, |list| fires(list, "away")).await;
    assert!(firing.rules_revision > before.rules_revision, "pages notice that the rules changed");
    assert_eq!(inbox.next().await.1["status"], "firing");
    let fired_at = firing.alerts[0].fired_at;
    // A notification whose delivery is not stored yet would be sent again.
    let is_stored = |list: &AlertList| list.deliveries.iter().all(|of| of.state == DeliveryState::Delivered);
    list(&server, is_stored).await;

    server.kill();
    let server = home.serve_by(home.configured(&configuration));
    assert_eq!(status(&server, "away").await.map(|status| status.revision), Some(created.revision));
    let after = list(&server, |list| fires(list, "away")).await;
    assert_eq!(after.alerts[0].fired_at, fired_at, "it did not fire again");

    // By the new threshold, an unreachable host is no reason to fire.
    let mut higher = rule("away");
    higher["threshold"] = json!(1.5);
    let changed: RuleStatus = change(&server, "away", higher, created.revision).await.json().await.unwrap();
    assert!(changed.revision > created.revision && changed.changed.is_some());
    list(&server, |list| is_resolved(list, "away")).await;
    assert_eq!(inbox.next().await.1["status"], "resolved");

    // An editor who has read the first definition overwrites nothing.
    let (code, problem) = rejected(change(&server, "away", rule("away"), created.revision).await).await;
    assert!(code == 409 && problem.detail.contains("changed in the meantime"), "{problem:?}");
    let (code, problem) = rejected(remove(&server, "away", created.revision).await).await;
    assert!(code == 409 && problem.detail.contains("Load the current rule"), "{problem:?}");
    assert_eq!(status(&server, "away").await.map(|status| status.rule.threshold), Some(1.5));

    // Switched off and deleted while it fires: both ends are told.
    let again: RuleStatus =
        change(&server, "away", rule("away"), changed.revision).await.json().await.unwrap();
    assert_eq!(inbox.next().await.1["status"], "firing");
    let off = json!({"rule": rule("away"), "enabled": false, "revision": again.revision});
    let off = send(&server, Method::PUT, &paths::alert_rule("away"), Some(off)).await;
    let off: RuleStatus = off.json().await.unwrap();
    assert!(!off.enabled);
    assert_eq!(inbox.next().await.1["status"], "resolved");
    let on: RuleStatus = change(&server, "away", rule("away"), off.revision).await.json().await.unwrap();
    assert_eq!(inbox.next().await.1["status"], "firing");
    assert_eq!(remove(&server, "away", on.revision).await.status(), 204);
    let (_, resolved) = inbox.next().await;
    assert_eq!((&resolved["status"], &resolved["alerts"][0]["rule"]), (&json!("resolved"), &json!("away")));
    assert_eq!(status(&server, "away").await, None);
    let list: AlertList = server.pool.get("/api/v1/alerts").await.unwrap();
    assert!(list.alerts.iter().all(|alert| alert.rule != "away"));
    let ended = &list.recent[0];
    assert!(ended.rule == "away" && ended.resolved_at.is_some(), "{ended:?}");
    assert_eq!(remove(&server, "away", on.revision).await.status(), 404);

    let audit: AuditPage = server.pool.get("/api/v1/audit").await.unwrap();
    let actions: Vec<(Action, &str)> = audit
        .entries
        .iter()
        .map(|entry| (entry.action, entry.detail.as_str()))
        .filter(|(action, _)| *action != Action::Configure)
        .collect();
    assert_eq!(actions.len(), 6, "{actions:?}");
    assert_eq!(actions[0], (Action::RemoveAlertRule, "away"));
    assert_eq!(actions[2], (Action::ChangeAlertRule, "away: switched off"));
    assert_eq!(actions[4], (Action::ChangeAlertRule, "away: threshold 0.5 → 1.5"));
    assert_eq!(actions[5].0, Action::AddAlertRule);
}

#[tokio::test]
async fn names_are_unique_and_invalid_rules_are_rejected_with_their_field() {
    let home = Home::new();
    let server = home.serve_by(home.configured(CONFIGURATION));
    assert_eq!(add(&server, json!({"rule": rule("away"), "enabled": false})).await.status(), 201);
    for name in ["away", "memory-high", "of-the-file"] {
        let (code, problem) = rejected(add(&server, json!({"rule": rule(name)})).await).await;
        assert_eq!((code, problem.fields[0].field.as_str()), (409, "name"), "{problem:?}");
    }
    let invalid = [
        (json!({"name": "Away!"}), "name"),
        (json!({"metric": "host.nothing.*"}), "metric"),
        (json!({"recovery": 0.9}), "recovery"),
        (json!({"for_seconds": -1}), "for_seconds"),
        (json!({"kinds": ["data.load"]}), "kinds"),
    ];
    for (wrong, field) in invalid {
        let mut rule = rule("another");
        rule.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let (code, problem) = rejected(add(&server, json!({"rule": rule})).await).await;
        assert_eq!((code, problem.fields[0].field.as_str()), (422, field), "{problem:?}");
    }
    assert_eq!(change(&server, "nothing", rule("nothing"), 0).await.status(), 404);
    assert_eq!(change(&server, "away", rule("other"), 1).await.status(), 400);
    assert_eq!(status(&server, "another").await, None);
}

#[tokio::test]
async fn a_built_in_rule_is_overridden_and_reset_and_a_rule_of_the_file_stays() {
    let home = Home::new();
    let server = home.serve_by(home.configured(CONFIGURATION));
    let built_in = status(&server, "memory-high").await.unwrap();
    assert_eq!((built_in.origin, built_in.revision), (RuleOrigin::Default, 0));
    let (code, problem) = rejected(remove(&server, "memory-high", 0).await).await;
    assert!(code == 409 && problem.detail.contains("Switch it off"), "{problem:?}");

    let mut higher = serde_json::to_value(&built_in.rule).unwrap();
    higher["threshold"] = json!(0.98);
    let mut other = higher.clone();
    other["metric"] = json!("swap.used_ratio");
    let (code, problem) = rejected(change(&server, "memory-high", other, 0).await).await;
    assert_eq!((code, problem.fields[0].field.as_str()), (422, "metric"));
    let overridden: RuleStatus = change(&server, "memory-high", higher, 0).await.json().await.unwrap();
    assert_eq!((overridden.origin, overridden.rule.threshold), (RuleOrigin::Overridden, 0.98));
    assert_eq!(overridden.built_in.as_ref(), Some(&built_in.rule));
    assert_eq!(remove(&server, "memory-high", overridden.revision).await.status(), 204);
    assert_eq!(status(&server, "memory-high").await, Some(built_in));

    for name in ["of-the-file", "host-unreachable"] {
        let of_file = status(&server, name).await.unwrap();
        assert!(of_file.defined_in.ends_with(".toml"), "{}", of_file.defined_in);
        let rule = serde_json::to_value(&of_file.rule).unwrap();
        let (code, problem) = rejected(change(&server, name, rule, 0).await).await;
        assert!(code == 409 && problem.detail.contains(&of_file.defined_in), "{problem:?}");
        assert_eq!(remove(&server, name, 0).await.status(), 409);
    }
}
