//! What is said before something is asked for that can't be undone, and what is said of its outcome.

use crate::format;
use crate::zone::Zone;
use protocol::api::Refused;
use protocol::{Checkpoint, Time};

/// How those stand that are about to be cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    pub queued: u32,
    /// On a host, and nobody has asked them to stop.
    pub running: u32,
    /// Of these, those that leave nothing to go on from.
    pub lost: u32,
    pub cancelling: u32,
    /// Ended already, or not known any more.
    pub ended: u32,
}

impl Tally {
    /// Those that a cancel can be asked for.
    pub fn open(&self) -> u32 {
        self.queued + self.running
    }
}

fn n(count: u32) -> String {
    format::count(u64::from(count))
}

/// `1 operation`, `57 operations`
pub fn operations(count: u32) -> String {
    if count == 1 { "1 operation".to_owned() } else { format!("{} operations", n(count)) }
}

/// What will happen to them: `3 running are asked to stop; 2 queued are removed at once.`
pub fn cancel_many(tally: Tally) -> Vec<String> {
    let be = |count: u32| if count == 1 { "is" } else { "are" };
    let mut first = Vec::new();
    if tally.running > 0 {
        first.push(format!("{} running {} asked to stop", n(tally.running), be(tally.running)));
    }
    if tally.queued > 0 {
        first.push(format!("{} queued {} removed at once", n(tally.queued), be(tally.queued)));
    }
    let mut lines = Vec::new();
    if !first.is_empty() {
        lines.push(format!("{}.", first.join("; ")));
    }
    if tally.lost > 0 {
        let subject = match (tally.lost == tally.running, tally.lost) {
            (true, 1) => "The running one has".to_owned(),
            (true, _) => "The running ones have".to_owned(),
            (false, 1) => "1 of the running has".to_owned(),
            (false, lost) => format!("{} of the running have", n(lost)),
        };
        lines.push(format!("{subject} no checkpoint and can't be resumed: the work done so far is lost."));
    }
    if tally.cancelling > 0 {
        lines.push(format!("{} {} being cancelled already.", n(tally.cancelling), be(tally.cancelling)));
    }
    if tally.ended > 0 {
        let has = if tally.ended == 1 { "has" } else { "have" };
        lines.push(format!("{} {has} ended already and {} left alone.", n(tally.ended), be(tally.ended)));
    }
    lines
}

/// What became of a wish for many, and whether it should stay in sight.
pub fn cancelled_many(asked: u32, refused: &[Refused]) -> (String, bool) {
    let Some(first) = refused.first() else {
        return (format!("Cancel asked of {}. Their receipts say how it goes.", operations(asked)), false);
    };
    let alike = refused.iter().filter(|r| r.why == first.why).count();
    let others = refused.len() - alike;
    let mut said = format!(
        "Cancel asked of {}. {} left alone: {}",
        operations(asked),
        n(alike as u32),
        first.why.trim_end_matches('.')
    );
    if others > 0 {
        said.push_str(&format!("; and {} for other reasons", n(others as u32)));
    }
    said.push('.');
    (said, true)
}

/// What a resume keeps and what it does again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resume {
    /// What the checkpoint holds, in the host's words.
    pub kept: String,
    /// From when it is, and which attempt made it.
    pub from: String,
    pub redone: String,
}

/// What is said before a resume; `ended` is when the last attempt did.
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
        format!("attempt {attempt}, the last one")
    } else {
        format!("attempt {}", checkpoint.attempt)
    };
    let since = ended.map(|ended| ended.seconds_since(checkpoint.at)).filter(|s| *s >= 1.0);
    let reached = if reached.is_empty() { String::new() } else { format!(" (it had reached {reached})") };
    let redone = match since {
        Some(seconds) if checkpoint.attempt == attempt => {
            format!("The last {} of work{reached} and all that was still to come.", format::duration(seconds))
        }
        _ => format!("Everything that was done after it{reached} and all that was still to come."),
    };
    Resume {
        kept: checkpoint.note.clone(),
        from: format!("{}, {age}, by {by}", zone.moment(checkpoint.at)),
        redone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_what_will_happen_to_how_many() {
        let tally = Tally { queued: 2, running: 3, lost: 1, cancelling: 1, ended: 2 };
        assert_eq!(tally.open(), 5);
        assert_eq!(
            cancel_many(tally),
            [
                "3 running are asked to stop; 2 queued are removed at once.",
                "1 of the running has no checkpoint and can't be resumed: the work done so far is lost.",
                "1 is being cancelled already.",
                "2 have ended already and are left alone.",
            ]
        );
        let one = Tally { running: 1, lost: 1, ..Tally::default() };
        assert_eq!(
            cancel_many(one),
            [
                "1 running is asked to stop.",
                "The running one has no checkpoint and can't be resumed: the work done so far is lost."
            ]
        );
        assert!(cancel_many(Tally::default()).is_empty());
    }

    #[test]
    fn the_outcome_does_not_hide_who_was_left_alone() {
        let refused = |why: &str| Refused {
            id: "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap(),
            why: why.to_owned(),
        };
        assert_eq!(
            cancelled_many(12, &[]),
            ("Cancel asked of 12 operations. Their receipts say how it goes.".to_owned(), false)
        );
        let (said, stays) =
            cancelled_many(1, &[refused("It has ended."), refused("It has ended."), refused("Gone")]);
        assert_eq!(said, "Cancel asked of 1 operation. 2 left alone: It has ended; and 1 for other reasons.");
        assert!(stays);
    }

    #[test]
    fn a_resume_says_what_is_kept_and_what_is_done_again() {
        let at = |text: &str| Time::parse(text).unwrap();
        let checkpoint = Checkpoint {
            attempt: 1,
            at: at("2026-11-23T10:00:00Z"),
            note: "7 of 13 segments, 11,204 rows".into(),
            state: serde_json::Value::Null,
        };
        let now = at("2026-11-23T10:05:00Z");
        let said = resume(&checkpoint, 1, Some(at("2026-11-23T10:02:10Z")), "61 %", now, Zone::Utc);
        assert_eq!(said.kept, "7 of 13 segments, 11,204 rows");
        assert_eq!(said.from, "2026-11-23 10:00:00 UTC, 5 m ago, by attempt 1, the last one");
        assert_eq!(
            said.redone,
            "The last 2 m 10 s of work (it had reached 61 %) and all that was still to come."
        );
        let older = resume(&checkpoint, 3, Some(now), "", now, Zone::Utc);
        assert!(older.from.ends_with("by attempt 1"));
        assert_eq!(older.redone, "Everything that was done after it and all that was still to come.");
    }
}
