//! Frame: an event, serialized once for streams and polls.

use bytes::Bytes;
use std::fmt::Write;
use std::ops::Range;

/// Event as a message of a stream: `id: SEQ`, `data: JSON` and an empty line. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Frame {
    seq: u64,
    sse: Bytes,
    json: Range<usize>,
}

impl Frame {
    /// Frame of an event. `json` must have no line breaks, as serde_json writes it.
    pub fn new(seq: u64, json: &str) -> Self {
        debug_assert!(!json.contains(['\n', '\r']), "one data line holds the event");
        let mut sse = String::with_capacity(json.len() + 32);
        write!(sse, "id: {seq}\ndata: ").expect("writing to a String can't fail");
        let start = sse.len();
        sse.push_str(json);
        sse.push_str("\n\n");
        sse.shrink_to_fit();
        Self { seq, sse: sse.into(), json: start..start + json.len() }
    }

    /// Number of the event.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Message of a stream.
    pub fn sse(&self) -> &Bytes {
        &self.sse
    }

    /// The event as JSON.
    pub fn json(&self) -> &[u8] {
        &self.sse[self.json.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_a_stream_message_and_its_json() {
        let frame = Frame::new(7, r#"{"seq":7}"#);
        assert_eq!(&frame.sse()[..], b"id: 7\ndata: {\"seq\":7}\n\n");
        assert_eq!((frame.seq(), frame.json()), (7, &br#"{"seq":7}"#[..]));
    }
}
