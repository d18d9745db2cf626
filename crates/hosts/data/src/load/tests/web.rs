//! Sources that answer over HTTP, and break off.

use super::*;

/// Server that promises a megabyte, sends the text, and closes the connection.
async fn breaks_off_after(text: String) -> SourceConfig {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let template = format!("http://{}/{{symbol}}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{text}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    SourceConfig::Http { name: "web".into(), template, options: TextOptions::default() }
}

/// Server that sends one answer per connection, and closes it.
pub(super) async fn answers(answers: Vec<String>) -> SourceConfig {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let template = format!("http://{}/{{symbol}}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    SourceConfig::Http { name: "web".into(), template, options: TextOptions::default() }
}

/// Response with a Content-Length that fits.
pub(super) fn with_length(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn resume_is_offered_only_if_a_segment_was_finished() {
    for (bars, hint) in [(300, "Start the load again."), (600, "Resume: completed segments are kept")] {
        let mut bench = Bench::new();
        bench.config.sources.push(breaks_off_after(text(0..bars)).await);
        let failure = bench.failure_of(params(json!({"source": "web"}))).await;
        assert!(failure.message.contains("closed the connection"), "{}", failure.message);
        assert!(failure.hint.starts_with(hint), "{bars}: {}", failure.hint);
    }
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..3000));
    let full = Arc::new(SmallDisk(AtomicU64::new(0)));
    let ended = bench.run_on(full, &Notebook::new(), params(json!({})), None).await;
    let Err(WorkError::Failed(failure)) = ended else { panic!("{ended:?}") };
    assert!(failure.hint.ends_with("then start the load again."), "{}", failure.hint);
}

#[tokio::test]
async fn a_possibly_truncated_response_removes_no_stored_bar() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let template = format!("http://{}/{{symbol}}", listener.local_addr().unwrap());
    let whole = text(0..300);
    let within_a_line = whole[..whole.len() - 3000].rfind('\n').unwrap() - 3;
    let cut = whole[..within_a_line].to_owned();
    tokio::spawn(async move {
        for body in [whole, cut] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes()).await;
        }
    });
    let mut bench = Bench::new();
    bench.config.sources.push(SourceConfig::Http {
        name: "web".into(),
        template,
        options: TextOptions::default(),
    });
    assert_eq!(bench.load(params(json!({"source": "web"}))).await.rows, 300);
    let failure = bench.failure_of(params(json!({"source": "web"}))).await;
    assert!(failure.message.contains("may be truncated"), "{}", failure.message);
    assert_eq!(bench.bars("web/A/1h").len(), 300);
}

#[tokio::test]
async fn a_retried_request_is_logged() {
    let mut bench = Bench::new();
    let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n".to_owned();
    bench.config.sources.push(answers(vec![busy, with_length(&text(0..300))]).await);
    let notebook = Notebook::new();
    bench.run(&notebook, params(json!({"source": "web"})), None).await.unwrap();
    let note = "Source 'web' returned 503 Service Unavailable. Next try in 0.0 s (2 of 3)";
    assert!(notebook.log().contains(note), "{}", notebook.log());
}
