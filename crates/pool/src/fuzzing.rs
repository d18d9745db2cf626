//! What holds for any stream; `make fuzz` searches for one that breaks it.

use crate::sse::{EVENT_LIMIT, Sse, SseParser};
use std::collections::VecDeque;

/// The events do not depend on where the stream is cut, and have no line feeds in their fields. The first byte is the
/// length of the pieces.
pub fn stream(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else { return };
    let whole = events(bytes, bytes.len().max(1));
    assert_eq!(events(bytes, usize::from(*piece).max(1)), whole);
    for event in whole {
        assert!(!event.event.is_empty() && !event.event.contains(['\n', '\r']), "{event:?}");
        assert!(!event.id.is_some_and(|id| id.is_empty() || id.contains(['\n', '\r', '\0'])));
    }
    // A small limit: nothing beyond it is kept.
    let mut parser = SseParser::new(16);
    let mut events = VecDeque::new();
    for piece in bytes.chunks(4) {
        if parser.feed(piece, &mut events).is_err() {
            break;
        }
    }
    // A byte that is not UTF-8 becomes three.
    assert!(events.iter().all(|event| event.data.len() <= 3 * 16), "{events:?}");
}

fn events(bytes: &[u8], piece: usize) -> Vec<Sse> {
    let mut parser = SseParser::new(EVENT_LIMIT);
    let mut events = VecDeque::new();
    for piece in bytes.chunks(piece) {
        parser.feed(piece, &mut events).expect("the input is far smaller than the limit");
    }
    events.into()
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("sse", stream);
}
