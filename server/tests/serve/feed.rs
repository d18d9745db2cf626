//! The feed as others read it: streams that resume, polls of the same records, an orderly end.

use crate::process::{Home, PATIENCE};
use protocol::State;
use protocol::api::EventsPage;
use std::time::Duration;

#[tokio::test]
async fn a_stream_resumes_where_it_was_left_without_gap_or_duplicate() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut whole = server.follow(0).await;
    let operation = server.load("ACME", Some(20_000)).await;
    // Another reader comes and goes again and again.
    let mut pieces: Vec<u64> = Vec::new();
    let mut at = 0;
    let mut ended = false;
    while !ended {
        let mut piece = server.follow(at).await;
        for _ in 0..7 {
            let event = piece.next().await;
            if let protocol::EventBody::Operation { operation: o } = &event.body
                && o.id == operation.id
                && o.state.ended()
            {
                ended = true;
                break;
            }
        }
        piece.assert_gapless();
        at = piece.last();
        pieces.extend(piece.read);
    }
    whole.until(|o| o.id == operation.id && o.state == State::Succeeded).await;
    whole.assert_gapless();
    assert!(pieces.windows(2).all(|w| w[0] < w[1]), "no event came twice over all connections");
}

#[tokio::test]
async fn a_poll_gives_the_records_of_the_stream() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut stream = server.follow(0).await;
    let operation = server.load("ACME", None).await;
    let mut polled: Vec<u64> = Vec::new();
    let (mut after, mut over) = (0, false);
    while !over {
        let page: EventsPage =
            server.pool.get(&format!("/api/v1/events?after={after}&wait=10s")).await.unwrap();
        assert!(page.next >= after && page.reset.is_none());
        over = page.events.iter().any(|e| match &e.body {
            protocol::EventBody::Operation { operation: o } => o.id == operation.id && o.state.ended(),
            _ => false,
        });
        polled.extend(page.events.iter().map(|e| e.seq));
        after = page.next;
    }
    stream.until(|o| o.id == operation.id && o.state.ended()).await;
    let last = stream.last();
    polled.retain(|seq| *seq <= last);
    assert_eq!(polled, stream.read);
    // With nothing new it answers at the end of its patience, empty-handed.
    let head: EventsPage = server.pool.get("/api/v1/events?after=0&wait=0s").await.unwrap();
    assert!(head.next >= last);
    // A place that was never given asks for a new snapshot.
    let far: EventsPage = server.pool.get("/api/v1/events?after=99999999&wait=0s").await.unwrap();
    assert!(far.reset.is_some());
}

#[tokio::test]
async fn a_stream_can_follow_one_operation() {
    let home = Home::new();
    let server = home.serve(&[]);
    // Another one tells of itself meanwhile.
    server.load("ONE", Some(5_000)).await;
    let second = server.load("TWO", None).await;
    let path = format!("/api/v1/events?after=0&operation={}", second.id);
    let mut stream = server.pool.stream(&path, None, PATIENCE, PATIENCE).await.unwrap();
    loop {
        let message = stream.next().await.unwrap().unwrap();
        if message.event == "message" || message.event.is_empty() {
            let event: protocol::Event = serde_json::from_str(&message.data).unwrap();
            assert_eq!(event.operation(), Some(second.id));
            if matches!(&event.body, protocol::EventBody::Operation { operation } if operation.state.ended())
            {
                break;
            }
        }
    }
}

#[tokio::test]
async fn nothing_between_us_and_the_reader_is_asked_to_hold_events_back() {
    let home = Home::new();
    let server = home.serve(&[]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{}/api/v1/events", server.url)).header("accept-encoding", "gzip, br");
    let answer = request.send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
    assert_eq!(header("cache-control").as_deref(), Some("no-cache, no-transform"));
    assert_eq!(header("content-encoding"), None, "packing would hold events back");
}

#[tokio::test]
async fn streams_end_when_the_server_stops_and_do_not_keep_it() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let mut stream = server.follow(0).await;
    stream.next().await;
    let stopping = tokio::task::spawn_blocking(move || server.stop());
    while tokio::time::timeout(PATIENCE, stream.try_next()).await.unwrap().is_some() {}
    let status = tokio::time::timeout(Duration::from_secs(30), stopping).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    stream.assert_gapless();
}
