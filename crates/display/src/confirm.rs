//! Texts of confirmation dialogs for actions that cannot be undone, and of their outcomes.

use crate::format;
use crate::zone::Zone;
use protocol::api::{Deleted, Refused};
use protocol::{Checkpoint, ConditionKind, Time};

/// Start point of another attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// From the start.
    Retry,
    /// From the newest checkpoint.
    Resume,
}

/// Counts of the operations that an action applies to, by state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    pub queued: u32,
    /// On a host and not asked to stop.
    pub running: u32,
    /// Running ones without a checkpoint: a cancel loses their work.
    pub lost: u32,
    pub cancelling: u32,
    /// Ended, or no longer known.
    pub ended: u32,
    /// Ended ones that failed or were cancelled and can be attempted again.
    pub again: u32,
    /// Those of `again` that have a checkpoint.
    pub resumable: u32,
}

impl Tally {
    /// Number of operations that can be cancelled.
    pub fn open(&self) -> u32 {
        self.queued + self.running
    }
}

fn n(count: u32) -> String {
    format::count(u64::from(count))
}

/// Count of operations: `1 operation`, `57 operations`.
pub fn operations(count: u32) -> String {
    format::counted(u64::from(count), "operation", "operations")
}

/// Consequences of cancelling many: `3 running operations are asked to stop.`
pub fn cancel_many(tally: Tally) -> Vec<String> {
    let be = |count: u32| if count == 1 { "is" } else { "are" };
    let mut first = Vec::new();
    if tally.running > 0 {
        let named = format::counted(u64::from(tally.running), "running operation", "running operations");
        first.push(format!("{named} {} asked to stop", be(tally.running)));
    }
    if tally.queued > 0 {
        let named = format::counted(u64::from(tally.queued), "queued operation", "queued operations");
        first.push(format!("{named} {} cancelled immediately", be(tally.queued)));
    }
    let mut lines = Vec::new();
    if !first.is_empty() {
        lines.push(format!("{}.", first.join("; ")));
    }
    if tally.lost > 0 {
        let subject = match (tally.lost == tally.running, tally.lost) {
            (true, 1) => "The running operation has".to_owned(),
            (true, _) => "The running operations have".to_owned(),
            (false, 1) => "1 of the running operations has".to_owned(),
            (false, lost) => format!("{} of the running operations have", n(lost)),
        };
        lines.push(format!("{subject} no checkpoint and can't be resumed: the work done so far is lost."));
    }
    if tally.cancelling > 0 {
        lines.push(format!("{} {} already being cancelled.", n(tally.cancelling), be(tally.cancelling)));
    }
    if tally.ended > 0 {
        let has = if tally.ended == 1 { "has" } else { "have" };
        lines.push(format!("{} {has} already ended and {} skipped.", n(tally.ended), be(tally.ended)));
    }
    lines
}

/// Consequences of another attempt of many; `of` is the number of selected operations.
pub fn again_many(tally: Tally, again: Again, of: u32) -> Vec<String> {
    let get = |count: u32| if count == 1 { "gets" } else { "get" };
    let taken = match again {
        Again::Retry => tally.again,
        Again::Resume => tally.resumable,
    };
    let mut lines = Vec::new();
    if taken > 0 {
        let from = match (again, taken) {
            (Again::Retry, _) => "from the start",
            (Again::Resume, 1) => "from its newest checkpoint",
            (Again::Resume, _) => "from their newest checkpoints",
        };
        lines.push(format!("{} {} another attempt {from}, and waits in the queue.", n(taken), get(taken)));
        if taken > 1 {
            lines[0] = lines[0].replace("and waits", "and wait");
        }
    }
    if again == Again::Retry && tally.resumable > 0 {
        let has = if tally.resumable == 1 { "has a checkpoint" } else { "have checkpoints" };
        lines.push(format!(
            "{} of them {has}, which Retry does not use. To continue from a checkpoint, choose Resume.",
            n(tally.resumable)
        ));
    }
    let left = of.saturating_sub(taken);
    if left > 0 {
        let why = match again {
            Again::Retry => "only failed and cancelled operations can be retried",
            Again::Resume => "only failed and cancelled operations with a checkpoint can be resumed",
        };
        let are = if left == 1 { "is" } else { "are" };
        lines.push(format!("{} {are} skipped: {why}.", n(left)));
    }
    lines
}

/// Outcome of an action on many operations, and whether the message stays until it is dismissed. `what` is its
/// beginning: `Cancel requested for`.
pub fn requested_many(what: &str, requested: u32, refused: &[Refused]) -> (String, bool) {
    let Some(first) = refused.first() else {
        let receipts = if what.starts_with("Cancel") { " See their receipts for progress." } else { "" };
        return (format!("{what} {}.{receipts}", operations(requested)), false);
    };
    let alike = refused.iter().filter(|r| r.why == first.why).count();
    let others = refused.len() - alike;
    let mut wording = format!(
        "{what} {}. {} skipped: {}",
        operations(requested),
        n(alike as u32),
        first.why.trim_end_matches('.')
    );
    if others > 0 {
        wording.push_str(&format!("; and {} for other reasons", n(others as u32)));
    }
    wording.push('.');
    (wording, true)
}

/// What happens to the work of an operation that is abandoned in a condition.
pub fn abandoned_work(condition: Option<ConditionKind>, host: &str) -> String {
    match condition {
        Some(ConditionKind::Unstoppable) => {
            format!("{host} can't stop the operation, or has not confirmed the stop.")
        }
        Some(ConditionKind::CancelUndelivered) => {
            format!("As soon as {host} can be reached, the server asks it to stop the operation.")
        }
        _ => format!("When {host} reconnects, the server asks it to stop the operation."),
    }
}

/// Consequences of deleting one operation, one line each.
pub fn delete(has_result: bool, starts_others: bool) -> Vec<&'static str> {
    let content = match has_result {
        true => "Permanently deletes its parameters, attempts, checkpoint, curves, log and result.",
        false => "Permanently deletes its parameters, attempts, checkpoint, curves and log.",
    };
    let others = starts_others.then_some("The runs it started are deleted too.");
    let files = "Data and models on its host are kept.";
    [Some(content), others, Some(files)].into_iter().flatten().collect()
}

/// Message after a deletion: `Deleted: MSFT 1h`. `all` counts the operation and everything it started.
pub fn deleted(title: &str, all: u64) -> String {
    match all.saturating_sub(1) {
        0 => format!("Deleted: {title}"),
        1 => format!("Deleted: {title} and the operation it started"),
        others => format!("Deleted: {title} and the {} it started", operations(others as u32)),
    }
}

/// Consequences of deleting many operations, one line each; `told` is the server's preview.
pub fn delete_many(outcome: Deleted) -> Vec<String> {
    let mut lines = Vec::new();
    if outcome.deleted > 0 {
        lines.push(format!(
            "Permanently deletes {}: parameters, attempts, checkpoints, curves, logs and results.",
            match outcome.deleted {
                1 => "1 operation and all runs it started".to_owned(),
                many => format!("{} and all runs they started", operations(many as u32)),
            }
        ));
        lines.push("Data and models on their hosts are kept.".to_owned());
    }
    if outcome.refused > 0 {
        let (has, is) = if outcome.refused == 1 { ("has", "is") } else { ("have", "are") };
        lines.push(format!(
            "{} {has} not ended, or {has} child runs that have not ended, and {is} skipped.",
            n(outcome.refused as u32)
        ));
    }
    if lines.is_empty() {
        lines.push("None of these operations has ended.".to_owned());
    }
    lines
}

/// Message after deleting many, and whether it stays until it is dismissed; `None` without an answer.
pub fn deleted_many(outcome: Deleted) -> Option<(String, bool)> {
    let gone = format!("Deleted {}.", operations(outcome.deleted as u32));
    match (outcome.deleted, outcome.refused) {
        (0, 0) => None,
        (_, 0) => Some((gone, false)),
        (_, left) => {
            let why = "not ended, with child runs that have not ended, changed, or already deleted";
            Some((format!("{gone} {} skipped: {why}.", n(left as u32)), true))
        }
    }
}

/// Contents of the resume dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resume {
    /// Content of the checkpoint, as described by the host.
    pub content: String,
    /// Time of the checkpoint and the attempt that made it.
    pub from: String,
    pub redone: String,
}

/// Contents of the resume dialog; `ended` is the end of the last attempt.
pub fn resume(
    checkpoint: &Checkpoint,
    attempt: u32,
    ended: Option<Time>,
    reached: &str,
    now: Time,
    zone: Zone,
) -> Resume {
    let age = format::ago(now.seconds_since(checkpoint.at));
    let by = if checkpoint.attempt == attempt {
        format!("attempt {attempt} (the latest)")
    } else {
        format!("attempt {}", checkpoint.attempt)
    };
    let since = ended.map(|ended| ended.seconds_since(checkpoint.at)).filter(|s| *s >= 1.0);
    let reached =
        if reached.is_empty() { String::new() } else { format!(" (progress at its end: {reached})") };
    let redone = match since {
        Some(seconds) if checkpoint.attempt == attempt => {
            format!("The last {} of work{reached}.", format::duration(seconds))
        }
        _ => format!("All work after the checkpoint{reached}."),
    };
    let content = match checkpoint.files.as_slice() {
        [] => checkpoint.note.clone(),
        [file] => format!("{}; 1 file, {}", checkpoint.note, format::bytes(file.bytes)),
        files => {
            let all = files.iter().map(|file| file.bytes).sum();
            format!("{}; {} files, {}", checkpoint.note, n(files.len() as u32), format::bytes(all))
        }
    };
    Resume { content, from: format!("{}, {age}, by {by}", zone.moment(checkpoint.at)), redone }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_attempt_names_its_checkpoint_and_the_skipped_operations() {
        let tally = Tally { running: 1, ended: 4, again: 3, resumable: 1, ..Tally::default() };
        assert_eq!(
            again_many(tally, Again::Retry, 5),
            [
                "3 get another attempt from the start, and wait in the queue.",
                "1 of them has a checkpoint, which Retry does not use. To continue from a checkpoint, choose Resume.",
                "2 are skipped: only failed and cancelled operations can be retried.",
            ]
        );
        assert_eq!(
            again_many(tally, Again::Resume, 2),
            [
                "1 gets another attempt from its newest checkpoint, and waits in the queue.",
                "1 is skipped: only failed and cancelled operations with a checkpoint can be resumed.",
            ]
        );
    }

    #[test]
    fn a_confirmation_names_the_effect_and_the_number_of_operations() {
        let tally = Tally { queued: 2, running: 3, lost: 1, cancelling: 1, ended: 2, ..Tally::default() };
        assert_eq!(tally.open(), 5);
        assert_eq!(
            cancel_many(tally),
            [
                "3 running operations are asked to stop; 2 queued operations are cancelled immediately.",
                "1 of the running operations has no checkpoint and can't be resumed: the work done so far is lost.",
                "1 is already being cancelled.",
                "2 have already ended and are skipped.",
            ]
        );
        let one = Tally { running: 1, lost: 1, ..Tally::default() };
        assert_eq!(
            cancel_many(one),
            [
                "1 running operation is asked to stop.",
                "The running operation has no checkpoint and can't be resumed: the work done so far is lost."
            ]
        );
        assert!(cancel_many(Tally::default()).is_empty());
    }

    #[test]
    fn abandoning_says_whether_the_host_is_asked_to_stop_the_work() {
        let wording = |kind| abandoned_work(Some(kind), "gpu-1");
        assert_eq!(
            wording(ConditionKind::Unreachable),
            "When gpu-1 reconnects, the server asks it to stop the operation."
        );
        assert_eq!(
            wording(ConditionKind::CancelUndelivered),
            "As soon as gpu-1 can be reached, the server asks it to stop the operation."
        );
        assert_eq!(
            wording(ConditionKind::Unstoppable),
            "gpu-1 can't stop the operation, or has not confirmed the stop."
        );
    }

    #[test]
    fn a_deletion_names_lost_and_deleted_data() {
        assert_eq!(delete(false, false).len(), 2);
        let sweep = delete(true, true);
        assert!(sweep[0].contains("result") && sweep[1].contains("runs"), "{sweep:?}");
        assert_eq!(deleted("MSFT 1h", 1), "Deleted: MSFT 1h");
        assert_eq!(deleted("MSFT 1h", 13), "Deleted: MSFT 1h and the 12 operations it started");
    }

    #[test]
    fn a_bulk_deletion_names_how_many_are_deleted_and_which_stay() {
        let outcome = |deleted, refused| Deleted { deleted, refused, until: None };
        let lines = delete_many(outcome(1_200, 2));
        assert!(
            lines[0].starts_with("Permanently deletes 1,200 operations and all runs they started"),
            "{lines:?}"
        );
        assert_eq!(lines[2], "2 have not ended, or have child runs that have not ended, and are skipped.");
        assert_eq!(delete_many(outcome(0, 0)), ["None of these operations has ended."]);
        assert_eq!(deleted_many(outcome(3, 0)), Some(("Deleted 3 operations.".to_owned(), false)));
        assert!(
            deleted_many(outcome(3, 1))
                .is_some_and(|(wording, stays)| stays && wording.contains("1 skipped"))
        );
        assert_eq!(deleted_many(outcome(0, 0)), None);
    }

    #[test]
    fn an_outcome_lists_the_skipped_operations() {
        let refused = |why: &str| Refused {
            id: "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap(),
            why: why.to_owned(),
        };
        assert_eq!(
            requested_many("Cancel requested for", 12, &[]),
            ("Cancel requested for 12 operations. See their receipts for progress.".to_owned(), false)
        );
        let (wording, stays) = requested_many(
            "Cancel requested for",
            1,
            &[refused("It has ended."), refused("It has ended."), refused("Gone")],
        );
        assert_eq!(
            wording,
            "Cancel requested for 1 operation. 2 skipped: It has ended; and 1 for other reasons."
        );
        assert!(stays);
    }

    #[test]
    fn a_resume_names_kept_and_repeated_work() {
        let at = |text: &str| Time::parse(text).unwrap();
        let checkpoint = Checkpoint {
            attempt: 1,
            at: at("2026-11-23T10:00:00Z"),
            note: "7 of 13 segments, 11,204 rows".into(),
            fraction: None,
            state: serde_json::Value::Null,
            files: vec![],
        };
        let now = at("2026-11-23T10:05:00Z");
        let wording = resume(&checkpoint, 1, Some(at("2026-11-23T10:02:10Z")), "61 %", now, Zone::Utc);
        assert_eq!(wording.content, "7 of 13 segments, 11,204 rows");
        assert_eq!(wording.from, "2026-11-23 10:00:00 UTC, 5 m ago, by attempt 1 (the latest)");
        assert_eq!(wording.redone, "The last 2 m 10 s of work (progress at its end: 61 %).");
        let file = |bytes| protocol::CheckpointFile { name: "000001-a".into(), bytes, sha256: String::new() };
        let with =
            |files| resume(&Checkpoint { files, ..checkpoint.clone() }, 1, None, "", now, Zone::Utc).content;
        assert_eq!(with(vec![file(2_048)]), "7 of 13 segments, 11,204 rows; 1 file, 2.0 KiB");
        assert_eq!(with(vec![file(1_024), file(1_024)]), "7 of 13 segments, 11,204 rows; 2 files, 2.0 KiB");
        let older = resume(&checkpoint, 3, Some(now), "", now, Zone::Utc);
        assert!(older.from.ends_with("by attempt 1"));
        assert_eq!(older.redone, "All work after the checkpoint.");
    }
}
