//! Bad connection: a proxy between client and server that cuts, holds, slows, refuses or damages event streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What the proxy does to events.
#[derive(Clone, Copy)]
enum Fault {
    /// It cuts each stream after some bytes.
    Cut(usize),
    /// It passes some bytes of each stream, then nothing, and keeps the connection open.
    Hold(usize),
    /// It passes some bytes of each stream, then a few bytes at a time.
    Slow(usize),
    /// It answers each request for events, stream or poll, with 502.
    Refuse,
    /// It replaces a text in streams.
    Damage(&'static str, &'static str),
}

/// Proxy that ends with all its connections when dropped.
pub struct Line {
    pub url: String,
    cuts: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Line {
    /// Proxy to `server` (`http://127.0.0.1:PORT`) that cuts each event stream after some bytes.
    pub async fn cutting(server: &str, after_bytes: usize) -> Self {
        Self::with(server, Fault::Cut(after_bytes)).await
    }

    /// Proxy that holds each event stream after some bytes, with its connection open.
    pub async fn holding(server: &str, after_bytes: usize) -> Self {
        Self::with(server, Fault::Hold(after_bytes)).await
    }

    /// Proxy that passes some bytes of each event stream, then about 160 bytes per second.
    pub async fn slowing(server: &str, after_bytes: usize) -> Self {
        Self::with(server, Fault::Slow(after_bytes)).await
    }

    /// Proxy that refuses event streams and polls.
    pub async fn refusing(server: &str) -> Self {
        Self::with(server, Fault::Refuse).await
    }

    /// Proxy that replaces a text in event streams by another one of the same length.
    pub async fn damaging(server: &str, text: &'static str, by: &'static str) -> Self {
        assert_eq!(text.len(), by.len());
        Self::with(server, Fault::Damage(text, by)).await
    }

    async fn with(server: &str, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to = server.trim_start_matches("http://").to_owned();
        let cuts = Arc::new(AtomicUsize::new(0));
        let counted = cuts.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&to).await.unwrap();
                connections.spawn(pass(near, far, fault, counted.clone()));
            }
        });
        Self { url, cuts, _tasks: tasks }
    }

    /// Number of cut or damaged streams, or bytes that slow streams passed.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

/// Pause between two pieces of a slow stream.
const SLOW_PAUSE: Duration = Duration::from_millis(100);
/// Bytes of such a piece.
const SLOW_BYTES: usize = 16;

/// Network that answers each request with its own page; returns its URL. It ends with the returned tasks.
pub async fn login_page() -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = near.read(&mut request).await;
            let page = "<html><body>Please log in to the hotel network</body></html>";
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                page.len()
            );
            let _ = near.write_all(answer.as_bytes()).await;
        }
    });
    (url, tasks)
}

async fn pass(near: TcpStream, far: TcpStream, fault: Fault, cuts: Arc<AtomicUsize>) {
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let refused = tokio::sync::Notify::new();
    let asking = async {
        let mut piece = [0; 4096];
        loop {
            let n = from_near.read(&mut piece).await?;
            if n == 0 {
                return Ok::<(), std::io::Error>(());
            }
            let events = String::from_utf8_lossy(&piece[..n]).contains("GET /api/v1/events");
            if events && matches!(fault, Fault::Refuse) {
                refused.notify_one();
                return std::future::pending().await;
            }
            to_far.write_all(&piece[..n]).await?;
        }
    };
    let answering = async {
        let (mut piece, mut passed, mut stream) = ([0; 512], 0, false);
        loop {
            let n = from_far.read(&mut piece).await?;
            if n == 0 {
                return Ok(());
            }
            let mut bytes = piece[..n].to_vec();
            stream |= String::from_utf8_lossy(&bytes).contains("text/event-stream");
            match fault {
                Fault::Hold(limit) if stream && passed >= limit => continue,
                Fault::Damage(text, by) if stream => {
                    let at = bytes.windows(text.len()).position(|part| part == text.as_bytes());
                    if let Some(at) = at {
                        bytes[at..at + text.len()].copy_from_slice(by.as_bytes());
                        cuts.fetch_add(1, Ordering::Relaxed);
                    }
                }
                _ => {}
            }
            if matches!(fault, Fault::Slow(limit) if stream && passed >= limit) {
                for piece in bytes.chunks(SLOW_BYTES) {
                    tokio::time::sleep(SLOW_PAUSE).await;
                    to_near.write_all(piece).await?;
                    cuts.fetch_add(piece.len(), Ordering::Relaxed);
                }
                continue;
            }
            to_near.write_all(&bytes).await?;
            passed += n;
            if matches!(fault, Fault::Cut(limit) if stream && passed >= limit) {
                cuts.fetch_add(1, Ordering::Relaxed);
                return Ok::<(), std::io::Error>(());
            }
        }
    };
    // Both ends are closed when one of them is.
    let refusal = tokio::select! {
        _ = asking => false,
        _ = answering => false,
        () = refused.notified() => true,
    };
    if refusal {
        let answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        // The client may have gone.
        let _ = to_near.write_all(answer).await;
    }
}
