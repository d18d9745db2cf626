//! Listener: passes HTTP/1.1 and HTTP/2 connections, with or without TLS, to the routes, and ends all of them in order.
//!
//! A request for the feed over HTTP/1 is served without the HTTP library: once the routes have accepted it, its
//! connection is passed to the [`Broadcaster`]. A stream needs none of the library's memory per connection, and there
//! may be thousands. Streams over TLS or HTTP/2 stay in the library.

use crate::broadcaster::{Broadcaster, Reader};
use crate::limits::{ConnectionSlot, HeadTimer, Limit, Limits, RequestCount};
use crate::stream::Feed;
use crate::tls::{Tls, redirects};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::Method;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// First bytes of an HTTP/2 connection without upgrade (RFC 9113, section 3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Number of checks, a millisecond apart, for the rest of these bytes.
const MAX_HEADER_POLLS: u32 = 1_000;
/// Pause after the listener failed, for example because there are no file descriptors left.
const HEADER_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Time without a request after which a connection is closed, idle or slow. Browsers close theirs after about the same
/// time.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// Time for a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// First byte of a TLS connection (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// Serves the connections of a listener. Clones share everything.
#[derive(Clone)]
pub struct Listening {
    pub router: Router,
    pub broadcaster: Broadcaster,
    /// Connections use TLS. Plain HTTP on the same port is redirected.
    pub tls: Option<Tls>,
    pub limits: Limits,
    /// Time without a request after which a connection is closed.
    pub quiet: Duration,
    /// Ends accepting and all connections.
    pub stop: CancellationToken,
}

/// Accepts connections until they are stopped, then waits until all have ended.
pub async fn listen(listener: TcpListener, listening: Listening) {
    let connections = TaskTracker::new();
    loop {
        let came = tokio::select! {
            () = listening.stop.cancelled() => break,
            came = listener.accept() => came,
        };
        let (stream, remote) = match came {
            Ok(came) => came,
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection; retrying");
                tokio::time::sleep(HEADER_POLL_INTERVAL).await;
                continue;
            }
        };
        // Closed at once: a response would need a connection, too.
        let Some(slot) = listening.limits.connection(remote.ip()) else { continue };
        // Events are small and must not wait for each other.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "can't set TCP_NODELAY on a connection");
        }
        let listening = listening.clone();
        // Boxed, because the socket of a stream keeps the last waker, and with it the memory of this task, but not what
        // the task points to.
        connections.spawn(Box::pin(async move {
            let served = match listening.tls.clone() {
                None => listening.serve(stream, remote, slot).await,
                Some(tls) => listening.serve_tls(stream, remote, slot, &tls).await,
            };
            if let Err(error) = served {
                tracing::debug!(%remote, %error, "connection closed with an error");
            }
        }));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Listening {
    /// Serves a connection without TLS.
    async fn serve(
        self,
        stream: TcpStream,
        remote: SocketAddr,
        slot: ConnectionSlot,
    ) -> Result<(), BoxError> {
        let two = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            two = tokio::time::timeout(self.quiet, begins_as_http2(&stream)) => two??,
        };
        if two {
            self.serve_two(stream, remote, slot).await
        } else {
            self.serve_one(stream, remote, slot).await
        }
    }

    /// Serves a connection with TLS; redirects one that begins with plain HTTP.
    async fn serve_tls(
        self,
        stream: TcpStream,
        remote: SocketAddr,
        slot: ConnectionSlot,
        tls: &Tls,
    ) -> Result<(), BoxError> {
        let mut first = [0; 1];
        let handshake = async {
            let n = tokio::time::timeout(self.quiet, stream.peek(&mut first)).await??;
            if n == 0 || first[0] != TLS_HANDSHAKE {
                return Ok::<_, BoxError>(Err(stream));
            }
            Ok(Ok(tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.acceptor().accept(stream)).await??))
        };
        let stream = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            stream = handshake => stream?,
        };
        match stream {
            Err(plain) => {
                Self { router: redirects(None), ..self }.serve_in_library(plain, remote, slot).await
            }
            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                self.serve_two(stream, remote, slot).await
            }
            Ok(stream) => self.serve_in_library(stream, remote, slot).await,
        }
    }

    /// Serves HTTP/2.
    async fn serve_two(
        self,
        stream: impl Stream,
        remote: SocketAddr,
        slot: ConnectionSlot,
    ) -> Result<(), BoxError> {
        let requests = RequestCount::default();
        let service = ToRouter { router: self.router, remote, requests: requests.clone(), upgrade: None };
        let mut builder = http2::Builder::new(TokioExecutor::new());
        // Detects and closes dead connections.
        builder.timer(TokioTimer::new()).keep_alive_interval(self.quiet).keep_alive_timeout(self.quiet);
        builder.max_header_list_size(slot.limits().settings().max_header_bytes);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let served = until_ended(connection.as_mut(), &self.stop, http2::Connection::graceful_shutdown);
        tokio::select! {
            served = served => Ok(served?),
            () = unused(&requests, self.quiet) => Ok(()),
        }
    }

    /// Serves HTTP/1.1, streams included, by the library.
    async fn serve_in_library(
        self,
        stream: impl Stream,
        remote: SocketAddr,
        slot: ConnectionSlot,
    ) -> Result<(), BoxError> {
        let requests = RequestCount::default();
        let io = TokioIo::new(HeadTimer::new(stream, requests.clone(), slot, remote.ip()));
        let service = ToRouter { router: self.router, remote, requests, upgrade: None };
        let builder = http1_builder(self.quiet, &self.limits);
        let mut connection = pin!(builder.serve_connection(io, service));
        let served = until_ended(connection.as_mut(), &self.stop, http1::Connection::graceful_shutdown).await;
        Ok(noted(served, &self.limits, remote)?)
    }

    /// Serves HTTP/1.1; passes streams to the broadcaster.
    async fn serve_one(
        self,
        stream: TcpStream,
        remote: SocketAddr,
        slot: ConnectionSlot,
    ) -> Result<(), BoxError> {
        let upgrade = Arc::new(Upgrade::default());
        let requests = RequestCount::default();
        let stream = HeadTimer::new(stream, requests.clone(), slot, remote.ip());
        let io = TokioIo::new(Watched { stream, upgrade: Arc::clone(&upgrade) });
        let service = ToRouter { router: self.router, remote, requests, upgrade: Some(Arc::clone(&upgrade)) };
        let builder = http1_builder(self.quiet, &self.limits);
        let mut connection = builder.serve_connection(io, service);
        let mut stopping = false;
        let mut stopped = pin!(self.stop.cancelled());
        let over = poll_fn(|cx| {
            if !stopping && stopped.as_mut().poll(cx).is_ready() {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            let over = connection.poll_without_shutdown(cx);
            // The previous response must have been written.
            if upgrade.taken.lock().is_some() && !upgrade.blocked.load(Ordering::Relaxed) {
                Poll::Ready(Ok(()))
            } else {
                over
            }
        });
        noted(over.await, &self.limits, remote)?;
        let (mut stream, slot) = connection.into_parts().io.into_inner().stream.into_parts();
        let taken = upgrade.taken.lock().take();
        match taken {
            Some((head, feed)) => self.broadcaster.begin(Reader::new(stream, feed, slot), head).await,
            // Tells the client about the end before the connection is closed.
            None => stream.shutdown().await?,
        }
        Ok(())
    }
}

/// Serves a connection until it ends. After `stop`, it ends when its requests have ended.
async fn until_ended<C: Future>(
    mut connection: Pin<&mut C>,
    stop: &CancellationToken,
    graceful_shutdown: impl FnOnce(Pin<&mut C>),
) -> C::Output {
    tokio::select! {
        served = connection.as_mut() => return served,
        () = stop.cancelled() => graceful_shutdown(connection.as_mut()),
    }
    connection.await
}

/// Ends after `quiet` if no request has begun by then. The library checks only whether the client is alive.
async fn unused(requests: &RequestCount, quiet: Duration) {
    tokio::time::sleep(quiet).await;
    if requests.any() {
        std::future::pending::<()>().await;
    }
}

/// Builder of HTTP/1 connections.
fn http1_builder(quiet: Duration, limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(quiet);
    builder.max_header_size(limits.settings().max_header_bytes as usize);
    builder
}

/// Counts a connection that ended because the head of a request was too large.
fn noted(served: hyper::Result<()>, limits: &Limits, remote: SocketAddr) -> hyper::Result<()> {
    if served.as_ref().is_err_and(hyper::Error::is_parse_too_large) {
        limits.reached_by(Limit::HeaderBytes, Some(remote.ip()));
    }
    served
}

/// Connection with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Peeks at the first bytes.
async fn begins_as_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; HTTP2.len()];
    for _ in 0..MAX_HEADER_POLLS {
        let n = stream.peek(&mut first).await?;
        if n == 0 || n == first.len() || first[..n] != HTTP2[..n] {
            return Ok(n == first.len() && first == *HTTP2);
        }
        // The rest is on its way, because it is sent in one piece.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(false)
}

/// Link between a connection and its service, through which a stream leaves the HTTP library.
#[derive(Default)]
struct Upgrade {
    /// Head of the response, and the feed that follows it.
    taken: Mutex<Option<(Bytes, Feed)>>,
    /// The system did not accept everything.
    blocked: AtomicBool,
}

struct ToRouter {
    router: Router,
    remote: SocketAddr,
    requests: RequestCount,
    /// Set for HTTP/1 without TLS.
    upgrade: Option<Arc<Upgrade>>,
}

impl hyper::service::Service<http::Request<Incoming>> for ToRouter {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: http::Request<Incoming>) -> Self::Future {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.remote));
        // HEAD uses the same route, but has no body.
        let upgrade = self.upgrade.clone().filter(|_| request.method() == Method::GET);
        let (router, requests) = (self.router.clone(), self.requests.clone());
        requests.begin();
        Box::pin(async move {
            let mut response = router.oneshot(request).await?;
            requests.end();
            if let Some(upgrade) = upgrade
                && let Some(feed) = response.extensions_mut().remove::<Feed>()
            {
                *upgrade.taken.lock() = Some((head(&response), feed));
                // Nothing waits for a response any more.
                pending::<()>().await;
            }
            Ok(response)
        })
    }
}

/// Head of a response that lasts until the connection ends (RFC 9112, section 6.3).
fn head(response: &Response) -> Bytes {
    let status = response.status();
    let mut head = BytesMut::with_capacity(1_024);
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.extend_from_slice(b" ");
    head.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    head.extend_from_slice(b"\r\n");
    let ours = [CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING];
    for (name, value) in response.headers().iter().filter(|(name, _)| !ours.contains(name)) {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    let date = httpdate::fmt_http_date(SystemTime::now());
    head.extend_from_slice(format!("date: {date}\r\nconnection: close\r\n\r\n").as_bytes());
    head.freeze()
}

/// Connection that records whether everything was written.
struct Watched {
    stream: HeadTimer<TcpStream>,
    upgrade: Arc<Upgrade>,
}

impl Watched {
    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        self.upgrade.blocked.store(written.is_pending(), Ordering::Relaxed);
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LimitSettings;
    use axum::routing::get;
    use http::StatusCode;
    use tokio::io::AsyncReadExt;

    /// Passes a listening server to a test, and ends the server.
    async fn with_server<T>(test: impl AsyncFnOnce(Listening) -> T) -> T {
        let router = Router::new().route("/", get(async || "here"));
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(store::Sqlite::open(&folder.path().join("signalbox.db")).unwrap());
        let engine = engine::Engine::open(store, engine::EngineConfig::default()).unwrap();
        let (stop, quiet) = (CancellationToken::new(), Duration::from_millis(300));
        let broadcaster = Broadcaster::start(engine.clone(), stop.clone());
        let limits = Limits::new(LimitSettings::default());
        let listening = Listening {
            router,
            broadcaster: broadcaster.clone(),
            tls: None,
            limits,
            quiet,
            stop: stop.clone(),
        };
        let tested = test(listening).await;
        stop.cancel();
        broadcaster.ended().await;
        engine.close().await;
        tested
    }

    /// Response to an incomplete request, until the connection is closed.
    async fn answer_to(raw_request: &[u8]) -> String {
        with_server(async |listening| answer_of(listening, raw_request).await).await
    }

    async fn answer_of(listening: Listening, raw_request: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let stop = listening.stop.clone();
        let listening = tokio::spawn(listen(listener, listening));
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(raw_request).await.unwrap();
        let mut answer = Vec::new();
        // The server closes it. Unread bytes make that a reset.
        if let Err(error) = stream.read_to_end(&mut answer).await {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        stop.cancel();
        listening.await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn an_http_2_connection_without_a_request_is_closed() {
        with_server(async |listening| {
            // As after a TLS handshake; the client sends nothing more.
            let (near, _far) = tokio::io::duplex(64);
            let remote: SocketAddr = "192.0.2.1:443".parse().unwrap();
            let slot = listening.limits.connection(remote.ip()).unwrap();
            listening.serve_two(near, remote, slot).await.unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn a_connection_without_a_complete_request_is_closed() {
        assert_eq!(answer_to(b"").await, "");
        assert!(!answer_to(b"GET / HTTP/1.1\r\nhost: a\r\n").await.contains("here"));
        assert_eq!(answer_to(b"PRI * HTTP/2.0\r\n").await, "");
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed() {
        let answer = answer_to(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("here"), "{answer}");
    }

    #[test]
    fn a_stream_response_lasts_until_the_connection_closes() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::OK;
        for (name, value) in
            [("content-type", "text/event-stream"), ("content-length", "7"), ("connection", "keep-alive")]
        {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        let head = String::from_utf8(head(&response).to_vec()).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ndate: "), "{head}");
        assert!(head.ends_with("\r\nconnection: close\r\n\r\n"), "{head}");
        assert!(!head.contains("content-length") && !head.contains("keep-alive"), "{head}");
    }
}
