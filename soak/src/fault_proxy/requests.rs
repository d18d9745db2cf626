//! Starts and cancels that pass a proxy, kept for a replay.

use request_splitter::RequestSplitter;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Timeout of a repeated request.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum size of a request by the server.
const MAX_REQUEST_BYTES: usize = 256 * 1024;

/// Reads along on one connection, on which requests and responses alternate.
#[derive(Default)]
pub struct RequestTracker {
    requests: RequestSplitter,
    /// Last complete request that is worth repeating.
    complete: Option<Vec<u8>>,
}

impl RequestTracker {
    /// Takes bytes sent to the host.
    pub fn sent(&mut self, bytes: &[u8]) {
        self.requests.push(bytes);
        for request in self.requests.by_ref() {
            self.complete = worth_repeating(&request).then_some(request);
        }
        if self.requests.incomplete() > MAX_REQUEST_BYTES {
            self.requests.clear();
        }
    }

    /// Takes bytes of a response; returns the request that they accept.
    pub fn accepted(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let request = self.complete.take()?;
        bytes.starts_with(b"HTTP/1.1 2").then_some(request)
    }
}

fn worth_repeating(request: &[u8]) -> bool {
    request.starts_with(b"POST /host/v1/operations")
}

/// Sends a request on a new connection; returns its first line and that of the response.
pub async fn repeat(target: SocketAddr, request: &[u8]) -> (String, String) {
    let exchange = async {
        let mut stream = TcpStream::connect(target).await?;
        stream.write_all(request).await?;
        let mut answer = vec![0u8; 512];
        let n = stream.read(&mut answer).await?;
        answer.truncate(n);
        Ok::<_, std::io::Error>(answer)
    };
    let answer = match tokio::time::timeout(RESPONSE_TIMEOUT, exchange).await {
        Ok(Ok(answer)) => first_line(&answer),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no response in time".to_owned(),
    };
    (first_line(request), answer)
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_post_is_kept() {
        let get = b"GET /host/v1/about HTTP/1.1\r\nhost: x\r\n\r\n";
        let post = b"POST /host/v1/operations/7/cancel HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        let mut tracker = RequestTracker::default();
        tracker.sent(get);
        assert_eq!(tracker.accepted(b"HTTP/1.1 200 OK\r\n"), None);
        for half in post.chunks(20) {
            assert_eq!(tracker.accepted(b"HTTP/1.1 200 OK"), None);
            tracker.sent(half);
        }
        assert_eq!(tracker.accepted(b"HTTP/1.1 202 Accepted\r\n").as_deref(), Some(&post[..]));
        // Only once: the rest of the response is not a second one.
        assert_eq!(tracker.accepted(b"HTTP/1.1 202 Accepted\r\n"), None);
        tracker.sent(post);
        assert_eq!(tracker.accepted(b"HTTP/1.1 429 Too Many Requests\r\n"), None);
    }
}
