//! Parser of `text/event-stream`, for chunks cut anywhere.
//!
//! Pure: bytes in, events out. [`crate::SseStream`] feeds it from a connection.

use std::collections::VecDeque;
use std::time::Duration;

/// Largest size of an event: 16 MiB.
pub const EVENT_LIMIT: usize = 16 << 20;

/// Event of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sse {
    /// Its name; `message` by default.
    pub event: String,
    /// Current ID: its own, or that of the last event with one.
    pub id: Option<String>,
    /// Its data lines, joined by line feeds.
    pub data: String,
}

/// An event or a line exceeds the limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventTooLarge;

/// Turns bytes into events. Holds at most one event and one line, each within the limit.
#[derive(Debug)]
pub struct SseParser {
    limit: usize,
    /// Incomplete line.
    line: Vec<u8>,
    /// The last byte was a CR that ended a line, so an LF right after it belongs to it.
    after_cr: bool,
    /// Nothing came before this line, so it may begin with a byte order mark.
    at_start: bool,
    event: String,
    data: String,
    /// There was a data field, possibly empty.
    has_data: bool,
    id: Option<String>,
    retry: Option<Duration>,
}

impl SseParser {
    /// Parser for a stream from its first byte; `limit` is the largest size of an event in bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            event: String::new(),
            data: String::new(),
            has_data: false,
            id: None,
            retry: None,
        }
    }

    /// Pause before reconnecting that the service asks for, if any.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Parses the next bytes; appends each completed event to `events`.
    ///
    /// # Errors
    /// If an event or a line exceeds the limit. The stream is unusable then.
    pub fn feed(&mut self, mut bytes: &[u8], events: &mut VecDeque<Sse>) -> Result<(), EventTooLarge> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
                self.keep(bytes)?;
                return Ok(());
            };
            self.after_cr = bytes[end] == b'\r';
            if self.line.is_empty() {
                self.take_line(&bytes[..end], events)?;
            } else {
                self.keep(&bytes[..end])?;
                let mut line = std::mem::take(&mut self.line);
                self.take_line(&line, events)?;
                line.clear();
                self.line = line;
            }
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }

    /// Keeps a part of a line until the rest comes.
    fn keep(&mut self, part: &[u8]) -> Result<(), EventTooLarge> {
        if self.line.len() + part.len() > self.limit {
            return Err(EventTooLarge);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn take_line(&mut self, line: &[u8], events: &mut VecDeque<Sse>) -> Result<(), EventTooLarge> {
        let line = match std::mem::take(&mut self.at_start) {
            true => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            false => line,
        };
        if line.is_empty() {
            self.finish_event(events);
            return Ok(());
        }
        let (name, value) = match line.iter().position(|b| *b == b':') {
            // A line that starts with a colon is a comment: it only shows that the stream is alive.
            Some(0) => return Ok(()),
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.data.len() + value.len() + 1 > self.limit {
                    return Err(EventTooLarge);
                }
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(&String::from_utf8_lossy(value));
            }
            b"event" => self.event = String::from_utf8_lossy(value).into_owned(),
            b"id" if !value.contains(&0) => {
                self.id = Some(String::from_utf8_lossy(value).into_owned()).filter(|id| !id.is_empty());
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                // A number of milliseconds that is too large is ignored like any invalid value.
                let millis = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
                self.retry = millis.map(Duration::from_millis).or(self.retry);
            }
            _ => {}
        }
        Ok(())
    }

    /// Empty line: ends the event, if it has data.
    fn finish_event(&mut self, events: &mut VecDeque<Sse>) {
        let mut event = std::mem::take(&mut self.event);
        if !std::mem::take(&mut self.has_data) {
            return;
        }
        if event.is_empty() {
            event.push_str("message");
        }
        events.push_back(Sse { event, id: self.id.clone(), data: std::mem::take(&mut self.data) });
    }
}

impl Default for SseParser {
    fn default() -> Self {
        Self::new(EVENT_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> Vec<Sse> {
        let mut events = VecDeque::new();
        SseParser::default().feed(bytes, &mut events).unwrap();
        events.into()
    }

    fn sse(event: &str, id: Option<&str>, data: &str) -> Sse {
        Sse { event: event.into(), id: id.map(Into::into), data: data.into() }
    }

    #[test]
    fn fields_are_parsed_by_the_standard() {
        assert_eq!(parse(b"data: x\n\n"), [sse("message", None, "x")]);
        assert_eq!(parse(b"event: beat\nid: 7\ndata: x\n\n"), [sse("beat", Some("7"), "x")]);
        assert_eq!(parse(b"data: a\ndata: b\ndata\n\n"), [sse("message", None, "a\nb\n")]);
        assert_eq!(
            parse(b"data:no space\n\ndata:  two\n\n"),
            [sse("message", None, "no space"), sse("message", None, " two")]
        );
        assert_eq!(parse(b": only a comment\n\n"), []);
        assert_eq!(parse(b"event: nothing\n\n"), []);
        assert_eq!(parse(b"data\n\n"), [sse("message", None, "")]);
        assert_eq!(parse(b"data: not over"), []);
        assert_eq!(parse(b"unknown: x\ndata: y\n\n"), [sse("message", None, "y")]);
    }

    #[test]
    fn all_three_line_ends_are_accepted() {
        for end in ["\n", "\r", "\r\n"] {
            let text = format!("event: e{end}data: 1{end}{end}data: 2{end}{end}");
            assert_eq!(parse(text.as_bytes()), [sse("e", None, "1"), sse("message", None, "2")], "{end:?}");
        }
    }

    #[test]
    fn an_id_lasts_until_the_next_one() {
        assert_eq!(
            parse(b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: x\0y\ndata: d\n\n"),
            [
                sse("message", Some("1"), "a"),
                sse("message", Some("1"), "b"),
                sse("message", None, "c"),
                sse("message", None, "d")
            ]
        );
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once() {
        assert_eq!(parse(b"\xef\xbb\xbfdata: a\n\n"), [sse("message", None, "a")]);
        assert_eq!(parse(b"\n\xef\xbb\xbfdata: a\n\n"), []);
    }

    #[test]
    fn the_retry_time_of_the_service_is_stored() {
        let mut parser = SseParser::default();
        let mut events = VecDeque::new();
        parser.feed(b"retry: 2500\nretry: soon\nretry: 99999999999999999999999\n", &mut events).unwrap();
        assert_eq!(parser.retry(), Some(Duration::from_millis(2500)));
    }

    #[test]
    fn an_endless_line_or_event_is_rejected() {
        let mut parser = SseParser::new(100);
        let mut events = VecDeque::new();
        assert_eq!(parser.feed(&[b'x'; 101], &mut events), Err(EventTooLarge));

        let mut parser = SseParser::new(100);
        let fed = (0..20).try_for_each(|_| parser.feed(b"data: 123456789\n", &mut events));
        assert_eq!(fed, Err(EventTooLarge));
        assert!(events.is_empty());
    }

    /// Bytes in which characters with a meaning are frequent.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"data:".to_vec()),
            Just(b"event: ".to_vec()),
            Just(b"id: 1".to_vec()),
            Just(b"retry: 5".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"\n\n".to_vec()),
            Just(b"\xef\xbb\xbf".to_vec()),
            Just(b":".to_vec()),
            vec(any::<u8>(), 0..6),
            "[a-zé ]{0,6}".prop_map(String::into_bytes),
        ];
        vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn the_chunking_of_the_stream_does_not_matter(bytes in bytes(), cuts in vec(0usize..200, 0..20)) {
            let mut parser = SseParser::default();
            let mut events = VecDeque::new();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut from = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                parser.feed(&bytes[from..cut], &mut events).unwrap();
                from = cut;
            }
            prop_assert_eq!(Vec::from(events), parse(&bytes));
        }

        #[test]
        fn no_bytes_panic_or_exceed_the_memory_limit(
            chunks in vec(bytes(), 0..10), limit in 0usize..64
        ) {
            let mut parser = SseParser::new(limit);
            let mut events = VecDeque::new();
            for chunk in &chunks {
                if parser.feed(chunk, &mut events).is_err() {
                    break;
                }
                prop_assert!(parser.line.len() <= limit);
                // A byte that is not UTF-8 becomes a replacement of three.
                prop_assert!(parser.data.len() <= 3 * limit);
            }
        }

        #[test]
        fn a_written_event_reads_back(
            written in vec(("[a-z]{1,8}", "[0-9]{1,8}", vec("[^\r\n\0]{0,12}", 1..4)), 0..8),
            end in prop_oneof![Just("\n"), Just("\r"), Just("\r\n")],
        ) {
            let mut text = String::new();
            let mut expected = Vec::new();
            for (event, id, lines) in &written {
                text.push_str(&format!(": beat{end}event: {event}{end}id: {id}{end}"));
                for line in lines {
                    text.push_str(&format!("data: {line}{end}"));
                }
                text.push_str(end);
                expected.push(sse(event, Some(id), &lines.join("\n")));
            }
            prop_assert_eq!(parse(text.as_bytes()), expected);
        }
    }
}
