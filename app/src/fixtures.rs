//! Operations and events for tests.

use protocol::{Event, EventBody, KindName, Operation, State, Time};

pub fn operation(state: State, attempt: u32) -> Operation {
    let id = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap();
    let kind = KindName::new("data.load").unwrap();
    let params = serde_json::json!({"symbol": "MSFT"});
    let queued = Operation::queued(id, kind, "MSFT 1h · full".into(), params, Time::from_micros(0));
    Operation { state, attempt, queued_at: None, ..queued }
}

pub fn event(seq: u64, body: EventBody) -> Event {
    Event { seq, at: Time::from_micros(seq as i64), body }
}
