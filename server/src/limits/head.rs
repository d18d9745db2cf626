//! Time of a request's head: a client that sends it byte by byte loses its connection.
//!
//! The HTTP library has one timeout for idle connections and slow heads. This one begins with the first byte of a head.

use super::{ConnectionSlot, Limit};
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Beginnings and ends of the requests of a connection: odd while there is one.
#[derive(Clone, Default)]
pub struct RequestCount(Arc<AtomicU32>);

impl RequestCount {
    /// The head of a request is complete.
    pub fn begin(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a request has begun.
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// The response to the request begins.
    pub fn end(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Connection of HTTP/1 whose heads have a timeout.
pub struct HeadTimer<S> {
    stream: S,
    requests: RequestCount,
    slot: ConnectionSlot,
    remote: IpAddr,
    /// First byte of the head that is not complete: its time, and the count of requests before it.
    began: Option<(Instant, u32)>,
    /// Timer, which only a head of several pieces needs.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<S> HeadTimer<S> {
    pub fn new(stream: S, requests: RequestCount, slot: ConnectionSlot, remote: IpAddr) -> Self {
        Self { stream, requests, slot, remote, began: None, sleep: None }
    }

    pub fn into_parts(self) -> (S, ConnectionSlot) {
        (self.stream, self.slot)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadTimer<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let count = self.requests.0.load(Ordering::Relaxed);
        let in_request = count % 2 == 1;
        if in_request || self.began.is_some_and(|(_, at)| at != count) {
            (self.began, self.sleep) = (None, None);
        }
        let Some(timeout) = self.slot.limits().settings().header_timeout.filter(|_| !in_request) else {
            return read;
        };
        if read.is_ready() {
            if buf.filled().len() > before && self.began.is_none() {
                self.began = Some((Instant::now(), count));
            }
            return read;
        }
        if let Some((began, _)) = self.began {
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(began + timeout)));
            if sleep.as_mut().poll(cx).is_ready() {
                self.slot.limits().reached_by(Limit::HeaderTimeout, Some(self.remote));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadTimer<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
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
    use crate::limits::{LimitSettings, Limits};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    fn timer() -> (HeadTimer<DuplexStream>, DuplexStream, RequestCount, Limits) {
        let settings =
            LimitSettings { header_timeout: Some(Duration::from_secs(5)), ..LimitSettings::default() };
        let (limits, requests) = (Limits::new(settings), RequestCount::default());
        let (near, far) = duplex(64);
        let remote: IpAddr = "192.0.2.1".parse().unwrap();
        let slot = limits.connection(remote).unwrap();
        (HeadTimer::new(near, requests.clone(), slot, remote), far, requests, limits)
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_begins_with_the_first_byte_of_a_head() {
        let (mut timer, mut far, requests, limits) = timer();
        let waiting = tokio::time::timeout(Duration::from_secs(60), timer.read_u8()).await;
        assert!(waiting.is_err(), "an idle connection has no timeout here");
        far.write_all(b"ab").await.unwrap();
        timer.read_u8().await.unwrap();
        timer.read_u8().await.unwrap();
        // The head is complete; its body may take its time.
        requests.begin();
        assert!(tokio::time::timeout(Duration::from_secs(60), timer.read_u8()).await.is_err());
        requests.end();
        assert!(tokio::time::timeout(Duration::from_secs(60), timer.read_u8()).await.is_err(), "idle again");

        let began = Instant::now();
        let slowly = tokio::spawn(async move {
            while far.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let error = loop {
            match timer.read_u8().await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 5));
        assert!(limits.refused().any(|refused| refused == (Limit::HeaderTimeout, 1)));
        drop(timer);
        slowly.await.unwrap();
    }
}
