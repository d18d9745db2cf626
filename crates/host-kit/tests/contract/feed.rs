//! Following the feed: by stream and by poll, from any position, without gaps or repetitions.

use crate::rig::{Rig, patiently, problem};
use protocol::InstanceId;
use protocol::host::{HostBeat, HostEventBody};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_broken_stream_resumes_by_last_event_id_without_gap_or_duplicate() {
    let rig = Rig::with(|host| host.capacity(8)).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(rig.start(json!({"manner": "count", "count": 5000})).await);
    }
    let (mut last, mut ended) = (0, 0);
    // A new connection after every few records, until all have ended.
    'streams: for few in [1, 3, 2, 7].into_iter().cycle() {
        let mut stream = rig.stream("after=999999", Some(last)).await;
        for _ in 0..few {
            let record = stream.record().await.expect("the stream goes on");
            assert_eq!(record.seq, last + 1);
            last = record.seq;
            if matches!(record.body, HostEventBody::Ended { .. }) {
                ended += 1;
                if ended == ids.len() {
                    break 'streams;
                }
            }
        }
    }
    assert_eq!(rig.poll(&format!("after={last}")).await.events, []);
}

#[tokio::test]
async fn an_idle_stream_sends_hello_and_heartbeats() {
    let rig = Rig::with(|host| host.beat(Duration::from_millis(20))).await;
    let mut stream = rig.stream("after=0", None).await;
    let headers = stream.response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-cache, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    let hello = stream.next().await.unwrap();
    assert_eq!((hello.event.as_deref(), hello.id), (Some("hello"), None));
    let beat: HostBeat = serde_json::from_str(&hello.data).unwrap();
    assert_eq!((beat.head, beat.beat_seconds), (0, 0.02));
    for _ in 0..3 {
        let message = stream.next().await.unwrap();
        assert_eq!((message.event.as_deref(), message.id), (Some("beat"), None));
    }
    let id = rig.start(json!({"manner": "succeed"})).await;
    assert_eq!(stream.record().await.unwrap().id, id);
}

#[tokio::test]
async fn a_poll_waits_for_events_and_returns_at_once_when_there_are_some() {
    let rig = Rig::new().await;
    let empty = rig.poll("after=0").await;
    assert!(!empty.reset && empty.events.is_empty() && empty.head == 0);
    // The poll is sent first, so that it is usually waiting when the operation starts.
    let poll = rig.poll("after=0&wait=30s");
    let start = rig.start(json!({"manner": "obey"}));
    let (feed, id) = patiently(async { tokio::join!(poll, start) }).await;
    assert_eq!((feed.events[0].seq, feed.events[0].id), (1, id));
    assert!(feed.head >= 1);
    let nothing = rig.poll(&format!("after={}&wait=30ms&instance={}", feed.head, feed.instance)).await;
    assert!(!nothing.reset && nothing.events.is_empty());
}

#[tokio::test]
async fn a_poll_response_is_bounded_and_the_next_one_continues() {
    let rig = Rig::with(|host| host.capacity(1)).await;
    let ended = async {
        for _ in 0..400 {
            let id = rig.start(json!({"manner": "succeed"})).await;
            while rig.show(id).await.outcome.is_none() {
                tokio::task::yield_now().await;
            }
        }
        // Each ran and ended, and a last one began.
        let last = rig.start(json!({"manner": "count", "count": 100000})).await;
        rig.until_ended(last).await;
    };
    patiently(ended).await;
    let mut after = 0;
    loop {
        let feed = rig.poll(&format!("after={after}")).await;
        assert!(feed.events.len() <= 1_000);
        if feed.events.is_empty() {
            assert_eq!(after, feed.head);
            break;
        }
        for event in feed.events {
            assert_eq!(event.seq, after + 1);
            after = event.seq;
        }
    }
    assert!(after > 1_000, "{after} were enough for a second answer");
}

#[tokio::test]
async fn a_position_outside_the_feed_gets_a_reset() {
    let rig = Rig::with(|host| host.ring(4, 1 << 20)).await;
    let id = rig.start(json!({"manner": "count", "count": 100})).await;
    while rig.show(id).await.outcome.is_none() {
        tokio::task::yield_now().await;
    }
    // The outcome is visible just before the end is reported.
    let head = patiently(async {
        loop {
            let feed = rig.poll("after=0").await;
            assert!(feed.reset, "the beginning is no longer held");
            let tail = rig.poll(&format!("after={}", feed.head - 1)).await;
            if matches!(tail.events[0].body, HostEventBody::Ended { .. }) {
                break feed.head;
            }
        }
    })
    .await;
    assert!(head > 4);
    assert!(rig.poll(&format!("after={}", head - 5)).await.reset);
    assert_eq!(rig.poll(&format!("after={}", head - 4)).await.events.len(), 4);
    assert!(!rig.poll(&format!("after={head}")).await.reset);
    assert!(rig.poll(&format!("after={}", head + 1)).await.reset, "past the head");
    let other = InstanceId::new();
    assert!(rig.poll(&format!("after={head}&instance={other}")).await.reset, "another life of the host");

    for query in [format!("after={}", head + 1), "after=0".into(), format!("after={head}&instance={other}")] {
        let mut stream = rig.stream(&query, None).await;
        assert_eq!(stream.next().await.unwrap().event.as_deref(), Some("hello"));
        let reset = stream.next().await.unwrap();
        assert_eq!((reset.event.as_deref(), reset.id), (Some("reset"), Some(head)));
        assert_eq!(serde_json::from_str::<HostBeat>(&reset.data).unwrap().head, head);
    }
    // After a reset, the stream continues from the head that it named.
    let mut stream = rig.stream("after=0", None).await;
    stream.next().await.unwrap();
    stream.next().await.unwrap();
    let next = rig.start(json!({"manner": "succeed"})).await;
    let record = stream.record().await.unwrap();
    assert_eq!((record.seq, record.id), (head + 1, next));
}

#[tokio::test]
async fn a_wait_in_seconds_or_milliseconds_is_accepted_and_others_are_explained() {
    let rig = Rig::new().await;
    for wait in ["500ms", "0.01s", "0"] {
        assert_eq!(rig.poll(&format!("wait={wait}")).await.events, [], "{wait}");
    }
    for wait in ["soon", "-1s", "inf", ""] {
        let refusal = problem(rig.get(&format!("/events?wait={wait}")).send().await.unwrap()).await;
        assert!(
            refusal.status == 400 && refusal.detail.contains("25s or 500ms"),
            "{wait}: {}",
            refusal.detail
        );
    }
}

#[tokio::test]
async fn query_values_are_percent_decoded() {
    let rig = Rig::new().await;
    let feed = rig.poll("after=%30&wait=1%30ms").await;
    assert!(!feed.reset && feed.events.is_empty());
}
