//! How attempts end without a cancel, and what they report.

use crate::rig::{Rig, problem};
use protocol::host::{HostEventBody, Outcome};
use protocol::{FailureReason, OperationId};
use serde_json::json;

#[tokio::test]
async fn a_panic_is_a_failure_with_its_message_and_the_host_continues() {
    let rig = Rig::with(|host| host.capacity(1)).await;
    let id = rig.start(json!({"manner": "panic"})).await;
    let (outcome, failure, _) = rig.end_of(id).await;
    let failure = failure.unwrap();
    assert_eq!((outcome, failure.reason), (Outcome::Failed, FailureReason::Panic));
    assert!(failure.message.contains("the spring broke"), "{failure:?}");
    let next = rig.start(json!({"manner": "succeed"})).await;
    assert_eq!(rig.end_of(next).await.0, Outcome::Succeeded);
}

#[tokio::test]
async fn a_failure_has_the_message_of_the_work() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "fail"})).await;
    let (outcome, failure, _) = rig.end_of(id).await;
    let failure = failure.unwrap();
    assert_eq!((outcome, failure.reason), (Outcome::Failed, FailureReason::Work));
    assert_eq!((failure.message.as_str(), failure.hint.as_str()), ("The disk is full.", "Free some space."));
}

#[tokio::test]
async fn nothing_is_cancelled_without_a_request() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "pretend"})).await;
    let (outcome, failure, _) = rig.end_of(id).await;
    assert_eq!((outcome, failure.unwrap().reason), (Outcome::Failed, FailureReason::Work));
}

#[tokio::test]
async fn an_oversized_result_is_a_failure_that_says_so() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "too_large"})).await;
    let (outcome, failure, _) = rig.end_of(id).await;
    assert_eq!(outcome, Outcome::Failed);
    assert!(failure.unwrap().message.contains("the limit of 262144"));
}

#[tokio::test]
async fn an_attempt_ends_only_after_everything_it_started() {
    let rig = Rig::with(|host| host.capacity(1)).await;
    let id = rig.start(json!({"manner": "leave"})).await;
    rig.until_running(id).await;
    assert_eq!(rig.ask(OperationId::new(), 1, json!({"manner": "succeed"})).await.status(), 429);
    rig.stage.let_threads_go();
    let bodies = rig.until_ended(id).await;
    let [.., HostEventBody::Log { lines }, HostEventBody::Ended { outcome, .. }] = bodies.as_slice() else {
        panic!("the thread's last report, then the end: {bodies:?}")
    };
    assert_eq!((lines[0].text.as_str(), *outcome), ("the thread ends", Outcome::Succeeded));
}

#[tokio::test]
async fn all_reports_of_a_work_precede_its_end_in_the_feed() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "count", "count": 3000})).await;
    let bodies = rig.until_ended(id).await;
    let (mut points, mut lines, mut progress, mut checkpoint, mut fraction) = (0, 0, None, None, 0.0);
    for body in bodies {
        match body {
            HostEventBody::Points { series } => {
                for point in series.iter().flat_map(|s| &s.points) {
                    points += 1;
                    assert_eq!((point.0, point.1), (f64::from(points), f64::from(points * 2)));
                }
            }
            HostEventBody::Log { lines: more } => {
                for line in more {
                    lines += 1;
                    assert_eq!((line.n, line.text), (lines, format!("tick {lines}")));
                }
            }
            HostEventBody::Progress { progress: newer } => {
                let now = newer.fraction.unwrap_or(0.0);
                assert!(now >= fraction);
                fraction = now;
                progress = Some(newer);
            }
            HostEventBody::Checkpoint { checkpoint: newer } => checkpoint = Some(newer),
            _ => {}
        }
    }
    assert_eq!((points, lines), (3000, 3000));
    let progress = progress.unwrap();
    assert_eq!(
        (progress.done, progress.total, progress.fraction),
        (3000, Some(3000), Some(0.5)),
        "half of two phases"
    );
    assert_eq!(progress.phase.as_ref().map(|phase| (phase.index, phase.of)), Some((1, Some(2))));
    assert_eq!(rig.show(id).await.progress, Some(progress));

    let body = json!({"id": id, "attempt": 2, "kind": "test.probe", "params": {"manner": "succeed"}, "resume_from": checkpoint});
    assert_eq!(rig.post("/operations", &body).send().await.unwrap().status(), 202);
    let resumed = rig
        .until(id, |body| matches!(body, HostEventBody::Ended { result: Some(result), .. } if !result.document["resumed"].is_null()))
        .await;
    let Some(HostEventBody::Ended { result: Some(result), .. }) = resumed.last() else { panic!("it ended") };
    assert_eq!(result.document["resumed"], json!({"count": 3000}));
}

#[tokio::test]
async fn an_attempt_that_never_began_may_be_started_again_unless_cancelled() {
    let rig = Rig::with(|host| host.capacity(1)).await;
    let id = rig.start(json!({"manner": "not_started"})).await;
    let (outcome, failure, _) = rig.end_of(id).await;
    assert_eq!((outcome, failure.unwrap().message.as_str()), (Outcome::NotStarted, "No spring answers."));
    // Its number can be used again, and its slot is free.
    let again = rig.ask(id, 1, json!({"manner": "not_started"})).await;
    assert_eq!(again.status(), 202);
    let ended = |events: &[protocol::host::HostEvent]| {
        events.iter().filter(|e| matches!(e.body, HostEventBody::Ended { .. })).count() == 2
    };
    while !ended(&rig.poll("after=0&wait=1s").await.events) {}
    assert_eq!(problem(rig.cancel(id, 1, 1_000).await).await.status, 404);
    assert_eq!(rig.ask(id, 1, json!({"manner": "succeed"})).await.status(), 409);
}
