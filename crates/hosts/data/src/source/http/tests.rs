//! HTTP source against a loopback server: good, flaky, wrong and slow.

use super::*;
use crate::at;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{Response as Reply, header};
use axum::routing::get;
use bytes::Bytes;
use https_client::TlsFiles;
use market_data::Timeframe;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use test_pki::{Ca, Validity};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const CSV: &str =
    "Date,Open,High,Low,Close,Volume\n2024-01-02T10:00:00Z,1,2,1,2,5\n2024-01-02T11:00:00Z,1,2,1,2,5\n";

const QUICK: RetryPolicy =
    RetryPolicy { tries: 3, pause: Duration::from_millis(1), max_retry_after: Duration::from_millis(1) };

/// More rows than needed to detect the layout.
fn long_csv() -> String {
    let rows = (0..300).map(|i| format!("2024-01-{:02}T{:02}:00:00Z,1,2,1,2,5\n", 1 + i / 24, i % 24));
    format!("Date,Open,High,Low,Close,Volume\n{}", rows.collect::<String>())
}

/// Reads all rows of [`long_csv`], in any number of slices.
async fn all_of_long_csv(opened: &mut OpenedSource, token: &CancellationToken) {
    let mut rows = 0;
    while rows < 300 {
        rows += opened.rows.next(token).await.unwrap().unwrap().len();
    }
    assert_eq!(rows, 300);
}

/// Server that sends these bytes on each connection and closes it. Returns its URL.
async fn raw(answer: Vec<u8>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            speak(&mut stream, &answer).await;
        }
    });
    format!("http://{address}/{{symbol}}")
}

async fn speak(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: &[u8]) {
    let mut request = vec![0; 4096];
    let mut read = 0;
    while !request[..read].windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut request[read..]).await {
            Ok(n) if n > 0 => read += n,
            _ => return,
        }
    }
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Response with a body and these headers.
fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Type: text/csv\r\n{headers}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn with_length(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    answer(status, &format!("{headers}Content-Length: {}\r\n", body.len()), body)
}

async fn served(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn request(range: Range) -> Request {
    Request { range, ..Request::of_test("BRK.B", Timeframe::H1) }
}

async fn opened(template: &str, range: Range, token: &CancellationToken) -> Result<OpenedSource, WorkError> {
    open_with((QUICK, &Tls::default()), "web", template, &request(range), range, token, &|_| ()).await
}

async fn load(template: &str, range: Range) -> Result<Vec<Row>, WorkError> {
    let token = CancellationToken::new();
    let mut opened = opened(template, range, &token).await?;
    let mut rows = Vec::new();
    while let Some(slice) = opened.rows.next(&token).await? {
        rows.extend(slice);
    }
    Ok(rows)
}

async fn failure_of(template: &str) -> Failure {
    match load(template, Range::default()).await {
        Err(WorkError::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

fn csv(body: impl Into<Body>) -> Reply<Body> {
    Reply::builder().header(header::CONTENT_TYPE, "text/csv").body(body.into()).unwrap()
}

#[tokio::test]
async fn the_url_is_filled_in_and_the_response_read() {
    let router = Router::new().route(
        "/bars/{symbol}/{timeframe}",
        get(
            |Path((symbol, timeframe)): Path<(String, String)>,
             Query(query): Query<HashMap<String, String>>| async move {
                assert_eq!((symbol.as_str(), timeframe.as_str()), ("BRK.B", "1h"));
                assert_eq!(query["from"], "2024-01-02T00:00:00Z");
                assert_eq!(query["to"], "2024-01-02T23:59:59.999999Z");
                csv(CSV)
            },
        ),
    );
    let base = served(router).await;
    let range = Range { from: Some(at("2024-01-02T00:00:00Z")), to: Some(at("2024-01-03T00:00:00Z")) };
    let rows = load(&format!("{base}/bars/{{symbol}}/{{timeframe}}?from={{start}}&to={{end}}"), range)
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].time, Some(at("2024-01-02T11:00:00Z")));
}

#[tokio::test]
async fn a_request_is_tried_three_times() {
    let requests = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&requests);
    let router = Router::new().route(
        "/{file}",
        get(move |Path(file): Path<String>| async move {
            let n = counter.fetch_add(1, Ordering::SeqCst);
            let fails = if file == "flaky" { 2 } else { u32::MAX };
            if n < fails {
                let status = if n == 0 { 503 } else { 429 };
                return Reply::builder()
                    .status(status)
                    .header("retry-after", "3600")
                    .body(Body::from("too busy"))
                    .unwrap();
            }
            csv(CSV)
        }),
    );
    let base = served(router).await;
    assert_eq!(load(&format!("{base}/flaky?{{symbol}}"), Range::default()).await.unwrap().len(), 2);
    assert_eq!(requests.swap(0, Ordering::SeqCst), 3);
    let failure = failure_of(&format!("{base}/down?{{symbol}}")).await;
    assert!(
        failure.message.contains("returned 429 Too Many Requests 3 times. Response: too busy"),
        "{}",
        failure.message
    );
    assert_eq!(requests.load(Ordering::SeqCst), 3);
    let notes = std::sync::Mutex::new(Vec::new());
    let notify = |note: String| notes.lock().unwrap().push(note);
    let (template, token) = (format!("{base}/down?{{symbol}}"), CancellationToken::new());
    let policy = (QUICK, &Tls::default());
    let range = Range::default();
    let ended = open_with(policy, "web", &template, &request(range), range, &token, &notify).await;
    assert!(ended.is_err());
    assert_eq!(
        *notes.lock().unwrap(),
        [2, 3].map(|n| format!("Source 'web' returned 429 Too Many Requests. Next try in 0.0 s ({n} of 3)"))
    );
}

#[tokio::test]
async fn invalid_responses_are_explained() {
    let router = Router::new()
        .route("/html", get(|| async { axum::response::Html("<html>log in</html>") }))
        .route("/sneaky", get(|| async { csv("<html>log in</html>\n") }))
        .route("/unknown", get(|| async { (axum::http::StatusCode::NOT_FOUND, "unknown symbol") }))
        .route("/forbidden", get(|| async { (axum::http::StatusCode::FORBIDDEN, "no key") }))
        .route("/header", get(|| async { csv("a,b\n1,2\n") }));
    let base = served(router).await;
    let at = |path: &str| format!("{base}/{path}?s={{symbol}}");
    let none = failure_of(&at("none")).await;
    assert!(none.message.starts_with("Source 'web' has no BRK.B 1h: "), "{}", none.message);
    let unknown = failure_of(&at("unknown")).await;
    assert!(unknown.message.contains("404 Not Found. Response: unknown symbol"), "{}", unknown.message);
    assert!(failure_of(&at("html")).await.message.contains("text/html"));
    assert!(failure_of(&at("sneaky")).await.message.contains("web page"));
    assert!(failure_of(&at("forbidden")).await.message.contains("403 Forbidden. Response: no key"));
    assert!(failure_of(&at("header")).await.message.contains("has no column for a time"));
}

#[tokio::test]
async fn a_missing_source_is_reported_with_its_address() {
    // Port that was free a moment ago.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let failure = failure_of(&format!("http://127.0.0.1:{port}/{{symbol}}")).await;
    assert!(
        failure.message.contains(&format!("127.0.0.1:{port}/BRK.B is unreachable, after 3 tries")),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_truncated_response_is_a_failure_and_not_a_short_load() {
    let break_off = Arc::new(tokio::sync::Notify::new());
    let broken_off = Arc::clone(&break_off);
    let broken = move || async move {
        let first = futures::stream::iter([Ok(Bytes::from(long_csv()))]);
        let gone = futures::stream::once(async move {
            broken_off.notified().await;
            Err(std::io::Error::other("gone"))
        });
        csv(Body::from_stream(futures::StreamExt::chain(first, gone)))
    };
    let base = served(Router::new().route("/b", get(broken))).await;
    let token = CancellationToken::new();
    let template = format!("{base}/b?{{symbol}}");
    let mut opened = opened(&template, Range::default(), &token).await.ok().unwrap();
    all_of_long_csv(&mut opened, &token).await;
    break_off.notify_one();
    let Err(WorkError::Failed(failure)) = opened.rows.next(&token).await else {
        panic!("it was taken for whole")
    };
    assert!(failure.message.contains("closed the connection"), "{}", failure.message);
    assert_eq!(failure.hint, "Start the load again.", "there is nothing to resume yet");
}

#[tokio::test]
async fn a_cancel_ends_the_wait_for_a_silent_source() {
    let silent = || async {
        let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(long_csv()))]);
        csv(Body::from_stream(futures::StreamExt::chain(first, futures::stream::pending())))
    };
    let base = served(Router::new().route("/s", get(silent))).await;
    let token = CancellationToken::new();
    let template = format!("{base}/s?{{symbol}}");
    let mut opened = opened(&template, Range::default(), &token).await.ok().unwrap();
    all_of_long_csv(&mut opened, &token).await;
    let waiting = tokio::spawn({
        let token = token.clone();
        async move { opened.rows.next(&token).await }
    });
    token.cancel();
    assert!(matches!(waiting.await.unwrap(), Err(WorkError::Cancelled)));
}

#[tokio::test]
async fn a_compressed_response_is_decompressed_however_it_is_labelled() {
    let by_header = raw(with_length("200 OK", "Content-Encoding: gzip\r\n", &gzip(CSV))).await;
    assert_eq!(load(&by_header, Range::default()).await.unwrap().len(), 2);
    let as_file = raw(with_length("200 OK", "", &gzip(CSV))).await;
    assert_eq!(load(&as_file, Range::default()).await.unwrap().len(), 2);
    let packed = gzip(&long_csv());
    let cut = raw(answer("200 OK", "Content-Encoding: gzip\r\n", &packed[..packed.len() - 6])).await;
    assert!(failure_of(&cut).await.message.starts_with("Cannot decompress"));
    let other = raw(with_length("200 OK", "Content-Encoding: br\r\n", b"x")).await;
    assert!(failure_of(&other).await.message.contains("encoding 'br', which was not requested"));
}

#[tokio::test]
async fn a_zip_is_read_over_http() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bars.csv", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(CSV.as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let whole = raw(with_length("200 OK", "", &zip)).await;
    assert_eq!(load(&whole, Range::default()).await.unwrap().len(), 2);
    let cut = raw(answer("200 OK", "", &zip[..zip.len() / 2])).await;
    assert!(failure_of(&cut).await.message.contains(" as a zip: "));
}

#[tokio::test]
async fn an_unrequested_partial_response_is_not_taken_for_the_whole() {
    let range = "Content-Range: bytes 0-99/1000\r\n";
    let template = raw(with_length("206 Partial Content", range, CSV.as_bytes())).await;
    let failure = failure_of(&template).await;
    assert!(failure.message.contains("206 Partial Content: a part"), "{}", failure.message);
}

#[tokio::test]
async fn a_response_that_ends_within_a_line_is_rejected_whatever_its_length() {
    let cut = raw(answer("200 OK", "", &long_csv().as_bytes()[..6000])).await;
    let failure = failure_of(&cut).await;
    assert!(failure.message.contains("may be truncated"), "{}", failure.message);
    let whole = raw(answer("200 OK", "", CSV.as_bytes())).await;
    assert_eq!(load(&whole, Range::default()).await.unwrap().len(), 2);
    let opened = opened(&whole, Range::default(), &CancellationToken::new()).await.ok().unwrap();
    assert!(opened.warnings[0].contains("neither Content-Length nor chunked"), "{:?}", opened.warnings);
    let no_end = raw(with_length("200 OK", "", CSV.trim_end().as_bytes())).await;
    let failure = failure_of(&no_end).await;
    assert!(failure.message.contains("may be truncated"), "a length proves nothing: {}", failure.message);
}

#[tokio::test]
async fn an_error_in_place_of_bars_is_not_taken_for_a_truncated_response() {
    for (error, named) in [
        (
            "{\"Error Message\": \"Invalid API call.\"}",
            "it starts like JSON: '{\"Error Message\": \"Invalid API call.\"}'",
        ),
        ("<!DOCTYPE html><html><body>Too many requests</body></html>", "it starts like a web page"),
    ] {
        let failure = failure_of(&raw(with_length("200 OK", "", error.as_bytes())).await).await;
        assert!(failure.message.contains(named), "{}", failure.message);
    }
}

fn trusting(ca: &Ca) -> Tls {
    Tls::open(TlsFiles { ca: Some(ca.file.clone()), ..TlsFiles::default() }).unwrap()
}

#[tokio::test]
async fn redirects_to_https_are_followed_but_not_back_to_http() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, other) = (Ca::new(folder.path(), "ca"), Ca::new(folder.path(), "other"));
    let config = test_pki::server_config(&ca.issue(&["localhost"], Validity::Now), None);
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let downgrade = raw(with_length("200 OK", "", CSV.as_bytes())).await;
    let location = format!("Location: {}\r\n", downgrade.replace("{symbol}", "x"));
    let back = with_length("302 Found", &location, b"");
    tokio::spawn(async move {
        let answers = [with_length("200 OK", "", CSV.as_bytes()), back];
        for answer in answers.iter().cycle() {
            let Ok((stream, _)) = listener.accept().await else { return };
            if let Ok(mut stream) = acceptor.accept(stream).await {
                speak(&mut stream, answer).await;
            }
        }
    });
    let to_https = format!("Location: https://localhost:{port}/x.csv\r\n");
    let template = raw(with_length("301 Moved Permanently", &to_https, b"")).await;
    let token = CancellationToken::new();
    let (range, trusted) = (Range::default(), trusting(&ca));
    let ask = async || {
        open_with((QUICK, &trusted), "web", &template, &request(range), range, &token, &|_| ()).await
    };
    let mut opened = ask().await.ok().unwrap();
    assert!(opened.described.starts_with("https://localhost"), "{}", opened.described);
    assert_eq!(opened.rows.next(&token).await.unwrap().unwrap().len(), 2);
    let Err(WorkError::Failed(failure)) = ask().await else { panic!("it went back to HTTP") };
    assert!(failure.message.contains("from HTTPS to plain HTTP"), "{}", failure.message);
    // Untrusted certificate.
    let strangers = trusting(&other);
    let requests =
        open_with((QUICK, &strangers), "web", &template, &request(range), range, &token, &|_| ()).await;
    let Err(WorkError::Failed(failure)) = requests else { panic!("it was trusted") };
    assert!(failure.message.contains("that no trusted CA signed"), "{}", failure.message);
}

#[tokio::test]
async fn an_unreachable_redirect_target_is_named() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let gone = format!("Location: http://127.0.0.1:{port}/x.csv\r\n");
    let failure = failure_of(&raw(with_length("302 Found", &gone, b"")).await).await;
    let wanted = format!("/BRK.B redirects to http://127.0.0.1:{port}/x.csv, which is unreachable");
    assert!(failure.message.contains(&wanted), "{}", failure.message);
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let circle = with_length("302 Found", "Location: /again\r\n", b"");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            speak(&mut stream, &circle).await;
        }
    });
    let failure = failure_of(&format!("http://{address}/{{symbol}}")).await;
    assert!(failure.message.contains("more than 5 times"), "{}", failure.message);
}
