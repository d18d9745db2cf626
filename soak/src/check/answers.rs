//! Checks responses to the simulated user, and the feed, against what the API says after a schedule.

use super::history::History;
use super::{Deletions, End, Promise, Violation};
use protocol::api::OperationDetail;
use protocol::{Attempt, Operation, OperationId, State};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Start and all responses to it. It is repeated with its key until it is answered.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct StartRequest {
    /// Its idempotency key, also in its parameters.
    pub mark: String,
    /// Operations named in responses.
    pub answers: Vec<OperationId>,
    /// Number of responses saying that the operation was deleted.
    pub gone: u64,
}

/// Request that the server accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Request {
    pub id: OperationId,
    /// Attempt it concerns or created; 0 if the response names none.
    pub attempt: u32,
    pub what: RequestKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    Cancel,
    /// Retry or resume.
    NewAttempt,
}

/// Deletions that the user requested.
#[derive(Clone, Default, Debug)]
pub struct Deletes {
    pub requested: HashSet<OperationId>,
    /// Those reported as deleted by the server.
    pub accepted: HashSet<OperationId>,
    /// Deletion of all cancelled operations was requested, too.
    pub all_cancelled: bool,
}

/// Deletions: what was reported as deleted is gone, and only what was requested.
pub fn deletes(deletes: &Deletes, deleted: &Deletions, listed: &[Operation]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut broken = |id: &OperationId, what: &str| {
        found.push(Violation::of(Promise::DeletesKept, *id, what));
    };
    for id in deletes.accepted.iter().filter(|id| !deleted.contains_key(id)) {
        broken(id, "its deletion was accepted, but the feed never reported it");
    }
    for operation in listed.iter().filter(|o| deleted.contains_key(&o.id)) {
        broken(&operation.id, "the feed reported its deletion, but it is listed");
    }
    for (id, (state, at)) in deleted {
        let meant = deletes.all_cancelled && *state == State::Cancelled;
        if !meant && !deletes.requested.contains(id) {
            broken(id, &format!("it was deleted as {state} at {at}, but nobody requested that"));
        }
    }
    found
}

/// Starts: each accepted one is listed once, or was deleted. The key of a deleted operation starts nothing else.
pub fn starts(start_requests: &[StartRequest], listed: &[Operation], deleted: &Deletions) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut by_mark: HashMap<&str, Vec<OperationId>> = HashMap::new();
    for operation in listed {
        if let Some(mark) = operation.params.get("mark").and_then(|m| m.as_str()) {
            by_mark.entry(mark).or_default().push(operation.id);
        }
    }
    for start in start_requests {
        let there = by_mark.get(start.mark.as_str()).map_or(&[][..], Vec::as_slice);
        let answers: HashSet<OperationId> = start.answers.iter().copied().collect();
        let all = answers.iter().chain(there).collect::<HashSet<_>>().len();
        if all > 1 || (start.gone > 0 && !there.is_empty()) {
            let what = format!(
                "responses to key {} named {answers:?} and said {} times that it was deleted; the list has {there:?}",
                start.mark, start.gone
            );
            found.push(Violation {
                promise: Promise::KeyedOnce,
                operation: there.first().copied(),
                evidence: what,
            });
        }
        for id in answers.iter().filter(|id| !there.contains(id) && !deleted.contains_key(id)) {
            let what = format!(
                "the start with key {} was accepted as this operation, but no page lists it",
                start.mark
            );
            found.push(Violation::of(Promise::NoneLost, *id, what));
        }
    }
    found
}

/// Accepted requests: each left its trace in the attempts, unless the operation was deleted since.
pub fn requests(
    requests: &[Request],
    details: &BTreeMap<OperationId, OperationDetail>,
    deleted: &Deletions,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for request in requests.iter().filter(|request| !deleted.contains_key(&request.id)) {
        let Some(detail) = details.get(&request.id) else {
            found.push(Violation::of(
                Promise::NoneLost,
                request.id,
                "a request for it was accepted, but it is gone",
            ));
            continue;
        };
        let number = |a: &&Attempt| request.attempt == 0 || a.number == request.attempt;
        let mut meant = detail.attempts.iter().filter(number);
        let kept = match request.what {
            RequestKind::Cancel => meant.any(|a| a.receipt.is_some()),
            RequestKind::NewAttempt => meant.next().is_some(),
        };
        if !kept {
            let what = format!(
                "{:?} of attempt {} was accepted, but none of its {} attempts shows it",
                request.what,
                request.attempt,
                detail.attempts.len()
            );
            found.push(Violation::of(Promise::RequestsKept, request.id, what));
        }
    }
    found
}

/// The feed, read to its end, matches the list and the details.
pub fn agrees(
    history: &History,
    listed: &[Operation],
    details: &BTreeMap<OperationId, OperationDetail>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let reported: HashSet<OperationId> = listed.iter().map(|o| o.id).collect();
    for id in history.now.keys().filter(|id| !reported.contains(id)) {
        found.push(Violation::of(Promise::NoneLost, *id, "the feed reported it, but no page lists it"));
    }
    for operation in listed {
        let Some(known) = history.now.get(&operation.id) else {
            found.push(Violation::of(
                Promise::FeedAgrees,
                operation.id,
                "it is listed, but the feed never reported it",
            ));
            continue;
        };
        let same = (known.state, known.attempt, End::of(known))
            == (operation.state, operation.attempt, End::of(operation));
        if !same {
            let what = format!(
                "by the feed it is {} in attempt {} ({:?}), in the list {} in attempt {} ({:?})",
                known.state,
                known.attempt,
                End::of(known),
                operation.state,
                operation.attempt,
                End::of(operation)
            );
            found.push(Violation::of(Promise::FeedAgrees, operation.id, what));
        }
    }
    for (id, detail) in details {
        for attempt in &detail.attempts {
            let reported = history.ends.get(&(*id, attempt.number)).map(|(end, _)| end);
            let shown = End::of_attempt(attempt);
            if reported != shown.as_ref() {
                let what =
                    format!("attempt {}: the feed says {reported:?}, the API {shown:?}", attempt.number);
                found.push(Violation::of(Promise::EndsStay, *id, what));
            }
        }
    }
    found
}

/// Ended attempts, as the API first showed them.
#[derive(Default, Debug)]
pub struct EndedAttempts {
    attempts: HashMap<(OperationId, u32), Attempt>,
}

impl EndedAttempts {
    /// Whether the attempt had already ended in an earlier comparison.
    pub fn knows(&self, id: OperationId, attempt: u32) -> bool {
        self.attempts.contains_key(&(id, attempt))
    }

    /// Compares with what was seen before, across restarts, and remembers new attempts.
    pub fn compare(&mut self, details: &BTreeMap<OperationId, OperationDetail>) -> Vec<Violation> {
        let mut found = Vec::new();
        for (id, detail) in details {
            for attempt in detail.attempts.iter().filter(|a| a.state.ended()) {
                let known = self.attempts.entry((*id, attempt.number)).or_insert_with(|| attempt.clone());
                if known != attempt {
                    let what = format!("an ended attempt changed from {known:?} to {attempt:?}");
                    found.push(Violation::of(Promise::EndsStay, *id, what));
                }
            }
            let here: HashSet<u32> = detail.attempts.iter().map(|a| a.number).collect();
            let most = detail.operation.attempt;
            if let Some(missing) = (1..=most).find(|n| !here.contains(n)) {
                let what = format!("it is in attempt {most}, but attempt {missing} is gone");
                found.push(Violation::of(Promise::EndsStay, *id, what));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
