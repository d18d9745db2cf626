//! Request limits: a client that reaches one gets a response that says so or loses its connection, and all others are
//! served.

use crate::access::{Caller, SHARED};
use crate::process::{Home, PATIENCE, Server};
use futures::future::join_all;
use pool::Tls;
use protocol::access::Role;
use protocol::{Problem, ProblemType, paths};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Address of the clients that reach limits.
const GREEDY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Server with limits that also apply to loopback addresses.
fn limited(home: &Home, limits: &str) -> Server {
    let file = format!("token = '{SHARED}'\n[request_limits]\nexempt_addresses = ['192.0.2.7']\n{limits}\n");
    home.serve_by(home.configured(&file))
}

/// Client with the address [`GREEDY`].
fn greedy_client() -> Client {
    https_client::builder(&Tls::default()).local_address(IpAddr::V4(GREEDY)).build().unwrap()
}

/// Connection from [`GREEDY`] that has sent some bytes.
async fn greedy_connection(server: &Server, bytes: &str) -> TcpStream {
    let at: SocketAddr = server.url.trim_start_matches("http://").parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((GREEDY, 0).into()).unwrap();
    let mut stream = socket.connect(at).await.unwrap();
    // The server may have closed it.
    let _ = stream.write_all(bytes.as_bytes()).await;
    stream
}

/// Everything that the server sends until it closes the connection.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset is an end, too: the server does not read the rest.
    let _ = read.expect("the connection stays open");
    String::from_utf8(answer).unwrap()
}

/// How often a limit was reached.
async fn reached(admin: &Caller, limit: &str) -> u64 {
    let text = admin.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    let sample = format!("signalbox_limits_reached_total{{limit=\"{limit}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&sample));
    line.expect(&text).parse().unwrap()
}

/// Checks a response to a request beyond a limit.
async fn assert_too_many(answer: Response, limit: &str) {
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds: u32 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds >= 1);
    let problem: Problem = answer.json().await.unwrap();
    assert_eq!(problem.kind, ProblemType::TooManyRequests);
    assert!(problem.detail.contains(limit), "{problem:?}");
}

async fn stream_of(caller: &Caller) -> Response {
    let request = caller.request(Method::GET, paths::EVENTS).header("accept", "text/event-stream");
    request.send().await.unwrap()
}

#[tokio::test]
async fn slow_clients_lose_their_connection_and_others_are_served() {
    let home = Home::new();
    let server = limited(&home, "header_timeout = 0.5\nbody_timeout = 0.5");
    let admin = Caller::new(&server, Some(SHARED));
    let slow_head = "GET /api/v1/snapshot HTTP/1.1\r\nhost: 127.0.0.1\r\naccept:";
    let slow = join_all((0..100).map(|_| greedy_connection(&server, slow_head))).await;
    assert_eq!(admin.status(Method::GET, paths::SNAPSHOT).await, 200);
    for answer in join_all(slow.into_iter().map(until_closed)).await {
        assert_eq!(answer, "");
    }
    assert_eq!(reached(&admin, "header_timeout").await, 100);

    let host = server.url.trim_start_matches("http://");
    for (path, credential) in [
        (paths::OPERATIONS, format!("authorization: Bearer {SHARED}\r\ncontent-type: application/json")),
        ("/sign-in", "content-type: application/x-www-form-urlencoded".to_owned()),
    ] {
        let slow_body =
            format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n{credential}\r\ncontent-length: 900\r\n\r\n{{");
        let answer = until_closed(greedy_connection(&server, &slow_body).await).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("/problems/request-timeout") && answer.contains("body_timeout"), "{answer}");
    }
    assert_eq!(reached(&admin, "body_timeout").await, 2);

    let large = format!("GET / HTTP/1.1\r\nhost: {host}\r\nx-large: {}\r\n\r\n", "x".repeat(100_000));
    let answer = until_closed(greedy_connection(&server, &large).await).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(reached(&admin, "max_header_bytes").await, 1);
    assert_eq!(admin.status(Method::GET, paths::SNAPSHOT).await, 200);
}

#[tokio::test]
async fn a_flood_of_connections_from_one_address_leaves_others_alone() {
    let home = Home::new();
    let server = limited(&home, "connections_per_address = 8");
    let admin = Caller::new(&server, Some(SHARED));
    let mut flood = join_all((0..200).map(|_| greedy_connection(&server, ""))).await;
    assert_eq!(admin.status(Method::GET, paths::SNAPSHOT).await, 200);
    let mut served = 0;
    for stream in &mut flood {
        let request = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
        let mut answer = [0; 12];
        let asked = async {
            stream.write_all(request).await?;
            stream.read_exact(&mut answer).await
        };
        if asked.await.is_ok() {
            assert_eq!(&answer, b"HTTP/1.1 200");
            served += 1;
        }
    }
    assert_eq!(served, 8);
    assert_eq!(reached(&admin, "connections_per_address").await, 192);
    drop(flood);
    let again =
        async { while greedy_client().get(format!("{}/healthz", server.url)).send().await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.expect("closed connections count for ever");
}

#[tokio::test]
async fn many_streams_of_one_token_leave_others_alone() {
    let home = Home::new();
    let server = limited(&home, "streams = 3");
    let admin = Caller::new(&server, Some(SHARED));
    let greedy = Caller::new(&server, Some(&admin.create("greedy", Role::Viewer).await.secret));
    let modest = Caller::new(&server, Some(&admin.create("modest", Role::Viewer).await.secret));
    let mut streams = join_all((0..3).map(|_| stream_of(&greedy))).await;
    assert!(streams.iter().all(|stream| stream.status() == 200));
    for answer in join_all((0..40).map(|_| stream_of(&greedy))).await {
        assert_too_many(answer, "streams").await;
    }
    let poll = greedy.request(Method::GET, &format!("{}?wait=30s", paths::EVENTS));
    assert_too_many(poll.send().await.unwrap(), "streams").await;
    assert_eq!(reached(&admin, "streams").await, 41);
    assert_eq!(greedy.status(Method::GET, paths::SNAPSHOT).await, 200, "only streams are limited");
    let mut stream = stream_of(&modest).await;
    assert_eq!(stream.status(), 200);
    assert!(stream.chunk().await.unwrap().is_some());

    drop(streams.pop());
    let again = async { while stream_of(&greedy).await.status() != 200 {} };
    tokio::time::timeout(PATIENCE, again).await.expect("a closed stream counts for ever");
}

#[tokio::test]
async fn a_flood_of_sign_ins_does_not_keep_others_from_signing_in() {
    let home = Home::new();
    let server = limited(&home, "sign_ins_per_minute = 5");
    let admin = Caller::new(&server, Some(SHARED));
    let password = "first password of hers";
    let new = json!({"name": "ada", "role": "viewer", "password": password});
    assert_eq!(admin.request(Method::POST, paths::USERS).json(&new).send().await.unwrap().status(), 201);
    let sign_in = async |client: &Client, name: &str| {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("name", name), ("password", password)])
            .finish();
        let request = client.post(format!("{}/sign-in", server.url)).header("origin", &server.url);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        request.send().await.unwrap()
    };
    let greedy = greedy_client();
    let names: Vec<String> = (0..60).map(|n| format!("guess-{n}")).collect();
    let flood = join_all(names.iter().map(|name| sign_in(&greedy, name)));
    let client = crate::process::http_client();
    let (flood, ada) = tokio::join!(flood, sign_in(&client, "ada"));
    assert_eq!(ada.status(), 200, "she is asked to choose a password");
    let (refused, tried): (Vec<_>, Vec<_>) = flood.into_iter().partition(|answer| answer.status() == 429);
    assert!(tried.iter().all(|answer| answer.status() == 401) && tried.len() >= 5);
    // A few more are allowed while the others are checked.
    assert!(refused.len() >= 40, "{}", refused.len());
    assert!(refused.iter().all(|answer| answer.headers().contains_key("retry-after")));
    assert_eq!(reached(&admin, "sign_ins_per_minute").await, refused.len() as u64);
    let page = sign_in(&greedy, "ada").await.text().await.unwrap();
    assert!(page.contains("Too many sign-ins at the moment. Try again in"), "{page}");
}

#[tokio::test]
async fn many_requests_and_starts_are_limited_per_token() {
    let home = Home::new();
    let server = limited(&home, "requests_per_second = 2\nstarts_per_minute = 2");
    let admin = Caller::new(&server, Some(SHARED));
    let noisy = Caller::new(&server, Some(&admin.create("noisy", Role::Viewer).await.secret));
    let calm = Caller::new(&server, Some(&admin.create("calm", Role::Operator).await.secret));
    let get = async |caller: &Caller| caller.request(Method::GET, paths::ME).send().await.unwrap();
    let answers = join_all((0..60).map(|_| get(&noisy))).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 200);
    assert!(served.len() >= 20 && refused.len() >= 20, "{} {}", served.len(), refused.len());
    for answer in refused {
        assert_too_many(answer, "requests_per_second").await;
    }
    // The kind is unknown, but the request counts.
    let start = async || {
        let request = calm.request(Method::POST, paths::OPERATIONS).json(&json!({"kind": "no.kind"}));
        request.send().await.unwrap()
    };
    for _ in 0..2 {
        assert!(matches!(start().await.status().as_u16(), 422 | 503));
    }
    assert_too_many(start().await, "starts_per_minute").await;
    assert_eq!(get(&calm).await.status(), 200);
    assert_eq!(reached(&admin, "starts_per_minute").await, 1);
}

#[tokio::test]
async fn active_operations_are_limited_by_role_also_after_a_restart() {
    let home = Home::new();
    let file = format!(
        "token = '{SHARED}'
keep_hosts = true
[request_limits]
active_operations = {{ operator = 2 }}
"
    );
    let server = home.serve_by(home.configured(&file));
    let admin = Caller::new(&server, Some(SHARED));
    let [ada, bob] = [admin.create("ada", Role::Operator).await, admin.create("bob", Role::Operator).await];
    let [ada_secret, bob_secret] = [ada.secret, bob.secret];
    let slow = json!({"symbol": "ACME", "timeframe": "1h", "source": "synthetic", "rows_per_second": 1});
    let start = async |caller: &Caller| {
        let body = json!({"kind": "data.load", "params": slow});
        let send = async || caller.request(Method::POST, paths::OPERATIONS).json(&body).send().await.unwrap();
        // The host connects a moment after the start of the server.
        let known = async {
            loop {
                let answer = send().await;
                if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
                    return answer;
                }
            }
        };
        tokio::time::timeout(PATIENCE, known).await.expect("the kind stays unknown")
    };
    let ada = Caller::new(&server, Some(&ada_secret));
    let first: Value = start(&ada).await.json().await.unwrap();
    let keyed = async || {
        let request = ada.request(Method::POST, paths::OPERATIONS).header("idempotency-key", "second");
        request.json(&json!({"kind": "data.load", "params": slow})).send().await.unwrap()
    };
    assert_eq!(keyed().await.status(), 201);
    assert_too_many(start(&ada).await, "active_operations").await;
    assert_eq!(keyed().await.status(), 200, "a repeated request starts nothing");
    assert_eq!(start(&Caller::new(&server, Some(&bob_secret))).await.status(), 201, "another token");
    assert_eq!(start(&admin).await.status(), 201, "a role without a quota");
    assert!(server.stop().success());

    // The hosts and the operations kept running.
    let server = home.serve_by(home.configured(&file));
    let ada = Caller::new(&server, Some(&ada_secret));
    assert_too_many(start(&ada).await, "active_operations").await;
    let cancel = format!("{}/{}/cancel", paths::OPERATIONS, first["id"].as_str().unwrap());
    assert_eq!(ada.request(Method::POST, &cancel).json(&json!({})).send().await.unwrap().status(), 202);
    let started = async { while start(&ada).await.status() != 201 {} };
    tokio::time::timeout(PATIENCE, started).await.expect("a cancelled operation counts for ever");
}

#[tokio::test]
async fn a_person_on_loopback_notices_no_limit_by_address() {
    let home = Home::new();
    let limits = "requests_per_second = 1\nstarts_per_minute = 1\nsign_ins_per_minute = 1\nstreams = 1\n\
                  connections_per_address = 1";
    let server = home.serve_by(home.configured(&format!("[request_limits]\n{limits}\n")));
    let person = Caller::new(&server, None);
    let streams = join_all((0..30).map(|_| stream_of(&person))).await;
    assert!(streams.iter().all(|stream| stream.status() == 200));
    for _ in 0..3 {
        let params = json!({"symbol": "ACME", "timeframe": "1h", "source": "synthetic"});
        server.start("data.load", params).await;
    }
    let snapshot: Value = person.get(paths::SNAPSHOT).await;
    assert_eq!(snapshot["operations"].as_array().unwrap().len(), 3);
}
