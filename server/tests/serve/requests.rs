//! Requests over the API besides starts: own commands, bulk cancels, abandon, drain.

use crate::process::{Home, http_client};
use pool::{PoolError, Repeat};
use protocol::api::{CancelledMany, HostStatus};
use protocol::results::ExecResult;
use protocol::{Operation, State};
use serde_json::{Value, json};

#[tokio::test]
async fn a_configured_command_is_a_kind_and_its_result_is_stored() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    let commands = r#"
        [exec.count]
        title = "Count"
        command = ["seq", "1", "{to}"]
        [exec.count.params.to]
        type = "integer"
        min = 1
        max = 100
        default = 3
    "#;
    // By default, the file in the data folder is used.
    std::fs::write(home.path().join("data/exec.toml"), commands).unwrap();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let operation = server.start("exec.count", json!({"to": 5})).await;
    let ended = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    let result: ExecResult =
        serde_json::from_value(server.detail(operation.id).await.result.unwrap().document).unwrap();
    assert_eq!((result.exit_code, result.command.last().map(String::as_str)), (Some(0), Some("5")));
    let logs: protocol::api::LogPage =
        server.pool.get(&format!("/api/v1/operations/{}/logs", operation.id)).await.unwrap();
    assert!(logs.lines.iter().any(|l| l.text == "5"), "{:?}", logs.lines);
}

#[tokio::test]
async fn an_invalid_command_table_is_reported_when_the_server_starts() {
    let home = Home::new();
    let path = home.path().join("commands.toml");
    std::fs::write(&path, "[exec.x]\ncomand = ['true']").unwrap();
    let stderr = home.fails(&["--exec", path.to_str().unwrap()]);
    assert!(stderr.contains("commands.toml") && stderr.contains("comand"), "{stderr}");
}

#[tokio::test]
async fn many_are_cancelled_by_one_request_and_an_invalid_one_changes_nothing() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let mut ids = Vec::new();
    for symbol in ["AAA", "BBB", "CCC"] {
        ids.push(server.load(symbol, Some(50)).await.id);
    }
    let cancel = |body: Value| {
        let pool = server.pool.clone();
        async move {
            pool.post::<_, CancelledMany>("/api/v1/operations/cancel", &body, Repeat::Never).await.map(
                |(status, outcome)| {
                    assert_eq!(status, 202);
                    outcome
                },
            )
        }
    };
    for wrong in
        [json!({}), json!({"ids": [], "filter": ""}), json!({"filter": "state=runing"}), json!({"all": true})]
    {
        let error = cancel(wrong.clone()).await.unwrap_err();
        assert!(matches!(error, PoolError::Status { status: 400 | 422, .. }), "{wrong}: {error}");
    }
    assert_eq!(cancel(json!({"filter": "q=BBB", "reason": "no use"})).await.unwrap().requested, [ids[1]]);
    let outcome = cancel(json!({"ids": ids})).await.unwrap();
    assert!(outcome.requested.contains(&ids[0]) && outcome.requested.contains(&ids[2]), "{outcome:?}");
    for id in &ids {
        if server.detail(*id).await.operation.state != State::Cancelled {
            feed.until(|o| o.id == *id && o.state == State::Cancelled).await;
        }
    }
    feed.assert_gapless();
}

#[tokio::test]
async fn a_reachable_operation_is_cancelled_and_not_abandoned() {
    let home = Home::new();
    let server = home.serve(&[]);
    let operation = server.load("AAA", Some(50)).await;
    let path = format!("/api/v1/operations/{}/abandon", operation.id);
    let error = server.pool.post::<_, Operation>(&path, &json!({}), Repeat::Never).await.unwrap_err();
    assert!(
        matches!(error, PoolError::Status { status: 409, .. })
            && error.to_string().contains("Cancel the operation"),
        "{error}"
    );
}

#[tokio::test]
async fn a_host_is_drained_and_undrained() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let ask = |what: &'static str| {
        let pool = server.pool.clone();
        async move {
            pool.post::<_, HostStatus>(&format!("/api/v1/hosts/{what}"), &json!({}), Repeat::Never).await
        }
    };
    assert!(ask("local/drain").await.unwrap().1.draining);
    assert!(!ask("local/undrain").await.unwrap().1.draining);
    for unknown in ["nobody/drain", "No%20Body/drain"] {
        assert!(matches!(ask(unknown).await.unwrap_err(), PoolError::Status { status: 404, .. }));
    }
}

#[tokio::test]
async fn the_audit_log_of_an_operation_survives_a_restart() {
    use protocol::api::AuditPage;
    use protocol::{Action, Via};
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let operation = server.load("AAA", Some(50)).await;
    let path = format!("/api/v1/operations/{}", operation.id);
    let cancel = json!({"reason": "wrong symbol"});
    let (_, _): (u16, Operation) =
        server.pool.post(&format!("{path}/cancel"), &cancel, Repeat::Never).await.unwrap();
    feed.until(|o| o.id == operation.id && o.state == State::Cancelled).await;
    // Refused requests change nothing and have no audit entry.
    server
        .pool
        .post::<_, Operation>(&format!("{path}/cancel"), &cancel, Repeat::Never)
        .await
        .expect_err("it has ended");
    let (_, _): (u16, Operation) =
        server.pool.post(&format!("{path}/retry"), &json!(null), Repeat::Never).await.unwrap();
    let (_, _): (u16, HostStatus) =
        server.pool.post("/api/v1/hosts/local/drain", &json!(null), Repeat::Never).await.unwrap();

    let wanted = [(Action::Start, 1, ""), (Action::Cancel, 1, "wrong symbol"), (Action::Retry, 2, "")];
    let check = async |server: &crate::process::Server| {
        let audit = server.detail(operation.id).await.audit;
        let outcome: Vec<_> =
            audit.iter().map(|e| (e.action, e.attempt.unwrap(), e.detail.as_str())).collect();
        assert_eq!(outcome, wanted);
        for entry in &audit {
            assert_eq!((entry.by.via, entry.by.address.as_deref()), (Via::Program, Some("127.0.0.1")));
        }
        let all: AuditPage = server.pool.get("/api/v1/audit?limit=500").await.unwrap();
        let drain = all.entries.iter().find(|e| e.action == Action::Drain).unwrap();
        assert_eq!(drain.host.as_ref().map(|h| h.as_str()), Some("local"));
        assert!(all.entries.iter().any(|e| e.action == Action::Configure), "{all:?}");
        all
    };
    let before = check(&server).await;
    server.kill();
    let server = home.serve(&[]);
    let after = check(&server).await;
    // The same configuration as before is no change.
    assert_eq!(before.entries.len(), after.entries.len());

    // Page by page, it is the same.
    let mut page: AuditPage = server.pool.get("/api/v1/audit?limit=2").await.unwrap();
    let mut paged = page.entries.clone();
    while let Some(next) = page.next {
        page = server.pool.get(&format!("/api/v1/audit?limit=2&before={next}")).await.unwrap();
        paged.extend(page.entries.clone());
    }
    assert_eq!(paged, after.entries);
}

#[tokio::test]
async fn ended_operations_are_deleted_and_others_rejected() {
    use protocol::EventBody;
    use protocol::api::Deleted;
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let short = server.load("AAA", None).await;
    feed.until(|o| o.id == short.id && o.state.ended()).await;
    let long = server.load("BBB", Some(50)).await;
    let client = http_client();
    let delete = async |id: &str| {
        client.delete(format!("{}/api/v1/operations/{id}", server.url)).send().await.unwrap()
    };
    let refused = delete(&long.id.to_string()).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("Cancel it first"));
    let gone = delete(&short.id.to_string()).await;
    assert_eq!(gone.status(), 200);
    assert_eq!(gone.json::<Deleted>().await.unwrap(), Deleted { deleted: 1, ..Deleted::default() });
    loop {
        if let EventBody::Deleted { id, state } = feed.next().await.body {
            assert_eq!((id, state), (short.id, State::Succeeded));
            break;
        }
    }
    for unknown in [short.id.to_string(), "7".to_owned()] {
        assert_eq!(delete(&unknown).await.status(), 404);
    }
    let many = |body: Value| {
        let pool = server.pool.clone();
        async move { pool.post::<_, Deleted>("/api/v1/operations/delete", &body, Repeat::Never).await }
    };
    let empty_values =
        ["kind=", "parent=", "param.n=", "host=&state="].map(|filter| json!({"filter": filter}));
    let wrong = [json!({}), json!({"ids": [], "filter": ""}), json!({"filter": "state=runing"})];
    for wrong in wrong.into_iter().chain(empty_values) {
        let error = many(wrong.clone()).await.unwrap_err();
        assert!(matches!(error, PoolError::Status { status: 400, .. }), "{wrong}: {error}");
    }
    let outcome = many(json!({"ids": [long.id]})).await.unwrap().1;
    assert_eq!(outcome, Deleted { refused: 1, ..Deleted::default() });
    server.ask(long.id, "cancel").await;
    feed.until(|o| o.id == long.id && o.state.ended()).await;
    let would = many(json!({"filter": "kind=data.load", "dry_run": true})).await.unwrap().1;
    assert_eq!((would.deleted, would.refused, would.until.is_some()), (1, 0, true));
    let outcome = many(json!({"filter": "kind=data.load", "until": would.until})).await.unwrap().1;
    assert_eq!(outcome, Deleted { deleted: 1, ..Deleted::default() });
    feed.assert_gapless();
}

#[tokio::test]
async fn a_start_with_a_misspelled_field_is_rejected() {
    let home = Home::new();
    let server = home.serve(&[]);
    for wrong in ["parms", "rul", "Priority"] {
        let start =
            json!({"kind": "data.load", "params": {"symbol": "ACME", "source": "synthetic"}, wrong: 1});
        let answer = server.pool.post::<_, Value>("/api/v1/operations", &start, Repeat::Never).await;
        let PoolError::Status { status: 400, problem: Some(problem), .. } = answer.unwrap_err() else {
            panic!("{wrong}")
        };
        assert!(problem["detail"].as_str().unwrap().contains(wrong), "{problem}");
    }
    let page: Value = server.pool.get("/api/v1/operations").await.unwrap();
    assert_eq!(page["operations"], json!([]));
}
