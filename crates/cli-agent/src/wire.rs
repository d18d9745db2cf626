//! Protocol on the socket: frames of a length (4 bytes, big-endian) and so many bytes.
//!
//! The agent begins with a [`Hello`]. Each request is a frame with a [`Request`] and one with a body, each response a
//! frame with a [`Response`] and one with a body. Bodies are JSON as the server sends it, and may be empty.

use client::TlsProblem;
use client::transport::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Version of the protocol.
pub const VERSION: u32 = 1;
/// Largest frame; as large as a response of a server may be.
const MAX_FRAME_BYTES: u32 = 64 << 20;
/// Memory for a frame before anything of it has arrived.
const FIRST_BYTES: u32 = 64 * 1024;

/// First frame of a connection, from the agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    pub version: u32,
}

/// Request of a command.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// A request of the API.
    Call {
        method: Verb,
        path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        repeatable: bool,
        /// Number of an event that the answer must reflect.
        at_least: u64,
        /// Ask the server, also for what the copy has.
        fresh: bool,
    },
    Status,
    Stop,
}

/// HTTP method.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    Get,
    Post,
    Delete,
}

impl From<Method> for Verb {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Verb::Get,
            Method::Post => Verb::Post,
            Method::Delete => Verb::Delete,
        }
    }
}

/// Response of the agent; its body follows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Response {
    /// HTTP status; 0 without an answer of the server.
    pub status: u16,
    /// Age of the copy that answered, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    /// The server can't be reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Why the server did not answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Failure {
    Unreachable,
    Tls { problem: TlsProblem },
    Proxy { cause: String },
    Broken { cause: String },
    Timeout { after: Duration },
    Decode { cause: String },
    Other { cause: String },
}

/// What an agent does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Status {
    pub server: String,
    pub pid: u32,
    pub version: String,
    pub uptime_seconds: u64,
    /// The copy is complete and follows the feed.
    pub connected: bool,
    /// Operations in the copy.
    pub operations: usize,
    /// Number of the newest event in the copy.
    pub seq: u64,
    /// Answers from the copy.
    pub answered: u64,
    /// Requests that went to the server.
    pub forwarded: u64,
    /// Connections opened to the server, without the stream.
    pub opened: u64,
    /// Requests on a connection that was already open.
    pub reused: u64,
}

/// Writes a frame of JSON.
///
/// # Errors
/// As the system reports them.
pub async fn write_json<W: AsyncWrite + Unpin>(to: &mut W, value: &impl Serialize) -> io::Result<()> {
    let mut frame = Vec::new();
    append(&mut frame, &serde_json::to_vec(value)?)?;
    to.write_all(&frame).await
}

/// Writes a frame of JSON and one of bytes, at once: each write would wake the other side.
///
/// # Errors
/// As the system reports them.
pub async fn write_with_body<W: AsyncWrite + Unpin>(
    to: &mut W,
    value: &impl Serialize,
    body: &[u8],
) -> io::Result<()> {
    let json = serde_json::to_vec(value)?;
    let mut frames = Vec::with_capacity(json.len() + body.len() + 8);
    append(&mut frames, &json)?;
    append(&mut frames, body)?;
    to.write_all(&frames).await
}

/// Appends a frame.
fn append(frames: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= MAX_FRAME_BYTES);
    let length = length.ok_or_else(|| io::Error::other("the frame is too large"))?;
    frames.extend_from_slice(&length.to_be_bytes());
    frames.extend_from_slice(bytes);
    Ok(())
}

/// Reads a frame of JSON.
///
/// # Errors
/// Also if it is no such JSON, or the connection ended.
pub async fn read_json<R: AsyncRead + Unpin, T: DeserializeOwned>(from: &mut R) -> io::Result<T> {
    Ok(serde_json::from_slice(&read(from).await?)?)
}

/// Reads a frame.
///
/// # Errors
/// Also if it is too large, or the connection ended.
pub async fn read<R: AsyncRead + Unpin>(from: &mut R) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::other("the frame is too large"));
    }
    // Beyond the first bytes, memory grows with what arrives, not with what is announced.
    let mut bytes = Vec::with_capacity(length.min(FIRST_BYTES) as usize);
    from.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if bytes.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_is_read_as_it_was_written() {
        let mut buffer = Vec::new();
        let request = Request::Call {
            method: Verb::Get,
            path: "/api/v1/operations".into(),
            key: None,
            repeatable: true,
            at_least: 7,
            fresh: false,
        };
        write_with_body(&mut buffer, &request, b"").await.unwrap();
        let mut reader = buffer.as_slice();
        assert_eq!(read_json::<_, Request>(&mut reader).await.unwrap(), request);
        assert!(read(&mut reader).await.unwrap().is_empty());
        assert!(read(&mut reader).await.is_err(), "the end");
    }

    #[tokio::test]
    async fn an_announced_size_does_not_take_memory() {
        let huge = u32::MAX.to_be_bytes();
        assert!(read(&mut huge.as_slice()).await.is_err());
        let mut cut = [0, 0, 1, 0, b'x'].as_slice();
        assert_eq!(read(&mut cut).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
