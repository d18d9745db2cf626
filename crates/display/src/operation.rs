//! Texts about state and progress of operations.

use crate::format;
use crate::format::ordinal;
use protocol::{Condition, ConditionKind, HostName, KindName, Progress, State, Time};

/// Host and times of the current attempt.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AttemptFacts<'a> {
    pub host: Option<&'a HostName>,
    pub queued_at: Time,
    /// End of the backoff before an automatic retry.
    pub not_before: Option<Time>,
    pub started_at: Option<Time>,
    pub ended_at: Option<Time>,
}

/// A queue position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueuePosition {
    /// From 1.
    pub number: u32,
    /// Length of the queue.
    pub of: u32,
}

/// Progress in short: `56 %`, `4,210 rows so far`, or `416 of 600 steps` if that is only one of several counts.
pub fn how_far(progress: Option<&Progress>) -> String {
    match progress {
        Some(Progress { fraction: Some(fraction), .. }) => format::percent(*fraction),
        Some(p) if p.done > 0 && p.total.is_some() => done_of_total(p),
        Some(p) if p.done > 0 => format!("{} so far", items(p.done, &p.unit)),
        _ => String::new(),
    }
}

/// Count with its unit: `4,210 rows`.
pub fn items(n: u64, unit: &str) -> String {
    format!("{} {unit}", format::count(n)).trim_end().to_owned()
}

/// Rate and activity: `1.2k rows/s · writing 2024`.
pub fn doing(progress: &Progress) -> String {
    let mut parts = Vec::new();
    if let Some(rate) = progress.rate {
        parts.push(format::rate(rate, &progress.unit));
    }
    if !progress.message.is_empty() {
        parts.push(progress.message.clone());
    } else if let Some(phase) = &progress.phase {
        parts.push(phase.name.clone());
    }
    parts.join(" · ")
}

/// Done of total: `11,204 of 20,758 rows`.
pub fn done_of_total(progress: &Progress) -> String {
    match progress.total {
        Some(total) => format!("{} of {}", format::count(progress.done), items(total, &progress.unit)),
        None if progress.done > 0 => items(progress.done, &progress.unit),
        None => String::new(),
    }
}

/// Duration of the current attempt in seconds; stops while the host is unreachable.
pub fn elapsed(facts: &AttemptFacts, condition: Option<&Condition>, now: Time) -> Option<f64> {
    let started = facts.started_at?;
    let until = match (facts.ended_at, condition) {
        (Some(ended), _) => ended,
        (None, Some(c)) if c.kind == ConditionKind::Unreachable => c.since,
        _ => now,
    };
    Some(until.seconds_since(started).max(0.0))
}

/// Duration as text: exact once ended, in whole seconds while running.
pub fn elapsed_text(facts: &AttemptFacts, condition: Option<&Condition>, now: Time) -> String {
    match elapsed(facts, condition, now) {
        Some(seconds) if facts.ended_at.is_some() => format::span(seconds),
        Some(seconds) => format::duration(seconds),
        None => String::new(),
    }
}

/// Age below which a last report is not worth showing, in seconds.
const NEWS: f64 = 5.0;

/// Age of the last report: `seen 12 s ago`; empty while it is recent.
pub fn last_seen(at: Time, now: Time) -> String {
    let age = now.seconds_since(at);
    if age < NEWS { String::new() } else { format!("seen {}", format::ago(age)) }
}

/// Whether a condition is an ordinary wait and not a problem.
pub fn waits(kind: ConditionKind) -> bool {
    matches!(
        kind,
        ConditionKind::Waiting
            | ConditionKind::Backoff
            | ConditionKind::TransferringCheckpoint
            | ConditionKind::ChildrenRunning
    )
}

/// Condition of an operation with its age.
pub fn trouble(condition: &Condition, facts: &AttemptFacts, now: Time) -> String {
    let age = format::duration(now.seconds_since(condition.since));
    match condition.kind {
        ConditionKind::Unreachable => match facts.host {
            Some(host) => format!("host {host} unreachable for {age}"),
            None => format!("host unreachable for {age}"),
        },
        // The condition is set again when the server restarts or its reason changes; the time in the queue is not.
        ConditionKind::NoHost => format!("no host available; queued for {}", queued(facts, now)),
        ConditionKind::Waiting => format!("waiting for a free slot; queued for {}", queued(facts, now)),
        ConditionKind::CancelUndelivered => format!("cancel not delivered for {age}; retrying"),
        ConditionKind::ChildrenRunning => format!("waiting for child runs to end; {age} so far"),
        ConditionKind::TransferringCheckpoint => format!("transferring the checkpoint; {age} so far"),
        ConditionKind::Paused => format!("paused by a signal; {age} so far"),
        ConditionKind::Unstoppable => format!("can't be stopped; still running after {age}"),
        ConditionKind::Stalled => format!("stalled: no progress for {age}, host connected"),
        ConditionKind::Backoff => match facts.not_before.map(|at| at.seconds_since(now)) {
            Some(seconds) if seconds > 0.0 => format!("retrying in {}", format::duration(seconds.ceil())),
            _ => "retrying now".to_owned(),
        },
    }
}

fn queued(facts: &AttemptFacts, now: Time) -> String {
    format::duration(now.seconds_since(facts.queued_at))
}

/// Message after an accepted cancel. The operation may have ended meanwhile; the message must not say less than the
/// page.
pub fn cancel_note(state: State, title: &str) -> String {
    match state {
        State::Cancelled => format!("Cancelled: {title}"),
        State::Succeeded | State::Failed => format!("{title} {state} before it could be cancelled"),
        _ => format!("Cancel requested: {title}"),
    }
}

/// State change as a sentence for screen readers, which would read out the dots of a title.
pub fn announcement(title: &str, state: State) -> String {
    let is = match state {
        State::Queued => "is queued",
        State::Starting => "is starting",
        State::Running => "is running",
        State::Cancelling => "is being cancelled",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Cancelled => "was cancelled",
    };
    format!("{} {is}", title.replace(" · ", ", "))
}

/// Whether a cancel loses work and needs a confirmation.
pub fn cancel_loses_work(state: State, kind_resumes: bool, has_checkpoint: bool) -> bool {
    state.on_host() && !kind_resumes && !has_checkpoint
}

/// Queue position: `3rd of 12 in the queue for data.load`.
pub fn place(place: QueuePosition, kind: &KindName) -> String {
    match place {
        QueuePosition { number: 1, of: 1 } => format!("next in the queue for {kind}"),
        QueuePosition { number: 1, of } => {
            format!("next of {} in the queue for {kind}", format::count(u64::from(of)))
        }
        QueuePosition { number, of } => {
            format!("{} of {} in the queue for {kind}", ordinal(number), format::count(u64::from(of)))
        }
    }
}

/// Queue position in a row, which already shows the kind: `3rd of 12 in the queue`.
pub fn place_in_row(at: QueuePosition, kind: &KindName) -> String {
    place(at, kind).trim_end_matches(kind.as_str()).trim_end_matches(" for ").to_owned()
}

/// Whether an operation may be abandoned: only if its host is unreachable or cannot stop it.
pub fn may_abandon(state: State, condition: Option<&Condition>) -> bool {
    const HELPLESS: [ConditionKind; 3] =
        [ConditionKind::Unreachable, ConditionKind::CancelUndelivered, ConditionKind::Unstoppable];
    state.on_host() && condition.is_some_and(|c| HELPLESS.contains(&c.kind))
}

/// Actions that can follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    pub cancel: bool,
    pub resume: bool,
    pub retry: bool,
}

/// Actions available in a state.
pub fn next(state: State, has_checkpoint: bool) -> Next {
    let again = matches!(state, State::Failed | State::Cancelled);
    Next { cancel: state.cancellable(), resume: again && has_checkpoint, retry: again }
}

impl Next {
    /// Actions during the backoff before an automatic retry, which a manual attempt replaces.
    pub fn in_pause(self, has_checkpoint: bool) -> Self {
        Self { resume: has_checkpoint, retry: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time::from_micros(ms * 1_000)
    }

    fn host() -> HostName {
        HostName::new("data-1").unwrap()
    }

    fn facts(host: &HostName) -> AttemptFacts<'_> {
        AttemptFacts {
            host: Some(host),
            queued_at: at(0),
            not_before: None,
            started_at: Some(at(1_000)),
            ended_at: None,
        }
    }

    fn unreachable(since: i64) -> Condition {
        Condition { kind: ConditionKind::Unreachable, since: at(since), message: String::new() }
    }

    #[test]
    fn screen_readers_get_a_sentence_for_each_state() {
        assert_eq!(announcement("MSFT 1h · csv · full", State::Succeeded), "MSFT 1h, csv, full succeeded");
        assert_eq!(announcement("Nightly report", State::Cancelling), "Nightly report is being cancelled");
    }

    #[test]
    fn a_cancel_notification_says_as_much_as_the_page() {
        assert_eq!(cancel_note(State::Cancelling, "MSFT 1h"), "Cancel requested: MSFT 1h");
        assert_eq!(cancel_note(State::Cancelled, "MSFT 1h"), "Cancelled: MSFT 1h");
        let late = cancel_note(State::Succeeded, "MSFT 1h");
        assert_eq!(late, "MSFT 1h succeeded before it could be cancelled");
    }

    #[test]
    fn progress_without_a_total_shows_the_completed_count() {
        let mut p = Progress { done: 4_210, unit: "rows".into(), ..Progress::start(at(0)) };
        assert_eq!(how_far(Some(&p)), "4,210 rows so far");
        p.total = Some(9_000);
        assert_eq!(how_far(Some(&p)), "4,210 of 9,000 rows", "one count of several: the whole is unknown");
        p.fraction = Some(0.56);
        assert_eq!(how_far(Some(&p)), "56 %");
        assert_eq!(how_far(None), "");
    }

    #[test]
    fn timers_stop_while_the_host_is_silent_and_its_age_increases() {
        let silent = unreachable(5_000);
        assert_eq!(elapsed(&facts(&host()), Some(&silent), at(17_000)), Some(4.0));
        assert_eq!(trouble(&silent, &facts(&host()), at(17_000)), "host data-1 unreachable for 12 s");
        assert_eq!(elapsed(&facts(&host()), None, at(17_000)), Some(16.0));
    }

    #[test]
    fn last_seen_is_shown_once_it_is_old() {
        assert_eq!(last_seen(at(0), at(4_900)), "");
        assert_eq!(last_seen(at(0), at(12_000)), "seen 12 s ago");
    }

    #[test]
    fn waiting_time_counts_from_queueing() {
        // The server restarted, and set the condition again.
        let host = host();
        let since = at(235_000);
        for kind in [ConditionKind::NoHost, ConditionKind::Waiting] {
            let waits = Condition { kind, since, message: String::new() };
            let queued = AttemptFacts { queued_at: at(0), started_at: None, ..facts(&host) };
            let wording = trouble(&waits, &queued, at(281_000));
            assert!(wording.ends_with("; queued for 4 m 41 s"), "{wording}");
        }
    }

    #[test]
    fn a_pause_before_a_retry_counts_down() {
        let host = host();
        let held = Condition { kind: ConditionKind::Backoff, since: at(0), message: String::new() };
        let waits = AttemptFacts { not_before: Some(at(12_500)), ..facts(&host) };
        assert_eq!(trouble(&held, &waits, at(500)), "retrying in 12 s");
        assert_eq!(trouble(&held, &waits, at(12_400)), "retrying in 1 s");
        assert_eq!(trouble(&held, &waits, at(13_000)), "retrying now");
    }

    #[test]
    fn a_queue_position_is_an_ordinal() {
        let kind = KindName::new("data.load").unwrap();
        let text = |number, of| place(QueuePosition { number, of }, &kind);
        assert_eq!(text(1, 1), "next in the queue for data.load");
        assert_eq!(text(1, 4), "next of 4 in the queue for data.load");
        assert_eq!(text(3, 12), "3rd of 12 in the queue for data.load");
        assert_eq!(place_in_row(QueuePosition { number: 3, of: 12 }, &kind), "3rd of 12 in the queue");
    }

    #[test]
    fn only_operations_on_silent_hosts_can_be_abandoned() {
        let silent = unreachable(0);
        assert!(may_abandon(State::Running, Some(&silent)));
        assert!(may_abandon(
            State::Cancelling,
            Some(&Condition { kind: ConditionKind::CancelUndelivered, ..silent.clone() })
        ));
        let unstoppable = Condition { kind: ConditionKind::Unstoppable, ..silent.clone() };
        assert!(may_abandon(State::Cancelling, Some(&unstoppable)));
        assert_eq!(
            trouble(&unstoppable, &facts(&host()), at(12_000)),
            "can't be stopped; still running after 12 s"
        );
        assert!(!may_abandon(State::Running, None));
        assert!(!may_abandon(State::Queued, Some(&silent)));
        assert!(!may_abandon(
            State::Running,
            Some(&Condition { kind: ConditionKind::Stalled, ..silent.clone() })
        ));
        assert!(!may_abandon(State::Failed, Some(&silent)));
    }

    #[test]
    fn only_a_cancel_that_loses_work_needs_confirmation() {
        assert!(cancel_loses_work(State::Running, false, false));
        assert!(!cancel_loses_work(State::Running, true, false));
        assert!(!cancel_loses_work(State::Running, false, true));
        assert!(!cancel_loses_work(State::Queued, false, false));
    }

    #[test]
    fn resume_is_offered_only_with_a_checkpoint() {
        let pausing = next(State::Queued, false).in_pause(false);
        assert_eq!(pausing, Next { cancel: true, resume: false, retry: true });
        assert_eq!(next(State::Cancelled, true), Next { cancel: false, resume: true, retry: true });
        assert_eq!(next(State::Failed, false), Next { cancel: false, resume: false, retry: true });
        assert_eq!(next(State::Running, true), Next { cancel: true, resume: false, retry: false });
        assert_eq!(next(State::Succeeded, true), Next { cancel: false, resume: false, retry: false });
    }
}
