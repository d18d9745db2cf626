//! What the person was answered, and what the feed told, against what the API says in the calm.

use super::story::Story;
use super::{End, Forgotten, Promise, Violation};
use protocol::api::OperationDetail;
use protocol::{Attempt, Operation, OperationId, State};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A start and every answer to it: it is repeated under its key until one comes.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Asked {
    /// Its key, which is also in its params.
    pub mark: String,
    /// The operations that answers named.
    pub answers: Vec<OperationId>,
    /// Answers that the operation was there and was deleted.
    pub gone: u64,
}

/// A wish that the server said yes to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Wish {
    pub id: OperationId,
    /// Of which attempt, or that one came of it; 0 where the answer names none.
    pub attempt: u32,
    pub what: Wished,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wished {
    Cancel,
    Again,
}

/// What a person wanted deleted.
#[derive(Clone, Default, Debug)]
pub struct Deletes {
    pub asked: HashSet<OperationId>,
    /// Those of them that the server said are no more.
    pub accepted: HashSet<OperationId>,
    /// Everything cancelled was asked for as well, whatever it was.
    pub all_cancelled: bool,
}

/// Deletes: what was said to be gone is, and what is gone was asked for.
pub fn deletes(deletes: &Deletes, forgotten: &Forgotten, listed: &[Operation]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut broken = |id: &OperationId, what: &str| {
        found.push(Violation::of(Promise::DeletesKept, *id, what));
    };
    for id in deletes.accepted.iter().filter(|id| !forgotten.contains_key(id)) {
        broken(id, "its delete was accepted, and the feed never said that it is no more");
    }
    for operation in listed.iter().filter(|o| forgotten.contains_key(&o.id)) {
        broken(&operation.id, "the feed said that it is no more, and it is listed");
    }
    for (id, (state, at)) in forgotten {
        let meant = deletes.all_cancelled && *state == State::Cancelled;
        if !meant && !deletes.asked.contains(id) {
            broken(id, &format!("it was forgotten as {state} at {at}, and nobody had asked for that"));
        }
    }
    found
}

/// Starts: each that was accepted is there, once, or was deleted. The key of what was deleted starts nothing more.
pub fn starts(asked: &[Asked], listed: &[Operation], forgotten: &Forgotten) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut by_mark: HashMap<&str, Vec<OperationId>> = HashMap::new();
    for operation in listed {
        if let Some(mark) = operation.params.get("mark").and_then(|m| m.as_str()) {
            by_mark.entry(mark).or_default().push(operation.id);
        }
    }
    for start in asked {
        let there = by_mark.get(start.mark.as_str()).map_or(&[][..], Vec::as_slice);
        let answers: HashSet<OperationId> = start.answers.iter().copied().collect();
        let all = answers.iter().chain(there).collect::<HashSet<_>>().len();
        if all > 1 || (start.gone > 0 && !there.is_empty()) {
            let what = format!(
                "the key {} was answered with {answers:?} and {} times with that it was deleted, and the list has {there:?}",
                start.mark, start.gone
            );
            found.push(Violation {
                promise: Promise::KeyedOnce,
                operation: there.first().copied(),
                evidence: what,
            });
        }
        for id in answers.iter().filter(|id| !there.contains(id) && !forgotten.contains_key(id)) {
            let what = format!(
                "the start with the key {} was accepted as this one, which no page lists",
                start.mark
            );
            found.push(Violation::of(Promise::NoneLost, *id, what));
        }
    }
    found
}

/// Wishes: each left its trace in the attempts, if what it was about was not deleted since.
pub fn wishes(
    wishes: &[Wish],
    details: &BTreeMap<OperationId, OperationDetail>,
    forgotten: &Forgotten,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for wish in wishes.iter().filter(|wish| !forgotten.contains_key(&wish.id)) {
        let Some(detail) = details.get(&wish.id) else {
            found.push(Violation::of(Promise::NoneLost, wish.id, "a wish about it was accepted; it is gone"));
            continue;
        };
        let number = |a: &&Attempt| wish.attempt == 0 || a.number == wish.attempt;
        let mut meant = detail.attempts.iter().filter(number);
        let kept = match wish.what {
            Wished::Cancel => meant.any(|a| a.receipt.is_some()),
            Wished::Again => meant.next().is_some(),
        };
        if !kept {
            let what = format!(
                "{:?} of attempt {} was accepted, and of its {} attempts none shows it",
                wish.what,
                wish.attempt,
                detail.attempts.len()
            );
            found.push(Violation::of(Promise::WishesKept, wish.id, what));
        }
    }
    found
}

/// The feed, read to its end, leads to what the list and the details say.
pub fn agrees(
    story: &Story,
    listed: &[Operation],
    details: &BTreeMap<OperationId, OperationDetail>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let told: HashSet<OperationId> = listed.iter().map(|o| o.id).collect();
    for id in story.now.keys().filter(|id| !told.contains(id)) {
        found.push(Violation::of(Promise::NoneLost, *id, "the feed told of it, and no page lists it"));
    }
    for operation in listed {
        let Some(known) = story.now.get(&operation.id) else {
            found.push(Violation::of(
                Promise::FeedAgrees,
                operation.id,
                "listed, and the feed never told of it",
            ));
            continue;
        };
        let same = (known.state, known.attempt, End::of(known))
            == (operation.state, operation.attempt, End::of(operation));
        if !same {
            let what = format!(
                "the feed leads to {} in attempt {} ({:?}); the list says {} in attempt {} ({:?})",
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
            let told = story.ends.get(&(*id, attempt.number)).map(|(end, _)| end);
            let stands = End::of_attempt(attempt);
            if told != stands.as_ref() {
                let what =
                    format!("attempt {}: the feed told {told:?}, the API says {stands:?}", attempt.number);
                found.push(Violation::of(Promise::EndsStay, *id, what));
            }
        }
    }
    found
}

/// Attempts that ended, as the API first showed them.
#[derive(Default, Debug)]
pub struct Kept {
    attempts: HashMap<(OperationId, u32), Attempt>,
}

impl Kept {
    /// An attempt was seen to have ended before.
    pub fn knows(&self, id: OperationId, attempt: u32) -> bool {
        self.attempts.contains_key(&(id, attempt))
    }

    /// Compares with what was seen before, over whatever restarts, and remembers what is new.
    pub fn compare(&mut self, details: &BTreeMap<OperationId, OperationDetail>) -> Vec<Violation> {
        let mut found = Vec::new();
        for (id, detail) in details {
            for attempt in detail.attempts.iter().filter(|a| a.state.ended()) {
                let known = self.attempts.entry((*id, attempt.number)).or_insert_with(|| attempt.clone());
                if known != attempt {
                    let what = format!("an ended attempt was {known:?} and is {attempt:?}");
                    found.push(Violation::of(Promise::EndsStay, *id, what));
                }
            }
            let here: HashSet<u32> = detail.attempts.iter().map(|a| a.number).collect();
            let most = detail.operation.attempt;
            if let Some(missing) = (1..=most).find(|n| !here.contains(n)) {
                let what = format!("it is in attempt {most}, and attempt {missing} is gone");
                found.push(Violation::of(Promise::EndsStay, *id, what));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
