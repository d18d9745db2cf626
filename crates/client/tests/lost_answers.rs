//! A connection that breaks after the server acted on a request.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use protocol::OperationId;
use protocol::api::{CancelOperation, StartOperation};
use serde_json::{Value, json};
use signalbox_client::{Client, ClientConfig, ClientError};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers of a server, one per request in order; `None` closes the connection in the middle of the answer.
type Script = Vec<Option<Value>>;

/// Server that follows a script, and the requests that it received.
async fn server(script: Script) -> (Client, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&requests);
    tokio::spawn(async move {
        for answer in script {
            let (mut connection, _) = listener.accept().await.unwrap();
            let request = request(&mut connection).await;
            received.lock().unwrap().push(request);
            let answer = match answer {
                Some(body) => {
                    let body = body.to_string();
                    format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                         content-length: {}\r\n\r\n{body}",
                        body.len()
                    )
                }
                None => "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"
                    .to_owned(),
            };
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (Client::new(ClientConfig::new(server, None)).unwrap(), requests)
}

/// One request, with its body.
async fn request(connection: &mut tokio::net::TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap()) {
                return text;
            }
        }
        let mut part = [0; 1024];
        let n = connection.read(&mut part).await.unwrap();
        assert!(n > 0, "the request is cut: {text}");
        read.extend_from_slice(&part[..n]);
    }
}

fn operation(id: OperationId, state: &str, receipt: Value) -> Value {
    json!({
        "id": id, "kind": "exec.say", "title": "t", "params": {}, "state": state, "attempt": 1, "seq": 7,
        "created_at": "2026-01-01T00:00:00Z", "receipt": receipt,
    })
}

fn start() -> StartOperation {
    StartOperation { kind: "exec.say".parse().unwrap(), params: json!({}), priority: 0 }
}

fn keys(requests: &Mutex<Vec<String>>) -> Vec<String> {
    let requests = requests.lock().unwrap();
    let key = |request: &String| {
        let line = request.lines().find(|line| line.starts_with("idempotency-key: "));
        line.map(|line| line["idempotency-key: ".len()..].to_owned())
    };
    requests.iter().filter_map(key).collect()
}

#[tokio::test]
async fn a_start_whose_answer_is_lost_is_repeated_with_the_same_key() {
    let id = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse::<OperationId>().unwrap();
    let (client, requests) = server(vec![None, Some(operation(id, "queued", Value::Null))]).await;
    assert_eq!(client.start(&start()).await.unwrap().id, id);
    let first = keys(&requests);
    assert!(first.len() == 2 && first[0] == first[1], "{first:?}");
    // Another start is another operation.
    let (client, requests) = server(vec![Some(operation(id, "queued", Value::Null))]).await;
    client.start(&start()).await.unwrap();
    assert_ne!(keys(&requests)[0], first[0]);
}

#[tokio::test]
async fn a_cut_connection_is_not_reported_as_an_absent_server() {
    let (client, _) = server(vec![None, None]).await;
    let error = client.start(&start()).await.unwrap_err();
    assert!(error.outcome_unknown() && matches!(error, ClientError::Broken { .. }), "{error:?}");
    assert!(error.to_string().contains("closed the connection before its answer was complete"), "{error}");

    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = Client::new(ClientConfig::new(format!("http://{nobody}"), None)).unwrap();
    let error = client.start(&start()).await.unwrap_err();
    assert!(!error.outcome_unknown() && error.to_string().starts_with("no server at"), "{error}");
}

#[tokio::test]
async fn a_cancel_whose_answer_is_lost_is_read_from_the_operation_or_sent_again() {
    let id = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse::<OperationId>().unwrap();
    let receipt = json!({"attempt": 1, "reason": "", "requested": "2026-01-01T00:00:01Z"});
    let detail = |operation: Value| json!({"operation": operation, "attempts": [], "series": [], "seq": 7});
    let cancelled = operation(id, "cancelled", receipt.clone());
    let (client, requests) = server(vec![None, Some(detail(cancelled))]).await;
    let answer = client.cancel(id, &CancelOperation { reason: String::new() }).await.unwrap();
    assert_eq!(answer.receipt.unwrap().attempt, 1);
    assert_eq!(requests.lock().unwrap().len(), 2, "it arrived, so it is not sent again");

    let running = detail(operation(id, "running", Value::Null));
    let cancelling = operation(id, "cancelling", receipt);
    let (client, requests) = server(vec![None, Some(running), Some(cancelling)]).await;
    assert!(client.cancel(id, &CancelOperation { reason: String::new() }).await.unwrap().receipt.is_some());
    let requests = requests.lock().unwrap();
    assert!(requests.len() == 3 && requests[2].starts_with("post "), "{requests:?}");
}
