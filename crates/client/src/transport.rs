//! Transport: sends requests over connections that another process keeps.

use crate::ClientError;
use std::pin::Pin;
use std::time::Duration;

/// HTTP method of a [`Call`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Post,
    Delete,
}

/// Request for a [`Transport`].
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// JSON of a POST.
    pub body: Option<Vec<u8>>,
    /// Idempotency key, by which the server recognizes a repetition.
    pub key: Option<String>,
    /// The call may be sent again if its answer is lost.
    pub repeatable: bool,
}

/// Answer of the server, or of a copy of its data.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// Set if the answer is from a copy.
    pub copy: Option<Copied>,
}

/// Where an answer from a copy of the server's data stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Copied {
    /// Time since the copy was last known to be complete.
    pub age: Duration,
    /// The server can't be reached now.
    pub offline: bool,
}

/// Future of [`Transport::send`].
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Option<Answer>, ClientError>> + Send + 'a>>;

/// Sends requests for a client.
pub trait Transport: Send + Sync {
    /// Sends a request. `None` if it was not sent: the client then sends it itself.
    ///
    /// # Errors
    /// [`ClientError`]; the request may have been sent.
    fn send(&self, call: Call) -> Sending<'_>;
}
