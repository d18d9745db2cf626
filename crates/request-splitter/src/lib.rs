//! Splits the bytes of a connection into whole HTTP/1.1 requests. For the proxies of tests, which delay or repeat
//! single requests: those of the engine's tests, and of soak.
//!
//! Only lengths are read: no chunked bodies, which neither the server nor its tests send to hosts.

#![warn(missing_docs)]

/// Most headers of a request.
const MAX_HEADERS: usize = 64;

/// Splitter of one connection.
#[derive(Default)]
pub struct RequestSplitter {
    incomplete: Vec<u8>,
}

impl RequestSplitter {
    /// Adds bytes as they arrive.
    pub fn push(&mut self, bytes: &[u8]) {
        self.incomplete.extend_from_slice(bytes);
    }

    /// Number of bytes that are not part of a whole request yet.
    pub fn incomplete(&self) -> usize {
        self.incomplete.len()
    }

    /// Forgets the incomplete request.
    pub fn clear(&mut self) {
        self.incomplete.clear();
    }
}

impl Iterator for RequestSplitter {
    type Item = Vec<u8>;

    /// Next whole request; `None` until more bytes arrive.
    fn next(&mut self) -> Option<Vec<u8>> {
        let length = request_length(&self.incomplete)?;
        Some(self.incomplete.drain(..length).collect())
    }
}

/// Length of the first request, if it is whole.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes).ok()? else { return None };
    let body = request
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse::<usize>().ok());
    let length = head.checked_add(body.unwrap_or(0))?;
    (bytes.len() >= length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &[u8] = b"GET /host/v1/about HTTP/1.1\r\nhost: x\r\n\r\n";
    const POST: &[u8] = b"POST /host/v1/operations HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";

    #[test]
    fn requests_are_complete_however_they_arrive() {
        let both = [GET, POST].concat();
        for size in 1..=both.len() {
            let mut splitter = RequestSplitter::default();
            let mut requests = Vec::new();
            for piece in both.chunks(size) {
                splitter.push(piece);
                requests.extend(splitter.by_ref());
            }
            assert_eq!(requests, [GET, POST], "in pieces of {size} bytes");
            assert_eq!(splitter.incomplete(), 0);
        }
    }

    #[test]
    fn an_incomplete_request_waits_or_is_discarded() {
        let mut splitter = RequestSplitter::default();
        splitter.push(&POST[..POST.len() - 1]);
        assert_eq!((splitter.next(), splitter.incomplete()), (None, POST.len() - 1));
        splitter.clear();
        splitter.push(GET);
        assert_eq!(splitter.next().as_deref(), Some(GET));
    }
}
