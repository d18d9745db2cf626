//! Shutdown: the work ends first, then the streams, then the listener.

use crate::rig::{Rig, patiently, problem};
use protocol::host::{HostEventBody, Outcome};
use protocol::{FailureReason, OperationId, ProblemType};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_shutdown_stops_the_work_reports_its_end_and_closes_the_streams() {
    let rig = Rig::new().await;
    let id = rig.start(json!({"manner": "obey"})).await;
    let mut stream = rig.stream("after=0", None).await;
    assert!(matches!(stream.record().await.unwrap().body, HostEventBody::Running));
    rig.shutdown.cancel();
    let end = stream.record().await.unwrap();
    let HostEventBody::Ended { outcome, failure: Some(failure), .. } = end.body else { panic!("{end:?}") };
    assert_eq!((end.id, outcome, failure.reason), (id, Outcome::Failed, FailureReason::HostStopped));
    assert!(stream.next().await.is_none(), "the stream ends");
    patiently(rig.serving).await.unwrap().unwrap();
    assert!(rig.client.get(format!("{}/about", rig.base)).send().await.is_err(), "the listener is closed");
}

#[tokio::test]
async fn a_host_that_shuts_down_accepts_cancels_but_no_starts() {
    let rig = Rig::with(|host| host.stop_grace(Duration::from_secs(60))).await;
    let id = rig.start(json!({"manner": "obey_late"})).await;
    let mut stream = rig.stream("after=0", None).await;
    assert!(matches!(stream.record().await.unwrap().body, HostEventBody::Running));
    rig.shutdown.cancel();
    // The host has begun to shut down when it is no longer ready.
    patiently(async {
        while rig.get("/health").send().await.unwrap().json::<serde_json::Value>().await.unwrap()["ready"]
            == true
        {}
    })
    .await;
    let refused = rig.ask(OperationId::new(), 1, json!({"manner": "succeed"})).await;
    assert_eq!(refused.headers()["retry-after"], "5");
    assert_eq!(problem(refused).await.kind, ProblemType::Unavailable);
    assert_eq!(rig.cancel(id, 1, 60_000).await.status(), 202);
    rig.stage.gate.open();
    let mut last = None;
    while let Some(record) = stream.record().await {
        last = Some(record.body);
    }
    assert!(matches!(last, Some(HostEventBody::Ended { outcome: Outcome::Cancelled, .. })), "{last:?}");
    patiently(rig.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn work_that_ignores_the_shutdown_is_aborted_after_the_grace_period() {
    let rig = Rig::with(|host| host.stop_grace(Duration::ZERO)).await;
    let id = rig.start(json!({"manner": "ignore"})).await;
    rig.until_running(id).await;
    let mut stream = rig.stream("after=1", None).await;
    rig.shutdown.cancel();
    let end = stream.record().await.unwrap();
    assert!(matches!(end.body, HostEventBody::Ended { outcome: Outcome::Failed, .. }), "{end:?}");
    rig.stage.dropped.passed().await;
    patiently(rig.serving).await.unwrap().unwrap();
}
