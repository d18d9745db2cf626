//! What holds for any input of others; `make fuzz` searches for one that breaks it.

use crate::filter::Order;
use crate::host::{About, Health, HostBeat, HostEvent, HostEvents, HostOperations};
use crate::{Event, Filter, Problem, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The reader of the browser takes the same JSON as that of the server, and reads what the server writes.
pub fn document(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (ours, theirs) = (json::from_str::<Value>(text), serde_json::from_str::<Value>(text));
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?} instead of {theirs:?}");
    reads_back::<HostEvent>(text);
    reads_back::<HostEvents>(text);
    reads_back::<HostBeat>(text);
    reads_back::<HostOperations>(text);
    reads_back::<About>(text);
    reads_back::<Health>(text);
    reads_back::<Event>(text);
    reads_back::<Problem>(text);
}

fn reads_back<T: DeserializeOwned + Serialize>(text: &str) {
    // It may take more than the server, such as a document without a field that can be null.
    let _ = json::from_str::<T>(text);
    let Ok(value) = serde_json::from_str::<T>(text) else { return };
    let written = serde_json::to_string(&value).expect("a value from JSON can be written");
    let again = json::from_str::<T>(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
    assert_eq!(serde_json::to_string(&again).ok(), Some(written));
}

/// A filter reads back from its text. The input is a query string without encoding.
pub fn filter(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let Ok(filter) = Filter::parse(pairs) else { return };
    let words = filter.words();
    let again = Filter::parse(words.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let again = again.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    // The position is no part of the text.
    let without_position = Filter { order: Order::default(), after: None, limit: again.limit, ..filter };
    assert_eq!(again, without_position, "{words:?}");
    let now = Time::from_micros(1_800_000_000_000_000);
    let _ = (again.ids(now), again.params_by_name());
}

/// A time reads back from its text.
pub fn time(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(time) = Time::parse(&text) {
        assert_eq!(Time::parse(&time.to_string()), Ok(time));
    }
    if Time::is_day(&text) {
        assert!(Time::parse(&format!("{text}T00:00:00Z")).is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_inputs_hold() {
        fuzz_corpus::each("document", document);
        fuzz_corpus::each("filter", filter);
        fuzz_corpus::each("time", time);
    }
}
