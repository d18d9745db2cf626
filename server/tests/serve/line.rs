//! Bad connection: a proxy between client and server that cuts streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Proxy that ends with all its connections when dropped.
pub struct Line {
    pub url: String,
    cuts: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Line {
    /// Proxy to `server` (`http://127.0.0.1:PORT`) that cuts each event stream after some bytes.
    pub async fn cutting(server: &str, after_bytes: usize) -> Self {
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
                connections.spawn(pass(near, far, after_bytes, counted.clone()));
            }
        });
        Self { url, cuts, _tasks: tasks }
    }

    /// Number of cut streams.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

async fn pass(near: TcpStream, far: TcpStream, limit: usize, cuts: Arc<AtomicUsize>) {
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let asking = async { tokio::io::copy(&mut from_near, &mut to_far).await.map(drop) };
    let answering = async {
        let (mut piece, mut passed, mut stream) = ([0; 512], 0, false);
        loop {
            let n = from_far.read(&mut piece).await?;
            if n == 0 {
                return Ok(());
            }
            stream |= String::from_utf8_lossy(&piece[..n]).contains("text/event-stream");
            to_near.write_all(&piece[..n]).await?;
            passed += n;
            if stream && passed >= limit {
                cuts.fetch_add(1, Ordering::Relaxed);
                return Ok::<(), std::io::Error>(());
            }
        }
    };
    // Both ends are closed when one of them is.
    tokio::select! {
        _ = asking => {}
        _ = answering => {}
    }
}
