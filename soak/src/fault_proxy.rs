//! Connection between the server and a host: a TCP proxy that can delay, stall, refuse, truncate or cut connections,
//! and repeat requests.
//!
//! While it stalls it reads nothing, so data waits at the sender and arrives afterwards, as on a real network.

mod requests;

use crate::plan::ConnectionFault;
use parking_lot::Mutex;
use requests::{RequestTracker, repeat};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// First bytes of a request that starts an attempt.
const START: &[u8] = b"POST /host/v1/operations HTTP/";
/// Number of requests kept for a replay.
const MAX_REMEMBERED_REQUESTS: usize = 200;

/// Proxy in front of a host. Its address stays the same while the host restarts.
pub struct FaultProxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    /// Address of the host's current process.
    target: watch::Sender<Option<SocketAddr>>,
    fault: watch::Sender<Option<ConnectionFault>>,
    /// Number of cuts; connections end when it rises.
    cuts: watch::Sender<u64>,
    /// Starts and cancels that the host's current process has accepted.
    accepted: Mutex<VecDeque<Vec<u8>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl FaultProxy {
    /// Opens a proxy on a free loopback port.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            target: watch::channel(None).0,
            fault: watch::channel(None).0,
            cuts: watch::channel(0).0,
            accepted: Mutex::default(),
        });
        let accepting = state.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().relay(near));
            }
        });
        Ok(Self { address, state })
    }

    /// Sets the address of a new process of the host and forgets the requests of the old one, which the server never
    /// sent to the new one.
    pub fn set_target(&self, target: Option<SocketAddr>) {
        self.state.accepted.lock().clear();
        self.state.target.send_replace(target);
    }

    /// Sets how the connection is bad; `None` if it is good.
    pub fn set(&self, fault: Option<ConnectionFault>) {
        self.state.fault.send_replace(fault);
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Repeats the newest accepted requests, each on a new connection; returns the first lines of requests and
    /// responses.
    pub async fn replay(&self, requests: usize) -> Vec<(String, String)> {
        let Some(target) = *self.state.target.borrow() else { return Vec::new() };
        let again: Vec<Vec<u8>> = self.state.accepted.lock().iter().rev().take(requests).cloned().collect();
        let mut exchanges = Vec::new();
        for request in again {
            exchanges.push(repeat(target, &request).await);
        }
        exchanges
    }
}

impl State {
    async fn relay(self: Arc<Self>, near: TcpStream) {
        let target = *self.target.borrow();
        if matches!(*self.fault.borrow(), Some(ConnectionFault::Refused)) {
            return;
        }
        let Some(target) = target else { return };
        let Ok(far) = TcpStream::connect(target).await else { return };
        if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
            return;
        }
        let mut cuts = self.cuts.subscribe();
        let tracker = Mutex::new(RequestTracker::default());
        let (near_in, near_out) = near.into_split();
        let (far_in, far_out) = far.into_split();
        tokio::select! {
            // If one direction ends, the other may finish; a truncated response ends both.
            _ = async {
                tokio::try_join!(
                    self.copy(near_in, far_out, Direction::Up, target, &tracker),
                    self.copy(far_in, near_out, Direction::Down, target, &tracker),
                )
            } => {}
            _ = cuts.changed() => {}
        }
    }

    /// Forwards bytes in one direction. `Err` ends the other direction, too.
    async fn copy(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        way: Direction,
        target: SocketAddr,
        tracker: &Mutex<RequestTracker>,
    ) -> Result<(), ()> {
        let mut fault = self.fault.subscribe();
        let mut buffer = vec![0u8; 16 * 1024];
        loop {
            // While the connection is silent, bytes stay unread.
            from.readable().await.map_err(drop)?;
            fault.wait_for(|t| !silent(*t, way)).await.map_err(drop)?;
            let n = from.read(&mut buffer).await.map_err(drop)?;
            if n == 0 {
                return to.shutdown().await.map_err(drop);
            }
            let mut piece = &buffer[..n];
            let now = *fault.borrow();
            if let Some(ConnectionFault::Slow { ms }) = now {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            if let Some(ConnectionFault::DelayedStarts { ms }) = now
                && way == Direction::Up
                && piece.starts_with(START)
            {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            let short = match now {
                Some(ConnectionFault::Truncated { bytes }) if way == Direction::Down && n > bytes => {
                    piece = &piece[..bytes];
                    true
                }
                _ => false,
            };
            to.write_all(piece).await.map_err(drop)?;
            if short {
                return Err(());
            }
            match way {
                Direction::Up => tracker.lock().sent(piece),
                Direction::Down => {
                    if let Some(post) = tracker.lock().accepted(piece) {
                        self.remember(post, target);
                    }
                }
            }
        }
    }

    fn remember(&self, post: Vec<u8>, target: SocketAddr) {
        // The response came from a process that has ended since.
        if *self.target.borrow() != Some(target) {
            return;
        }
        let mut accepted = self.accepted.lock();
        accepted.push_back(post);
        if accepted.len() > MAX_REMEMBERED_REQUESTS {
            accepted.pop_front();
        }
    }
}

fn silent(fault: Option<ConnectionFault>, way: Direction) -> bool {
    match fault {
        Some(ConnectionFault::Silent { up, down }) => match way {
            Direction::Up => up,
            Direction::Down => down,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Service that answers each request with the number of its connection, and keeps connections open.
    async fn service() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut n = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                n += 1;
                let body = format!("{n:04}");
                tokio::spawn(async move {
                    let mut buffer = [0u8; 1024];
                    while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {
                        let answer = format!("HTTP/1.1 202 Accepted\r\ncontent-length: 4\r\n\r\n{body}");
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    const A_START: &[u8] = b"POST /host/v1/operations HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";

    /// Length of a response of the service.
    const RESPONSE_BYTES: usize = 48;

    async fn ask(proxy: &FaultProxy) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(proxy.address).await?;
        stream.write_all(A_START).await?;
        let mut answer = vec![0u8; RESPONSE_BYTES];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_good_connection_forwards_both_ways_and_a_refused_or_truncated_one_does_not() {
        let proxy = FaultProxy::open().await.unwrap();
        assert!(ask(&proxy).await.is_err());
        proxy.set_target(Some(service().await));
        assert!(ask(&proxy).await.unwrap().starts_with(b"HTTP/1.1 202"));
        proxy.set(Some(ConnectionFault::Refused));
        assert!(ask(&proxy).await.is_err());
        proxy.set(Some(ConnectionFault::Truncated { bytes: 10 }));
        assert_eq!(ask(&proxy).await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
        proxy.set(None);
        assert!(ask(&proxy).await.is_ok());
    }

    #[tokio::test]
    async fn data_sent_into_a_silence_arrives_after_it_and_a_cut_ends_the_connection() {
        let proxy = FaultProxy::open().await.unwrap();
        proxy.set_target(Some(service().await));
        proxy.set(Some(ConnectionFault::Silent { up: true, down: false }));
        let (answer, ()) = tokio::join!(ask(&proxy), async { proxy.set(None) });
        assert!(answer.is_ok());
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(A_START).await.unwrap();
        stream.read_exact(&mut [0u8; RESPONSE_BYTES]).await.unwrap();
        proxy.cut();
        assert!(matches!(stream.read(&mut [0u8; 1]).await, Ok(0) | Err(_)));
    }

    #[tokio::test]
    async fn only_requests_accepted_by_the_current_process_are_replayed() {
        let proxy = FaultProxy::open().await.unwrap();
        proxy.set_target(Some(service().await));
        ask(&proxy).await.unwrap();
        let exchanges = proxy.replay(5).await;
        let start = ("POST /host/v1/operations HTTP/1.1".to_owned(), "HTTP/1.1 202 Accepted".to_owned());
        assert_eq!(exchanges, [start]);
        proxy.set_target(Some(service().await));
        assert_eq!(proxy.replay(5).await, []);
    }
}
