//! Model: operations and hosts as the feed tells them. Pure.

use super::history::History;
use protocol::api::{HostStatus, Snapshot};
use protocol::filter::Filter;
use protocol::{Event, EventBody, Operation, OperationId, State, Time};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Ended operations that are kept.
const MAX_ENDED: usize = 500;

/// Operation with its recent rates.
#[derive(Clone, Debug)]
pub struct Tracked {
    pub op: Operation,
    pub rates: History,
}

/// Host with its recent load.
#[derive(Clone, Debug)]
pub struct Host {
    pub status: HostStatus,
    pub loads: History,
}

/// Everything that the server told.
#[derive(Default)]
pub struct Model {
    /// The first snapshot was loaded.
    pub is_loaded: bool,
    operations: BTreeMap<OperationId, Tracked>,
    pub hosts: Vec<Host>,
}

impl Model {
    /// Replaces everything by a snapshot; histories of what is still there continue.
    pub fn load(&mut self, snapshot: Snapshot) {
        let mut before = std::mem::take(&mut self.operations);
        for op in snapshot.operations {
            let rates = before.remove(&op.id).map(|known| known.rates).unwrap_or_default();
            self.operations.insert(op.id, Tracked { op, rates });
        }
        let mut hosts = std::mem::take(&mut self.hosts);
        for status in snapshot.hosts {
            let known = hosts.iter_mut().find(|host| host.status.name == status.name);
            let loads = known.map(|host| std::mem::take(&mut host.loads)).unwrap_or_default();
            self.hosts.push(Host { status, loads });
        }
        self.is_loaded = true;
        self.trim();
    }

    /// Applies an event.
    pub fn apply(&mut self, event: Event) {
        match event.body {
            EventBody::Operation { operation } => self.update(*operation),
            EventBody::Progress { id, attempt, progress, forecast } => {
                if let Some(known) = self.operations.get_mut(&id)
                    && known.op.attempt == attempt
                {
                    known.op.progress = Some(progress);
                    // Without a new forecast, the previous one is still valid.
                    known.op.forecast = forecast.or(known.op.forecast.take());
                }
            }
            EventBody::Host { host } => {
                match self.hosts.iter_mut().find(|known| known.status.name == host.name) {
                    Some(known) => known.status = *host,
                    None => self.hosts.push(Host { status: *host, loads: History::default() }),
                }
            }
            EventBody::Deleted { id, .. } => {
                self.operations.remove(&id);
            }
            EventBody::Points { .. }
            | EventBody::Log { .. }
            | EventBody::Late { .. }
            | EventBody::Alerts { .. } => {}
        }
    }

    /// Takes a newer state of an operation.
    pub fn update(&mut self, op: Operation) {
        match self.operations.get_mut(&op.id) {
            Some(known) if known.op.seq <= op.seq => known.op = op,
            Some(_) => {}
            None => {
                self.operations.insert(op.id, Tracked { op, rates: History::default() });
            }
        }
        self.trim();
    }

    /// Samples rates and loads; called once a second.
    pub fn sample(&mut self) {
        for known in self.operations.values_mut().filter(|known| !known.op.state.ended()) {
            let rate = known.op.progress.as_ref().and_then(|progress| progress.rate);
            known.rates.push(rate);
        }
        for host in &mut self.hosts {
            host.loads.push(host.status.health.as_ref().and_then(|health| health.cpu));
        }
    }

    pub fn get(&self, id: OperationId) -> Option<&Tracked> {
        self.operations.get(&id)
    }

    /// Number of operations in a state.
    pub fn count(&self, states: &[State]) -> usize {
        self.operations.values().filter(|known| states.contains(&known.op.state)).count()
    }

    /// Matching operations: on hosts, then queued ones in their order, then ended ones, the newest end first.
    pub fn rows(&self, filter: &Filter, with_ended: bool, now: Time) -> Vec<&Tracked> {
        let fits = |known: &&Tracked| {
            (with_ended || !known.op.state.ended()) && filter.takes_operation(&known.op, now)
        };
        let mut rows: Vec<&Tracked> = self.operations.values().filter(fits).collect();
        rows.sort_by_key(|known| {
            let op = &known.op;
            match op.state {
                State::Queued => (1, Reverse(i64::from(op.priority)), op.id),
                state if state.ended() => (2, Reverse(op.ended_at.unwrap_or(op.created_at).micros()), op.id),
                _ => (0, Reverse(0), op.id),
            }
        });
        rows
    }

    fn trim(&mut self) {
        let ended = self.operations.values().filter(|known| known.op.state.ended()).count();
        let surplus = ended.saturating_sub(MAX_ENDED);
        let oldest = self.operations.iter().filter(|(_, known)| known.op.state.ended()).map(|(id, _)| *id);
        let oldest: Vec<OperationId> = oldest.take(surplus).collect();
        for id in oldest {
            self.operations.remove(&id);
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use protocol::{InstanceId, KindName, Progress};
    use serde_json::json;

    /// Operation number `n`, at 10:41 on 23 November 2026.
    pub fn op(n: u8, state: State) -> Operation {
        let id = format!("0199c2d4-7f3a-7c11-9e1b-0000000000{n:02x}").parse().unwrap();
        let at = Time::parse("2026-11-23T10:41:00Z").unwrap();
        let kind = KindName::new("data.load").unwrap();
        let mut op = Operation::queued(id, kind, format!("MSFT {n}h"), json!({"symbol": "MSFT"}), at);
        op.state = state;
        op.started_at = (state != State::Queued).then_some(at);
        op.ended_at = state.ended().then_some(at.plus_micros(i64::from(n)));
        op
    }

    pub fn snapshot(operations: Vec<Operation>, hosts: Vec<HostStatus>) -> Snapshot {
        Snapshot {
            seq: 10,
            now: Time::from_micros(0),
            server: InstanceId::new(),
            version: String::new(),
            operations,
            ended_from: None,
            counts: vec![],
            hosts,
            alerts: protocol::alerts::AlertSummary::default(),
        }
    }

    fn shown(model: &Model, text: &str, with_ended: bool) -> Vec<String> {
        let filter = Filter { text: text.to_owned(), ..Filter::default() };
        let rows = model.rows(&filter, with_ended, Time::from_micros(0));
        rows.iter().map(|row| row.op.title.clone()).collect()
    }

    #[test]
    fn running_operations_are_above_queued_and_ended_ones() {
        let mut model = Model::default();
        let mut urgent = op(5, State::Queued);
        urgent.priority = 7;
        let all = vec![
            op(1, State::Succeeded),
            op(2, State::Queued),
            op(3, State::Running),
            op(4, State::Failed),
            urgent,
        ];
        model.load(snapshot(all, vec![]));
        assert_eq!(shown(&model, "", true), ["MSFT 3h", "MSFT 5h", "MSFT 2h", "MSFT 4h", "MSFT 1h"]);
        assert_eq!(shown(&model, "", false), ["MSFT 3h", "MSFT 5h", "MSFT 2h"]);
        assert_eq!(shown(&model, "failed", true), ["MSFT 4h"]);
        assert_eq!(model.count(&[State::Queued]), 2);
    }

    #[test]
    fn an_older_answer_does_not_undo_an_event() {
        let mut model = Model::default();
        model.load(snapshot(vec![op(1, State::Running)], vec![]));
        let mut ended = op(1, State::Cancelled);
        ended.seq = 12;
        let body = EventBody::Operation { operation: Box::new(ended) };
        model.apply(Event { seq: 12, at: Time::from_micros(0), body });
        let mut cancelling = op(1, State::Cancelling);
        cancelling.seq = 11;
        model.update(cancelling);
        assert_eq!(model.count(&[State::Cancelled]), 1);
        // Progress of an earlier attempt has no effect.
        let id = op(1, State::Running).id;
        let progress = Progress::start(Time::from_micros(0));
        let body = EventBody::Progress { id, attempt: 0, progress, forecast: None };
        model.apply(Event { seq: 13, at: Time::from_micros(0), body });
        assert!(model.get(id).unwrap().op.progress.is_none());
        let body = EventBody::Deleted { id, state: State::Cancelled };
        model.apply(Event { seq: 14, at: Time::from_micros(0), body });
        assert!(model.get(id).is_none());
    }

    #[test]
    fn ended_operations_have_a_limit() {
        let mut model = Model::default();
        let mut id = OperationId::earliest(Time::parse("2026-11-23T10:00:00Z").unwrap());
        for _ in 0..MAX_ENDED + 5 {
            id = id.next();
            let mut ended = op(1, State::Succeeded);
            ended.id = id;
            model.update(ended);
        }
        model.update(op(2, State::Running));
        assert_eq!(model.count(&[State::Succeeded]), MAX_ENDED);
        assert_eq!(model.count(&[State::Running]), 1);
    }
}
