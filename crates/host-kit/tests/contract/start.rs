//! Starting: once, in order, with valid parameters, within capacity.

use crate::rig::{Rig, problem};
use protocol::host::{About, HostEventBody, HostOperation, HostOperations, HostState, Outcome};
use protocol::{OperationId, ProblemType};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_starts_of_one_attempt_run_it_once() {
    let rig = Rig::with(|host| host.capacity(100)).await;
    let id = OperationId::new();
    let asks = (0..30).map(|_| rig.ask(id, 1, json!({"manner": "obey"})));
    let answers = futures::future::join_all(asks).await;
    let accepted = answers.iter().filter(|answer| answer.status() == 202).count();
    let known = answers.iter().filter(|answer| answer.status() == 200).count();
    assert_eq!((accepted, known), (1, 29));
    for answer in answers {
        let operation: HostOperation = answer.json().await.unwrap();
        assert_eq!((operation.id, operation.attempt), (id, 1));
    }
    rig.cancel(id, 1, 10_000).await;
    rig.until_ended(id).await;
    assert_eq!(rig.ask(id, 1, json!({"manner": "obey"})).await.status(), 200, "also after its end");
    assert_eq!(rig.stage.runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_newer_attempt_stops_the_older_one_and_starts_after_it() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "obey"})).await;
    rig.until_running(id).await;

    let refused = rig.ask(id, 2, json!({"manner": "succeed"})).await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(problem(refused).await.kind, ProblemType::Conflict);
    assert_eq!(rig.end_of(id).await.0, Outcome::Cancelled);

    assert_eq!(rig.ask(id, 2, json!({"manner": "obey"})).await.status(), 202);
    let older = rig.ask(id, 1, json!({"manner": "succeed"})).await;
    assert!(!older.headers().contains_key("retry-after"), "there is no use in trying again");
    assert_eq!(problem(older).await.kind, ProblemType::Conflict);
    let operation = rig.show(id).await;
    assert_eq!(operation.attempt, 2);
    assert_ne!(operation.state, HostState::Ended);
}

#[tokio::test]
async fn invalid_params_are_rejected_with_a_message_for_each() {
    let rig = Rig::new().await;
    let refused = async |params: Value| {
        let answer = rig.ask(OperationId::new(), 1, params).await;
        assert_eq!(answer.status(), 422);
        let problem = problem(answer).await;
        assert_eq!(problem.kind, ProblemType::BadParams);
        problem.fields
    };
    let fields = refused(json!({"manner": "sucseed", "count": 0, "nots": "x"})).await;
    let names: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(names, ["nots", "manner", "count"]);
    assert!(fields[0].message.contains("Did you mean 'note'?"));

    let fields = refused(json!({"manner": "succeed", "note": "forbidden"})).await;
    assert_eq!((fields[0].field.as_str(), fields[0].message.as_str()), ("note", "This note is forbidden."));
    assert_eq!(rig.stage.runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn missing_params_get_their_defaults() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "succeed"})).await;
    let (_, _, result) = rig.end_of(id).await;
    assert_eq!(result.unwrap().document["count"], 10);
}

#[tokio::test]
async fn an_unreadable_request_gets_a_problem_document() {
    let rig = Rig::new().await;
    let kind = json!({"id": OperationId::new(), "attempt": 1, "kind": "test.other", "params": {}});
    let refusal = problem(rig.post("/operations", &kind).send().await.unwrap()).await;
    assert_eq!(refusal.kind, ProblemType::UnknownKind);
    assert!(refusal.detail.contains("test.probe"), "{refusal}");

    let answer = rig.get("/operations").send().await.unwrap();
    assert_eq!(answer.json::<HostOperations>().await.unwrap().operations.len(), 0);

    let text = rig.client.post(format!("{}/operations", rig.base)).body("{\"id\": 7").send().await.unwrap();
    assert_eq!(problem(text).await.status, 400);
    let zero = rig.ask(OperationId::new(), 0, json!({"manner": "succeed"})).await;
    assert_eq!(problem(zero).await.status, 400);
    let large = rig.ask(OperationId::new(), 1, json!({"note": "x".repeat(1100 * 1024)})).await;
    assert_eq!(problem(large).await.kind, ProblemType::TooLarge);
    let check_panics = rig.ask(OperationId::new(), 1, json!({"manner": "succeed", "note": "panic"})).await;
    assert_eq!(problem(check_panics).await.status, 500);

    for (path, status) in [
        ("/nothing", 404),
        ("/artifacts/nothing", 404),
        ("/operations/0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d", 404),
        ("/operations/0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d/result", 404),
        ("/operations/seven", 400),
        ("/events?after=first", 400),
        ("/events?instance=mine", 400),
        ("/events?wait=soon", 400),
    ] {
        assert_eq!(problem(rig.get(path).send().await.unwrap()).await.status, status, "{path}");
    }
    let deleted = rig.client.delete(format!("{}/about", rig.base)).send().await.unwrap();
    assert_eq!(problem(deleted).await.status, 405);
}

#[tokio::test]
async fn a_full_host_says_so_and_frees_the_slot_with_the_reported_end() {
    let rig = Rig::with(|host| host.capacity(1)).await;
    for _ in 0..25 {
        let first = rig.start(json!({"manner": "finish"})).await;
        let full = rig.ask(OperationId::new(), 1, json!({"manner": "succeed"})).await;
        assert_eq!(full.headers()["retry-after"], "1");
        assert_eq!(problem(full).await.kind, ProblemType::HostFull);
        rig.stage.gate.open();
        // `start` asserts that the next one is accepted at the first try.
        rig.until_ended(first).await;
    }
}

#[tokio::test]
async fn the_newest_ended_attempts_are_kept_with_their_results() {
    let rig = Rig::with(|host| host.keep_ended(2)).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = rig.start(json!({"manner": "succeed"})).await;
        rig.until_ended(id).await;
        ids.push(id);
    }
    // The last end is reported just before the oldest is forgotten; one more start and end follows.
    let running = rig.start(json!({"manner": "finish"})).await;
    rig.until_running(running).await;
    let early = rig.get(&format!("/operations/{running}/result")).send().await.unwrap();
    assert_eq!(problem(early).await.kind, ProblemType::Conflict);
    assert_eq!(rig.show(ids[2]).await.outcome, Some(Outcome::Succeeded));
    let result: Value =
        rig.get(&format!("/operations/{}/result", ids[1])).send().await.unwrap().json().await.unwrap();
    assert_eq!(result["document"]["count"], 10);
    assert_eq!(result["tags"][0], "synthetic");
    let forgotten = rig.get(&format!("/operations/{}", ids[0])).send().await.unwrap();
    assert_eq!(forgotten.status(), 404);
}

#[tokio::test]
async fn about_and_the_list_describe_the_host_and_its_attempts() {
    let rig = Rig::with(|host| host.capacity(7)).await;
    let about: About = rig.get("/about").send().await.unwrap().json().await.unwrap();
    assert_eq!((about.name.as_str(), about.version.as_str(), about.capacity), ("probe", "1.2.3", 7));
    assert_eq!(about.kinds[0].params["properties"]["count"]["default"], 10);

    let id = rig.start(json!({"manner": "obey"})).await;
    rig.until_running(id).await;
    let list: HostOperations = rig.get("/operations").send().await.unwrap().json().await.unwrap();
    assert_eq!(list.instance, about.instance);
    assert_eq!((list.operations[0].id, list.operations[0].state), (id, HostState::Running));
    rig.cancel(id, 1, 10_000).await;
    let feed = rig.poll(&format!("after={}&wait=20s", list.seq)).await;
    assert!(matches!(feed.events[0].body, HostEventBody::Acknowledged), "the list was true at its seq");
}
