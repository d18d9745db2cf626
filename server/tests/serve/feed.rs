//! Feed as clients read it: resumed streams, polls of the same records, an orderly end.

use crate::process::{Home, PATIENCE, Server, http_client};
use protocol::State;
use protocol::api::EventsPage;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_stream_resumes_without_gap_or_duplicate() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut whole = server.follow(0).await;
    let operation = server.load("ACME", Some(20_000)).await;
    // A reader reconnects again and again.
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
async fn a_poll_returns_the_records_of_the_stream() {
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
    // Without events, it returns empty after its wait.
    let head: EventsPage = server.pool.get("/api/v1/events?after=0&wait=0s").await.unwrap();
    assert!(head.next >= last);
    // A number that was never used requires a new snapshot.
    let far: EventsPage = server.pool.get("/api/v1/events?after=99999999&wait=0s").await.unwrap();
    assert!(far.reset.is_some());
}

#[tokio::test]
async fn a_stream_can_follow_one_operation() {
    let home = Home::new();
    let server = home.serve(&[]);
    // Another operation reports progress in the meantime.
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
async fn responses_ask_proxies_not_to_buffer_events() {
    let home = Home::new();
    let server = home.serve(&[]);
    let client = http_client();
    let request = client.get(format!("{}/api/v1/events", server.url)).header("accept-encoding", "gzip, br");
    let answer = request.send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
    assert_eq!(header("cache-control").as_deref(), Some("no-cache, no-transform"));
    assert_eq!(header("content-encoding"), None, "packing would hold events back");
}

#[tokio::test]
async fn streams_end_at_shutdown_and_do_not_delay_it() {
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

/// Sends a request on its own connection, and reads until all of `wanted` came, in order.
async fn exchange_raw(server: &Server, raw_request: &str, wanted: &[&str]) -> (TcpStream, String) {
    let address = server.url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(raw_request.replace("HOST", address).as_bytes()).await.unwrap();
    let mut received = String::new();
    let listening = async {
        let mut some = [0; 4_096];
        loop {
            let mut rest = received.as_str();
            let all = wanted.iter().all(|word| match rest.split_once(word) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            });
            if all {
                return;
            }
            let n = connection.read(&mut some).await.unwrap();
            assert!(n > 0, "it ended after: {received}");
            received.push_str(&String::from_utf8_lossy(&some[..n]));
        }
    };
    tokio::time::timeout(PATIENCE, listening).await.expect("not all of it came");
    (connection, received)
}

#[tokio::test]
async fn a_stream_can_follow_other_responses_on_its_connection_and_head_requests_work() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let both = "GET /healthz HTTP/1.1\r\nhost: HOST\r\n\r\nGET /api/v1/events?after=0 HTTP/1.1\r\nhost: HOST\r\n\r\n";
    let wanted =
        ["HTTP/1.1 200", "HTTP/1.1 200", "text/event-stream", "event: hello", "id: 1\n", "event: beat"];
    let (_, received) = exchange_raw(&server, both, &wanted).await;
    assert!(received.contains("x-content-type-options"), "the head is that of the routes: {received}");
    let old = "GET /api/v1/events?after=0 HTTP/1.0\r\nhost: HOST\r\n\r\n";
    let (_, received) = exchange_raw(&server, old, &["event: hello", "id: 1\n"]).await;
    assert!(!received.to_lowercase().contains("chunked"), "{received}");
    let head =
        "HEAD /api/v1/events HTTP/1.1\r\nhost: HOST\r\n\r\nGET /healthz HTTP/1.1\r\nhost: HOST\r\n\r\n";
    let (_, received) = exchange_raw(&server, head, &["text/event-stream", "HTTP/1.1 200"]).await;
    assert!(!received.contains("event: hello"), "{received}");
    let lost = "GET /api/v1/events?after=99999999 HTTP/1.1\r\nhost: HOST\r\n\r\n";
    let (mut connection, _) = exchange_raw(&server, lost, &["event: hello", "event: reset"]).await;
    assert_eq!(connection.read_to_end(&mut Vec::new()).await.unwrap_or_default(), 0, "and then it ends");
}

#[tokio::test]
async fn a_closed_reader_is_no_longer_counted() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let streams = async || {
        let metrics = server.pool.get_bytes("/metrics").await.unwrap().1;
        let metrics = String::from_utf8(metrics.to_vec()).unwrap();
        let line = metrics.lines().find(|line| line.starts_with("signalbox_streams ")).unwrap();
        line.split(' ').nth(1).unwrap().parse::<f64>().unwrap()
    };
    let ask = "GET /api/v1/events HTTP/1.1\r\nhost: HOST\r\n\r\n";
    let (connection, _) = exchange_raw(&server, ask, &["event: hello"]).await;
    assert!(streams().await >= 1.0);
    drop(connection);
    let gone = async {
        while streams().await > 0.0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("it is still counted");
}

#[tokio::test]
async fn an_empty_last_event_id_is_the_same_as_none() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    for empty in ["Last-Event-ID:\r\n", "Last-Event-ID: \r\n"] {
        // The query string applies then, too.
        let ask = format!("GET /api/v1/events?after=0 HTTP/1.1\r\nhost: HOST\r\n{empty}\r\n");
        let (_, received) = exchange_raw(&server, &ask, &["HTTP/1.1 200", "event: hello", "id: 1\n"]).await;
        assert!(received.contains("text/event-stream"), "{received}");
    }
    let wrong = "GET /api/v1/events HTTP/1.1\r\nhost: HOST\r\nLast-Event-ID: seven\r\n\r\n";
    exchange_raw(&server, wrong, &["HTTP/1.1 400", "'seven'"]).await;
}

#[tokio::test]
async fn a_stream_over_http_2_is_the_same() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let client =
        https_client::builder(&https_client::Tls::default()).http2_prior_knowledge().build().unwrap();
    let mut answer = client.get(format!("{}/api/v1/events?after=0", server.url)).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let mut received = String::new();
    while !received.contains("id: 1\n") {
        let chunk = tokio::time::timeout(PATIENCE, answer.chunk()).await.unwrap().unwrap().unwrap();
        received.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(received.starts_with("event: hello"), "{received}");
}

/// Header with the position in the feed that a response reflects.
async fn place_of(server: &Server, path: &str) -> Option<u64> {
    let raw_request = format!("GET {path} HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n");
    let (_connection, answer) = exchange_raw(server, &raw_request, &["\r\n\r\n"]).await;
    let lines = answer.split("\r\n");
    let header = lines.filter_map(|line| line.split_once(": "));
    header
        .into_iter()
        .find(|(name, _)| *name == protocol::api::FEED_SEQ)
        .and_then(|(_, seq)| seq.parse().ok())
}

#[tokio::test]
async fn a_response_and_the_events_after_its_number_are_complete() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let id = server.load("ACME", Some(20_000)).await.id;
    let path = format!("/api/v1/operations/{id}/series?points=20000");
    let count = |series: &[protocol::Points]| -> std::collections::BTreeSet<(String, u64)> {
        let of = |s: &protocol::Points| {
            s.points.iter().map(|p| (s.name.clone(), p.0.to_bits())).collect::<Vec<_>>()
        };
        series.iter().flat_map(of).collect()
    };
    // Requested repeatedly while it runs, each time as close to an event as possible.
    let (mut answers, mut later) = (Vec::new(), Vec::new());
    loop {
        let event = feed.next().await;
        match &event.body {
            protocol::EventBody::Points { id: of, series, .. } if *of == id => {
                later.push((event.seq, count(series)));
                answers.push(server.pool.get::<protocol::api::SeriesAnswer>(&path).await.unwrap());
            }
            protocol::EventBody::Operation { operation } if operation.id == id && operation.state.ended() => {
                break;
            }
            _ => {}
        }
    }
    assert!(answers.len() > 1);
    let last: protocol::api::SeriesAnswer = server.pool.get(&path).await.unwrap();
    for answer in answers {
        assert_eq!(answer.attempt, 1);
        let mut joined = count(&answer.series);
        for (_, points) in later.iter().filter(|(seq, _)| *seq > answer.seq) {
            joined.extend(points.iter().cloned());
        }
        assert_eq!(joined, count(&last.series), "joined at {}", answer.seq);
    }
    // All API responses have the number in the same header.
    for path in ["operations", "operations/counts", "activity", "audit", "hosts", "kinds", "snapshot"] {
        let seq = place_of(&server, &format!("/api/v1/{path}")).await;
        assert!(seq.is_some_and(|seq| seq >= feed.last()), "{path}: {seq:?}");
    }
}

#[tokio::test]
async fn a_wait_in_seconds_or_milliseconds_is_accepted_and_others_are_explained() {
    let home = Home::new();
    let server = home.serve(&[]);
    for wait in ["500ms", "0.01s", "0", "1%30ms"] {
        let head: EventsPage =
            server.pool.get(&format!("/api/v1/events?after=0&wait={wait}")).await.expect(wait);
        assert!(head.reset.is_none(), "{wait}");
    }
    let client = http_client();
    for wait in ["soon", "-1s", "inf", ""] {
        let answer = client.get(format!("{}/api/v1/events?wait={wait}", server.url)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400, "{wait}");
        let problem: protocol::Problem = answer.json().await.unwrap();
        assert!(problem.detail.contains("25s or 500ms"), "{wait}: {}", problem.detail);
    }
}
