//! Promises of the lifecycle, for any order of messages.

mod any_order;
mod attempts;
mod cancel;
mod children;
mod conditions;

use super::*;
use proptest::prelude::*;
use protocol::band::Like;
use protocol::host::Outcome;
use protocol::{Actor, Baseline, SetRule, Side};
use serde_json::json;

fn record() -> Record {
    let kind = KindName::new("data.load").unwrap();
    Record::new(OperationId::new(), kind, "MSFT 1h".into(), json!({}), Time::from_micros(1_000_000))
}

fn t(n: i64) -> Time {
    Time::from_micros(1_000_000 + n)
}

fn host_name() -> HostName {
    HostName::new("data-1").unwrap()
}

fn chosen() -> Message {
    Message::Chosen { host: host_name(), instance: InstanceId::new() }
}

fn event_of(attempt: u32, body: HostEventBody) -> Message {
    Message::Host { attempt, at: t(5), body }
}

fn ends(attempt: u32, outcome: Outcome) -> Message {
    event_of(attempt, HostEventBody::Ended { outcome, failure: None, result: None, usage: None })
}

fn keeps(attempt: u32, fraction: Option<f64>) -> Message {
    let (note, files) = ("half".into(), vec![]);
    let checkpoint = protocol::Checkpoint { attempt, at: t(3), note, fraction, state: json!(5), files };
    event_of(attempt, HostEventBody::Checkpoint { checkpoint })
}

fn is_at(attempt: u32, fraction: Option<f64>) -> Message {
    let progress = Progress { fraction, ..Progress::start(t(4)) };
    event_of(attempt, HostEventBody::Progress { progress })
}

fn running() -> Record {
    let mut record = record();
    step(&mut record, chosen(), t(1)).unwrap();
    step(&mut record, event_of(1, HostEventBody::Running), t(2)).unwrap();
    assert_eq!(record.operation.state, State::Running);
    record
}

fn condition_of(kind: ConditionKind) -> Message {
    let condition = Some(protocol::host::HostCondition { kind, message: "x".into() });
    event_of(1, HostEventBody::Condition { condition })
}

fn rule() -> Box<BandRule> {
    let wanted = SetRule { series: "loss".into(), side: Side::Above, points: 3 };
    let baseline = Baseline {
        series: "loss".into(),
        like: Like::SameTitle,
        runs: Vec::new(),
        needed: 5,
        band: None,
        why: String::new(),
    };
    Box::new(BandRule::new(wanted, &baseline, Actor::signalbox(), t(0)))
}

fn band_left() -> Message {
    Message::BandLeft { from_x: 4.0, reason: "loss was above".into() }
}

fn shown(record: &Record) -> Option<ConditionKind> {
    record.operation.condition.as_ref().map(|condition| condition.kind)
}
