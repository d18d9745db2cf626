//! Waiting lines: one a kind, first come first served, and what those who wait were told.

use protocol::{ConditionKind, KindName, OperationId};
use std::collections::{BTreeMap, VecDeque};

/// All waiting lines.
#[derive(Default)]
pub(crate) struct Queues {
    lines: BTreeMap<KindName, Line>,
}

/// Those who wait for a host with one kind.
#[derive(Default)]
struct Line {
    waiting: VecDeque<OperationId>,
    /// Why they wait, as all of them but the last `fresh` were told.
    reason: Option<(ConditionKind, String)>,
    fresh: usize,
}

impl Queues {
    pub(crate) fn push(&mut self, kind: &KindName, id: OperationId) {
        let line = self.lines.entry(kind.clone()).or_default();
        line.waiting.push_back(id);
        line.fresh += 1;
    }

    /// Takes one out, wherever it stands.
    pub(crate) fn remove(&mut self, kind: &KindName, id: OperationId) {
        if let Some(line) = self.lines.get_mut(kind)
            && let Some(at) = line.waiting.iter().position(|w| *w == id)
        {
            line.waiting.remove(at);
            line.fresh = line.fresh.min(line.waiting.len());
        }
    }

    /// The kinds for which somebody waits.
    pub(crate) fn kinds(&self) -> Vec<KindName> {
        self.lines.iter().filter(|(_, l)| !l.waiting.is_empty()).map(|(k, _)| k.clone()).collect()
    }

    /// Who is first in line for a kind.
    pub(crate) fn first(&self, kind: &KindName) -> Option<OperationId> {
        self.lines.get(kind)?.waiting.front().copied()
    }

    /// The first in line goes.
    pub(crate) fn pop(&mut self, kind: &KindName) {
        if let Some(line) = self.lines.get_mut(kind) {
            line.waiting.pop_front();
            line.fresh = line.fresh.min(line.waiting.len());
        }
    }

    /// Notes why a line waits, and gives those who have not been told so.
    pub(crate) fn tell(&mut self, kind: &KindName, reason: (ConditionKind, String)) -> Vec<OperationId> {
        let Some(line) = self.lines.get_mut(kind) else { return Vec::new() };
        let from = if line.reason.as_ref() == Some(&reason) { line.waiting.len() - line.fresh } else { 0 };
        line.reason = Some(reason);
        line.fresh = 0;
        line.waiting.range(from..).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_why_it_waits_and_all_when_the_reason_changes() {
        let kind = KindName::new("data.load").unwrap();
        let mut queues = Queues::default();
        let ids: Vec<OperationId> = (0..3).map(|_| OperationId::new()).collect();
        queues.push(&kind, ids[0]);
        queues.push(&kind, ids[1]);
        let full = (ConditionKind::Waiting, "full".to_owned());
        assert_eq!(queues.tell(&kind, full.clone()), ids[..2]);
        queues.push(&kind, ids[2]);
        assert_eq!(queues.tell(&kind, full.clone()), ids[2..]);
        assert!(queues.tell(&kind, full).is_empty());
        queues.remove(&kind, ids[1]);
        assert_eq!(queues.tell(&kind, (ConditionKind::NoHost, "away".into())), [ids[0], ids[2]]);
        assert_eq!(queues.first(&kind), Some(ids[0]));
        queues.pop(&kind);
        assert_eq!(queues.first(&kind), Some(ids[2]));
    }
}
