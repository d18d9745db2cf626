//! Cancelling: asked, then aborted, and reported as stopped only when it has.

use crate::rig::{Rig, problem};
use protocol::host::{CancelAck, HostEventBody, HostState, Outcome};
use protocol::{OperationId, ProblemType};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Names of the reports, without progress and the like.
fn flush_loop(bodies: &[HostEventBody]) -> Vec<&'static str> {
    bodies
        .iter()
        .filter_map(|body| match body {
            HostEventBody::Running => Some("running"),
            HostEventBody::Acknowledged => Some("acknowledged"),
            HostEventBody::Stopped => Some("stopped"),
            HostEventBody::Log { lines } if lines[0].text == "the thread ends" => Some("thread ends"),
            HostEventBody::Ended { outcome: Outcome::Cancelled, .. } => Some("cancelled"),
            HostEventBody::Ended { .. } => Some("ended otherwise"),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn work_that_checks_its_token_stops_and_is_cancelled() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "obey"})).await;
    rig.until_running(id).await;
    let answer = rig.cancel(id, 1, 60_000).await;
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.json::<CancelAck>().await.unwrap().state, HostState::Stopping);
    let bodies = rig.until_ended(id).await;
    assert_eq!(flush_loop(&bodies), ["running", "acknowledged", "stopped", "cancelled"]);

    let again = rig.cancel(id, 1, 60_000).await;
    assert_eq!(again.status(), 202);
    assert_eq!(again.json::<CancelAck>().await.unwrap().state, HostState::Ended);
    let left = rig.get(&format!("/operations/{id}/result")).send().await.unwrap();
    assert_eq!(problem(left).await.status, 404);
}

#[tokio::test]
async fn a_repeated_cancel_is_one_cancel() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "obey_late"})).await;
    rig.until_running(id).await;
    for _ in 0..3 {
        assert_eq!(rig.cancel(id, 1, 60_000).await.status(), 202);
    }
    assert_eq!(rig.show(id).await.state, HostState::Stopping);
    rig.stage.gate.open();
    assert_eq!(flush_loop(&rig.until_ended(id).await), ["running", "acknowledged", "stopped", "cancelled"]);
}

#[tokio::test]
async fn work_that_ignores_its_token_is_aborted_before_it_is_reported_stopped() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "ignore"})).await;
    rig.until_running(id).await;
    rig.cancel(id, 1, 60_000).await;
    // The shorter deadline counts.
    rig.cancel(id, 1, 0).await;
    let bodies = rig.until(id, |body| matches!(body, HostEventBody::Stopped)).await;
    assert_eq!(flush_loop(&bodies), ["running", "acknowledged", "stopped"]);
    rig.stage.dropped.passed().await;
    assert_eq!(rig.end_of(id).await.0, Outcome::Cancelled);
}

#[tokio::test]
async fn a_thread_that_ignores_its_token_is_not_reported_stopped_while_it_runs() {
    let rig = Rig::with(|host| host.capacity(1)).await;
    let id = rig.start(json!({"manner": "block"})).await;
    rig.until_running(id).await;
    rig.cancel(id, 1, 0).await;
    // The async part was aborted; the thread still runs and keeps the slot.
    rig.stage.dropped.passed().await;
    assert_eq!(rig.show(id).await.state, HostState::Stopping);
    assert_eq!(rig.ask(OperationId::new(), 1, json!({"manner": "succeed"})).await.status(), 429);
    rig.stage.let_threads_go();
    let bodies = rig.until_ended(id).await;
    assert_eq!(flush_loop(&bodies), ["running", "acknowledged", "thread ends", "stopped", "cancelled"]);
}

#[tokio::test]
async fn work_that_finishes_despite_its_cancel_has_succeeded() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "finish"})).await;
    rig.until_running(id).await;
    rig.cancel(id, 1, 60_000).await;
    rig.stage.gate.open();
    let (outcome, failure, result) = rig.end_of(id).await;
    assert_eq!((outcome, failure), (Outcome::Succeeded, None));
    assert!(result.is_some());
}

#[tokio::test]
async fn a_cancel_of_an_unknown_attempt_is_rejected() {
    let rig = Rig::new().await;
    assert_eq!(problem(rig.cancel(OperationId::new(), 1, 0).await).await.kind, ProblemType::NotFound);
    let id = OperationId::new();
    assert_eq!(rig.ask(id, 2, json!({"manner": "obey"})).await.status(), 202);
    assert_eq!(problem(rig.cancel(id, 1, 0).await).await.kind, ProblemType::Conflict);
    assert_eq!(problem(rig.cancel(id, 3, 0).await).await.kind, ProblemType::NotFound);
    assert_ne!(rig.show(id).await.state, HostState::Stopping);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_concurrent_starts_and_cancels_leave_every_history_in_order() {
    let rig = Rig::with(|host| host.capacity(1000)).await;
    let concurrent = (0..120).map(async |i: u32| {
        let id = OperationId::new();
        let manner = ["succeed", "count", "obey", "ignore", "panic", "fail"][i as usize % 6];
        let params = json!({"manner": manner, "count": 500});
        let (first, second) = tokio::join!(rig.ask(id, 1, params.clone()), rig.ask(id, 1, params));
        let statuses = BTreeSet::from([first.status().as_u16(), second.status().as_u16()]);
        assert_eq!(statuses, BTreeSet::from([200, 202]));
        tokio::join!(rig.cancel(id, 1, u64::from(i % 3)), rig.cancel(id, 1, 5));
        id
    });
    let ids: BTreeSet<_> = futures::future::join_all(concurrent).await.into_iter().collect();
    let mut trails: BTreeMap<OperationId, Vec<&str>> = BTreeMap::new();
    let (mut after, mut ended) = (0, 0);
    while ended < ids.len() {
        let feed = rig.poll(&format!("after={after}&wait=20s")).await;
        for event in &feed.events {
            after = event.seq;
            ended += usize::from(matches!(event.body, HostEventBody::Ended { .. }));
            trails.entry(event.id).or_default().extend(flush_loop(std::slice::from_ref(&event.body)));
        }
    }
    assert_eq!(rig.poll(&format!("after={after}")).await.events, [], "nothing comes after the last end");
    assert_eq!(trails.len(), ids.len());
    for (id, flush_loop) in trails {
        // Cancelled before it ran, cancelled while it ran, ended otherwise before or after the cancel arrived.
        let known = [
            "acknowledged stopped cancelled",
            "running acknowledged stopped cancelled",
            "running ended otherwise",
            "running acknowledged ended otherwise",
        ];
        assert!(known.contains(&flush_loop.join(" ").as_str()), "{id}: {flush_loop:?}");
    }
    let free: protocol::host::Health = rig.get("/health").send().await.unwrap().json().await.unwrap();
    assert_eq!((free.running, free.free), (0, 1000));
}

#[tokio::test]
async fn a_start_after_its_cancel_is_rejected_but_not_the_next_attempt() {
    let rig = Rig::new().await;
    let id = OperationId::new();
    assert_eq!(problem(rig.cancel(id, 1, 1_000).await).await.status, 404);
    let late = rig.ask(id, 1, json!({"manner": "succeed"})).await;
    assert!(!late.headers().contains_key("retry-after"), "there is no use in trying again");
    let refused = problem(late).await;
    assert_eq!(refused.kind, ProblemType::CancelledBeforeStart);
    assert!(refused.detail.contains("cancelled before its start request arrived"), "{refused}");
    assert_eq!(rig.ask(id, 2, json!({"manner": "obey"})).await.status(), 202);
    // The attempt after the next is cancelled while this one is here.
    rig.until_running(id).await;
    assert_eq!(problem(rig.cancel(id, 3, 1_000).await).await.status, 404);
    assert_eq!(rig.cancel(id, 2, 1_000).await.status(), 202);
    rig.until_ended(id).await;
    assert_eq!(
        problem(rig.ask(id, 3, json!({"manner": "succeed"})).await).await.kind,
        ProblemType::CancelledBeforeStart
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_concurrent_start_and_cancel_have_one_consistent_outcome() {
    let rig = Rig::with(|host| host.capacity(100)).await;
    for _ in 0..50 {
        let id = OperationId::new();
        let (start, cancel) =
            tokio::join!(rig.ask(id, 1, json!({"manner": "obey"})), rig.cancel(id, 1, 1_000));
        match (start.status().as_u16(), cancel.status().as_u16()) {
            (202, 202) => {
                rig.until_ended(id).await;
            }
            (409, 404) => {}
            other => panic!("{other:?}"),
        }
    }
}
