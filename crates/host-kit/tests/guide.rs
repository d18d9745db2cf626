//! Guide for host authors: its program is the compiled example, and does what the guide says.

use protocol::OperationId;
use protocol::host::{HostEventBody, HostEvents, ResultDoc};
use serde_json::{Value, json};

#[allow(dead_code, reason = "its main is not run here")]
#[path = "../examples/count_lines.rs"]
mod program;

#[test]
fn the_guide_contains_the_actual_program() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let guide = std::fs::read_to_string(format!("{root}../../docs/hosts.md")).unwrap();
    let program = std::fs::read_to_string(format!("{root}examples/count_lines.rs")).unwrap();
    let code: String = program.lines().skip(2).map(|line| format!("{line}\n")).collect();
    assert!(
        guide.contains(&code),
        "docs/hosts.md does not show examples/count_lines.rs; copy it there again"
    );
}

#[tokio::test]
async fn the_program_counts_rejects_and_resumes_as_the_guide_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "1\n2\n3\n").unwrap();
    std::fs::write(folder.path().join("b.txt"), "4\n5").unwrap();
    let host =
        signalbox_host_kit::Host::builder("text-host", "1.0").work(program::CountLines).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/host/v1", listener.local_addr().unwrap());
    let stop = signalbox_host_kit::CancellationToken::new();
    let serving = tokio::spawn(host.serve(listener, stop.clone()));
    let client = https_client::builder(&https_client::Tls::default()).build().unwrap();
    let start = |body: Value| client.post(format!("{base}/operations")).json(&body).send();

    let refused = start(json!({"id": OperationId::new(), "attempt": 1, "kind": "text.count",
        "params": {"folder": "/nowhere"}}));
    assert_eq!(refused.await.unwrap().status(), 422);

    let id = OperationId::new();
    let resume_from =
        json!({"attempt": 1, "at": "2026-11-23T10:00:00Z", "note": "1 of 2 files", "state": [1, 30]});
    let accepted = start(json!({"id": id, "attempt": 2, "kind": "text.count",
        "params": {"folder": folder.path()}, "resume_from": resume_from}));
    assert_eq!(accepted.await.unwrap().status(), 202);
    let (mut after, mut ended) = (0, false);
    while !ended {
        let page = client.get(format!("{base}/events?after={after}&wait=10s")).send().await.unwrap();
        let page: HostEvents = page.json().await.unwrap();
        after = page.events.last().unwrap().seq;
        ended = page.events.iter().any(|e| matches!(e.body, HostEventBody::Ended { .. }));
    }
    let result = client.get(format!("{base}/operations/{id}/result")).send().await.unwrap();
    let result: ResultDoc = result.json().await.unwrap();
    assert_eq!(result.document, json!({"files": 2, "lines": 32}), "the first file was not counted again");
    stop.cancel();
    serving.await.unwrap().unwrap();
}
